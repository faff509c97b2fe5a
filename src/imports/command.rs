//! A list that the command line brings: read from its own file, its progress in the database like any other's, so that the
//! same command goes on after a crash. Called by `cli`.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{
    Imports,
    apply::LEASE,
    begun,
    job::Carried,
    model::{Counts, NewImport, Preview, Stored},
    options::ImportOptions,
    presets::Field,
    preview, queries, refusals,
    table::Layout,
    target::Target,
    upload::{Broke, Origin, Passing, broke, open_file},
};
use crate::{
    audit::{self, Actor},
    error::AppError,
    files::create_private,
    forms,
    id::Id,
    keys::{AddressHash, Keys},
    store::{Db, Lane, StoreError, dialect},
    supporters::Field as OwnField,
};

/// Pause between two looks whether another run has let go, and how many: longer than the claim of one that was killed.
const LOOK: Duration = Duration::from_secs(1);
const LOOKS: u32 = 40;

/// A list that is brought.
#[derive(Clone, Debug)]
pub struct Bringing {
    /// Where it is.
    pub file: PathBuf,
    /// What is wished.
    pub options: ImportOptions,
    /// Columns, by header or `#number` counted from 1, that hold something else than their header says.
    pub columns: Vec<(String, Target)>,
    /// Only say what would happen.
    pub dry_run: bool,
    /// Where refused rows go, if anywhere: a file that must not be there yet.
    pub refused_to: Option<PathBuf>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What would happen, and which sheets of the workbook are no part of the list.
    Would(Box<Preview>, Vec<String>),
    /// What happened.
    Did(Report),
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Names the import.
    pub id: Id,
    /// What became of the rows.
    pub counts: Counts,
    /// Whether it went on with what an earlier run had begun.
    pub resumed: bool,
    /// Sheets of the workbook that are no part of the list.
    pub other_sheets: Vec<String>,
}

/// A list that was looked at.
pub(super) struct Seen {
    pub hash: AddressHash,
    pub bytes: i64,
    pub layout: Layout,
    pub mapping: Vec<Option<Target>>,
}

impl Bringing {
    /// The file's name alone.
    pub(super) fn name(&self) -> String {
        self.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Looks at the file, on the calling thread; `own` are the fields that staff defined.
    ///
    /// # Errors
    /// A sentence; also when refused rows could not be written because their file is there already.
    pub(super) fn look(&self, keys: &Keys, own: &[OwnField]) -> Result<Seen, String> {
        if let Some(path) = self.refused_to.as_deref().filter(|path| !self.dry_run && path.exists()) {
            return Err(unwritable(path, &std::io::ErrorKind::AlreadyExists.into()));
        }
        let unreadable = |error: &dyn std::fmt::Display| format!("{}: {error}", self.file.display());
        let mut source = open_file(&self.file).map_err(|error| unreadable(&error))?;
        let passing = Passing::of(keys, &mut source).map_err(|error| unreadable(&error))?;
        if !passing.is_list() {
            return Err(unreadable(&"this is neither CSV nor XLSX; save the list as one of them"));
        }
        let bytes = i64::try_from(passing.bytes()).unwrap_or(i64::MAX);
        let (hash, detector) = passing.finish();
        let layout = Layout::of(&mut source, &detector).map_err(|error| unreadable(&error))?;
        let mapping = self.mapping(&layout, own)?;
        Ok(Seen { hash, bytes, layout, mapping })
    }

    fn mapping(&self, layout: &Layout, own: &[OwnField]) -> Result<Vec<Option<Target>>, String> {
        let mut mapping = preview::mapping(Vec::new(), layout, own);
        for (name, target) in &self.columns {
            if !target.is_there(own) {
                return Err(format!("--map {name}={0}: there is no {0}", target.as_str()));
            }
            let number = name.strip_prefix('#').and_then(|number| number.parse::<usize>().ok());
            let at = match number {
                Some(number) => number.checked_sub(1),
                None => layout.header.iter().position(|header| header == name),
            };
            let place = at.and_then(|at| mapping.get(at).map(|_| at));
            let at = place.ok_or_else(|| format!("--map {name}: the list has no such column"))?;
            for known in &mut mapping {
                known.take_if(|known| known == target);
            }
            mapping[at] = Some(target.clone());
        }
        if mapping.contains(&Some(Target::Known(Field::Email))) {
            Ok(mapping)
        } else {
            let header = layout.header.join(", ");
            Err(format!(
                "no column is known to hold the addresses; say --map COLUMN=email (columns: {header})"
            ))
        }
    }

    /// The import as it is stored.
    pub(super) fn import(&self, seen: &Seen, now: crate::clock::Timestamp) -> Result<NewImport, AppError> {
        let mut import = NewImport::new(None, &self.name(), false, now);
        import.state = "previewed";
        import.file_bytes = seen.bytes;
        import.file_hash = Some(seen.hash);
        import.layout = super::to_json(&seen.layout)?;
        import.mapping = super::to_json(&seen.mapping)?;
        import.options = super::to_json(&self.options)?;
        Ok(import)
    }

    /// Writes the refused rows of `import` where they are wished.
    pub(super) fn write_refused(&self, db: &mut Db, import: &Stored) -> Result<(), String> {
        let Some(path) = &self.refused_to else { return Ok(()) };
        let mut file = create_private(path).map_err(|error| unwritable(path, &error))?;
        let mut fault = None;
        refusals::write(db, import, true, |bytes| match file.write_all(&bytes) {
            Ok(()) => true,
            Err(error) => {
                fault = Some(error);
                false
            }
        })
        .map_err(|error| error.to_string())?;
        fault.map_or(Ok(()), |error| Err(unwritable(path, &error)))
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> String {
    format!("--refused-to {}: {error}", path.display())
}

/// The import in the making, claimed by `lease` (whoever has the database alone asks nobody): the one that an earlier run left, or a new one, begun.
///
/// # Errors
/// When a statement fails, or an earlier run is still at it.
pub(super) fn begin(
    db: &mut Db,
    keys: &Keys,
    clock: &crate::clock::Clock,
    timezone: &str,
    (import, options): (&NewImport, &ImportOptions),
    lease: Id,
    is_alone: bool,
) -> Result<Option<(Stored, bool)>, StoreError> {
    let now = dialect::now(db, clock)?;
    let left = match import.file_hash {
        Some(hash) => queries::find_unfinished(db, hash)?,
        None => None,
    };
    let (id, resumed) = match left {
        Some(left) if left.options() == *options => (left.id, true),
        // Nobody else can have this one: it was made just now.
        _ => {
            queries::insert(db, import)?;
            let notice = match options.agreed(timezone) {
                Some((wording, at)) => Some(forms::import_notice(db, &wording, at)?),
                None => None,
            };
            queries::set_running(db, import.id, &import.options, notice, now)?;
            (import.id, false)
        }
    };
    // Who has the database alone has what a run before it left.
    let free_at = if is_alone { now.after(2 * LEASE) } else { now };
    if !queries::claim(db, id, lease, free_at, now.after(LEASE))? {
        return Ok(None);
    }
    let Some(stored) = queries::find(db, id)? else { return Ok(None) };
    if !resumed {
        audit::append(db, keys, &[begun(&stored, options, Actor::CommandLine)], now)?;
    }
    Ok(Some((stored, resumed)))
}

impl Imports {
    /// Takes a list in, or says what would happen; tells bytes and all bytes to `progress`.
    ///
    /// # Errors
    /// A sentence.
    pub async fn bring(
        &self,
        bringing: Bringing,
        stop: &CancellationToken,
        mut progress: impl FnMut(u64, u64) + Send,
    ) -> Result<Outcome, String> {
        let (keys, timezone) = (self.kernel.keys.clone(), self.kernel.config.campaign.timezone.clone());
        let (for_look, look_keys) = (bringing.clone(), keys.clone());
        let own = self.own_fields().await.map_err(|error| error.to_string())?;
        let seen = tokio::task::spawn_blocking(move || for_look.look(&look_keys, &own)).await;
        let seen = seen.map_err(|error| error.to_string())??;
        let of_bytes = u64::try_from(seen.bytes).unwrap_or(0);
        let origin = Origin::File(bringing.file.clone());
        let import = bringing.import(&seen, self.kernel.clock.now()).map_err(|error| error.to_string())?;
        if bringing.dry_run {
            let preview = self.would(&import, &origin).await?;
            return Ok(Outcome::Would(Box::new(preview), seen.layout.other_sheets));
        }
        let lease = Id::new();
        let import = Arc::new((import, bringing.options.clone()));
        let mut looks = 0;
        let (stored, resumed) = loop {
            let (keys, timezone) = (keys.clone(), timezone.clone());
            let (clock, import) = (self.kernel.clock.clone(), Arc::clone(&import));
            let claim =
                move |db: &mut Db| begin(db, &keys, &clock, &timezone, (&import.0, &import.1), lease, false);
            let claimed = self.kernel.store.write(Lane::Staff, claim).await;
            match claimed.map_err(|error| error.to_string())? {
                Some(claimed) => break claimed,
                // A run that was killed has its claim for a while.
                None if looks < LOOKS && !stop.is_cancelled() => looks += 1,
                None => return Err("another process is taking this list in".to_owned()),
            }
            tokio::time::sleep(LOOK).await;
        };
        let mut tell = |_: &Counts, (_, bytes): (u64, u64)| progress(bytes.min(of_bytes), of_bytes);
        let carried = self.carry(&stored, lease, &origin, stop, &mut tell).await;
        if !matches!(carried, Ok(Carried::Done | Carried::Failed)) {
            let _ = self.release(stored.id, lease).await;
        }
        let id = stored.id;
        let ended = self.kernel.store.read(move |db| Ok::<_, StoreError>(queries::find(db, id)?)).await;
        let ended = ended.map_err(|error| error.to_string())?.unwrap_or(stored);
        let counts = ended.counts();
        match carried.map_err(|error| error.to_string())? {
            Carried::Done => {}
            Carried::Failed => {
                return Err(ended.fault.unwrap_or_else(|| "the list cannot be read".to_owned()));
            }
            Carried::Lost => return Err("the import was ended by somebody else".to_owned()),
            Carried::Stopped => return Err("stopped; the same command goes on where it was".to_owned()),
        }
        let write = move |db: &mut Db| Ok::<_, StoreError>(bringing.write_refused(db, &ended));
        self.kernel.store.read(write).await.map_err(|error| error.to_string())??;
        Ok(Outcome::Did(Report { id, counts, resumed, other_sheets: seen.layout.other_sheets }))
    }

    async fn would(&self, import: &NewImport, origin: &Origin) -> Result<Preview, String> {
        let seen = self.look_at(&import.as_stored(), origin, Arc::new(AtomicBool::new(false))).await;
        match seen.map_err(|error| error.to_string())? {
            Ok((_, _, preview)) => Ok(preview),
            Err(Broke::Store(error)) => Err(error.to_string()),
            Err(Broke::File(fault)) => Err(fault.message),
        }
    }
}

/// A fault of reading as a sentence.
pub(super) fn sentence(error: super::table::ReadError) -> String {
    match broke(error) {
        Broke::Store(error) => error.to_string(),
        Broke::File(fault) => fault.message,
    }
}

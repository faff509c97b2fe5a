//! Imports: contact lists that staff bring, by the API or the command line.
//!
//! [`Imports`] is the facade. An upload is stored in pieces; a preview says what would happen; once the basis of consent
//! is stated, a job takes the rows in piece by piece, each with its progress in one transaction, so that whoever goes on
//! after a crash doubles nothing. Nobody is revived: not the unsubscribed, the suppressed, the erased.

mod apply;
pub(crate) mod bulk;
mod carry;
mod command;
mod csv;
mod decide;
mod encoding;
mod job;
mod model;
mod options;
mod pieces;
mod presets;
mod preview;
mod purge;
mod queries;
mod refusals;
pub(crate) mod routes;
mod rows;
mod sheet;
mod status;
mod table;
mod target;
mod text;
mod turn;
mod upload;

pub use command::{Bringing, Outcome, Report};
pub use model::{Counts, ImportView, Preview};
pub use options::{Basis, ImportOptions, ListConsent};
pub use presets::Field;
pub use routes::api;
pub use target::Target;

use jiff::tz::TimeZone;
use serde_json::json;

use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    contact::Country,
    error::AppError,
    forms::{self, Forms},
    http::{Cursor, Slice},
    id::Id,
    kernel::Kernel,
    keys::Keys,
    store::{Db, Lane, StoreError},
    supporters::{self, Field as OwnField},
    wake::Wake,
};
use model::{NewImport, Stored};
use rows::Plan;
use table::Layout;
use text::Formulas;
use upload::Passing;

/// Imports of this process. Cheap to clone.
#[derive(Clone)]
pub struct Imports {
    kernel: Kernel,
    forms: Forms,
    wake: Wake,
}

impl Imports {
    /// The facade; nothing works yet.
    #[must_use]
    pub fn new(kernel: &Kernel, forms: &Forms) -> Self {
        Self { kernel: kernel.clone(), forms: forms.clone(), wake: Wake::default() }
    }

    /// Begins an upload.
    async fn begin(&self, staff: Id, file_name: &str) -> Result<Id, AppError> {
        let import = NewImport::new(Some(staff), file_name, true, self.kernel.clock.now());
        let id = import.id;
        let insert = move |db: &mut Db| Ok::<_, AppError>(queries::insert(db, &import)?);
        self.kernel.store.write(Lane::Staff, insert).await?;
        Ok(id)
    }

    async fn store_piece(&self, id: Id, piece: i32, bytes: Vec<u8>) -> Result<(), AppError> {
        let insert = move |db: &mut Db| Ok::<_, AppError>(queries::insert_chunk(db, id, piece, &bytes)?);
        if self.kernel.store.write(Lane::Staff, insert).await? {
            Ok(())
        } else {
            Err(AppError::Conflict("this upload was given up".to_owned()))
        }
    }

    /// The upload is whole; the preview is owed.
    async fn finish(&self, id: Id, passing: Passing, options: &ImportOptions) -> Result<(), AppError> {
        if passing.bytes() == 0 {
            return Err(AppError::field("file", "empty_file", "this file is empty"));
        }
        if !passing.is_list() {
            let message = "this is neither CSV nor XLSX; save the list as one of them";
            return Err(AppError::field("file", "unsupported_file", message));
        }
        let (hash, options) = (passing.finish().0, to_json(options)?);
        let set = move |db: &mut Db| Ok::<_, AppError>(queries::set_uploaded(db, id, hash, &options)?);
        if !self.kernel.store.write(Lane::Staff, set).await? {
            return Err(AppError::Conflict("this upload was given up".to_owned()));
        }
        self.wake.wake();
        Ok(())
    }

    /// Deletes an upload that is not to be.
    async fn discard(&self, id: Id) {
        let delete = move |db: &mut Db| Ok::<_, AppError>(queries::delete(db, id)?);
        if self.kernel.store.write(Lane::Staff, delete).await.is_err() {
            tracing::warn!(import = %id, "an upload that is not whole could not be deleted; the purge does it later");
        }
    }

    /// The import with this id.
    ///
    /// # Errors
    /// 404 when there is none.
    pub async fn find(&self, id: Id) -> Result<ImportView, AppError> {
        self.stored(id).await.map(ImportView::from)
    }

    async fn stored(&self, id: Id) -> Result<Stored, AppError> {
        let found = self.kernel.store.read(move |db| Ok::<_, AppError>(queries::find(db, id)?)).await?;
        found.ok_or_else(|| AppError::NotFound("there is no such import".to_owned()))
    }

    async fn list(&self, cursor: Option<Cursor>, limit: u16) -> Result<Slice<ImportView>, AppError> {
        let before = match cursor.map(|cursor| cursor.bytes::<16>().map(Id::from_bytes)) {
            Some(None) => {
                return Err(AppError::field("cursor", "invalid_cursor", "this cursor is of another list"));
            }
            other => other.flatten(),
        };
        let list = move |db: &mut Db| Ok::<_, AppError>(queries::list(db, before, i64::from(limit) + 1)?);
        let rows = self.kernel.store.read(list).await?;
        let page = Slice::cut(rows, limit, |row: &Stored| Cursor::at(row.id.as_bytes()));
        Ok(Slice {
            // Whose rows a file holds is shown of one import at a time.
            data: page
                .data
                .into_iter()
                .map(|row| ImportView { preview: None, ..ImportView::from(row) })
                .collect(),
            next_cursor: page.next_cursor,
        })
    }

    /// Says what columns hold; the preview is made again.
    async fn set_mapping(&self, id: Id, wishes: &[(usize, Target)]) -> Result<ImportView, AppError> {
        let import = self.stored(id).await?;
        let columns = import.layout().map_or(0, |layout| layout.header.len());
        let own = self.own_fields().await?;
        let mut mapping = vec![None; columns];
        for (at, (column, target)) in wishes.iter().enumerate() {
            let name = format!("columns[{at}]");
            let fault = |code, message: &str| Err(AppError::field(&name, code, message));
            match mapping.get(*column) {
                _ if !target.is_there(&own) => {
                    let message = format!("there is no {}", target.as_str().replacen('.', " ", 1));
                    return fault("unknown_field", &message);
                }
                None => return fault("out_of_range", "the file has no such column"),
                Some(Some(_)) => return fault("repeated", "this column is mapped twice"),
                Some(None) if mapping.contains(&Some(target.clone())) => {
                    return fault("repeated", "another column is mapped to this field");
                }
                Some(None) => {
                    mapping.get_mut(*column).map(|place| place.replace(target.clone()));
                }
            }
        }
        let mapping = to_json(&mapping)?;
        let set = move |db: &mut Db| Ok::<_, AppError>(queries::set_mapping(db, id, &mapping)?);
        if !self.kernel.store.write(Lane::Staff, set).await? {
            return Err(not_ready(&import.state));
        }
        self.wake.wake();
        self.find(id).await
    }

    /// Lets the work begin.
    async fn start(
        &self,
        id: Id,
        options: Option<ImportOptions>,
        actor: Actor,
    ) -> Result<ImportView, AppError> {
        let import = self.stored(id).await?;
        let mut wished = options.unwrap_or_else(|| import.options());
        wished.consent = wished.consent.or(import.options().consent);
        let (keys, now) = (self.kernel.keys.clone(), self.kernel.clock.now());
        let timezone = self.kernel.config.campaign.timezone.clone();
        if wished.consent.is_none() {
            let message = "say by what consent people may be written to";
            return Err(AppError::field("consent", "required", message));
        }
        wished.check(&timezone, now).map_err(AppError::Invalid)?;
        if import.state != "previewed" {
            return Err(not_ready(&import.state));
        }
        let mapping = import.mapping();
        if !mapping.contains(&Some(Target::Known(Field::Email))) {
            return Err(AppError::field("columns", "no_email", "say first which column holds the addresses"));
        }
        let own = self.own_fields().await?;
        if let Some(gone) = mapping.iter().flatten().find(|target| !target.is_there(&own)) {
            let message = format!("{} is there no longer; map the columns again", gone.as_str());
            return Err(AppError::field("columns", "unknown_field", message));
        }
        let text = to_json(&wished)?;
        let started = self
            .kernel
            .store
            .write(Lane::Staff, move |db| {
                let notice = match wished.agreed(&timezone) {
                    Some((wording, at)) => Some(forms::import_notice(db, &wording, at)?),
                    None => None,
                };
                let started = queries::set_running(db, id, &text, notice, now)?;
                if started {
                    audit::append(db, &keys, &[begun(&import, &wished, actor)], now)?;
                }
                Ok::<_, AppError>(started)
            })
            .await?;
        if !started {
            return Err(not_ready("running"));
        }
        self.wake.wake();
        self.find(id).await
    }

    /// Ends an import; what is in by then stays in.
    async fn cancel(&self, id: Id, actor: Actor) -> Result<ImportView, AppError> {
        let import = self.stored(id).await?;
        let (keys, now) = (self.kernel.keys.clone(), self.kernel.clock.now());
        let ended = self
            .kernel
            .store
            .write(Lane::Staff, move |db| {
                let open = ["uploaded", "previewed", "running"];
                let ended = queries::set_ended(db, id, &open, "cancelled", None, now)?;
                if let Some(ended) = ended.as_ref().filter(|ended| ended.started_at.is_some()) {
                    audit::append(db, &keys, &[over(ended, actor)], now)?;
                }
                Ok::<_, AppError>(ended)
            })
            .await?;
        ended.map(ImportView::from).ok_or_else(|| not_ready(&import.state))
    }

    async fn own_fields(&self) -> Result<Vec<OwnField>, AppError> {
        self.kernel.store.read(|db| Ok(supporters::list_fields(db)?)).await
    }

    /// What rows of an import are read by.
    fn plan(
        &self,
        db: &mut Db,
        import: &Stored,
        layout: Layout,
        mapping: &[Option<Target>],
    ) -> Result<Plan, StoreError> {
        let join = self.forms.current_notice(forms::JOIN).map(|notice| notice.id);
        let timezone = &self.kernel.config.campaign.timezone;
        let own = supporters::list_fields(db)?;
        let now = self.kernel.clock.now();
        Ok(plan(&self.kernel.keys, timezone, import, join, layout, (mapping, own), now))
    }
}

/// The same, given what it takes.
fn plan(
    keys: &Keys,
    timezone: &str,
    import: &Stored,
    join: Option<Id>,
    layout: Layout,
    (mapping, own): (&[Option<Target>], Vec<OwnField>),
    now: Timestamp,
) -> Plan {
    let options = import.options();
    let country = options.country.as_deref().and_then(|country| Country::parse(country).ok());
    let columns = mapping.iter().enumerate().filter_map(|(at, target)| Some(at).zip(target.clone()));
    Plan {
        columns: columns.collect(),
        own,
        keys: keys.clone(),
        country: country.unwrap_or(Country::US),
        source: options.source.clone(),
        tags: options.tags.clone(),
        // Those who are asked agree to what the join form says.
        notice: import.notice_id.or(join).unwrap_or_else(|| Id::from_bytes([0; 16])),
        consented_at: options.agreed(timezone).map_or(now, |(_, at)| at),
        zone: zone(&layout, timezone),
        formulas: Formulas::of(&layout),
        phone_consent: options.consent.is_some_and(|consent| consent.phone),
        now,
        layout,
    }
}

/// Where times are meant that name no zone: Mailchimp writes UTC, everybody else means where the campaign is.
fn zone(layout: &Layout, timezone: &str) -> TimeZone {
    let is_utc = presets::recognise(&layout.header) == Some(presets::Preset::Mailchimp);
    let zone = if is_utc { Ok(TimeZone::UTC) } else { TimeZone::get(timezone) };
    // The configuration has checked it.
    zone.unwrap_or(TimeZone::UTC)
}

fn begun(import: &Stored, options: &ImportOptions, actor: Actor) -> Act {
    let basis = options.consent.as_ref().map(|consent| consent.basis);
    let hash = import.file_hash.map(|hash| hash.to_string());
    let details = json!({ "basis": basis, "file_hash": hash, "file_bytes": import.file_bytes });
    Act::new(actor, "import.begin").on("import", import.id).with(details)
}

fn over(import: &Stored, actor: Actor) -> Act {
    let hash = import.file_hash.map(|hash| hash.to_string());
    let details = json!({
        "outcome": import.state, "file_hash": hash, "basis": import.options().consent.map(|consent| consent.basis),
        "created": import.created, "updated": import.updated, "unchanged": import.unchanged,
        "invited": import.invited, "refused": import.refused, "left_out": import.left_out,
    });
    Act::new(actor, "import.end").on("import", import.id).with(details)
}

fn to_json(value: &impl serde::Serialize) -> Result<String, AppError> {
    serde_json::to_string(value).map_err(|error| AppError::internal(&error))
}

fn not_ready(state: &str) -> AppError {
    AppError::Conflict(format!("this import is {state}; that cannot be done now"))
}

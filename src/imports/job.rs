//! The job: makes previews and takes lists in, one at a time per process, whichever process has workers. It holds an
//! import by a lease; when it dies, another goes on after the last piece that was committed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::oneshot,
    time::{MissedTickBehavior, interval, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    Imports,
    apply::LEASE,
    model::{ImportFault, Preview, Stored},
    over,
    presets::Field,
    preview, queries,
    table::Layout,
    target::Target,
    to_json,
    upload::{Broke, Origin, read},
};
use crate::{
    audit::{self, Actor},
    id::Id,
    store::{Db, Lane, StoreError, dialect},
    supporters,
};

/// Pause between two looks for work that another process has stored.
const LOOK: Duration = Duration::from_secs(1);
/// The claim is kept so often while a file is only read.
pub(super) const KEEP: Duration = Duration::from_secs(8);

/// How carrying an import ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// At its end.
    Done,
    /// It cannot be carried on.
    Failed,
    /// Somebody else has it, or ended it.
    Lost,
    /// This process is to stop; the import goes on elsewhere or later.
    Stopped,
}

type Seen = (Layout, Vec<Option<Target>>, Preview);

impl Imports {
    /// Works on imports until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let pause = match self.work_once(&stop).await {
                Ok(true) => continue,
                Ok(false) => LOOK,
                Err(error) => {
                    tracing::warn!(%error, "an import could not be carried on; trying again");
                    LOOK
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.wait() => {}
                () = sleep(pause) => {}
            }
        }
    }

    /// Takes one import in hand that waits for its preview or its rows; whether there was one.
    ///
    /// # Errors
    /// When the database does not answer; the import goes on where it was.
    pub async fn work_once(&self, stop: &CancellationToken) -> Result<bool, StoreError> {
        let (clock, lease) = (self.kernel.clock.clone(), Id::new());
        let look = {
            let clock = clock.clone();
            move |db: &mut Db| {
                let now = dialect::now(db, &clock)?;
                Ok::<_, StoreError>(queries::find_open(db, now)?)
            }
        };
        let Some(id) = self.kernel.store.read(look).await? else { return Ok(false) };
        let claim = move |db: &mut Db| {
            let now = dialect::now(db, &clock)?;
            let is_mine = queries::claim(db, id, lease, now, now.after(LEASE))?;
            let import = if is_mine { queries::find(db, id)? } else { None };
            Ok::<_, StoreError>(import)
        };
        let Some(import) = self.kernel.store.write(Lane::Worker, claim).await? else { return Ok(true) };
        let origin = Origin::Stored(id, u64::try_from(import.file_bytes).unwrap_or(0));
        let carried = if import.state == "running" {
            self.carry(&import, lease, &origin, stop, &mut |_, _| {}).await
        } else {
            self.show(&import, lease, &origin, stop).await
        };
        match carried {
            Ok(Carried::Stopped) | Err(_) => self.release(id, lease).await?,
            Ok(_) => {}
        }
        carried.map(|_| true)
    }

    /// Makes the preview.
    async fn show(
        &self,
        import: &Stored,
        lease: Id,
        origin: &Origin,
        stop: &CancellationToken,
    ) -> Result<Carried, StoreError> {
        let halt = Arc::new(AtomicBool::new(false));
        let mut seen = self.look_at(import, origin, Arc::clone(&halt));
        let mut keep = interval(KEEP);
        keep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let outcome = loop {
            tokio::select! {
                outcome = &mut seen => break outcome.map_err(|_| StoreError::Closed)?,
                () = stop.cancelled() => {
                    halt.store(true, Ordering::Relaxed);
                    return Ok(Carried::Stopped);
                }
                _ = keep.tick() => if !self.keep(import.id, lease, "uploaded").await? {
                    halt.store(true, Ordering::Relaxed);
                    return Ok(Carried::Lost);
                },
            }
        };
        match outcome {
            Ok((layout, mapping, preview)) => {
                let text = (json(&layout)?, json(&mapping)?, json(&preview)?);
                let id = import.id;
                let set = move |db: &mut Db| {
                    let texts = (text.0.as_str(), text.1.as_str(), text.2.as_str());
                    Ok::<_, StoreError>(queries::set_previewed(db, id, lease, texts)?)
                };
                let is_set = self.kernel.store.write(Lane::Worker, set).await?;
                Ok(if is_set { Carried::Done } else { Carried::Lost })
            }
            Err(Broke::Store(error)) => Err(error),
            Err(Broke::File(fault)) => self.fail(import, "uploaded", fault).await,
        }
    }

    /// Looks at a list on a thread of its own.
    pub(super) fn look_at(
        &self,
        import: &Stored,
        origin: &Origin,
        halt: Arc<AtomicBool>,
    ) -> oneshot::Receiver<Result<Seen, Broke>> {
        let (sender, receiver) = oneshot::channel();
        let (imports, import, origin) = (self.clone(), import.clone(), origin.clone());
        self.kernel.store.read_long(move |db| {
            let seen = db.map_err(Broke::Store).and_then(|db| imports.seen(db, &import, &origin, &halt));
            let _ = sender.send(seen);
        });
        receiver
    }

    fn seen(&self, db: &mut Db, import: &Stored, origin: &Origin, halt: &AtomicBool) -> Result<Seen, Broke> {
        let keys = &self.kernel.keys;
        let layout = match import.layout() {
            Some(layout) => layout,
            None => read(db, origin, |_, mut source| preview::layout(keys, &mut source))?,
        };
        let own = supporters::list_fields(db).map_err(StoreError::from).map_err(Broke::Store)?;
        let mapping = preview::mapping(import.mapping(), &layout, &own);
        let rows = read(db, origin, |_, source| preview::first_rows(&layout, source))?;
        let mut preview = Preview::default();
        if mapping.contains(&Some(Target::Known(Field::Email))) {
            let plan = self.plan(db, import, layout.clone(), &mapping).map_err(Broke::Store)?;
            let options = import.options();
            let wishes = (options.invites(), options.overwrite);
            preview = read(db, origin, |shelf, source| preview::count(shelf, &plan, source, wishes, halt))?;
        }
        preview.rows = rows;
        Ok((layout, mapping, preview))
    }

    pub(super) async fn release(&self, id: Id, lease: Id) -> Result<(), StoreError> {
        let release = move |db: &mut Db| Ok::<_, StoreError>(queries::release(db, id, lease)?);
        self.kernel.store.write(Lane::Worker, release).await
    }

    pub(super) async fn keep(&self, id: Id, lease: Id, state: &'static str) -> Result<bool, StoreError> {
        let clock = self.kernel.clock.clone();
        let keep = move |db: &mut Db| {
            let until = dialect::now(db, &clock)?.after(LEASE);
            Ok::<_, StoreError>(queries::keep(db, id, lease, state, until)?)
        };
        self.kernel.store.write(Lane::Worker, keep).await
    }

    pub(super) async fn fail(
        &self,
        import: &Stored,
        state: &'static str,
        fault: ImportFault,
    ) -> Result<Carried, StoreError> {
        tracing::warn!(import = %import.id, code = fault.code, "an import failed");
        self.end(import, state, "failed", Some(json(&fault)?)).await.map(|()| Carried::Failed)
    }

    pub(super) async fn end(
        &self,
        import: &Stored,
        from: &'static str,
        state: &'static str,
        fault: Option<String>,
    ) -> Result<(), StoreError> {
        let (id, keys, now) = (import.id, self.kernel.keys.clone(), self.kernel.clock.now());
        let actor = if import.is_stored { Actor::System } else { Actor::CommandLine };
        let end = move |db: &mut Db| {
            if let Some(ended) = queries::set_ended(db, id, &[from], state, fault.as_deref(), now)?
                && ended.started_at.is_some()
            {
                audit::append(db, &keys, &[over(&ended, actor)], now)?;
            }
            Ok::<_, StoreError>(())
        };
        self.kernel.store.write(Lane::Staff, end).await
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    to_json(value).map_err(|error| StoreError::Unavailable(error.to_string()))
}

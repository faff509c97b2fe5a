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
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    Imports,
    apply::{LEASE, Step, Work, apply},
    model::{Counts, ImportFault, Preview, Stored},
    over,
    pieces::{Piece, cut},
    presets::Field,
    preview, queries,
    rows::Reason,
    table::Layout,
    target::Target,
    to_json,
    upload::{Broke, Origin, read},
};
use crate::{
    audit::{self, Actor},
    config::DatabaseUrl,
    id::Id,
    store::{Db, Lane, StoreError, dialect},
    supporters,
};

/// Pause between two looks for work that another process has stored.
const LOOK: Duration = Duration::from_secs(1);
/// The claim is kept so often while a file is only read.
const KEEP: Duration = Duration::from_secs(8);
/// Rows of a transaction: under 50 ms on SQLite, whose one writer others wait for; on PostgreSQL bounded by the locks
/// that a transaction may hold.
const SQLITE_ROWS: usize = 400;
const POSTGRES_ROWS: usize = 1000;
/// Pieces that are read ahead.
const AHEAD: usize = 2;

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

    /// Takes the rows in that are not in yet, and tells `progress` after each piece.
    pub(super) async fn carry(
        &self,
        import: &Stored,
        lease: Id,
        origin: &Origin,
        stop: &CancellationToken,
        progress: &mut (dyn FnMut(&Counts, (u64, u64)) + Send),
    ) -> Result<Carried, StoreError> {
        let Some(layout) = import.layout() else {
            let fault = ImportFault {
                code: "no_layout".to_owned(),
                message: "the list was not looked at".to_owned(),
            };
            return self.fail(import, "running", fault).await;
        };
        let work = Arc::new(self.work(import, lease, layout.clone()));
        let mut pieces = self.pieces(import, layout, origin);
        let mut keep = interval(KEEP);
        keep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let piece = tokio::select! {
                piece = pieces.recv() => piece.ok_or(StoreError::Closed)?,
                () = stop.cancelled() => return Ok(Carried::Stopped),
                _ = keep.tick() => {
                    if self.keep(import.id, lease, "running").await? {
                        continue;
                    }
                    return Ok(Carried::Lost);
                }
            };
            let piece = match piece {
                Ok(piece) => piece,
                Err(Broke::Store(error)) => return Err(error),
                Err(Broke::File(fault)) => return self.fail(import, "running", fault).await,
            };
            let (is_last, end) = (piece.is_last, piece.end());
            match self.commit(&work, piece).await? {
                Step::Done(counts) => progress(&counts, end),
                Step::Lost => return Ok(Carried::Lost),
            }
            if work.invites {
                self.kernel.outbox.wake();
            }
            if is_last {
                return self.end(import, "running", "done", None).await.map(|()| Carried::Done);
            }
        }
    }

    /// What pieces of an import are written by.
    fn work(&self, import: &Stored, lease: Id, layout: Layout) -> Work {
        let options = import.options();
        Work {
            id: import.id,
            lease,
            layout,
            file_bytes: import.file_bytes,
            keys: self.kernel.keys.clone(),
            clock: self.kernel.clock.clone(),
            invites: options.invites(),
            overwrite: options.overwrite,
            pace: Duration::from_secs(3600) / self.kernel.config.imports.invites_per_hour.max(1),
        }
    }

    /// Reads the list on a thread of its own.
    fn pieces(
        &self,
        import: &Stored,
        layout: Layout,
        origin: &Origin,
    ) -> mpsc::Receiver<Result<Piece, Broke>> {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let (imports, import, layout) = (self.clone(), import.clone(), layout);
        let (origin, after) = (origin.clone(), u64::try_from(import.line).unwrap_or(0));
        let size = match self.kernel.config.database.url {
            DatabaseUrl::Sqlite(_) => SQLITE_ROWS,
            DatabaseUrl::Postgres { .. } => POSTGRES_ROWS,
        };
        self.kernel.store.read_long(move |db| {
            let give = |piece| sender.blocking_send(Ok(piece)).is_ok();
            let outcome = db.map_err(Broke::Store).and_then(|db| {
                let plan = imports.plan(db, &import, layout, &import.mapping()).map_err(Broke::Store)?;
                read(db, &origin, |_, source| cut(&plan, source, after, size, give))
            });
            if let Err(broke) = outcome {
                let _ = sender.blocking_send(Err(broke));
            }
        });
        receiver
    }

    /// Writes a piece. If a statement fails that would fail again, halves of it are tried, down to the row to blame.
    async fn commit(&self, work: &Arc<Work>, piece: Piece) -> Result<Step, StoreError> {
        let mut counts = Counts::default();
        let mut waiting = vec![Arc::new(piece)];
        while let Some(piece) = waiting.pop() {
            let (for_write, work, now) = (Arc::clone(&piece), Arc::clone(work), self.kernel.clock.now());
            let write = move |db: &mut Db| apply(db, &work, &for_write, now);
            match self.kernel.store.write(Lane::Staff, write).await {
                Ok(Step::Done(more)) => counts.add(&more),
                Ok(Step::Lost) => return Ok(Step::Lost),
                Err(StoreError::Query(error)) => {
                    let Some(piece) = Arc::into_inner(piece) else { return Err(StoreError::Query(error)) };
                    waiting.extend(smaller(piece).ok_or(StoreError::Query(error))?);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Step::Done(counts))
    }

    pub(super) async fn release(&self, id: Id, lease: Id) -> Result<(), StoreError> {
        let release = move |db: &mut Db| Ok::<_, StoreError>(queries::release(db, id, lease)?);
        self.kernel.store.write(Lane::Worker, release).await
    }

    async fn keep(&self, id: Id, lease: Id, state: &'static str) -> Result<bool, StoreError> {
        let clock = self.kernel.clock.clone();
        let keep = move |db: &mut Db| {
            let until = dialect::now(db, &clock)?.after(LEASE);
            Ok::<_, StoreError>(queries::keep(db, id, lease, state, until)?)
        };
        self.kernel.store.write(Lane::Worker, keep).await
    }

    async fn fail(
        &self,
        import: &Stored,
        state: &'static str,
        fault: ImportFault,
    ) -> Result<Carried, StoreError> {
        tracing::warn!(import = %import.id, code = fault.code, "an import failed");
        self.end(import, state, "failed", Some(json(&fault)?)).await.map(|()| Carried::Failed)
    }

    async fn end(
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

/// Halves of a piece that cannot be written, the first last; of one row, the row as refused. Nothing if that is refused
/// already.
pub(super) fn smaller(mut piece: Piece) -> Option<Vec<Arc<Piece>>> {
    if piece.rows.len() > 1 {
        let rest = piece.rows.split_off(piece.rows.len() / 2);
        let rest = Piece { rows: rest, is_last: piece.is_last };
        return Some(vec![Arc::new(rest), Arc::new(piece)]);
    }
    let row = piece.rows.first_mut().filter(|row| row.person.is_ok())?;
    row.person = Err(vec![Reason::row("not_stored", "the database does not take this row")]);
    row.left_out.clear();
    Some(vec![Arc::new(piece)])
}

fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    to_json(value).map_err(|error| StoreError::Unavailable(error.to_string()))
}

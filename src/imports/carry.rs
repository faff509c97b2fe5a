//! Takes the rows of a list in, piece by piece, each in a transaction with its progress: what a crash leaves is gone on with
//! after the last piece that was committed. On PostgreSQL the next piece is written while one is being committed. Called by
//! the job and the command line.

use std::sync::Arc;

use futures_util::{StreamExt, stream::FuturesOrdered};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{
    Imports,
    apply::{NotIn, Work, apply},
    job::{Carried, KEEP},
    model::{Counts, ImportFault, Stored},
    pieces::{Piece, cut},
    rows::Reason,
    table::Layout,
    turn::{Chain, Committed, Turn},
    upload::{Broke, Origin, read},
};
use crate::{
    config::DatabaseUrl,
    id::Id,
    store::{Db, Lane, StoreError},
};

/// Rows of a transaction, and how many of those are under way at once: on SQLite well under 50 ms, since its one writer is waited
/// for by others; on PostgreSQL bounded by the locks that a transaction may hold, and by the threads that others need.
const SQLITE: (usize, usize) = (200, 1);
const POSTGRES: (usize, usize) = (500, 2);
/// Pieces that are read ahead.
const AHEAD: usize = 2;

/// Why no further piece comes.
enum End {
    AllRead,
    Broke(Broke),
    Stopped,
}

/// A piece that was under way, and what became of it.
struct Written {
    piece: Arc<Piece>,
    committed: Committed,
    outcome: Result<Counts, NotIn>,
}

impl Imports {
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
        let (size, at_once) = match self.kernel.config.database.url {
            DatabaseUrl::Sqlite(_) => SQLITE,
            DatabaseUrl::Postgres { .. } => POSTGRES,
        };
        let kernel = &self.kernel;
        let by = (&kernel.keys, &kernel.clock, &*kernel.config);
        let work = Arc::new(Work::of(import, lease, layout.clone(), by));
        let mut pieces = self.pieces(import, layout, origin, size);
        let mut keep = interval(KEEP);
        keep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut writing, mut chain, mut end) = (FuturesOrdered::new(), Chain::default(), None);
        loop {
            if writing.is_empty()
                && let Some(end) = end.take()
            {
                return match end {
                    End::AllRead => self.end(import, "running", "done", None).await.map(|()| Carried::Done),
                    End::Broke(Broke::Store(error)) => Err(error),
                    End::Broke(Broke::File(fault)) => self.fail(import, "running", fault).await,
                    End::Stopped => Ok(Carried::Stopped),
                };
            }
            tokio::select! {
                piece = pieces.recv(), if end.is_none() && writing.len() < at_once => {
                    match piece.ok_or(StoreError::Closed)? {
                        Ok(piece) => {
                            if piece.is_last {
                                end = Some(End::AllRead);
                            }
                            let (turn, committed) = chain.next();
                            writing.push_back(self.write(&work, Arc::new(piece), turn, committed));
                        }
                        Err(broke) => end = Some(End::Broke(broke)),
                    }
                }
                Some(Written { piece, committed, outcome }) = writing.next(), if !writing.is_empty() => {
                    match outcome {
                        Ok(counts) => {
                            committed.tell();
                            progress(&counts, piece.end());
                        }
                        Err(NotIn::Lost) => return Ok(Carried::Lost),
                        Err(NotIn::Store(error)) if !matches!(error, StoreError::Query(_)) => return Err(error),
                        Err(not_in) => {
                            drop(committed);
                            // Those behind it are overturned with it, and written anew after it.
                            let mut waiting: Vec<_> = writing.by_ref().map(|written| written.piece).collect().await;
                            chain = Chain::default();
                            waiting.reverse();
                            match not_in {
                                NotIn::Store(error) => waiting.extend(smaller(piece).ok_or(error)?),
                                NotIn::Overturned | NotIn::Lost => waiting.push(piece),
                            }
                            if let Some(ended) = self.write_alone(&work, waiting, stop, progress).await? {
                                return Ok(ended);
                            }
                        }
                    }
                    if work.invites {
                        self.kernel.outbox.wake();
                    }
                }
                () = stop.cancelled(), if end.is_none() => end = Some(End::Stopped),
                // Pieces keep the claim themselves; and who waits for this write tells nobody of a commit.
                _ = keep.tick(), if writing.is_empty() => if !self.keep(import.id, lease, "running").await? {
                    return Ok(Carried::Lost);
                },
            }
        }
    }

    /// Reads the list on a thread of its own.
    fn pieces(
        &self,
        import: &Stored,
        layout: Layout,
        origin: &Origin,
        size: usize,
    ) -> mpsc::Receiver<Result<Piece, Broke>> {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let (imports, import, layout) = (self.clone(), import.clone(), layout);
        let (origin, after) = (origin.clone(), u64::try_from(import.line).unwrap_or(0));
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

    /// Writes a piece when it is its turn.
    async fn write(&self, work: &Arc<Work>, piece: Arc<Piece>, turn: Turn, committed: Committed) -> Written {
        let (for_write, work, now) = (Arc::clone(&piece), Arc::clone(work), self.kernel.clock.now());
        let write = move |db: &mut Db| apply(db, &work, &for_write, turn, now);
        let outcome = self.kernel.store.write(Lane::Staff, write).await;
        Written { piece, committed, outcome }
    }

    /// Writes pieces one by one, of which the last is the first of the file, with nothing else under way; returns why it
    /// ended before all were in. If a statement fails that would fail again, halves are tried, down to the row to blame.
    async fn write_alone(
        &self,
        work: &Arc<Work>,
        mut waiting: Vec<Arc<Piece>>,
        stop: &CancellationToken,
        progress: &mut (dyn FnMut(&Counts, (u64, u64)) + Send),
    ) -> Result<Option<Carried>, StoreError> {
        while let Some(piece) = waiting.pop() {
            if stop.is_cancelled() {
                return Ok(Some(Carried::Stopped));
            }
            let (turn, committed) = Chain::default().next();
            let Written { piece, outcome, .. } = self.write(work, piece, turn, committed).await;
            match outcome {
                Ok(counts) => progress(&counts, piece.end()),
                Err(NotIn::Lost | NotIn::Overturned) => return Ok(Some(Carried::Lost)),
                Err(NotIn::Store(StoreError::Query(error))) => {
                    waiting.extend(smaller(piece).ok_or(StoreError::Query(error))?);
                }
                Err(NotIn::Store(error)) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// Halves of a piece that cannot be written, the first last; of one row, the row as refused. Nothing if that is refused
/// already.
fn smaller(piece: Arc<Piece>) -> Option<Vec<Arc<Piece>>> {
    let mut piece = Arc::into_inner(piece)?;
    if piece.rows.len() > 1 {
        let rest = piece.rows.split_off(piece.rows.len() / 2);
        let rest = Piece { rows: rest, is_last: piece.is_last, after: piece.end().0 };
        return Some(vec![Arc::new(rest), Arc::new(piece)]);
    }
    let row = piece.rows.first_mut().filter(|row| row.person.is_ok())?;
    row.person = Err(vec![Reason::row("not_stored", "the database does not take this row")]);
    row.left_out.clear();
    Some(vec![Arc::new(piece)])
}

//! Group commit: rows that arrive together are made durable together, by one transaction and one sync.
//!
//! A slice gives an insert function and appends rows; the writing thread takes up to [`BATCH`] of them at a
//! time and answers each after the commit. Bounded: a full queue refuses at once.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};

use diesel::QueryResult;
use tokio::{sync::oneshot, time::timeout};

use super::{Db, StoreError, dialect, writer::FirstLane};

/// Rows in one transaction at most.
const BATCH: usize = 256;
/// Rows that wait for a thread that is busy until another helps it.
const HELP_FROM: usize = 32;
/// How long the oldest waits until another helps, however few there are: the first may hang.
const HELP_AFTER: Duration = Duration::from_millis(20);
/// Of the time that the last commit took, this part is waited for further rows: those who were just answered send again, and
/// share a commit instead of waiting for the next.
const GATHER_PART: u32 = 5;
/// The longest that is waited so.
const GATHER_MOST: Duration = Duration::from_millis(2);
/// How long a row may wait for a database that is locked or away before its sender is told to come back.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long a sender waits at all: a server that hangs ends no statement. The row may be stored later.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Inserts rows, ignoring those that are there already: a commit in doubt is tried again with the same ids. On
/// PostgreSQL by one statement, which needs no transaction around it: two round trips less for each group.
pub type InsertRows<T> = fn(&mut Db, &[T]) -> QueryResult<()>;

/// The row goes back with the answer, so that its memory is freed by the thread that allocated it: freed by the
/// writer, it would make all threads queue for the allocator.
type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

struct Entry<T> {
    row: T,
    since: Instant,
    done: Reply<T>,
}

/// How groups are committed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// Whether the statement commits itself.
    pub is_alone: bool,
    /// Whether a group waits a little for more rows. Not where the thread has other work to do.
    pub gathers: bool,
}

/// A bounded queue of rows of one kind, committed in groups.
pub struct GroupCommit<T> {
    insert: InsertRows<T>,
    manner: Manner,
    capacity: usize,
    /// Microseconds that the last commit of several rows took; 0 after that of a single one.
    last_commit: AtomicU64,
    queue: Mutex<VecDeque<Entry<T>>>,
    writers: OnceLock<Vec<Thread>>,
    closed: AtomicBool,
}

impl<T: Send + 'static> GroupCommit<T> {
    pub(super) fn new(insert: InsertRows<T>, manner: Manner, capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            insert,
            manner,
            capacity,
            last_commit: AtomicU64::new(0),
            queue: Mutex::new(VecDeque::with_capacity(BATCH.min(capacity))),
            writers: OnceLock::new(),
            closed: AtomicBool::new(false),
        })
    }

    /// Stores `row` and returns once it is durable.
    ///
    /// # Errors
    /// [`StoreError::QueueFull`] at once when too many wait; [`StoreError::Unavailable`] when it could not be
    /// stored: then it is not.
    pub async fn append(&self, row: T) -> Result<(), StoreError> {
        let (done, stored) = oneshot::channel();
        let is_much = {
            let mut queue = self.lock();
            // Under the lock, so that nothing enters after the writer has looked for the last time.
            if self.closed.load(Ordering::Acquire) {
                return Err(StoreError::Closed);
            }
            if queue.len() >= self.capacity {
                return Err(StoreError::QueueFull);
            }
            queue.push_back(Entry { row, since: Instant::now(), done });
            is_much(&queue)
        };
        if let Some((first, helpers)) = self.writers.get().and_then(|writers| writers.split_first()) {
            first.unpark();
            helpers.iter().filter(|_| is_much).for_each(Thread::unpark);
        }
        match timeout(ANSWER_WITHIN, stored).await {
            Ok(outcome) => outcome.unwrap_or(Err(StoreError::Closed)).map(drop),
            Err(_) => Err(StoreError::Unavailable("the database does not answer".to_owned())),
        }
    }

    /// Rows that wait for the next commit.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Entry<T>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self, db: &mut Db, rows: &[T]) -> Result<(), StoreError> {
        if self.manner.is_alone {
            return (self.insert)(db, rows).map_err(StoreError::from);
        }
        dialect::write_transaction(db, |db| (self.insert)(db, rows)).map_err(StoreError::from)
    }

    /// Waits for further rows, unless there are enough, or the last came alone: then it would only wait longer.
    fn gather(&self) {
        let last = Duration::from_micros(self.last_commit.load(Ordering::Relaxed));
        let wait = (last / GATHER_PART).min(GATHER_MOST);
        if self.manner.gathers && !wait.is_zero() && self.waiting() < BATCH {
            // Not parked: each row that comes would wake it.
            thread::sleep(wait);
        }
    }

    /// Remembers how long a group that began at `since` took.
    fn committed(&self, rows: usize, since: Instant) {
        let took = if rows > 1 { since.elapsed().as_micros() } else { 0 };
        self.last_commit.store(u64::try_from(took).unwrap_or(0), Ordering::Relaxed);
    }

    fn give_back(&self, entries: impl DoubleEndedIterator<Item = Entry<T>>) {
        let mut queue = self.lock();
        entries.rev().for_each(|entry| queue.push_front(entry));
    }
}

impl<T: Send + 'static> FirstLane for GroupCommit<T> {
    fn attach(&self, writers: Vec<Thread>) {
        // Attached once, before the first append.
        let _ = self.writers.set(writers);
    }

    fn close(&self) {
        let _queue = self.lock();
        self.closed.store(true, Ordering::Release);
    }

    fn has_work(&self) -> bool {
        !self.lock().is_empty()
    }

    fn needs_help(&self) -> bool {
        is_much(&self.lock())
    }

    fn refuse(&self, reason: &str) {
        let entries = std::mem::take(&mut *self.lock());
        for entry in entries {
            let _ = entry.done.send(Err(StoreError::Unavailable(reason.to_owned())));
        }
    }

    fn run(&self, db: &mut Db) -> Result<(), StoreError> {
        self.gather();
        let begun = Instant::now();
        let (mut rows, mut waiters) = (Vec::new(), Vec::new());
        {
            let mut queue = self.lock();
            let count = queue.len().min(BATCH);
            for entry in queue.drain(..count) {
                rows.push(entry.row);
                waiters.push((entry.since, entry.done));
            }
        }
        if rows.is_empty() {
            return Ok(()); // another writer was faster
        }
        match self.store(db, &rows) {
            Ok(()) => {
                self.committed(rows.len(), begun);
                rows.into_iter().zip(waiters).for_each(|(row, (_, done))| drop(done.send(Ok(row))));
                Ok(())
            }
            Err(StoreError::Unavailable(reason)) => {
                let (late, patient): (Vec<_>, Vec<_>) = rows
                    .into_iter()
                    .zip(waiters)
                    .map(|(row, (since, done))| Entry { row, since, done })
                    .partition(|entry| entry.since.elapsed() >= PATIENCE || !is_waitable(&reason));
                self.give_back(patient.into_iter());
                for entry in late {
                    let _ = entry.done.send(Err(StoreError::Unavailable(reason.clone())));
                }
                Err(StoreError::Unavailable(reason))
            }
            Err(error) => {
                // One bad row fails its batch: store the others one by one, and refuse only the bad one.
                tracing::error!(%error, rows = rows.len(), "a batch could not be stored; trying its rows one by one");
                for (row, (_, done)) in rows.into_iter().zip(waiters) {
                    let stored = self.store(db, std::slice::from_ref(&row));
                    let _ = done.send(stored.map(|()| row));
                }
                Ok(())
            }
        }
    }
}

/// Whether another thread should take some of `queue`: a few rows are cheaper with the next group of the first, unless
/// that hangs.
fn is_much<T>(queue: &VecDeque<Entry<T>>) -> bool {
    queue.len() >= HELP_FROM || queue.front().is_some_and(|oldest| oldest.since.elapsed() > HELP_AFTER)
}

/// A lock or a lost connection is worth waiting for; a full or read-only disk is told at once.
fn is_waitable(reason: &str) -> bool {
    !["full", "readonly", "read-only", "I/O", "unable to open", "No space"]
        .iter()
        .any(|part| reason.contains(part))
}

//! The one thread that owns SQLite's writing connection. Intake first, then what visitors wait for, then
//! workers, then staff; each job is one transaction. Called by the store alone.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    thread::{self, JoinHandle, Thread},
    time::{Duration, Instant},
};

use super::{Db, Lane, StoreError, connection::Purpose, dialect};
use crate::config::DatabaseUrl;

/// Intake batches in succession after which a visitor's job gets a turn, and after which any job does: while
/// sign-ups pour in, mails wait rather than sign-ups.
const VISITOR_TURNS: u32 = 4;
const WORKER_TURNS: u32 = 64;
/// Between two batches the queue is empty for a moment; only when it stays so is intake at rest.
const INTAKE_REST: Duration = Duration::from_millis(1);
/// Pause before a failed database is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// A transaction to run, which answers its caller itself; false when it failed and the connection writes no more.
/// SQLite opens a file on a disk that is read-only for the moment without a word, and such a connection begins
/// transactions but never writes again.
pub(super) type Job = Box<dyn FnOnce(&mut Db) -> bool + Send>;

/// Work that goes before every job: group commits.
pub(super) trait FirstLane: Send + Sync {
    /// Tells which thread to wake when work arrives.
    fn attach(&self, writer: Thread);
    /// Refuses further work.
    fn close(&self);
    /// Whether anything waits.
    fn has_work(&self) -> bool;
    /// Commits one group.
    fn run(&self, db: &mut Db) -> Result<(), StoreError>;
    /// Tells all that wait that the database cannot be opened.
    fn refuse(&self, reason: &str);
}

#[derive(Default)]
struct Queues {
    lanes: [VecDeque<Job>; Lane::ALL],
    closed: bool,
}

#[derive(Default)]
struct Shared {
    queues: Mutex<Queues>,
    first: OnceLock<Arc<dyn FirstLane>>,
}

impl Shared {
    /// Closed, with nothing left. One look under the lock: a job that got in before the close is run.
    fn is_finished(&self) -> bool {
        let queues = self.lock();
        queues.closed
            && queues.lanes.iter().all(VecDeque::is_empty)
            && !self.first.get().is_some_and(|first| first.has_work())
    }

    /// The next job of the first `lanes` lanes.
    fn next_job(&self, lanes: usize) -> Option<Job> {
        self.lock().lanes.iter_mut().take(lanes).find_map(VecDeque::pop_front)
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Handle of the writing thread.
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Thread,
    handle: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(url: DatabaseUrl, db: Db) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let for_thread = Arc::clone(&shared);
        let handle = thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || run(&for_thread, &url, Some(db)))?;
        Ok(Self { shared, thread: handle.thread().clone(), handle: Mutex::new(Some(handle)) })
    }

    /// Puts `lane` before all jobs. Once.
    pub(super) fn set_first(&self, lane: Arc<dyn FirstLane>) {
        lane.attach(self.thread.clone());
        let _ = self.shared.first.set(lane);
    }

    pub(super) fn submit(&self, lane: Lane, job: Job) -> Result<(), StoreError> {
        {
            let mut queues = self.shared.lock();
            if queues.closed {
                return Err(StoreError::Closed);
            }
            queues.lanes[lane.index()].push_back(job);
        }
        self.thread.unpark();
        Ok(())
    }

    /// Refuses further work, finishes what waits and ends the thread.
    pub(super) fn close(&self) {
        if let Some(first) = self.shared.first.get() {
            first.close();
        }
        self.shared.lock().closed = true;
        self.thread.unpark();
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(handle) = handle {
            let _ = handle.join();
        }
    }
}

fn run(shared: &Shared, url: &DatabaseUrl, mut connection: Option<Db>) {
    let mut turns = 0;
    let mut last_intake: Option<Instant> = None;
    loop {
        let first = shared.first.get().filter(|first| first.has_work());
        let rest = last_intake.map_or(Duration::ZERO, |at| INTAKE_REST.saturating_sub(at.elapsed()));
        let is_busy = first.is_some() || !rest.is_zero();
        let job = match turns {
            WORKER_TURNS.. => shared.next_job(Lane::ALL),
            _ if !is_busy => shared.next_job(Lane::ALL),
            turn if turn % VISITOR_TURNS == VISITOR_TURNS - 1 || first.is_none() => shared.next_job(1),
            _ => None,
        };
        match (&first, &job) {
            (None, None) if is_busy => {
                thread::park_timeout(rest);
                continue;
            }
            (None, None) if shared.is_finished() => return,
            (None, None) => {
                thread::park();
                continue;
            }
            (Some(_), None) => last_intake = Some(Instant::now()),
            (_, Some(_)) => {}
        }
        turns = if !is_busy || turns >= WORKER_TURNS { 0 } else { turns + 1 };
        let Some(db) = open(&mut connection, url) else {
            drop(job); // its caller sees that it was not run
            if let Some(first) = first {
                first.refuse("the database cannot be opened");
            }
            thread::sleep(RETRY_PAUSE);
            continue;
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| match (job, first) {
            (Some(job), _) => job(db),
            (None, Some(first)) => first.run(db).is_ok(),
            (None, None) => true,
        }));
        if !matches!(outcome, Ok(true)) || dialect::is_broken(db) {
            // Start from a connection in a known state.
            connection = None;
            if shared.first.get().is_some_and(|first| first.has_work()) {
                thread::sleep(RETRY_PAUSE);
            }
        }
    }
}

fn open<'a>(connection: &'a mut Option<Db>, url: &DatabaseUrl) -> Option<&'a mut Db> {
    if connection.is_none() {
        match Db::open(url, Purpose::Write) {
            Ok(db) => *connection = Some(db),
            Err(error) => tracing::error!(%error, "the database cannot be opened for writing; trying again"),
        }
    }
    connection.as_mut()
}

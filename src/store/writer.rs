//! The threads that write, each with a connection of its own. SQLite has one, for everything: intake first, then what
//! visitors wait for, then workers, then staff. PostgreSQL has some for intake and some for the rest. Each job is one
//! transaction. Called by the store alone.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    thread::{self, JoinHandle, Thread},
    time::{Duration, Instant},
};

use diesel::QueryResult;

use super::{Db, Lane, StoreError, connection::Purpose, dialect};
use crate::{config::DatabaseUrl, seldom::Seldom};

/// Intake batches in succession after which a visitor's job gets a turn, and after which any job does: while
/// sign-ups pour in, mails wait rather than sign-ups.
const VISITOR_TURNS: u32 = 4;
const WORKER_TURNS: u32 = 64;
/// Between two batches the queue is empty for a moment; only when it stays so is intake at rest.
const INTAKE_REST: Duration = Duration::from_millis(1);
/// Pause before a failed database is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// Threads and connections for a PostgreSQL server: two for intake, so that one fills while the other commits when there
/// is enough for both.
const POSTGRES: [Duty; 5] = [Duty::Intake, Duty::Help, Duty::Jobs, Duty::Jobs, Duty::Jobs];

/// What a thread writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Duty {
    /// Everything, in turn.
    All,
    /// Group commits alone.
    Intake,
    /// The same, when one thread is not enough.
    Help,
    /// Everything else.
    Jobs,
}

impl Duty {
    const fn takes_jobs(self) -> bool {
        matches!(self, Self::All | Self::Jobs)
    }
}

/// A transaction to conclude, given how its beginning went; it answers its caller itself. False when it failed and
/// the connection writes no more: SQLite opens a file on a disk that is read-only for the moment without a word, and
/// such a connection begins transactions but never writes again.
pub(super) type Job = Box<dyn FnOnce(&mut Db, QueryResult<()>) -> bool + Send>;

/// Work that goes before every job: group commits.
pub(super) trait FirstLane: Send + Sync {
    /// Tells which threads to wake when work arrives; all but the first are to help it.
    fn attach(&self, writers: Vec<Thread>);
    /// Refuses further work.
    fn close(&self);
    /// Whether anything waits.
    fn has_work(&self) -> bool;
    /// Whether more waits than one thread should do.
    fn needs_help(&self) -> bool;
    /// Commits one group.
    fn run(&self, db: &mut Db) -> Result<(), StoreError>;
    /// Tells all that wait that the database cannot be opened.
    fn refuse(&self, reason: &str);
}

#[derive(Default)]
struct Queues {
    lanes: [VecDeque<Job>; Lane::ALL],
    closed: bool,
    /// Threads that found no job, by their number; the last to rest is the first to be woken, since its server process and
    /// caches are warm.
    resting: Vec<usize>,
}

#[derive(Default)]
struct Shared {
    queues: Mutex<Queues>,
    first: OnceLock<Arc<dyn FirstLane>>,
}

impl Shared {
    /// Closed, with nothing left for this duty. One look under the lock: a job that got in before the close is run.
    fn is_finished(&self, duty: Duty) -> bool {
        let queues = self.lock();
        let no_job = !duty.takes_jobs() || queues.lanes.iter().all(VecDeque::is_empty);
        queues.closed && no_job && self.intake_for(duty).is_none()
    }

    /// The group commits, if they have work for this duty.
    fn intake_for(&self, duty: Duty) -> Option<&Arc<dyn FirstLane>> {
        self.first.get().filter(|first| match duty {
            Duty::All | Duty::Intake => first.has_work(),
            Duty::Help => first.needs_help(),
            Duty::Jobs => false,
        })
    }

    /// The next job of the first `lanes` lanes.
    fn next_job(&self, lanes: usize) -> Option<Job> {
        self.lock().lanes.iter_mut().take(lanes).find_map(VecDeque::pop_front)
    }

    /// Rests, for `at_most` so long if that is said, until somebody wakes thread `nth`; not at all if one of the first
    /// `lanes` lanes has a job.
    fn rest(&self, nth: usize, lanes: usize, at_most: Option<Duration>) {
        if lanes > 0 {
            let mut queues = self.lock();
            let is_closed = queues.closed && at_most.is_none();
            if is_closed || queues.lanes.iter().take(lanes).any(|lane| !lane.is_empty()) {
                return;
            }
            queues.resting.push(nth);
        }
        at_most.map_or_else(thread::park, thread::park_timeout);
        self.lock().resting.retain(|resting| *resting != nth);
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Handle of the writing threads.
pub(super) struct Writer {
    shared: Arc<Shared>,
    threads: Vec<(Duty, Thread)>,
    handles: Mutex<Vec<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(url: &DatabaseUrl, db: Db) -> std::io::Result<Self> {
        let duties: &[Duty] = match url {
            DatabaseUrl::Sqlite(_) => &[Duty::All],
            DatabaseUrl::Postgres { .. } => &POSTGRES,
        };
        let shared = Arc::new(Shared::default());
        let (mut threads, mut handles) = (Vec::new(), Vec::new());
        let mut opened = Some(db);
        for (nth, duty) in duties.iter().copied().enumerate() {
            let (shared, url, db) = (Arc::clone(&shared), url.clone(), opened.take());
            let handle = thread::Builder::new()
                .name("writer".to_owned())
                .spawn(move || run(&shared, &url, (nth, duty), db))?;
            threads.push((duty, handle.thread().clone()));
            handles.push(handle);
        }
        Ok(Self { shared, threads, handles: Mutex::new(handles) })
    }

    /// Puts `lane` before all jobs. Once.
    pub(super) fn set_first(&self, lane: Arc<dyn FirstLane>) {
        let for_intake = self.threads.iter().filter(|(duty, _)| *duty != Duty::Jobs);
        lane.attach(for_intake.map(|(_, thread)| thread.clone()).collect());
        let _ = self.shared.first.set(lane);
    }

    pub(super) fn submit(&self, lane: Lane, job: Job) -> Result<(), StoreError> {
        let mut queues = self.shared.lock();
        if queues.closed {
            return Err(StoreError::Closed);
        }
        queues.lanes[lane.index()].push_back(job);
        let woken = queues.resting.pop();
        drop(queues);
        // One, for one job. Those at work look for more before they rest.
        if let Some((_, thread)) = woken.and_then(|nth| self.threads.get(nth)) {
            thread.unpark();
        }
        Ok(())
    }

    /// Refuses further work, finishes what waits and ends the threads.
    pub(super) fn close(&self) {
        if let Some(first) = self.shared.first.get() {
            first.close();
        }
        self.shared.lock().closed = true;
        self.threads.iter().for_each(|(_, thread)| thread.unpark());
        for handle in std::mem::take(&mut *self.handles.lock().unwrap_or_else(PoisonError::into_inner)) {
            let _ = handle.join();
        }
    }
}

fn run(shared: &Shared, url: &DatabaseUrl, (nth, duty): (usize, Duty), mut connection: Option<Db>) {
    let mut turns = 0;
    let mut last_intake: Option<Instant> = None;
    loop {
        let first = shared.intake_for(duty);
        let rest = last_intake.map_or(Duration::ZERO, |at| INTAKE_REST.saturating_sub(at.elapsed()));
        let is_busy = first.is_some() || !rest.is_zero();
        let job = match turns {
            _ if !duty.takes_jobs() => None,
            WORKER_TURNS.. => shared.next_job(Lane::ALL),
            _ if !is_busy => shared.next_job(Lane::ALL),
            turn if turn % VISITOR_TURNS == VISITOR_TURNS - 1 || first.is_none() => shared.next_job(1),
            _ => None,
        };
        match (&first, &job) {
            (None, None) if is_busy && duty == Duty::All => {
                shared.rest(nth, 1, Some(rest));
                continue;
            }
            (None, None) if shared.is_finished(duty) => return,
            (None, None) => {
                shared.rest(nth, if duty.takes_jobs() { Lane::ALL } else { 0 }, None);
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
            (Some(job), _) => {
                let begun = begin(db, url);
                job(db, begun)
            }
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

/// Begins a transaction. A server that was restarted has closed the connection while it was idle: nothing is lost yet,
/// so a new one is tried once.
fn begin(db: &mut Db, url: &DatabaseUrl) -> QueryResult<()> {
    match dialect::begin(db) {
        Err(_) if matches!(db, Db::Pg(_)) => {
            if let Ok(fresh) = Db::open(url, Purpose::Write) {
                *db = fresh;
            }
            dialect::begin(db)
        }
        outcome => outcome,
    }
}

fn open<'a>(connection: &'a mut Option<Db>, url: &DatabaseUrl) -> Option<&'a mut Db> {
    if connection.is_none() {
        match Db::open(url, Purpose::Write) {
            Ok(db) => *connection = Some(db),
            Err(error) => {
                static LINES: Seldom = Seldom::new();
                if let Some(left_out) = LINES.now() {
                    tracing::error!(%error, left_out, "the database cannot be opened for writing; trying again");
                }
            }
        }
    }
    connection.as_mut()
}

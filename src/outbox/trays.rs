//! What lies between a crew's claimer, senders and marker: the tray of mails that wait for a sender, and that of mails
//! whose fate waits to be marked. Both wake as few tasks as they can: at thousands of mails a second, waking costs more than
//! handing over. Called by the crew alone; knows no database and no relay.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::{Notify, Semaphore, mpsc},
    time::timeout,
};

use super::{
    Compose,
    model::{Claimed, Fate},
    slots::Held,
};

/// How long a report waits for others, unless there are already enough: a transaction for each few mails would cost more
/// than the mails. What a crash finds unmarked is sent again.
const GATHER: Duration = Duration::from_millis(10);

/// A claimed mail on its way to a sender.
pub(super) struct Job {
    pub mail: Claimed,
    pub compose: Compose,
    pub claimed_at: Instant,
    pub slot: Held,
}

/// A mail whose fate is to be marked; then its slot is free.
pub(super) struct Finished {
    pub mail: Claimed,
    pub fate: Fate,
    pub slot: Held,
}

/// Mails that wait for a sender, the first first.
pub(super) struct Jobs {
    waiting: Mutex<Waiting>,
    /// As many permits as wait.
    count: Semaphore,
}

#[derive(Default)]
struct Waiting {
    /// Each with the time since when.
    jobs: VecDeque<(Instant, Job)>,
    /// The longest that one of those waited that were taken since somebody asked.
    longest: Duration,
}

impl Default for Jobs {
    fn default() -> Self {
        Self { waiting: Mutex::default(), count: Semaphore::new(0) }
    }
}

impl Jobs {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing panics while it is held.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts `jobs` behind the others.
    pub fn put(&self, jobs: Vec<Job>) {
        let (count, now) = (jobs.len(), Instant::now());
        self.waiting().jobs.extend(jobs.into_iter().map(|job| (now, job)));
        self.count.add_permits(count);
    }

    /// How long mails wait for a sender: the longest of those that wait, and of those that were taken since it was last asked.
    pub fn longest_wait(&self) -> Duration {
        let mut waiting = self.waiting();
        let longest = std::mem::take(&mut waiting.longest);
        waiting.jobs.front().map_or(longest, |(since, _)| longest.max(since.elapsed()))
    }

    /// No more come.
    pub fn close(&self) {
        self.count.close();
    }

    /// The next; nothing once the tray is closed and empty.
    pub async fn next(&self) -> Option<Job> {
        if let Ok(one) = self.count.acquire().await {
            one.forget();
        }
        let mut waiting = self.waiting();
        let (since, job) = waiting.jobs.pop_front()?;
        waiting.longest = waiting.longest.max(since.elapsed());
        Some(job)
    }
}

/// Puts fates into the tray of those to be marked.
#[derive(Clone)]
pub(super) struct Reporter {
    reports: mpsc::UnboundedSender<Finished>,
    gathered: Arc<Gathered>,
}

struct Gathered {
    count: AtomicUsize,
    enough: AtomicUsize,
    is_enough: Notify,
}

impl Reporter {
    pub fn report(&self, finished: Finished) {
        // Counted first, so that no more are ever in the tray than were counted.
        let before = self.gathered.count.fetch_add(1, Ordering::AcqRel);
        // The marker outlives every reporter.
        drop(self.reports.send(finished));
        if before + 1 == self.gathered.enough.load(Ordering::Relaxed) {
            self.gathered.is_enough.notify_one();
        }
    }

    /// From now so many are enough. What is in the tray is looked at when the time to gather is over.
    pub fn expect(&self, enough: usize) {
        self.gathered.enough.store(enough, Ordering::Relaxed);
    }
}

/// The fates to be marked.
pub(super) struct Reports {
    reports: mpsc::UnboundedReceiver<Finished>,
    gathered: Arc<Gathered>,
}

/// A tray of fates, which are taken out when they are `enough`, or a little after the first.
pub(super) fn reports(enough: usize) -> (Reporter, Reports) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let gathered =
        Gathered { count: AtomicUsize::new(0), enough: AtomicUsize::new(enough), is_enough: Notify::new() };
    let gathered = Arc::new(gathered);
    let reporter = Reporter { reports: sender, gathered: Arc::clone(&gathered) };
    (reporter, Reports { reports: receiver, gathered })
}

impl Reports {
    /// The next, up to `most`; nothing once all reporters are gone and the tray is empty.
    pub async fn next(&mut self, most: usize) -> Option<Vec<Finished>> {
        let mut batch = vec![self.reports.recv().await?];
        // While reporters are left: to those who wait for the end, ten milliseconds are long.
        let gathered = &self.gathered;
        let is_enough = gathered.count.load(Ordering::Acquire) >= gathered.enough.load(Ordering::Relaxed);
        if !is_enough && !self.reports.is_closed() {
            drop(timeout(GATHER, gathered.is_enough.notified()).await);
        }
        while batch.len() < most
            && let Ok(one) = self.reports.try_recv()
        {
            batch.push(one);
        }
        self.gathered.count.fetch_sub(batch.len(), Ordering::AcqRel);
        Some(batch)
    }
}

/// Frees `slots` together, so that who waits for many is woken once.
pub(super) fn free(slots: Vec<Held>) {
    let all = slots.into_iter().reduce(|mut all, slot| {
        all.merge(slot);
        all
    });
    drop(all);
}

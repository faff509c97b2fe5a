//! A crew: a claimer, some senders with a connection each, and a marker, at work at the same time.
//!
//! A mail that hangs holds its own sender and nobody else: the others get further mails meanwhile. What the crew has
//! in hand is bounded by slots: a mail takes one with its claim and frees it with its mark. `serve` runs one crew;
//! tests call [`Crew::deliver_due`]. Sending happens outside any transaction.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc},
    task::JoinSet,
    time::timeout_at,
};
use tokio_util::sync::CancellationToken;

use super::{
    Compose,
    domain::BEGIN_WITHIN,
    mailer::{Mailer, RECOVERY},
    model::{Claimed, Fate},
    queries,
};
use crate::{
    id::Id,
    mail::transport::Sender,
    store::{Lane, StoreError},
};

/// Polling period when nothing wakes us: another process, or a retry that comes due.
const POLL: Duration = Duration::from_millis(100);
/// Mails that may be in hand for each sender, from their claim to their mark.
const SLOTS_PER_SENDER: usize = 64;
/// Marks in one transaction at most.
const MARK_AT_ONCE: usize = 256;
/// How long a mark waits for others, unless they already hold many of the slots: a transaction for each few mails would
/// cost more than the mails. What a crash finds unmarked is sent again.
const MARK_WITHIN: Duration = Duration::from_millis(10);

/// Some senders with their connections, and the mails they work on.
pub struct Crew {
    mailer: Arc<Mailer>,
    senders: Vec<Sender>,
}

/// A claimed mail on its way to a sender.
struct Job {
    mail: Claimed,
    compose: Compose,
    claimed_at: Instant,
    slot: OwnedSemaphorePermit,
}

/// A mail whose fate is to be marked; then its slot is free.
struct Finished {
    mail: Claimed,
    fate: Fate,
    slot: OwnedSemaphorePermit,
}

impl Crew {
    /// A crew of `senders`; connections are opened with the first mail.
    #[must_use]
    pub fn new(mailer: &Arc<Mailer>, senders: usize) -> Self {
        let senders = (0..senders.max(1)).map(|_| mailer.transport.sender()).collect();
        Self { mailer: Arc::clone(mailer), senders }
    }

    /// Sends what comes due until `stop`, then finishes the mail in hand.
    pub async fn run(mut self, stop: CancellationToken) {
        self.work(&stop, async |desk: Desk| {
            let mut was_full = false;
            while !stop.is_cancelled() {
                desk.mailer.turn();
                let claimed = tokio::select! {
                    () = stop.cancelled() => return,
                    slots = desk.free_slots() => {
                        let wanted = slots.len();
                        let claimed = desk.claim(slots, was_full).await;
                        was_full = matches!(claimed, Ok(count) if count == wanted);
                        claimed
                    }
                };
                let pause = match claimed {
                    Ok(0) => POLL,
                    Ok(_) => continue,
                    Err(error) => {
                        tracing::warn!(%error, "the outbox could not work; trying again");
                        RECOVERY
                    }
                };
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = desk.mailer.kernel.outbox.wait() => {}
                    () = tokio::time::sleep(pause) => {}
                }
            }
        })
        .await;
        futures_util::future::join_all(self.senders.drain(..).map(Sender::close)).await;
    }

    /// Claims one round of due mails, sends and marks them; returns how many were claimed.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn deliver_due(&mut self, stop: &CancellationToken) -> Result<usize, StoreError> {
        self.work(stop, async |desk: Desk| {
            let slots = desk.free_slots().await;
            desk.claim(slots, false).await
        })
        .await
    }

    /// Lets `claiming` fill the desk while senders and marker work; they end when it has ended and all is marked.
    async fn work<T>(&mut self, stop: &CancellationToken, claiming: impl AsyncFnOnce(Desk) -> T) -> T {
        let slots = Arc::new(Semaphore::new(self.senders.len() * SLOTS_PER_SENDER));
        let (jobs, waiting) = mpsc::unbounded_channel();
        let (finished, reports) = mpsc::unbounded_channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let mut sending = JoinSet::new();
        for sender in self.senders.drain(..) {
            let (mailer, waiting) = (Arc::clone(&self.mailer), Arc::clone(&waiting));
            sending.spawn(send_all(mailer, sender, waiting, finished.clone(), stop.clone()));
        }
        let mailer = &self.mailer;
        let count = slots.available_permits();
        let enough = (count / 4).clamp(1, MARK_AT_ONCE);
        let desk = Desk { mailer: Arc::clone(mailer), half: count / 2, slots, jobs, finished };
        let (outcome, ()) = tokio::join!(claiming(desk), mark_all(mailer, reports, enough));
        while let Some(ended) = sending.join_next().await {
            self.senders.push(ended.unwrap_or_else(|error| {
                tracing::error!(%error, "a sender of mail broke down; another takes its place");
                self.mailer.transport.sender()
            }));
        }
        outcome
    }
}

/// Where claimed mails wait for a sender.
struct Desk {
    mailer: Arc<Mailer>,
    slots: Arc<Semaphore>,
    half: usize,
    jobs: mpsc::UnboundedSender<Job>,
    finished: mpsc::UnboundedSender<Finished>,
}

impl Desk {
    /// All free slots, once that is half of them: a claim is a transaction, and should be worth it. Senders that
    /// hang hold one slot each, so that half are free again soon.
    async fn free_slots(&self) -> Vec<OwnedSemaphorePermit> {
        let mut free = Vec::with_capacity(2 * self.half);
        while free.len() < self.half {
            // Never closed.
            let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else { break };
            free.push(slot);
        }
        while let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            free.push(slot);
        }
        free
    }

    /// Claims due mails, one for each slot at most, and puts them before the senders; returns how many. Looks first
    /// whether any is due, since a claim is a write, unless there are `surely` more.
    async fn claim(&self, mut slots: Vec<OwnedSemaphorePermit>, surely: bool) -> Result<usize, StoreError> {
        let store = &self.mailer.kernel.store;
        let clock = self.mailer.kernel.clock.clone();
        if !surely && !store.read(move |db| Ok::<_, StoreError>(queries::any_due(db, &clock)?)).await? {
            return Ok(0);
        }
        let limit = i64::try_from(slots.len()).unwrap_or(1);
        let clock = self.mailer.kernel.clock.clone();
        let claimed_at = Instant::now();
        let claimed = store
            .write(Lane::Worker, move |db| Ok::<_, StoreError>(queries::claim(db, &clock, Id::new(), limit)?))
            .await?;
        let count = claimed.len();
        for ((mail, compose), slot) in self.mailer.prepare(claimed).await?.into_iter().zip(slots.drain(..)) {
            // Neither end closes before the desk does.
            match compose {
                Some(compose) => drop(self.jobs.send(Job { mail, compose, claimed_at, slot })),
                None => drop(self.finished.send(Finished { mail, fate: Fate::Dropped, slot })),
            }
        }
        Ok(count)
    }
}

/// One sender's work, a task of its own so that all processors render; until the desk is closed and empty.
async fn send_all(
    mailer: Arc<Mailer>,
    mut sender: Sender,
    waiting: Arc<Mutex<mpsc::UnboundedReceiver<Job>>>,
    finished: mpsc::UnboundedSender<Finished>,
    stop: CancellationToken,
) -> Sender {
    loop {
        let next = waiting.lock().await.recv().await;
        let Some(Job { mail, compose, claimed_at, slot }) = next else { return sender };
        let fate = if stop.is_cancelled() || claimed_at.elapsed() > BEGIN_WITHIN {
            Fate::GivenBack
        } else {
            mailer.send(&mut sender, &mail, compose).await
        };
        drop(finished.send(Finished { mail, fate, slot }));
    }
}

/// Marks what is finished, `enough` at once if they come soon.
async fn mark_all(mailer: &Mailer, mut reports: mpsc::UnboundedReceiver<Finished>, enough: usize) {
    let mut batch = Vec::with_capacity(MARK_AT_ONCE);
    while reports.recv_many(&mut batch, MARK_AT_ONCE).await > 0 {
        let end = Instant::now() + MARK_WITHIN;
        while batch.len() < enough {
            let room = MARK_AT_ONCE - batch.len();
            match timeout_at(end.into(), reports.recv_many(&mut batch, room)).await {
                Ok(1..) => {}
                // No time left, or nobody is left to report.
                Ok(0) | Err(_) => break,
            }
        }
        let (fates, slots): (Vec<_>, Vec<_>) =
            batch.drain(..).map(|Finished { mail, fate, slot }| ((mail, fate), slot)).unzip();
        mailer.mark(fates).await;
        drop(slots);
    }
}

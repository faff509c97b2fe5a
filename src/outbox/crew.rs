//! A crew: a claimer, some senders with a connection each, and a marker, at work at the same time.
//!
//! A mail that hangs holds its own sender and nobody else: the others get further mails meanwhile. What the crew has
//! in hand is bounded by slots. `serve` runs one crew; tests call [`Crew::deliver_due`]. Sending happens outside any
//! transaction.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    domain::BEGIN_WITHIN,
    mailer::{Mailer, RECOVERY},
    model::Fate,
    queries,
    slots::{Held, Slots},
    trays::{self, Finished, Job, Jobs, Reporter, Reports},
};
use crate::{
    id::Id,
    mail::transport::Sender,
    store::{Lane, StoreError},
};

/// Polling period when nothing wakes us: another process, or a retry that comes due.
const POLL: Duration = Duration::from_millis(100);
/// Marks in one transaction at most.
const MARK_AT_ONCE: usize = 256;

/// Some senders with their connections, and the mails they work on.
pub struct Crew {
    mailer: Arc<Mailer>,
    senders: Vec<Sender>,
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
        self.work(&stop, async |mut desk: Desk| {
            let mut was_full = false;
            while !stop.is_cancelled() {
                desk.mailer.turn();
                let claimed = tokio::select! {
                    () = stop.cancelled() => return,
                    slots = desk.free_slots(was_full) => {
                        let Some(slots) = slots else { return };
                        let wanted = slots.num_permits();
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
        self.work(stop, async |mut desk: Desk| {
            let Some(slots) = desk.free_slots(false).await else { return Ok(0) };
            desk.claim(slots, false).await
        })
        .await
    }

    /// Lets `claiming` fill the desk while senders and marker work; they end when it has ended and all is marked.
    async fn work<T>(&mut self, stop: &CancellationToken, claiming: impl AsyncFnOnce(Desk) -> T) -> T {
        let slots = Slots::of(self.senders.len());
        let jobs = Arc::new(Jobs::default());
        let (reporter, reports) = trays::reports(enough(&slots));
        let mut sending = JoinSet::new();
        for sender in self.senders.drain(..) {
            let (mailer, jobs) = (Arc::clone(&self.mailer), Arc::clone(&jobs));
            sending.spawn(send_all(mailer, sender, jobs, reporter.clone(), stop.clone()));
        }
        let mailer = &self.mailer;
        let desk = Desk { mailer: Arc::clone(mailer), slots, jobs, reporter };
        let (outcome, ()) = tokio::join!(claiming(desk), mark_all(mailer, reports));
        while let Some(ended) = sending.join_next().await {
            self.senders.push(ended.unwrap_or_else(|error| {
                tracing::error!(%error, "a sender of mail broke down; another takes its place");
                self.mailer.transport.sender()
            }));
        }
        outcome
    }
}

/// Marks that are worth a transaction: that many slots are free together, well before a claim waits for half of them.
fn enough(slots: &Slots) -> usize {
    (slots.count() / 4).clamp(1, MARK_AT_ONCE)
}

/// Where claimed mails wait for a sender; closed with its end.
struct Desk {
    mailer: Arc<Mailer>,
    slots: Slots,
    jobs: Arc<Jobs>,
    reporter: Reporter,
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.jobs.close();
    }
}

impl Desk {
    /// Slots for the next claim; `all` of those before were filled, or not.
    async fn free_slots(&mut self, all: bool) -> Option<Held> {
        let half = self.slots.half_free().await?;
        let held = self.slots.take(half, self.jobs.longest_wait(), all);
        self.reporter.expect(enough(&self.slots));
        Some(held)
    }

    /// Claims due mails, one for each slot at most, and puts them before the senders; returns how many. Looks first
    /// whether any is due, since a claim is a write, unless there are `surely` more.
    async fn claim(&self, mut slots: Held, surely: bool) -> Result<usize, StoreError> {
        let store = &self.mailer.kernel.store;
        let clock = self.mailer.kernel.clock.clone();
        if !surely && !store.read(move |db| Ok::<_, StoreError>(queries::any_due(db, &clock)?)).await? {
            return Ok(0);
        }
        let limit = i64::try_from(slots.num_permits()).unwrap_or(1);
        let clock = self.mailer.kernel.clock.clone();
        let claimed_at = Instant::now();
        let claimed = store
            .write(Lane::Worker, move |db| Ok::<_, StoreError>(queries::claim(db, &clock, Id::new(), limit)?))
            .await?;
        let count = claimed.len();
        let mut jobs = Vec::with_capacity(count);
        for (mail, compose) in self.mailer.prepare(claimed).await? {
            // There is one for each.
            let Some(slot) = slots.split(1) else { break };
            match compose {
                Some(compose) => jobs.push(Job { mail, compose, claimed_at, slot }),
                None => self.reporter.report(Finished { mail, fate: Fate::Dropped, slot }),
            }
        }
        self.jobs.put(jobs);
        Ok(count)
    }
}

/// One sender's work, a task of its own so that all processors render; until the desk is closed and empty.
async fn send_all(
    mailer: Arc<Mailer>,
    mut sender: Sender,
    jobs: Arc<Jobs>,
    reporter: Reporter,
    stop: CancellationToken,
) -> Sender {
    while let Some(Job { mail, compose, claimed_at, slot }) = jobs.next().await {
        let fate = if stop.is_cancelled() || claimed_at.elapsed() > BEGIN_WITHIN {
            Fate::GivenBack
        } else {
            mailer.send(&mut sender, &mail, compose).await
        };
        reporter.report(Finished { mail, fate, slot });
    }
    sender
}

/// Marks what is finished, many at once if they come soon.
async fn mark_all(mailer: &Mailer, mut reports: Reports) {
    while let Some(batch) = reports.next(MARK_AT_ONCE).await {
        let (fates, slots): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|Finished { mail, fate, slot }| ((mail, fate), slot)).unzip();
        mailer.mark(fates).await;
        trays::free(slots);
    }
}

//! Recalls: what a group must be told to forget. Whoever withdraws a share, leaves, is erased or suppressed is recalled
//! from every group whose export ever held them, in the same transaction; and so is everybody when a group leaves.
//!
//! A recall is a number of the group's own, a supporter's id and the SHA-256 of their address. It is read from a feed or
//! sent to a webhook, and is gone when the group says that it has forgotten the person, or after 30 days.

mod departure;
mod model;
mod overview;
mod owe;
mod queries;
pub(crate) mod routes;
mod webhook;

pub use departure::begin as begin_departure;
pub use model::{AcknowledgeForm, Recall, RecallPage, RecallStanding};
pub use overview::count_overdue;
pub use owe::{all_share, owe, owe_to, settle};
pub use webhook::{WebhookForm, WebhookSecret, WebhookView};

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use self::webhook::Client;
use crate::{
    audit::{self, Act, Actor},
    error::AppError,
    id::Id,
    kernel::Kernel,
    store::{Lane, StoreError},
    tls::TlsError,
};

/// How long a recall waits for its acknowledgement.
pub const KEPT: Duration = Duration::from_secs(30 * 86_400);
/// Recalls that are ended in one transaction.
const PIECE: i64 = 1000;
/// Pause between two looks for what is owed.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is looked for recalls that have waited too long.
const EXPIRY: Duration = Duration::from_secs(3600);

/// The recalls of this installation. Cheap to clone.
#[derive(Clone)]
pub struct Recalls {
    kernel: Kernel,
    client: Client,
}

impl Recalls {
    /// The facade.
    ///
    /// # Errors
    /// When `groups.webhook_ca_file` cannot be used.
    pub fn new(kernel: &Kernel) -> Result<Self, TlsError> {
        Ok(Self { kernel: kernel.clone(), client: Client::new(&kernel.config.groups)? })
    }

    /// Recalls of `group` with a number above `since`, oldest first; one more than `limit` when there are more.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list(&self, group: Id, since: i64, limit: u16) -> Result<Vec<Recall>, AppError> {
        self.kernel.store.read(move |db| Ok::<_, AppError>(queries::list(db, group, since, limit)?)).await
    }

    /// The group has forgotten these people: their recalls end. Returns how many there were.
    ///
    /// # Errors
    /// When the database does not answer; what was acknowledged by then stays so.
    pub async fn acknowledge(&self, group: Id, which: Acknowledged, actor: Actor) -> Result<usize, AppError> {
        let mut total = 0;
        loop {
            let (which, keys, now) = (which.clone(), self.kernel.keys.clone(), self.kernel.clock.now());
            let ended = self
                .kernel
                .store
                .write(Lane::Staff, move |db| {
                    let ended = queries::acknowledge(db, group, &which, PIECE, now)?;
                    if ended > 0 {
                        let details = serde_json::json!({ "recalls": ended });
                        let act = Act::new(actor, "recall.acknowledge").on("group", group).with(details);
                        audit::append(db, &keys, &[act], now)?;
                    }
                    Ok::<_, AppError>(ended)
                })
                .await?;
            total += ended;
            if i64::try_from(ended).unwrap_or(PIECE) < PIECE {
                return Ok(total);
            }
        }
    }

    /// Sends what is due to webhooks, ends what has waited too long and recalls the people of groups that leave, until
    /// `stop`; then finishes what is under way.
    pub async fn run(&self, stop: CancellationToken) {
        let mut couriers = webhook::Couriers::new(self);
        while !stop.is_cancelled() {
            if let Err(error) = self.turn(&mut couriers).await {
                tracing::warn!(%error, "recalls could not be worked on; trying again");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        couriers.finish().await;
    }

    async fn turn(&self, couriers: &mut webhook::Couriers) -> Result<(), StoreError> {
        couriers.dispatch().await?;
        self.depart().await?;
        if crate::periodic::is_due(&self.kernel.store, &self.kernel.clock, "recalls", EXPIRY).await? {
            self.expire().await?;
        }
        Ok(())
    }

    /// Sends what is due to every webhook that is due, once, and waits for the answers; returns how many webhooks that
    /// were.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn deliver_due(&self) -> Result<usize, StoreError> {
        let mut couriers = webhook::Couriers::new(self);
        let sent = couriers.dispatch().await?;
        couriers.finish().await;
        Ok(sent)
    }

    /// Ends recalls that have waited 30 days; returns how many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn expire(&self) -> Result<usize, StoreError> {
        let mut total = 0;
        loop {
            let (keys, now) = (self.kernel.keys.clone(), self.kernel.clock.now());
            let ended = self
                .kernel
                .store
                .write(Lane::Worker, move |db| {
                    let by_group = queries::expire(db, now.before(KEPT), PIECE)?;
                    let act = |(group, count): &(Id, i64)| {
                        let details = serde_json::json!({ "recalls": count });
                        Act::new(Actor::System, "recall.expire").on("group", *group).with(details)
                    };
                    audit::append(db, &keys, &by_group.iter().map(act).collect::<Vec<_>>(), now)?;
                    Ok::<_, StoreError>(by_group.iter().map(|(_, count)| count).sum::<i64>())
                })
                .await?;
            total += usize::try_from(ended).unwrap_or(0);
            if ended < PIECE {
                return Ok(total);
            }
        }
    }
}

/// Which recalls a group acknowledges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acknowledged {
    /// All up to this number.
    UpTo(i64),
    /// Those with these numbers.
    Numbers(Vec<i64>),
}

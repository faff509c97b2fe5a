//! Couriers: deliveries under way at the same time, a few at most, each of one webhook. One that hangs holds its own
//! place for ten seconds and nobody else. Called by the worker and by tests.

use serde::Serialize;
use tokio::task::JoinSet;

use super::{
    super::{Acknowledged, Recalls, model::Recall, queries as recalls},
    client::Target,
    domain::{BATCH, WebhookFault, acknowledged},
    queries::{self, Claimed},
};
use crate::{
    audit::{self, Act, Actor},
    keys::signature,
    store::{Lane, StoreError},
};

/// Deliveries under way at once.
const PLACES: usize = 16;

/// What a webhook gets.
#[derive(Serialize)]
struct Delivery<'a> {
    /// What it is about; there may be other kinds one day.
    r#type: &'static str,
    /// The group's slug.
    group: &'a str,
    /// Oldest first.
    recalls: &'a [Recall],
}

/// Deliveries under way.
pub(in super::super) struct Couriers {
    recalls: Recalls,
    under_way: JoinSet<()>,
}

impl Couriers {
    /// Nothing is under way.
    pub(in super::super) fn new(recalls: &Recalls) -> Self {
        Self { recalls: recalls.clone(), under_way: JoinSet::new() }
    }

    /// Begins as many due deliveries as there are places; returns how many.
    pub(in super::super) async fn dispatch(&mut self) -> Result<usize, StoreError> {
        while self.under_way.try_join_next().is_some() {}
        let free = PLACES.saturating_sub(self.under_way.len());
        if free == 0 {
            return Ok(0);
        }
        let kernel = &self.recalls.kernel;
        let (clock, limit) = (kernel.clock.clone(), i64::try_from(free).unwrap_or(1));
        let due = kernel.store.read(move |db| Ok::<_, StoreError>(queries::due(db, &clock, limit)?)).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let clock = kernel.clock.clone();
        let claimed = kernel
            .store
            .write(Lane::Worker, move |db| Ok::<_, StoreError>(queries::claim(db, &clock, &due)?))
            .await?;
        let count = claimed.len();
        for claimed in claimed {
            let recalls = self.recalls.clone();
            self.under_way.spawn(async move {
                if let Err(error) = recalls.deliver(claimed).await {
                    tracing::warn!(%error, "a delivery to a webhook could not be recorded; it will be repeated");
                }
            });
        }
        Ok(count)
    }

    /// Waits for what is under way.
    pub(in super::super) async fn finish(&mut self) {
        while self.under_way.join_next().await.is_some() {}
    }
}

impl Recalls {
    async fn deliver(&self, claimed: Claimed) -> Result<(), StoreError> {
        let group = claimed.webhook.group_id;
        let waiting = self
            .kernel
            .store
            .read(move |db| Ok::<_, StoreError>(recalls::list(db, group, 0, BATCH - 1)?))
            .await?;
        let outcome = match waiting.last() {
            // Acknowledged by the feed meanwhile.
            None => Ok(0),
            Some(last) => {
                self.send(&claimed, &waiting).await.and_then(|body| acknowledged(&body, last.number))
            }
        };
        if let Err(fault) = &outcome {
            tracing::info!(%group, %fault, attempt = claimed.webhook.attempts, "a webhook did not take recalls");
        }
        let (keys, clock) = (self.kernel.keys.clone(), self.kernel.clock.clone());
        self.kernel
            .store
            .write(Lane::Worker, move |db| {
                let mut acts = Vec::new();
                let act = |action| Act::new(Actor::System, action).on("group", group);
                // Whatever became of the lease: the group has said so.
                if let Ok(up_to @ 1..) = outcome {
                    let which = Acknowledged::UpTo(up_to);
                    let ended = recalls::acknowledge(db, group, &which, i64::from(BATCH), clock.now())?;
                    let details = serde_json::json!({ "recalls": ended, "by": "webhook" });
                    acts.push(act("recall.acknowledge").with(details));
                }
                if queries::mark(db, &clock, &claimed, outcome.as_ref().map(|_| ()))? {
                    acts.push(act("webhook.give_up"));
                }
                audit::append(db, &keys, &acts, clock.now())?;
                Ok::<_, StoreError>(())
            })
            .await
    }

    async fn send(
        &self,
        claimed: &Claimed,
        waiting: &[Recall],
    ) -> Result<actix_web::web::Bytes, WebhookFault> {
        let webhook = &claimed.webhook;
        let target = Target::parse(&webhook.url).ok_or(WebhookFault::Unresolved)?;
        let delivery = Delivery { r#type: "recalls", group: &claimed.slug, recalls: waiting };
        let body = serde_json::to_vec(&delivery).map_err(|_| WebhookFault::Garbled)?;
        let seconds = self.kernel.clock.now().as_seconds();
        let secret = self.kernel.keys.webhook_secret(webhook.group_id, webhook.secret_version);
        let signature = format!("t={seconds},v1={}", signature(&secret, seconds, &body));
        self.client.post(&target, &signature, body).await
    }
}

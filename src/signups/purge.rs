//! Purge: what an unconfirmed sign-up holds of a person is erased some days after its mail; counts stay.

use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Signups, queries};
use crate::{
    audit::{self, Act, Actor},
    outbox::{self, limits},
    periodic,
    store::{Lane, StoreError},
    supporters,
};

/// How often it is purged, by whichever process.
const PERIOD: Duration = Duration::from_secs(600);
/// Pause between two looks whether that was long ago.
const LOOK: Duration = Duration::from_secs(60);
/// Sign-ups in one transaction.
const BATCH: i64 = 200;

impl Signups {
    /// Purges every ten minutes until `stop`.
    pub async fn run_purge(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.purge_if_due().await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "erased what unconfirmed sign-ups held of people"),
                Err(error) => {
                    tracing::warn!(%error, "unconfirmed sign-ups could not be purged; trying again later")
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    async fn purge_if_due(&self) -> Result<usize, StoreError> {
        let kernel = self.kernel();
        if periodic::is_due(&kernel.store, &kernel.clock, "purge", PERIOD).await? {
            self.purge().await
        } else {
            Ok(0)
        }
    }

    /// Purges all that is due, in pieces, and returns how many sign-ups that were.
    ///
    /// # Errors
    /// When the database does not answer; what was purged by then stays purged.
    pub async fn purge(&self) -> Result<usize, StoreError> {
        let kernel = self.kernel();
        let now = kernel.clock.now();
        let keep = Duration::from_secs(u64::from(kernel.config.signups.purge_days) * 86_400);
        let (mut total, mut skip) = (0, 0);
        loop {
            let keys = kernel.keys.clone();
            let (seen, erased) = kernel
                .store
                .write(Lane::Worker, move |db| {
                    let stale = queries::list_stale(db, now.before(keep), skip, BATCH)?;
                    // The days count from the mail; one that is still on its way is waited for.
                    let settled = outbox::is_settled_before(db, &stale, now.before(keep))?;
                    let erased = supporters::blank_signups(db, &settled)?;
                    let act = Act::new(Actor::System, "signup.purge").with(json!({ "signups": erased }));
                    if erased > 0 {
                        audit::append(db, &keys, &[act], now)?;
                    }
                    Ok::<_, StoreError>((stale.len(), erased))
                })
                .await?;
            if seen == 0 {
                break;
            }
            total += erased;
            skip += i64::try_from(seen - erased).unwrap_or(0);
        }
        kernel
            .store
            .write(Lane::Worker, move |db| {
                supporters::end_pauses(db, now)?;
                outbox::forget_dead(db, now.before(keep))?;
                limits::delete_asked_before(db, now.before(limits::WINDOW))?;
                Ok::<_, StoreError>(())
            })
            .await?;
        // Also for what triage and the outbox erased since the last time.
        kernel.store.scrub();
        Ok(total)
    }
}

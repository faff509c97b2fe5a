//! Figures kept by what the acts themselves change: triggers (see the migration) do so in the transaction of the act, so
//! that nobody who changes a row can forget it. On SQLite, with its one writer, they change the figure; on PostgreSQL,
//! where nobody shall wait for a figure that all change, they append a delta, and one job folds those. Whoever reads adds
//! up both, so that a figure is exact at every moment. Intake touches neither. Knows no feature: a dimension is a name.

mod queries;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use queries::{Count, append, in_slots, top};

use crate::{
    clock::{Clock, Timestamp},
    periodic,
    store::{Lane, Store, StoreError},
};

/// How often deltas are folded.
const PERIOD: Duration = Duration::from_secs(1);
/// Deltas that are folded in one transaction.
const BATCH: i64 = 2_000;
/// A slot: every time zone's days begin and end with one.
const SLOT_MICROS: i64 = 900_000_000;

/// The slot that holds `at`.
#[must_use]
pub const fn slot(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(SLOT_MICROS)
}

/// When a slot begins.
#[must_use]
pub const fn slot_begin(slot: i64) -> Timestamp {
    Timestamp::from_micros(slot.saturating_mul(SLOT_MICROS))
}

/// Folds deltas every second, whichever process does, until told to stop.
pub async fn run(store: Store, clock: Clock, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = fold_if_due(&store, &clock).await {
            tracing::warn!(%error, "figures could not be folded; they are exact all the same, and it is tried again");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

async fn fold_if_due(store: &Store, clock: &Clock) -> Result<(), StoreError> {
    // A look costs nothing; whose turn it is, is a write.
    if store.read(|db| Ok::<_, StoreError>(queries::is_folded(db)?)).await? {
        return Ok(());
    }
    if periodic::is_due(store, clock, "fold counts", PERIOD).await? {
        fold(store).await?;
    }
    Ok(())
}

/// Folds all deltas that are there; returns how many those were.
///
/// # Errors
/// When the database does not answer.
pub async fn fold(store: &Store) -> Result<usize, StoreError> {
    let mut all = 0;
    loop {
        let folded = store.write(Lane::Worker, |db| Ok::<_, StoreError>(queries::fold(db, BATCH)?)).await?;
        all += folded;
        if folded == 0 {
            return Ok(all);
        }
    }
}

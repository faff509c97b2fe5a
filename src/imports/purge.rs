//! An upload is erased when its import is at its end, refused rows and what was never started seven days after it came;
//! the counts stay.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Imports, queries};
use crate::{
    periodic,
    store::{Lane, StoreError},
};

/// How long an upload stays.
const KEPT: Duration = Duration::from_secs(7 * 86_400);
/// An upload that was never whole.
const BROKEN: Duration = Duration::from_secs(86_400);
/// How often it is looked, by whichever process.
const PERIOD: Duration = Duration::from_secs(3600);
const LOOK: Duration = Duration::from_secs(60);
/// Pieces and refused rows of one transaction.
const PIECES: i64 = 8;
const REFUSALS: i64 = 500;

impl Imports {
    /// Erases every hour until `stop`.
    pub async fn run_purge(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.purge_if_due().await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "erased the uploads of old imports"),
                Err(error) => tracing::warn!(%error, "old imports could not be erased; trying again later"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    async fn purge_if_due(&self) -> Result<usize, StoreError> {
        let kernel = &self.kernel;
        if periodic::is_due(&kernel.store, &kernel.clock, "imports", PERIOD).await? {
            self.purge().await
        } else {
            Ok(0)
        }
    }

    /// Erases all that is due; returns of how many imports all that they held.
    ///
    /// # Errors
    /// When the database does not answer; what was erased by then stays erased.
    pub async fn purge(&self) -> Result<usize, StoreError> {
        let store = &self.kernel.store;
        let now = self.kernel.clock.now();
        let (mut count, mut files) = (0, 0);
        let read = |db: &mut _| Ok::<_, StoreError>(queries::find_read(db)?);
        while let Some(id) = store.read(read).await? {
            let erase = move |db: &mut _| Ok::<_, StoreError>(queries::erase_some(db, id, PIECES, 0)?);
            while store.write(Lane::Worker, erase).await? {}
            files += 1;
        }
        loop {
            let find = move |db: &mut _| {
                Ok::<_, StoreError>(queries::find_stale(db, now.before(KEPT), now.before(BROKEN))?)
            };
            let Some(import) = store.read(find).await? else { break };
            let id = import.id;
            let erase = move |db: &mut _| Ok::<_, StoreError>(queries::erase_some(db, id, PIECES, REFUSALS)?);
            while store.write(Lane::Worker, erase).await? {}
            let end = move |db: &mut _| Ok::<_, StoreError>(queries::set_erased(db, id, now)?);
            store.write(Lane::Worker, end).await?;
            count += 1;
        }
        if count + files > 0 {
            store.scrub();
        }
        Ok(count)
    }
}

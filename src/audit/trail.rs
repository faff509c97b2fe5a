//! [`Trail`]: the trail of one installation: verified, read, kept short, its head told to the log. Made by
//! `Kernel::trail`; its jobs are run by the workers.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{
    EntryFilter, Head, Link, Reader, Reads, RetainError, Verdict, VerifyError, append, queries, retention,
    verify,
};
use crate::{
    clock::{Clock, Timestamp},
    keys::Keys,
    periodic,
    store::{Db, Lane, Store, StoreError},
};

/// How often the newest link is logged, and how often old entries are looked for; by whichever process.
const HEAD_PERIOD: Duration = Duration::from_secs(3600);
const RETAIN_PERIOD: Duration = Duration::from_secs(6 * 3600);
/// Pause between two looks whether that was long ago.
const LOOK: Duration = Duration::from_secs(60);
/// Pause between two looks whether a minute of reads is over.
const READS_LOOK: Duration = Duration::from_secs(10);
/// Entries of a page when everything is read.
const PAGE: i64 = 500;

/// The audit trail. Cheap to clone.
#[derive(Clone)]
pub struct Trail {
    store: Store,
    keys: Keys,
    clock: Clock,
    /// Days an entry is kept; 0: for ever.
    keep_days: u32,
}

impl Trail {
    /// The trail in `store`.
    #[must_use]
    pub const fn new(store: Store, keys: Keys, clock: Clock, keep_days: u32) -> Self {
        Self { store, keys, clock, keep_days }
    }

    /// Appends acts in a transaction of their own.
    ///
    /// # Errors
    /// When the database does not take them.
    pub async fn append(&self, lane: Lane, acts: Vec<super::Act>) -> Result<(), StoreError> {
        let (keys, now) = (self.keys.clone(), self.clock.now());
        self.store.write(lane, move |db| Ok(append(db, &keys, &acts, now)?)).await
    }

    /// Verifies all of it, on a thread and a connection of its own, in pages: nothing waits for it. Ends when nobody
    /// waits for the verdict.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub async fn verify(&self, expected: Option<Head>) -> Result<Verdict, VerifyError> {
        let (done, verdict) = tokio::sync::oneshot::channel();
        let keys = self.keys.clone();
        self.store.read_long(move |db| {
            let verdict = db
                .map_err(VerifyError::from)
                .and_then(|db| verify(db, &keys, expected.as_ref(), || !done.is_closed()));
            let _ = done.send(verdict);
        });
        verdict.await.map_err(|_| StoreError::Closed)?
    }

    /// The newest entry's place.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn head(&self) -> Result<Head, StoreError> {
        let head = self.store.read(|db| Ok::<_, StoreError>(queries::ends(db)?)).await?;
        head.map(|(head, _)| head)
            .ok_or_else(|| StoreError::Unavailable("the audit trail has no head".to_owned()))
    }

    /// Up to `limit` entries that match, the newest first, those before the number `before`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list(
        &self,
        filter: EntryFilter,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Link>, StoreError> {
        self.store.read(move |db| Ok::<_, StoreError>(queries::list(db, &filter, before, limit)?)).await
    }

    /// Hands all entries that match to `take`, the newest first, page by page on the calling (blocking) thread, until
    /// it has enough.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn for_each(
        db: &mut Db,
        filter: &EntryFilter,
        mut take: impl FnMut(Link) -> bool,
    ) -> Result<(), StoreError> {
        let mut before = None;
        loop {
            let page = queries::list(db, filter, before, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            before = Some(last.entry.number);
            for link in page {
                if !take(link) {
                    return Ok(());
                }
            }
        }
    }

    /// Notes that `reader` is about to get `rows` people by `action`. Once it returns, the trail knows of it, at least
    /// of the minute's first.
    ///
    /// # Errors
    /// When that could not be written: then the rows must not be given.
    pub(crate) async fn note_read(
        &self,
        reads: &Reads,
        reader: &Reader,
        action: &'static str,
        rows: usize,
    ) -> Result<(), StoreError> {
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        if let Some(first) = reads.note(reader, action, rows, self.clock.now()) {
            self.append(Lane::Staff, vec![first.act.clone()]).await?;
            reads.is_written(&first);
        }
        Ok(())
    }

    /// Appends the reads of minutes that are over at `now`, or of all.
    ///
    /// # Errors
    /// When they could not be written; they are kept for the next time.
    pub async fn close_reads(&self, reads: &Reads, now: Option<Timestamp>) -> Result<(), StoreError> {
        let closed = reads.close(now);
        let acts = closed.acts();
        if acts.is_empty() {
            return Ok(());
        }
        let appended = self.append(Lane::Staff, acts).await;
        if appended.is_err() {
            reads.reopen(closed);
        }
        appended
    }

    /// Appends reads minute by minute until `stop`, then the rest. Runs in every process that serves.
    pub async fn run_reads(self, reads: std::sync::Arc<Reads>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(READS_LOOK) => {}
            }
            if let Err(error) = self.close_reads(&reads, Some(self.clock.now())).await {
                tracing::warn!(%error, "reads could not be added to the audit trail; trying again");
            }
        }
        if let Err(error) = self.close_reads(&reads, None).await {
            tracing::warn!(%error, "the last reads could not be added to the audit trail");
        }
    }

    /// Logs the head and takes old entries away, until `stop`. Runs in every process that works.
    pub async fn run_jobs(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.log_head_if_due().await {
                tracing::warn!(%error, "the audit trail's newest link could not be read; trying again later");
            }
            match self.retire_if_due().await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "took old entries of the audit trail away"),
                Err(RetainError::Broken(fault)) => {
                    tracing::error!(%fault, "the audit trail is broken; nothing of it is taken away")
                }
                Err(error) => {
                    tracing::warn!(%error, "old audit entries could not be taken away; trying again")
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Logs the head, unless it was logged within the hour by whichever process; returns what was logged.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn log_head_if_due(&self) -> Result<Option<Head>, StoreError> {
        if !periodic::is_due(&self.store, &self.clock, "audit_head", HEAD_PERIOD).await? {
            return Ok(None);
        }
        let head = self.head().await?;
        tracing::info!(%head, "the audit trail's newest link; audit verify --expect takes it");
        Ok(Some(head))
    }

    async fn retire_if_due(&self) -> Result<i64, RetainError> {
        if self.keep_days > 0
            && periodic::is_due(&self.store, &self.clock, "audit_retention", RETAIN_PERIOD).await?
        {
            self.retire(self.keep_days).await
        } else {
            Ok(0)
        }
    }

    /// Takes away what is older than `days`, in pieces, and returns how many entries that were.
    ///
    /// # Errors
    /// [`RetainError`]; what was taken away by then is, and the rest verifies from there.
    pub async fn retire(&self, days: u32) -> Result<i64, RetainError> {
        let now = self.clock.now();
        let cutoff = now.before(Duration::from_secs(u64::from(days) * 86_400));
        let mut total = 0;
        loop {
            let keys = self.keys.clone();
            let retired = self
                .store
                .write(Lane::Worker, move |db| retention::retire_piece(db, &keys, cutoff, now, total))
                .await?;
            total += retired.entries;
            if !retired.more {
                return Ok(total);
            }
        }
    }
}

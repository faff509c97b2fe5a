//! [`Workers`]: triage, purge, the mail crew and the trail's jobs of one process, at work until they are told to finish. Started by the
//! server, or alone by `openhearth worker`.

use std::time::Duration;

use tokio::{
    task::JoinHandle,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    app::{App, StartError},
    counts, supporters,
};

/// Time for the mail in hand at a stop.
const MAIL_DRAIN: Duration = Duration::from_secs(7);
/// Time for all of a stop.
pub const STOP_WITHIN: Duration = Duration::from_secs(9);

/// The workers of a process.
pub struct Workers {
    tasks: Vec<JoinHandle<()>>,
    stop: CancellationToken,
}

impl Workers {
    /// Tells them to begin nothing new.
    pub fn tell(&self) {
        self.stop.cancel();
    }

    /// Waits for the mail in hand, at most seven seconds; tell them first.
    pub async fn finish(self) {
        self.tell();
        if timeout(MAIL_DRAIN, futures_util::future::join_all(self.tasks)).await.is_err() {
            tracing::warn!("a mail in hand did not finish in time; it will be tried again after its lease");
        }
    }
}

impl App {
    /// Starts the workers.
    #[must_use]
    pub fn start_workers(&self) -> Workers {
        let stop = CancellationToken::new();
        let (triage, purge) = (self.signups.clone(), self.signups.clone());
        let (for_triage, for_purge) = (stop.clone(), stop.clone());
        let (recalls, for_recalls) = (self.recalls.clone(), stop.clone());
        let (imports, old_imports) = (self.imports.clone(), self.imports.clone());
        let (for_imports, for_old_imports) = (stop.clone(), stop.clone());
        let (groups, for_groups) = (self.groups.clone(), stop.clone());
        let crew = self.crew(self.kernel.config.mail.senders);
        let tasks = vec![
            tokio::spawn(async move { triage.run_triage(for_triage).await }),
            tokio::spawn(async move { purge.run_purge(for_purge).await }),
            tokio::spawn(async move { groups.run_upkeep(for_groups).await }),
            tokio::spawn(crew.run(stop.clone())),
            tokio::spawn(counts::run(self.kernel.store.clone(), self.kernel.clock.clone(), stop.clone())),
            tokio::spawn(async move { recalls.run(for_recalls).await }),
            tokio::spawn(self.kernel.trail().run_jobs(stop.clone())),
            tokio::spawn(supporters::run_chores(self.kernel.clone(), stop.clone())),
            tokio::spawn(async move { imports.run(for_imports).await }),
            tokio::spawn(async move { old_imports.run_purge(for_old_imports).await }),
        ];
        Workers { tasks, stop }
    }

    /// Works without serving, until `end`; then finishes the mail in hand. At most ten seconds from then.
    ///
    /// # Errors
    /// When `metrics.listen` cannot be listened on.
    pub async fn work_until(self, end: impl Future<Output = ()>) -> Result<(), StartError> {
        let metrics = self.listen_for_metrics()?;
        let workers = self.start_workers();
        tracing::info!("working on what is owed");
        end.await;
        let deadline = Instant::now() + STOP_WITHIN;
        tracing::info!("stopping: finishing the mail in hand");
        workers.finish().await;
        if let Some(metrics) = metrics {
            metrics.stop(false).await;
        }
        self.close_store(deadline).await;
        tracing::info!("stopped");
        Ok(())
    }

    /// Lets the writers finish what waits. Nobody was told that it is stored.
    pub(crate) async fn close_store(&self, deadline: Instant) {
        if timeout_at(deadline, self.kernel.store.close()).await.is_err() {
            tracing::warn!("the database did not take what waited in time; none of it was acknowledged");
        }
    }
}

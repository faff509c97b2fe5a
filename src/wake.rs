//! [`Wake`]: tells a worker that there is work. Held by the kernel for the outbox, and by slices for theirs.

use std::sync::Arc;

use tokio::sync::Notify;

/// Wakes one worker of this process; those of other processes find their work by polling.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// There is work.
    pub fn wake(&self) {
        self.0.notify_one();
    }

    /// Waits for work; a call of [`Self::wake`] before is not lost.
    pub async fn wait(&self) {
        self.0.notified().await;
    }
}

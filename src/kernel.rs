//! What every slice's facade holds: configuration, time, keys, store, outbox and metrics of this process.

use std::{sync::Arc, time::Duration};

use crate::{
    audit::{Reader, Reads, Trail},
    clock::Clock,
    config::Config,
    keys::Keys,
    metrics::Metrics,
    site::Site,
    store::{Store, StoreError, dialect},
    wake::Wake,
};

/// Pause between two looks at the database's clock.
const CLOCK_LOOK: Duration = Duration::from_secs(10);

/// The kernel of one process. Cheap to clone.
#[derive(Clone)]
pub struct Kernel {
    /// The checked configuration.
    pub config: Arc<Config>,
    /// How people reach this server; links start with it.
    pub base_url: Arc<str>,
    /// The one source of time.
    pub clock: Clock,
    /// Signs links and hashes addresses.
    pub keys: Keys,
    /// The database.
    pub store: Store,
    /// Tells the outbox that a mail is owed.
    pub outbox: Wake,
    /// Where tasks run that outlive the request that began them.
    pub runtime: tokio::runtime::Handle,
    /// Figures for Prometheus.
    pub metrics: Arc<Metrics>,
    /// Reads of people's data that this process has yet to add to the audit trail.
    pub reads: Arc<Reads>,
}

impl Kernel {
    /// Sets the clock of this process right by the database's.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn set_clock(&self) -> Result<(), StoreError> {
        let clock = self.clock.clone();
        self.store.read(move |db| Ok(dialect::now(db, &clock).map(drop)?)).await
    }

    /// Keeps it right, for ever.
    pub async fn keep_clock(self) {
        loop {
            tokio::time::sleep(CLOCK_LOOK).await;
            // A database that is away is somebody else's to report.
            let _ = self.set_clock().await;
        }
    }

    /// The audit trail.
    #[must_use]
    pub fn trail(&self) -> Trail {
        Trail::new(
            self.store.clone(),
            self.keys.clone(),
            self.clock.clone(),
            self.config.audit.retention_days,
        )
    }

    /// Call it before an answer that shows `rows` people by name or address: notes in the audit trail that `reader`
    /// (`access.reader()`) read them by `action` (`supporter.list`). The first read of a session and minute waits for
    /// its entry, the further ones are counted.
    ///
    /// # Errors
    /// When that could not be written: then the rows must not be given.
    pub async fn note_read(
        &self,
        reader: &Reader,
        action: &'static str,
        rows: usize,
    ) -> Result<(), StoreError> {
        self.trail().note_read(&self.reads, reader, action, rows).await
    }

    /// The absolute URL of `path`, which starts with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// The frame of a page whose scripts carry `nonce`.
    #[must_use]
    pub fn site(&self, nonce: &str) -> Site {
        Site {
            campaign_name: self.config.campaign.name.clone(),
            base_url: self.base_url.to_string(),
            postal_address: self.postal_address(),
            nonce: nonce.to_owned(),
            speech: crate::speech::Speech::English,
            languages: Vec::new(),
            is_chosen: false,
        }
    }

    /// The postal address that ends every mail and page, if one is set.
    #[must_use]
    pub fn postal_address(&self) -> Option<String> {
        Some(self.config.mail.postal_address.clone()).filter(|address| !address.trim().is_empty())
    }
}

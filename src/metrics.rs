//! Figures of this process for Prometheus. Counted where things happen, shown by `ops`.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// A gauge of seconds.
type Seconds = Gauge<f64, AtomicU64>;

/// What became of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Outcome {
    /// A sign-up was stored, a mail was taken by the relay.
    Accepted,
    /// A sign-up was turned away with 503, a mail was put off.
    Deferred,
    /// A mail was given up.
    Dead,
    /// A mail was no longer owed.
    Dropped,
}

/// The label of a counter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Labels {
    outcome: Outcome,
}

/// For how many seconds what waits longest has waited, whoever is to work on it: 0 when nothing waits, not a number when
/// the database does not say.
#[derive(Clone, Copy, Debug)]
pub struct Backlog {
    /// Sign-ups that are not triaged.
    pub signups: f64,
    /// Mails that are due.
    pub mails: f64,
}

/// All figures of one process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    accepted: Counter,
    refused: Counter,
    mails: Family<Labels, Counter>,
    confirmations: Counter,
    waiting: Gauge,
    untriaged: Seconds,
    overdue: Seconds,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("openhearth");
        let metrics = Self {
            accepted: Counter::default(),
            refused: Counter::default(),
            mails: Family::default(),
            confirmations: Counter::default(),
            waiting: Gauge::default(),
            untriaged: Seconds::default(),
            overdue: Seconds::default(),
            registry: Registry::default(),
        };
        registry.register(
            "signups_accepted",
            "Sign-ups stored and answered with 202",
            metrics.accepted.clone(),
        );
        registry.register("signups_unavailable", "Sign-ups answered with 503", metrics.refused.clone());
        registry.register("mails", "Tries to send a mail, by outcome", metrics.mails.clone());
        registry.register("confirmations", "Sign-ups confirmed by a click", metrics.confirmations.clone());
        registry.register("intake_waiting", "Sign-ups waiting for the next commit", metrics.waiting.clone());
        registry.register(
            "signups_untriaged_seconds",
            "Age of the oldest sign-up that is not triaged",
            metrics.untriaged.clone(),
        );
        registry.register(
            "mails_overdue_seconds",
            "For how long the mail that waits longest has been due",
            metrics.overdue.clone(),
        );
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// Counts a sign-up that was stored, or turned away.
    pub fn signup(&self, stored: bool) {
        if stored {
            self.accepted.inc()
        } else {
            self.refused.inc()
        };
    }

    /// Counts a try to send a mail.
    pub fn mail(&self, outcome: Outcome) {
        self.mails.get_or_create(&Labels { outcome }).inc();
    }

    /// Counts a confirmation.
    pub fn confirmation(&self) {
        self.confirmations.inc();
    }

    /// The figures in the Prometheus text format.
    ///
    /// # Errors
    /// Never in practice: writing to a string does not fail.
    pub fn render(&self, intake_waiting: usize, backlog: Backlog) -> Result<String, std::fmt::Error> {
        self.untriaged.set(backlog.signups);
        self.overdue.set(backlog.mails);
        self.waiting.set(i64::try_from(intake_waiting).unwrap_or(i64::MAX));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

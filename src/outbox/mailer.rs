//! What all crews of a process share: the templates, the sender's identity, the way out. Writes a claimed mail,
//! sends it over a sender and marks what became of it. Called by the crews alone; claims nothing itself.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use super::{
    Compose, Template,
    model::{Claimed, Fate},
    queries,
};
use crate::{
    clock::Timestamp,
    id::Id,
    kernel::Kernel,
    mail::{
        message::Identity,
        transport::{SendError, Sender, Transport},
    },
    metrics::Outcome,
    store::{Lane, StoreError},
};

/// Pause after the database failed us.
pub(super) const RECOVERY: Duration = Duration::from_millis(500);
/// A worker that has not turned for so long is not working.
const STALL: Duration = Duration::from_secs(60);

/// What all crews of a process share.
pub struct Mailer {
    pub(super) kernel: Kernel,
    pub(super) transport: Transport,
    identity: Identity,
    templates: HashMap<&'static str, Box<dyn Template>>,
    last_turn: AtomicI64,
}

impl Mailer {
    /// A mailer that knows `templates`.
    #[must_use]
    pub fn new(
        kernel: Kernel,
        identity: Identity,
        transport: Transport,
        templates: Vec<Box<dyn Template>>,
    ) -> Arc<Self> {
        let templates = templates.into_iter().map(|template| (template.name(), template)).collect();
        Arc::new(Self { kernel, transport, identity, templates, last_turn: AtomicI64::new(0) })
    }

    /// Whether a crew has turned within the last minute.
    #[must_use]
    pub fn is_turning(&self) -> bool {
        let last = Timestamp::from_micros(self.last_turn.load(Ordering::Relaxed));
        last.after(STALL) >= self.kernel.clock.now()
    }

    pub(super) fn turn(&self) {
        self.last_turn.store(self.kernel.clock.now().as_micros(), Ordering::Relaxed);
    }

    /// Reads what each mail needs; those that nobody is owed any more have nothing.
    pub(super) async fn prepare(
        self: &Arc<Self>,
        claimed: Vec<Claimed>,
    ) -> Result<Vec<(Claimed, Option<Compose>)>, StoreError> {
        let mailer = Arc::clone(self);
        self.kernel
            .store
            .read(move |db| {
                let mut by_template: HashMap<&str, Vec<Id>> = HashMap::new();
                for mail in &claimed {
                    by_template.entry(&mail.template).or_default().push(mail.subject_id);
                }
                let mut composers: HashMap<(&str, Id), Compose> = HashMap::new();
                for (name, subjects) in by_template {
                    if let Some(template) = mailer.templates.get(name) {
                        for (subject, compose) in template.load(db, &subjects)? {
                            composers.insert((template.name(), subject), compose);
                        }
                    }
                }
                let with_its_own = |mail: Claimed| {
                    let name = mailer.templates.get_key_value(mail.template.as_str()).map(|(name, _)| *name);
                    let compose = name.and_then(|name| composers.remove(&(name, mail.subject_id)));
                    (mail, compose)
                };
                Ok(claimed.into_iter().map(with_its_own).collect())
            })
            .await
    }

    /// Writes `mail` and hands it over.
    pub(super) async fn send(&self, sender: &mut Sender, mail: &Claimed, compose: Compose) -> Fate {
        let now = self.kernel.clock.now();
        let message = compose(now).map_err(|error| error.to_string()).and_then(|content| {
            self.identity
                .build(mail.id.uuid(), &mail.address, &content, now.to_system_time())
                .map_err(|e| e.to_string())
        });
        let (outcome, fate) = match message {
            Err(reason) => {
                tracing::error!(mail = %mail.id, template = mail.template, reason, "a mail could not be written");
                (Outcome::Dead, Fate::Refused(reason))
            }
            Ok(message) => match sender.send(&message).await {
                Ok(()) => (Outcome::Accepted, Fate::Sent),
                Err(error @ SendError::Refused(_)) => {
                    tracing::warn!(mail = %mail.id, template = mail.template, %error, "a mail was given up");
                    (Outcome::Dead, Fate::Refused(error.to_string()))
                }
                Err(error) => {
                    tracing::info!(mail = %mail.id, attempt = mail.attempts, %error, "a mail will be tried again");
                    (Outcome::Deferred, Fate::Deferred(error.to_string()))
                }
            },
        };
        self.kernel.metrics.mail(outcome);
        fate
    }

    /// Marks, however long the database is away: a mark that is given up is a mail sent twice. Ends when the
    /// store is closed.
    pub(super) async fn mark(&self, fates: Vec<(Claimed, Fate)>) {
        let fates = Arc::new(fates);
        loop {
            let (clock, batch) = (self.kernel.clock.clone(), Arc::clone(&fates));
            let marked = self
                .kernel
                .store
                .write(Lane::Worker, move |db| Ok::<_, StoreError>(queries::mark(db, &clock, &batch)?))
                .await;
            match marked {
                Ok(()) | Err(StoreError::Closed) => return,
                Err(error) => {
                    tracing::warn!(%error, mails = fates.len(), "what was sent could not be marked; trying again");
                    tokio::time::sleep(RECOVERY).await;
                }
            }
        }
    }
}

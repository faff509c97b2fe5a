//! The digest: once a day, owners and organizers hear what waits for them; nothing, when nothing does. Counted again at
//! sending, so that it does not say what has been done meanwhile.

use std::{collections::HashMap, time::Duration};

use diesel::QueryResult;
use tokio_util::sync::CancellationToken;

use super::{Groups, mails::DigestMail, queries, recalls};
use crate::{
    id::Id,
    kernel::Kernel,
    outbox::{self, Compose, NewMail, Template},
    periodic,
    staff::{self, Role},
    store::{Db, Lane, StoreError},
};

/// The digest; its subject is the account it goes to.
pub(super) const DIGEST: &str = "staff_digest";
const DAY: Duration = Duration::from_secs(86_400);
/// How often the other upkeep is done, by whichever process.
const PERIOD: Duration = Duration::from_secs(600);
/// Pause between two looks whether that was long ago.
const LOOK: Duration = Duration::from_secs(60);

/// What waits for the staff.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToDo {
    /// Applications in review.
    pub applications: i64,
    /// Mails that could not be delivered, of the last day.
    pub dead_mails: i64,
    /// Recalls that a group has kept waiting too long.
    pub overdue_recalls: i64,
}

impl ToDo {
    fn read(db: &mut Db, kernel: &Kernel) -> QueryResult<Self> {
        let now = kernel.clock.now();
        Ok(Self {
            applications: queries::count_in_review(db)?,
            dead_mails: outbox::count_dead_since(db, now.before(DAY))?,
            overdue_recalls: recalls::count_overdue(db, kernel)?,
        })
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

impl Groups {
    /// Erases stale applications and owes the digest, until `stop`.
    pub async fn run_upkeep(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.upkeep_if_due().await {
                tracing::warn!(%error, "the upkeep of groups did not succeed; trying again later");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    async fn upkeep_if_due(&self) -> Result<(), StoreError> {
        let (store, clock) = (&self.kernel.store, &self.kernel.clock);
        if periodic::is_due(store, clock, "groups", PERIOD).await? {
            self.purge().await?;
        }
        self.digest_if_due().await
    }

    /// Owes the digest, if nobody did within a day.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn digest_if_due(&self) -> Result<(), StoreError> {
        if !periodic::is_due(&self.kernel.store, &self.kernel.clock, "staff_digest", DAY).await? {
            return Ok(());
        }
        let (kernel, now) = (self.kernel.clone(), self.kernel.clock.now());
        let owe = move |db: &mut Db| {
            if ToDo::read(db, &kernel)?.is_nothing() {
                return Ok(());
            }
            let readers = staff::addresses_of(db, &[Role::Owner, Role::Organizer])?.into_iter();
            let mails: Vec<_> = readers
                .map(|(subject_id, address)| NewMail { template: DIGEST, subject_id, address })
                .collect();
            Ok::<_, StoreError>(outbox::enqueue(db, &mails, now)?)
        };
        self.kernel.store.write(Lane::Worker, owe).await?;
        self.kernel.outbox.wake();
        Ok(())
    }
}

/// The digest as the outbox asks for it.
pub(super) struct Digest(pub Kernel);

impl Template for Digest {
    fn name(&self) -> &'static str {
        DIGEST
    }

    fn load(&self, db: &mut Db, subjects: &[Id]) -> QueryResult<HashMap<Id, Compose>> {
        let todo = ToDo::read(db, &self.0)?;
        if todo.is_nothing() {
            return Ok(HashMap::new());
        }
        let readers = staff::addresses_of(db, &[Role::Owner, Role::Organizer])?.into_iter();
        let owed = readers.map(|(id, _)| id).filter(|id| subjects.contains(id));
        Ok(owed.map(|id| (id, compose(self.0.clone(), todo))).collect())
    }
}

fn compose(kernel: Kernel, todo: ToDo) -> Compose {
    Box::new(move |_| {
        let mail = DigestMail {
            campaign_name: kernel.config.campaign.name.clone(),
            postal_address: kernel.postal_address(),
            todo,
            api_url: kernel.url("/api/docs"),
        };
        mail.render().map(|parts| parts.into_content(None))
    })
}

//! [`Members`]: the member organisations as this process knows them, so that intake and pages read no table. Read again
//! after every change here, and every few seconds for changes of other processes.

use std::{
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::{model::Member, offers, queries};
use crate::{
    id::Id,
    store::{Store, StoreError},
};

/// How old what is known may be before it is read again.
const FRESH: Duration = Duration::from_secs(3);

/// The members at one moment, by name, and which of them each form is set to offer.
#[derive(Debug, Default)]
pub struct Members {
    all: Vec<Member>,
    set: Vec<(String, Id)>,
}

impl Members {
    pub(super) const fn new(all: Vec<Member>, set: Vec<(String, Id)>) -> Self {
        Self { all, set }
    }

    /// Every one, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Member> {
        self.all.iter()
    }

    /// Those that `form` is set to offer, in its order; whoever is no member any more is not among them.
    pub fn set_for(&self, form: &str) -> impl Iterator<Item = &Member> {
        self.set.iter().filter(move |(of, _)| of == form).filter_map(|(_, id)| self.by_id(*id))
    }

    /// The member with this slug.
    #[must_use]
    pub fn by_slug(&self, slug: &str) -> Option<&Member> {
        self.all.iter().find(|member| member.slug == slug)
    }

    /// The member with this id.
    #[must_use]
    pub fn by_id(&self, id: Id) -> Option<&Member> {
        self.all.iter().find(|member| member.id == id)
    }
}

/// What is known, and since when.
#[derive(Clone)]
pub(super) struct Known {
    store: Store,
    inner: Arc<Inner>,
}

struct Inner {
    members: RwLock<Arc<Members>>,
    read_at: Mutex<Instant>,
    is_reading: AtomicBool,
}

impl Known {
    /// Reads for the first time.
    pub async fn open(store: &Store) -> Result<Self, StoreError> {
        let inner = Inner {
            members: RwLock::default(),
            read_at: Mutex::new(Instant::now()),
            is_reading: AtomicBool::new(false),
        };
        let known = Self { store: store.clone(), inner: Arc::new(inner) };
        known.read_again().await?;
        Ok(known)
    }

    /// What is known now; when it has become old, it is read again behind the caller's back.
    pub fn get(&self) -> Arc<Members> {
        if self.is_old() && !self.inner.is_reading.swap(true, Ordering::AcqRel) {
            let known = self.clone();
            tokio::spawn(async move {
                if let Err(error) = known.read_again().await {
                    tracing::warn!(%error, "the member groups could not be read again; keeping those known");
                }
                known.inner.is_reading.store(false, Ordering::Release);
            });
        }
        Arc::clone(&self.inner.members.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is known, read again first when it has become old.
    pub async fn fresh(&self) -> Result<Arc<Members>, StoreError> {
        if self.is_old() {
            self.read_again().await?;
        }
        Ok(self.get())
    }

    /// Reads again: something was changed.
    pub async fn read_again(&self) -> Result<(), StoreError> {
        let begun = Instant::now();
        let read =
            |db: &mut _| Ok::<_, StoreError>(Members::new(queries::list_members(db)?, offers::list(db)?));
        let members = self.store.read(read).await?;
        let mut read_at = self.inner.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        // A slower reading that began earlier must not bring back what has changed since.
        if begun >= *read_at {
            *read_at = begun;
            *self.inner.members.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(members);
        }
        Ok(())
    }

    fn is_old(&self) -> bool {
        self.inner.read_at.lock().unwrap_or_else(PoisonError::into_inner).elapsed() > FRESH
    }
}

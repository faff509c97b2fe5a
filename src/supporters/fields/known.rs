//! [`Fields`]: the fields as this process knows them, so that intake reads no table. Read again after every change here,
//! and every few seconds for changes of other processes.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Map, Value};

use super::{Field, list_fields, on_forms, read_all};
use crate::{
    error::FieldError,
    kernel::Kernel,
    store::{Store, StoreError},
};

/// How old what is known may be before it is read again.
const FRESH: Duration = Duration::from_secs(3);

/// The fields of this installation. Cheap to clone.
#[derive(Clone)]
pub struct Fields {
    pub(super) kernel: Kernel,
    known: Arc<Known>,
}

struct Known {
    store: Store,
    all: RwLock<Arc<All>>,
    read_at: Mutex<Instant>,
    is_reading: AtomicBool,
}

#[derive(Default)]
struct All {
    fields: Vec<Field>,
    /// Which field each form shows, in order.
    shown: Vec<(String, i64)>,
}

impl Fields {
    /// Reads for the first time.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open(kernel: &Kernel) -> Result<Self, StoreError> {
        let known = Known {
            store: kernel.store.clone(),
            all: RwLock::default(),
            read_at: Mutex::new(Instant::now()),
            is_reading: AtomicBool::new(false),
        };
        known.read_again().await?;
        Ok(Self { kernel: kernel.clone(), known: Arc::new(known) })
    }

    /// Reads what a form says of fields: a text for each slug. When what is known has become old, it is read again behind
    /// the caller's back.
    ///
    /// # Errors
    /// Every value that does not hold, and every field that there is not.
    pub fn read(&self, sent: &Map<String, Value>) -> Result<BTreeMap<String, String>, Vec<FieldError>> {
        if sent.is_empty() {
            return Ok(BTreeMap::new());
        }
        let known = self.known.get();
        let values = read_all(&known.fields, sent)?;
        let slug = |number: i64| {
            known.fields.iter().find(|field| field.number == number).map(|field| field.slug.clone())
        };
        let texts = values.into_iter().filter_map(|(number, value)| Some((slug(number)?, value?.text)));
        Ok(texts.collect())
    }

    /// The fields that staff chose for a form, in their order. When what is known has become old, it is read again behind the
    /// caller's back.
    #[must_use]
    pub fn on_form(&self, form: &str) -> Vec<Field> {
        let known = self.known.get();
        let shown = known.shown.iter().filter(|(slug, _)| slug == form);
        shown
            .filter_map(|(_, number)| known.fields.iter().find(|field| field.number == *number).cloned())
            .collect()
    }

    /// Reads again: something was changed.
    pub(super) async fn read_again(&self) -> Result<(), StoreError> {
        self.known.read_again().await
    }
}

impl Known {
    fn get(self: &Arc<Self>) -> Arc<All> {
        let is_old = self.read_at.lock().unwrap_or_else(PoisonError::into_inner).elapsed() > FRESH;
        if is_old && !self.is_reading.swap(true, Ordering::AcqRel) {
            let known = Arc::clone(self);
            tokio::spawn(async move {
                if let Err(error) = known.read_again().await {
                    tracing::warn!(%error, "the fields could not be read again; keeping those known");
                }
                known.is_reading.store(false, Ordering::Release);
            });
        }
        Arc::clone(&self.all.read().unwrap_or_else(PoisonError::into_inner))
    }

    async fn read_again(&self) -> Result<(), StoreError> {
        let begun = Instant::now();
        let read =
            |db: &mut _| Ok::<_, StoreError>(All { fields: list_fields(db)?, shown: on_forms::list(db)? });
        let all = self.store.read(read).await?;
        let mut read_at = self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        // A slower reading that began earlier must not bring back what has changed since.
        if begun >= *read_at {
            *read_at = begun;
            *self.all.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(all);
        }
        Ok(())
    }
}

//! The store: reads on a pool, writes in one transaction each, intake in groups. Used by every slice's facade;
//! knows no feature. Database work never runs on an async worker thread.

pub mod alone;
pub mod backup;
mod checkpoint;
mod connection;
pub mod copy;
pub mod dialect;
mod error;
mod group_commit;
pub mod lock;
mod long_read;
pub mod migrate;
mod prepared;
pub mod schema;
pub mod settings;
mod writer;

use std::{sync::Arc, time::Duration};

use diesel::r2d2::Pool;
use tokio::{
    sync::{Semaphore, oneshot},
    task::spawn_blocking,
};

pub use connection::Db;
pub use error::StoreError;
use group_commit::Manner;
pub use group_commit::{GroupCommit, InsertRows};
pub use long_read::Reading;
pub use migrate::MigrateError;
pub use prepared::{Literally, literally, prepared};

use checkpoint::Checkpointer;
use connection::{Manager, Purpose};
use writer::{FirstLane, Job, Writer};

use crate::config::{DatabaseConfig, DatabaseUrl};

/// Who waits for a write; SQLite's one writer serves them in this order, after intake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// A person in front of a page.
    Visitor,
    /// Triage, outbox and periodic jobs.
    Worker,
    /// Staff at the admin API.
    Staff,
}

impl Lane {
    /// How many there are.
    const ALL: usize = 3;

    const fn index(self) -> usize {
        match self {
            Self::Visitor => 0,
            Self::Worker => 1,
            Self::Staff => 2,
        }
    }
}

/// How long a reader waits for a connection before the caller is told to come back.
const READ_WAIT: Duration = Duration::from_secs(5);
/// How long a visitor waits for a write, which may be done later: a server that hangs ends no statement.
const VISITOR_WAITS: Duration = Duration::from_secs(15);

/// The database of this process. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    url: DatabaseUrl,
    readers: Pool<Manager>,
    reading: Semaphore,
    writer: Writer,
    /// SQLite's alone.
    checkpointer: Option<Checkpointer>,
}

impl Inner {
    /// Through a pooler, a statement and its preparation stay together only inside a transaction.
    fn begin_read(&self, db: &mut Db) -> Result<(), StoreError> {
        if self.has_pooler() { Ok(dialect::begin(db)?) } else { Ok(()) }
    }

    /// Nothing was changed, so it does not matter how it ends; a connection that cannot end it is not used again.
    fn end_read(&self, db: &mut Db) {
        if self.has_pooler() {
            let _ = dialect::conclude(db, |_| Ok::<_, diesel::result::Error>(()));
        }
    }

    const fn has_pooler(&self) -> bool {
        matches!(self.url, DatabaseUrl::Postgres { pooler: true, .. })
    }
}

impl Store {
    /// Opens the database, brings it to this version and starts what writes.
    ///
    /// # Errors
    /// [`MigrateError`] when the database cannot be opened or migrated.
    pub fn open(config: &DatabaseConfig) -> Result<Self, MigrateError> {
        let unavailable = |error: &dyn std::error::Error| StoreError::Unavailable(error.to_string());
        let mut db = Db::open(&config.url, Purpose::Write).map_err(|error| unavailable(&error))?;
        migrate::run(&mut db)?;
        let manager = Manager { url: config.url.clone(), purpose: Purpose::Read };
        let readers = Pool::builder()
            .max_size(config.read_connections)
            .min_idle(Some(0))
            .connection_timeout(READ_WAIT)
            // A server that was restarted has closed every connection; a file cannot.
            .test_on_check_out(matches!(config.url, DatabaseUrl::Postgres { .. }))
            .build_unchecked(manager);
        let permits = usize::try_from(config.read_connections).unwrap_or(1);
        let writer = Writer::start(&config.url, db).map_err(|error| unavailable(&error))?;
        let checkpointer = match &config.url {
            DatabaseUrl::Sqlite(_) => Some(Checkpointer::start(config.url.clone())),
            DatabaseUrl::Postgres { .. } => None,
        };
        let checkpointer = checkpointer.transpose().map_err(|error| unavailable(&error))?;
        Ok(Self {
            inner: Arc::new(Inner {
                url: config.url.clone(),
                readers,
                reading: Semaphore::new(permits),
                writer,
                checkpointer,
            }),
        })
    }

    /// Runs `work`, which changes nothing, on a reading connection.
    ///
    /// # Errors
    /// Those of `work`, and [`StoreError`] when no connection could be had.
    pub async fn read<T, E>(
        &self,
        work: impl FnOnce(&mut Db) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        // Waiting costs a task here, where it would cost a thread in the pool.
        let _permit = self.inner.reading.acquire().await.map_err(|_| StoreError::Closed)?;
        let inner = Arc::clone(&self.inner);
        spawn_blocking(move || {
            let mut db = inner.readers.get().map_err(|error| StoreError::Unavailable(error.to_string()))?;
            inner.begin_read(&mut db)?;
            let outcome = work(&mut db);
            inner.end_read(&mut db);
            outcome
        })
        .await
        .map_err(|_| StoreError::Closed)?
    }

    /// Runs `work` on a reading connection for as long as it takes (an export), on a thread of its own.
    /// It takes none of the pool's permits: a slow download must not keep pages waiting.
    pub fn read_long(&self, work: impl FnOnce(Result<&mut Db, StoreError>) + Send + 'static) -> Reading {
        Reading::begin(self, work)
    }

    /// Runs `work` in one transaction and returns after its commit.
    ///
    /// # Errors
    /// Those of `work`, after which nothing is stored, and [`StoreError`].
    pub async fn write<T, E>(
        &self,
        lane: Lane,
        work: impl FnOnce(&mut Db) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + From<diesel::result::Error> + Send + 'static,
    {
        let (done, outcome) = oneshot::channel();
        let job: Job = Box::new(move |db, begun| {
            let has_begun = begun.is_ok();
            let outcome = begun.map_err(E::from).and_then(|()| dialect::conclude(db, work));
            let is_sound = has_begun && (outcome.is_ok() || dialect::can_write(db));
            let _ = done.send(outcome);
            is_sound
        });
        self.inner.writer.submit(lane, job)?;
        let outcome = match lane {
            Lane::Visitor => tokio::time::timeout(VISITOR_WAITS, outcome)
                .await
                .map_err(|_| StoreError::Unavailable("the database does not answer".to_owned()))?,
            Lane::Worker | Lane::Staff => outcome.await,
        };
        outcome.unwrap_or_else(|_| {
            Err(StoreError::Unavailable("the write was not carried out".to_owned()).into())
        })
    }

    /// A queue for rows of one kind that goes before all other writes. Call it once.
    #[must_use]
    pub fn group_commit<T: Send + 'static>(
        &self,
        insert: InsertRows<T>,
        capacity: usize,
    ) -> Arc<GroupCommit<T>> {
        // Through a pooler, a statement and its preparation stay together only inside a transaction.
        let is_alone = matches!(self.inner.url, DatabaseUrl::Postgres { pooler: false, .. });
        let gathers = matches!(self.inner.url, DatabaseUrl::Postgres { .. });
        let queue = GroupCommit::new(insert, Manner { is_alone, gathers }, capacity);
        let lane: Arc<dyn FirstLane> = queue.clone();
        self.inner.writer.set_first(lane);
        queue
    }

    /// Call it after the commit that erased something of a person: SQLite's write-ahead log, which still holds it,
    /// is emptied soon, as soon as no reader needs it. PostgreSQL's is its operator's.
    pub fn scrub(&self) {
        if let Some(checkpointer) = &self.inner.checkpointer {
            checkpointer.scrub();
        }
    }

    /// Waits until nothing is left to [`Store::scrub`].
    pub async fn scrubbed(&self) {
        if let Some(checkpointer) = &self.inner.checkpointer {
            checkpointer.scrubbed().await;
        }
    }

    /// Finishes all writes that wait and stops the writer; later ones get [`StoreError::Closed`].
    pub async fn close(&self) {
        let inner = Arc::clone(&self.inner);
        let _ = spawn_blocking(move || {
            inner.writer.close();
            inner.checkpointer.iter().for_each(Checkpointer::close);
        })
        .await;
    }
}

//! Reads that take as long as a client does (exports): each on a thread and a connection of its own, so that a slow
//! download keeps no page waiting. Called by [`Store::read_long`].

use std::sync::{
    Arc,
    atomic::{AtomicI32, Ordering},
};

use diesel::{QueryResult, RunQueryDsl, sql_query, sql_types::Integer};
use tokio::task::spawn_blocking;

use super::{Db, Inner, Store, StoreError, connection::Purpose};

/// A long read that may be under way.
pub struct Reading {
    store: Store,
    /// The server's process that reads; 0 when there is none, or none that could be told to stop.
    process: Arc<AtomicI32>,
}

#[derive(diesel::QueryableByName)]
struct Process {
    #[diesel(sql_type = Integer)]
    process: i32,
}

impl Reading {
    pub(super) fn begin(
        store: &Store,
        work: impl FnOnce(Result<&mut Db, StoreError>) + Send + 'static,
    ) -> Self {
        let (inner, process) = (Arc::clone(&store.inner), Arc::new(AtomicI32::new(0)));
        let reading = Self { store: store.clone(), process: Arc::clone(&process) };
        spawn_blocking(move || match open(&inner, &process) {
            Ok(mut db) => {
                work(Ok(&mut db));
                process.store(0, Ordering::SeqCst);
                inner.end_read(&mut db);
            }
            Err(error) => work(Err(error)),
        });
        reading
    }

    /// Stops PostgreSQL's statement, which would otherwise send all its rows to nobody. SQLite's stops with its reader, and
    /// behind a pooler the process may have somebody else's statement by now.
    pub async fn cancel(&self) {
        let process = self.process.load(Ordering::SeqCst);
        if process == 0 {
            return;
        }
        let cancel = move |db: &mut Db| -> Result<(), StoreError> {
            Ok(sql_query("SELECT pg_cancel_backend($1)").bind::<Integer, _>(process).execute(db).map(drop)?)
        };
        if let Err(error) = self.store.read(cancel).await {
            tracing::warn!(%error, "a read that nobody waits for could not be stopped");
        }
    }
}

fn open(inner: &Inner, process: &AtomicI32) -> Result<Db, StoreError> {
    let mut db = Db::open(&inner.url, Purpose::LongRead)
        .map_err(|error| StoreError::Unavailable(error.to_string()))?;
    inner.begin_read(&mut db)?;
    if let (Db::Pg(_), false) = (&db, inner.has_pooler()) {
        process.store(own_process(&mut db)?, Ordering::SeqCst);
    }
    Ok(db)
}

fn own_process(db: &mut Db) -> QueryResult<i32> {
    let row: Process = sql_query("SELECT pg_backend_pid() AS process").get_result(db)?;
    Ok(row.process)
}

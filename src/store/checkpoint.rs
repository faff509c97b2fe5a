//! Checkpoints of SQLite's write-ahead log, on a connection of their own, so that no sign-up waits for one; and
//! scrubbing, after which the log holds nothing of what was erased. PostgreSQL needs neither from us.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use diesel::{
    QueryResult, QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Integer,
};
use tokio::sync::watch;

use super::{Db, connection::Purpose};
use crate::config::DatabaseUrl;

/// Pause between two checkpoints; one with nothing to do costs microseconds.
const PERIOD: Duration = Duration::from_millis(500);
/// Scrubbing holds up the writer, so a reader in its way is not waited for: the next turn tries again.
const PATIENCE: &str = "PRAGMA busy_timeout = 10";

/// Handle of the checkpointing thread.
pub(super) struct Checkpointer {
    shared: Arc<Shared>,
    handle: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    wish: Mutex<Wish>,
    changed: Condvar,
    /// How many of the scrubs that were asked for are done.
    scrubbed: watch::Sender<u64>,
}

#[derive(Clone, Copy, Default)]
struct Wish {
    stop: bool,
    hurry: bool,
    scrubs: u64,
}

#[derive(QueryableByName)]
struct Outcome {
    #[diesel(sql_type = Integer)]
    busy: i32,
}

impl Checkpointer {
    pub(super) fn start(url: DatabaseUrl) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            wish: Mutex::default(),
            changed: Condvar::new(),
            scrubbed: watch::Sender::new(0),
        });
        let for_thread = Arc::clone(&shared);
        let handle = thread::Builder::new().name("checkpoint".to_owned()).spawn(move || {
            let mut connection = None;
            while let Some(scrubs) = for_thread.wait() {
                // A failure is not ours to report: the writer meets the same disk and says so.
                let db = match connection.as_mut() {
                    Some(db) => db,
                    None => match open(&url) {
                        Ok(db) => connection.insert(db),
                        Err(_) => continue,
                    },
                };
                let owed = scrubs > *for_thread.scrubbed.borrow();
                match checkpoint(db, owed) {
                    Ok(true) if owed => drop(for_thread.scrubbed.send_replace(scrubs)),
                    Ok(_) => {}
                    Err(_) => connection = None,
                }
            }
        })?;
        Ok(Self { shared, handle: Mutex::new(Some(handle)) })
    }

    /// Asks for a log without anything that was erased until now.
    pub(super) fn scrub(&self) {
        let mut wish = self.shared.lock();
        wish.scrubs += 1;
        wish.hurry = true;
        drop(wish);
        self.shared.changed.notify_all();
    }

    /// Waits until all that was asked of [`Checkpointer::scrub`] is done.
    pub(super) async fn scrubbed(&self) {
        let asked = self.shared.lock().scrubs;
        // The sender lives as long as this handle.
        let _ = self.shared.scrubbed.subscribe().wait_for(|done| *done >= asked).await;
    }

    pub(super) fn close(&self) {
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
        if let Some(handle) = self.handle.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = handle.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Wish> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits a period, or until somebody is in a hurry; the scrubs asked for so far, or nothing when it is time
    /// to stop.
    fn wait(&self) -> Option<u64> {
        let (mut wish, _) = self
            .changed
            .wait_timeout_while(self.lock(), PERIOD, |wish| !wish.stop && !wish.hurry)
            .unwrap_or_else(PoisonError::into_inner);
        wish.hurry = false;
        (!wish.stop).then_some(wish.scrubs)
    }
}

fn open(url: &DatabaseUrl) -> Result<Db, diesel::ConnectionError> {
    let mut db = Db::open(url, Purpose::Write)?;
    db.batch_execute(PATIENCE).map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
    Ok(db)
}

/// Whether the log was taken over as far as was asked: for a scrub, wholly, and cut to nothing.
fn checkpoint(db: &mut Db, scrub: bool) -> QueryResult<bool> {
    let mode = if scrub { "TRUNCATE" } else { "PASSIVE" };
    let outcome: Outcome = sql_query(format!("PRAGMA wal_checkpoint({mode})")).get_result(db)?;
    Ok(outcome.busy == 0)
}

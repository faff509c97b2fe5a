//! SQLite's database for one process alone: no server, no other command may have it open meanwhile. Called by the command
//! line for work in bulk.

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};

use super::{Db, MigrateError, StoreError, connection::Purpose, migrate};
use crate::config::{DatabaseConfig, DatabaseUrl};

/// What was written by a commit is safe from a crash of this process; a power cut may take the last commits, never the
/// database. Pages that are freed are not overwritten: nothing is erased here.
const ALONE: &str = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 100; PRAGMA journal_mode = WAL; \
                     PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -24000; \
                     PRAGMA wal_autocheckpoint = 4000; PRAGMA temp_store = MEMORY; BEGIN IMMEDIATE; COMMIT";

/// Opens the database, brought to this version.
///
/// # Errors
/// When somebody else has it, or it is not SQLite's.
pub fn open(config: &DatabaseConfig) -> Result<Db, MigrateError> {
    let unavailable = |sentence: String| MigrateError::from(StoreError::Unavailable(sentence));
    let DatabaseUrl::Sqlite(path) = &config.url else {
        return Err(unavailable(
            "--offline-bulk is for SQLite; PostgreSQL takes a list in as fast without".to_owned(),
        ));
    };
    let mut db = Db::open(&config.url, Purpose::Write).map_err(|error| unavailable(error.to_string()))?;
    migrate::run(&mut db)?;
    drop(db);
    let mut connection = SqliteConnection::establish(&path.to_string_lossy())
        .map_err(|error| unavailable(error.to_string()))?;
    // The mode comes before the first access, which then asks for the whole file.
    connection.batch_execute(ALONE).map_err(|error| {
        unavailable(format!("another process has the database open; stop the server first ({error})"))
    })?;
    Ok(Db::Sqlite(connection))
}

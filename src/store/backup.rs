//! A copy of SQLite's file while servers write, whole and of one moment. Called by the command line.

use std::{fs, io::ErrorKind, path::Path};

use diesel::{QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text};

use super::{
    Db, StoreError,
    connection::{Purpose, make_private_file},
};
use crate::config::DatabaseUrl;

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Not a file's business.
    #[error(
        "database.url names PostgreSQL, which is backed up by its own tools (pg_dump); this is for sqlite://"
    )]
    NotSqlite,
    /// There is no database to copy.
    #[error("database.url: there is no file {0}")]
    Missing(String),
    /// It would overwrite something.
    #[error("{0} is there already; name a file that is not")]
    Exists(String),
    /// There is no room for it.
    #[error("{0}: {1}; name a file in a folder that can be written to")]
    Unwritable(String, std::io::Error),
    /// The copy could not be written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The copy is not sound.
    #[error("the copy is not sound ({0}); it was deleted")]
    Unsound(String),
    /// The database.
    #[error("database.url: {0}")]
    Store(#[from] StoreError),
}

impl From<diesel::result::Error> for BackupError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

#[derive(QueryableByName)]
struct Checked {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

/// Copies the database to `to`, which must not be there yet, checks the copy and syncs it; returns its size in bytes.
/// Nobody but its owner may read it.
///
/// # Errors
/// [`BackupError`]; `to` is then not there.
pub fn backup(url: &DatabaseUrl, to: &Path) -> Result<u64, BackupError> {
    let DatabaseUrl::Sqlite(from) = url else { return Err(BackupError::NotSqlite) };
    if !from.exists() {
        return Err(BackupError::Missing(from.display().to_string()));
    }
    if to.exists() {
        return Err(BackupError::Exists(to.display().to_string()));
    }
    make_private_file(to).map_err(|error| BackupError::Unwritable(to.display().to_string(), error))?;
    let outcome = write(url, to);
    if outcome.is_err()
        && let Err(error) = fs::remove_file(to)
        && error.kind() != ErrorKind::NotFound
    {
        tracing::warn!(%error, "a backup that is not whole could not be deleted");
    }
    outcome
}

fn write(url: &DatabaseUrl, to: &Path) -> Result<u64, BackupError> {
    let open = |url: &DatabaseUrl| {
        Db::open(url, Purpose::LongRead).map_err(|error| StoreError::Unavailable(error.to_string()))
    };
    let name = to.to_string_lossy();
    let mut db = open(url)?;
    // It reads the database in one transaction; only the copy is written.
    db.batch_execute("PRAGMA query_only = OFF")?;
    sql_query("VACUUM INTO $1").bind::<Text, _>(name.as_ref()).execute(&mut db)?;
    let checked: Checked =
        sql_query("PRAGMA integrity_check(1)").get_result(&mut open(&DatabaseUrl::Sqlite(to.to_owned()))?)?;
    if checked.integrity_check != "ok" {
        return Err(BackupError::Unsound(checked.integrity_check));
    }
    let file = fs::File::open(to)?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

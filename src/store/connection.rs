//! Connections: one enum over both databases, and how each is opened. Called by the store alone.

use std::{fs, path::Path, thread, time::Instant};

use diesel::{
    Connection, ConnectionError, MultiConnection, PgConnection, QueryResult, SqliteConnection,
    connection::{CacheSize, SimpleConnection},
    r2d2::ManageConnection,
};
use secrecy::ExposeSecret;

use super::dialect;
use crate::config::DatabaseUrl;

/// A connection to either database.
#[derive(MultiConnection)]
pub enum Db {
    /// PostgreSQL, through libpq.
    Pg(PgConnection),
    /// SQLite, in this process.
    Sqlite(SqliteConnection),
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Statements that change nothing; SQLite refuses others.
    Read,
    /// The same for whole lists.
    LongRead,
    /// The writer's own connection.
    Write,
}

/// WAL with a sync at every commit: what was answered with 202 survives a power cut. Checkpoints are run by
/// `checkpoint.rs` beside the writer, and the writer's own only if the log grows past 64 MiB. What is erased is
/// overwritten, not just marked free: an address must not be read out of the file afterwards. Once set up, a
/// connection waits for the write lock in `dialect::begin`.
const WRITER: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                      PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 16384; \
                      PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY; PRAGMA busy_timeout = 1;";
const READER: &str = "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON; PRAGMA cache_size = -4000;";
/// Whole lists go past pages once; what they look up beside lies in the same order.
const LONG_READER: &str = "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON; PRAGMA cache_size = -1000;";

/// Compiling a statement that reads fifty rows takes longer than reading them. And a plan is kept with its statement: one
/// made while a table was new would read all of it each time. What is short finds its rows by an index.
const PG_SHORT: &str = "SET jit = off; SET enable_seqscan = off";
const PG_LONG: &str = "SET jit = off";

impl Db {
    /// Opens a connection, making the SQLite file and its folder (0700) when they are missing.
    ///
    /// # Errors
    /// When the file or server cannot be opened.
    pub fn open(url: &DatabaseUrl, purpose: Purpose) -> Result<Self, ConnectionError> {
        match url {
            DatabaseUrl::Postgres { url: text, pooler, .. } => {
                match PgConnection::establish(text.expose_secret()) {
                    Ok(mut connection) => {
                        if *pooler {
                            // The next transaction may be on another connection, which knows no statement of this one.
                            connection.set_prepared_statement_cache_size(CacheSize::Disabled);
                        } else {
                            let settings = if purpose == Purpose::LongRead { PG_LONG } else { PG_SHORT };
                            connection
                                .batch_execute(settings)
                                .map_err(ConnectionError::CouldntSetupConfiguration)?;
                        }
                        Ok(Self::Pg(connection))
                    }
                    Err(error) => {
                        Err(ConnectionError::BadConnection(url.without_password(&error.to_string())))
                    }
                }
            }
            DatabaseUrl::Sqlite(path) => {
                if purpose == Purpose::Write {
                    make_private_file(path).map_err(|error| {
                        ConnectionError::BadConnection(format!("{}: {error}", path.display()))
                    })?;
                }
                let mut connection = SqliteConnection::establish(&path.to_string_lossy())?;
                let pragmas = match purpose {
                    Purpose::Write => WRITER,
                    Purpose::Read => READER,
                    Purpose::LongRead => LONG_READER,
                };
                set_up(&mut connection, pragmas).map_err(ConnectionError::CouldntSetupConfiguration)?;
                Ok(Self::Sqlite(connection))
            }
        }
    }
}

/// Two processes that turn a new file to WAL at once are in each other's way; SQLite tells one so without waiting.
fn set_up(connection: &mut SqliteConnection, pragmas: &str) -> QueryResult<()> {
    let since = Instant::now();
    loop {
        match connection.batch_execute(pragmas) {
            Err(error) if dialect::is_locked(&error) && since.elapsed() < dialect::LOCK_WAIT => {
                thread::sleep(dialect::LOCK_GLANCE);
            }
            outcome => return outcome,
        }
    }
}

/// The file holds people's addresses: nobody else on the machine may read it.
pub(super) fn make_private_file(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop)
}

/// Makes connections for a pool.
pub struct Manager {
    /// Where to.
    pub url: DatabaseUrl,
    /// What for.
    pub purpose: Purpose,
}

/// Why a pooled connection could not be had.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// It could not be opened.
    #[error(transparent)]
    Open(#[from] ConnectionError),
    /// It no longer answers.
    #[error(transparent)]
    Dead(#[from] diesel::result::Error),
}

impl ManageConnection for Manager {
    type Connection = Db;
    type Error = PoolError;

    fn connect(&self) -> Result<Db, PoolError> {
        Ok(Db::open(&self.url, self.purpose)?)
    }

    fn is_valid(&self, connection: &mut Db) -> Result<(), PoolError> {
        Ok(connection.batch_execute("SELECT 1")?)
    }

    fn has_broken(&self, connection: &mut Db) -> bool {
        thread::panicking() || dialect::is_broken(connection)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use proptest::{prelude::*, test_runner::Config as Runs};

    use super::*;
    use crate::config::DatabaseConfig;

    /// What is said of a URL that leads to no server; by libpq too, if ours lets it through.
    fn said(url: String, is_checked: bool) -> String {
        let url = DatabaseUrl::try_from(url).unwrap();
        let url = if is_checked { DatabaseConfig::copy_target(url, None) } else { Ok(url) };
        match url {
            Ok(url) => Db::open(&url, Purpose::Read).err().unwrap().to_string(),
            Err(said) => said,
        }
    }

    proptest! {
        #![proptest_config(Runs::with_cases(512))]

        // No process listens on port 1.
        #[test]
        fn no_message_repeats_a_piece_of_a_password_in_a_url(
            password in "W[A-Z0-9/@:?&=#% \"'\\[\\]\\\\é+;]{4,20}",
            shape in 0_usize..6,
        ) {
            // Without a host, what follows an @ is one as far as anybody can tell.
            prop_assume!(shape != 3 || !password.contains('@'));
            let (url, is_libpq_to_see_it) = match shape {
                0 => (format!("postgres://oh:{password}@127.0.0.1:1/one"), false),
                1 => (format!("postgres://oh@127.0.0.1:1/one?password={password}"), true),
                2 => (format!("postgres://oh@127.0.0.1:1/one?sslpassword=a&password={password}"), true),
                3 => (format!("postgres://oh:{password}/one"), false),
                4 => (format!("postgres://oh:{password}@127.0.0.1:1"), false),
                _ => (format!("postgres://oh@127.0.0.1:1/one?password={password}&sslmode=disable"), true),
            };
            let mut all = said(url.clone(), true);
            if is_libpq_to_see_it {
                all.push_str(&said(url, false));
            }
            let letters: Vec<char> = password.chars().collect();
            for piece in letters.windows(4) {
                let piece: String = piece.iter().collect();
                prop_assert!(!all.contains(&piece), "{piece:?} of {password:?} is in {all}");
            }
        }
    }
}

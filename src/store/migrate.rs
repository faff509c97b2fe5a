//! Migrations: compiled in, run in one transaction, the same names for both databases.

use diesel::{PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query, sql_types::Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Db, StoreError, copy, dialect, error::told, lock};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Why a database cannot be brought to this version.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// It holds migrations this binary does not know.
    #[error(
        "the database was made by a newer version of openhearth (it has migration {0}); start that version"
    )]
    Newer(String),
    /// `openhearth copy` has begun to fill it.
    #[error("a copy into this database is not whole yet: run the same openhearth copy again")]
    HalfCopied,
    /// It cannot hold every name.
    #[error(
        "the database must have the encoding UTF8, not {0} (CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0)"
    )]
    Encoding(String),
    /// A migration failed.
    #[error("a migration failed: {0}")]
    Failed(String),
    /// The database could not be used at all.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<diesel::result::Error> for MigrateError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Applies what is missing and returns how many that were. Safe when several processes start at once: the
/// transaction takes the write lock (SQLite) or an advisory lock (PostgreSQL) first.
///
/// # Errors
/// [`MigrateError`]; the database is then as it was.
pub fn run(db: &mut Db) -> Result<usize, MigrateError> {
    dialect::write_transaction(db, |db| {
        if let Db::Pg(connection) = db {
            demand_utf8(connection)?;
        }
        lock::once(db, lock::Once::Migrate)?;
        if let Db::Pg(connection) = db
            && copy::is_unfinished(connection)?
        {
            return Err(MigrateError::HalfCopied);
        }
        crate::each!(db,
            pg connection => apply(connection, POSTGRES),
            sqlite connection => apply(connection, SQLITE)
        )
    })
}

#[derive(QueryableByName)]
struct Encoding {
    #[diesel(sql_type = Text)]
    encoding: String,
}

/// Refuses a database that cannot hold every name, or does not know what a letter is.
pub(super) fn demand_utf8(connection: &mut PgConnection) -> Result<(), MigrateError> {
    let query = sql_query("SELECT current_setting('server_encoding') AS encoding");
    let Encoding { encoding } = query.get_result(connection)?;
    if encoding == "UTF8" { Ok(()) } else { Err(MigrateError::Encoding(encoding)) }
}

fn apply<DB: diesel::backend::Backend>(
    harness: &mut impl MigrationHarness<DB>,
    known: EmbeddedMigrations,
) -> Result<usize, MigrateError> {
    version(harness, &known)?;
    harness.run_pending_migrations(known).map(|done| done.len()).map_err(failed)
}

fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> MigrateError {
    MigrateError::Failed(told(error.to_string()))
}

/// How far a database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// No migration was ever applied.
    Empty,
    /// Some are missing.
    Older,
    /// That of this binary.
    Current,
}

/// How far a database is, without bringing it further.
pub(super) fn sqlite_version(connection: &mut SqliteConnection) -> Result<Version, MigrateError> {
    version(connection, &SQLITE)
}

/// The same.
pub(super) fn postgres_version(connection: &mut PgConnection) -> Result<Version, MigrateError> {
    version(connection, &POSTGRES)
}

fn version<DB: diesel::backend::Backend>(
    harness: &mut impl MigrationHarness<DB>,
    known: &EmbeddedMigrations,
) -> Result<Version, MigrateError> {
    use diesel::migration::{Migration, MigrationSource};
    let names: Vec<String> = MigrationSource::<DB>::migrations(known)
        .map_err(failed)?
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    let applied = harness.applied_migrations().map_err(failed)?;
    if let Some(unknown) = applied.iter().map(ToString::to_string).find(|version| !names.contains(version)) {
        return Err(MigrateError::Newer(unknown));
    }
    Ok(match applied.len() {
        0 => Version::Empty,
        count if count < names.len() => Version::Older,
        _ => Version::Current,
    })
}

/// Opens the database of `config` and applies what is missing.
///
/// # Errors
/// [`MigrateError`].
pub fn migrate(config: &crate::config::DatabaseConfig) -> Result<usize, MigrateError> {
    let mut db = Db::open(&config.url, super::connection::Purpose::Write)
        .map_err(|error| StoreError::Unavailable(error.to_string()))?;
    run(&mut db)
}

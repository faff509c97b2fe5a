//! From SQLite to PostgreSQL: every table with all its rows, in pieces that a further run goes on from. It names no
//! table: what there is to copy is what the catalogues of the two databases say. Called by the command line.

mod catalogue;
mod source;
mod target;

use super::{MigrateError, StoreError};
use crate::config::DatabaseUrl;

pub(super) use target::is_unfinished;

use catalogue::Table;
use source::Source;
use target::Target;

/// Rows of a piece at most, and its size at most before its last row.
const PIECE_ROWS: usize = 4_096;
const PIECE_BYTES: usize = 1 << 20;

/// Why nothing, or not everything, was copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The other way round, or within one kind.
    #[error("it copies --from sqlite://… --to postgres://…, and no other way")]
    Direction,
    /// There is nothing to copy.
    #[error("--from: there is no file {0}")]
    Missing(String),
    /// Something has the source open.
    #[error(
        "--from: the database is in use; stop every openhearth that serves, works or does anything else on it"
    )]
    InUse,
    /// The source.
    #[error("--from: {0}")]
    Source(String),
    /// The target.
    #[error("--to: {0}")]
    Target(String),
    /// The source is not what a former run has begun to copy.
    #[error(
        "--from: this is not the database whose copy was begun, or it was used since then; begin anew with an empty \
         database"
    )]
    Changed,
    /// Something else wrote into the target.
    #[error("--to: something else writes into table {0}; see that this is the only copy, then run it again")]
    Interfered(String),
    /// The check at the end.
    #[error("--to: table {table} has {there} rows instead of {here}; begin anew with an empty database")]
    Miscounted {
        /// Which.
        table: String,
        /// Rows of the source.
        here: i64,
        /// Rows of the target.
        there: i64,
    },
}

impl CopyError {
    fn source(error: impl Into<StoreError>) -> Self {
        Self::Source(error.into().to_string())
    }

    fn target(error: impl Into<StoreError>) -> Self {
        Self::Target(error.into().to_string())
    }

    fn foreign() -> Self {
        Self::Target("the database holds tables that are not openhearth's; name an empty one".to_owned())
    }

    fn version(argument: fn(String) -> Self) -> impl Fn(MigrateError) -> Self {
        move |error| argument(error.to_string())
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The table in hand.
    pub table: &'a str,
    /// Rows of all tables that are copied.
    pub copied: i64,
    /// Rows of all tables.
    pub total: i64,
}

/// What was copied.
#[derive(Debug)]
pub struct Copied {
    /// Each table with its rows, as counted in both databases.
    pub tables: Vec<(String, i64)>,
}

/// Copies everything, or goes on where a run that was ended has stopped. Nobody can open the source meanwhile, and no
/// server starts on the target before it is whole.
///
/// # Errors
/// [`CopyError`]; what was copied by then stays, and the next run goes on from there.
pub fn copy(
    from: &DatabaseUrl,
    to: &DatabaseUrl,
    mut progress: impl FnMut(Progress<'_>),
) -> Result<Copied, CopyError> {
    let (DatabaseUrl::Sqlite(file), DatabaseUrl::Postgres { .. }) = (from, to) else {
        return Err(CopyError::Direction);
    };
    let mut source = Source::lock(file)?;
    let mut target = Target::open(to)?;
    let tables = catalogue::match_up(source.tables()?, &target.columns()?)?;
    target.begin(source.stamp(), &tables)?;

    let counts = tables.iter().map(|table| source.count(table)).collect::<Result<Vec<_>, _>>()?;
    let total = counts.iter().sum();
    let mut copied = target.copied()?;
    for table in &tables {
        progress(Progress { table: &table.name, copied, total });
        let mut place = target.place(table)?;
        source.pieces(table, &place.last.clone(), |piece| {
            target.append(table, &mut place, piece)?;
            copied += piece.rows;
            progress(Progress { table: &table.name, copied, total });
            Ok(())
        })?;
    }
    let highest = source.highest_numbers()?;
    target.finish(&tables, &counts, &highest)?;
    Ok(Copied { tables: tables.into_iter().map(|table| table.name).zip(counts).collect() })
}

/// Some rows of a table, in the order of its key.
struct Piece<'a> {
    /// A JSON array of objects, as PostgreSQL reads it.
    json: &'a str,
    /// How many.
    rows: i64,
    /// The key of the last one, as an SQL text for the source.
    last: &'a str,
}

/// How far a table is copied.
struct Place {
    /// The key of its last row that is there; empty before the first.
    last: String,
    /// Rows that are there.
    rows: i64,
}

/// A name as both databases take it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names with commas between them.
fn list(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

/// The columns of a table that are copied.
fn names(table: &Table) -> Vec<String> {
    table.columns.iter().map(|column| column.name.clone()).collect()
}

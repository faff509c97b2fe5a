//! Where the two databases differ. Everything that MultiConnection cannot say once goes through `each!`.

use std::{
    thread,
    time::{Duration, Instant},
};

use diesel::{
    PgConnection, QueryResult, RunQueryDsl, SqliteConnection,
    connection::{AnsiTransactionManager, TransactionManager, TransactionManagerStatus},
    sql_types::BigInt,
};

use super::{Db, prepared};
use crate::clock::{Clock, Timestamp};

/// Repeats an expression for the connection of each database: `each!(conn, c => statement.execute(c))`.
#[macro_export]
macro_rules! each {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::store::Db::Pg($c) => $body,
            $crate::store::Db::Sqlite($c) => $body,
        }
    };
    ($conn:expr, pg $p:ident => $pg:expr, sqlite $s:ident => $sqlite:expr) => {
        match $conn {
            $crate::store::Db::Pg($p) => $pg,
            $crate::store::Db::Sqlite($s) => $sqlite,
        }
    };
}

/// Runs `work` in one transaction that may write. SQLite takes its write lock at the start: a transaction that
/// reads first and then writes would fail under contention, whatever the busy timeout.
///
/// # Errors
/// Those of `work`, after which nothing is stored, and those of beginning and committing.
pub fn write_transaction<T, E>(db: &mut Db, work: impl FnOnce(&mut Db) -> Result<T, E>) -> Result<T, E>
where
    E: From<diesel::result::Error>,
{
    begin(db)?;
    conclude(db, work)
}

/// How long SQLite's write lock is waited for.
pub(super) const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Pause between two looks at it. SQLite's own wait soon looks only every 100 ms, and a busy server lets go of the
/// lock for a fraction of a millisecond between two commits: a second process would wait in vain.
pub(super) const LOCK_GLANCE: Duration = Duration::from_millis(1);

/// The first half of [`write_transaction`].
pub(super) fn begin(db: &mut Db) -> QueryResult<()> {
    let connection = match db {
        Db::Sqlite(connection) => connection,
        // Whatever a server's default is: who waited for a lock must see what was done under it.
        Db::Pg(c) => {
            return AnsiTransactionManager::begin_transaction_sql(c, "BEGIN ISOLATION LEVEL READ COMMITTED");
        }
    };
    let since = Instant::now();
    loop {
        match AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE") {
            Err(error) if is_locked(&error) && since.elapsed() < LOCK_WAIT => thread::sleep(LOCK_GLANCE),
            outcome => return outcome,
        }
    }
}

pub(super) fn is_locked(error: &diesel::result::Error) -> bool {
    matches!(error, diesel::result::Error::DatabaseError(_, info) if info.message().contains("is locked"))
}

/// The second half of [`write_transaction`].
pub(super) fn conclude<T, E>(db: &mut Db, work: impl FnOnce(&mut Db) -> Result<T, E>) -> Result<T, E>
where
    E: From<diesel::result::Error>,
{
    match work(db) {
        Ok(value) => {
            each!(db, c => AnsiTransactionManager::commit_transaction(c))?;
            Ok(value)
        }
        Err(error) => {
            // The first error is the one to report; a rollback that fails leaves the connection broken,
            // and the store then opens another.
            let _ = each!(db, c => AnsiTransactionManager::rollback_transaction(c));
            Err(error)
        }
    }
}

/// Whether a connection must not be used again: a transaction is still open on it, or its state is unknown.
pub(super) fn is_broken(db: &mut Db) -> bool {
    let open = |status: &TransactionManagerStatus| !matches!(status.transaction_depth(), Ok(None));
    match db {
        Db::Pg(c) => open(
            <AnsiTransactionManager as TransactionManager<PgConnection>>::transaction_manager_status_mut(c),
        ),
        Db::Sqlite(c) => open(
            <AnsiTransactionManager as TransactionManager<SqliteConnection>>::transaction_manager_status_mut(
                c,
            ),
        ),
    }
}

/// Writes something that means nothing, so that its commit shows whether the database takes writes: on a full disk
/// a transaction that only reads commits well.
///
/// # Errors
/// When it does not.
pub fn touch(db: &mut Db) -> QueryResult<()> {
    use diesel::connection::SimpleConnection;
    let statement = match db {
        Db::Pg(_) => "SELECT pg_current_xact_id()",
        Db::Sqlite(_) => "PRAGMA user_version = 1",
    };
    db.batch_execute(statement)
}

/// Whether this connection can write at all; stores nothing.
pub(super) fn can_write(db: &mut Db) -> bool {
    use diesel::result::Error;
    let outcome = write_transaction(db, |db| touch(db).and(Err::<(), _>(Error::RollbackTransaction)));
    matches!(outcome, Err(Error::RollbackTransaction))
}

#[derive(diesel::QueryableByName)]
struct Now {
    #[diesel(sql_type = BigInt)]
    now: Timestamp,
}

/// The database's clock, moved by the offset of a test's clock: what leases and due times are measured with,
/// so that replicas whose own clocks differ agree. On the way, `clock` is set right by it. SQLite's is this machine's,
/// and knows milliseconds only: a mail just owed would not be due yet, so it is read here to the microsecond.
///
/// # Errors
/// When the database does not answer.
pub fn now(db: &mut Db, clock: &Clock) -> QueryResult<Timestamp> {
    read_clock(db, clock, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now")
}

/// Until the end of this transaction, which works on a piece of a queue, rows are found and put in order by indexes.
/// PostgreSQL's statistics of a queue are those of a while ago, when it was mostly empty or the table small: for each
/// piece the planner would read and sort all that waits, or the whole table.
///
/// # Errors
/// When the database does not answer.
pub fn go_by_index(db: &mut Db) -> QueryResult<()> {
    let statement = "SELECT FROM set_config('enable_sort', 'off', true) AS a, set_config('enable_seqscan', 'off', true) AS b";
    match db {
        Db::Pg(c) => prepared(statement).execute(c).map(drop),
        Db::Sqlite(_) => Ok(()),
    }
}

/// Until the end of this transaction, tables are not looked through again for each row of another. Just after many rows came,
/// PostgreSQL believes their table empty, and reading everybody with what belongs to them would be quadratic.
///
/// # Errors
/// When the database does not answer.
pub fn join_at_once(c: &mut PgConnection) -> QueryResult<()> {
    prepared("SELECT FROM set_config('enable_nestloop', 'off', true) AS a").execute(c).map(drop)
}

/// [`now`] and [`go_by_index`], at the beginning of a transaction that claims from a queue and whose commit need not
/// outlive a crash of the server: PostgreSQL's then does not wait for the disk.
///
/// # Errors
/// When the database does not answer.
pub fn now_for_claiming(db: &mut Db, clock: &Clock) -> QueryResult<Timestamp> {
    let statement = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now \
         FROM set_config('enable_sort', 'off', true) AS a, set_config('enable_seqscan', 'off', true) AS b, \
         set_config('synchronous_commit', 'off', true) AS c";
    read_clock(db, clock, statement)
}

fn read_clock(db: &mut Db, clock: &Clock, statement: &'static str) -> QueryResult<Timestamp> {
    match db {
        Db::Pg(c) => {
            let now = clock.follow(|| prepared(statement).get_result(c).map(|row: Now| row.now))?;
            Ok(now.after(clock.offset()))
        }
        Db::Sqlite(_) => Ok(clock.now()),
    }
}

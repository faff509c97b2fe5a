//! Locks by name, held until the end of the transaction. SQLite has one writer and needs none; on PostgreSQL several
//! transactions run at once, and what reads before it writes must not interleave with another on the same thing.
//! Called by slices inside their transactions; every lock is advisory, so it keeps out only who asks for it.

use diesel::{PgConnection, QueryResult, RunQueryDsl, sql_types};

use super::{Db, prepared};
use crate::keys::AddressHash;

/// What happens once in an installation, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Once {
    /// Bringing the database to this version.
    Migrate,
    /// Making staff accounts.
    Staff,
    /// Taking applications of organisations, whose slugs must differ.
    Groups,
}

/// The first key of PostgreSQL's two-key locks, whose second is a [`Once`]; addresses have one long key.
const ONCE: i32 = 7_074_867;

/// Waits until nobody else does the same.
///
/// # Errors
/// When the database does not answer.
pub fn once(db: &mut Db, what: Once) -> QueryResult<()> {
    let Db::Pg(connection) = db else { return Ok(()) };
    let what = match what {
        Once::Migrate => 1,
        Once::Staff => 2,
        Once::Groups => 7,
    };
    prepared("SELECT pg_advisory_xact_lock(?, ?)")
        .bind::<sql_types::Integer, _>(ONCE)
        .bind::<sql_types::Integer, _>(what)
        .execute(connection)
        .map(drop)
}

/// Waits until nobody else decides anything about these addresses (or what else such hashes stand for).
///
/// # Errors
/// When the database does not answer.
pub fn addresses(db: &mut Db, hashes: impl IntoIterator<Item = AddressHash>) -> QueryResult<()> {
    let Db::Pg(connection) = db else { return Ok(()) };
    lock_all(connection, hashes.into_iter().map(AddressHash::lock_key).collect())
}

/// In one order for everybody: two transactions that want the same keys then wait, and never for each other.
fn lock_all(connection: &mut PgConnection, mut keys: Vec<i64>) -> QueryResult<()> {
    keys.sort_unstable();
    keys.dedup();
    prepared("SELECT pg_advisory_xact_lock(key) FROM unnest(?) AS key")
        .bind::<sql_types::Array<sql_types::BigInt>, _>(keys)
        .execute(connection)
        .map(drop)
}

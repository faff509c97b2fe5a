//! Statements over sessions.

use diesel::{QueryResult, prelude::*};

use crate::{
    clock::Timestamp,
    each,
    id::Id,
    staff::model::{ACCOUNT, Account},
    store::{
        Db,
        schema::{staff, staff_sessions},
    },
};

/// A session.
#[derive(Insertable, Queryable)]
#[diesel(table_name = staff_sessions)]
pub struct Row {
    pub token_hash: Vec<u8>,
    /// Names the session, whichever cookie it has: while it is renewed it has two.
    pub id: Id,
    pub staff_id: Id,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub browser: String,
    /// Whether its next request is to get another cookie.
    pub renew: bool,
}

/// Stores a session, and forgets those that are over.
pub fn insert(db: &mut Db, session: &Row) -> QueryResult<()> {
    let over = staff_sessions::expires_at.le(session.created_at);
    diesel::delete(staff_sessions::table.filter(over)).execute(db)?;
    // A value for every column: what is bound must not depend on the row.
    diesel::insert_into(staff_sessions::table)
        .values((
            staff_sessions::token_hash.eq(&session.token_hash),
            staff_sessions::id.eq(session.id),
            staff_sessions::staff_id.eq(session.staff_id),
            staff_sessions::created_at.eq(session.created_at),
            staff_sessions::last_seen_at.eq(session.last_seen_at),
            staff_sessions::expires_at.eq(session.expires_at),
            staff_sessions::browser.eq(&session.browser),
            staff_sessions::renew.eq(session.renew),
        ))
        .execute(db)
        .map(drop)
}

/// The session with this hash, and whose it is, unless it has expired or rested since before `rested`.
pub fn find(
    db: &mut Db,
    hash: &[u8],
    now: Timestamp,
    rested: Timestamp,
) -> QueryResult<Option<(Account, Row)>> {
    staff_sessions::table
        .inner_join(staff::table)
        .filter(staff_sessions::token_hash.eq(hash))
        .filter(staff_sessions::expires_at.gt(now))
        .filter(staff_sessions::last_seen_at.gt(rested))
        .filter(staff::disabled_at.is_null())
        .select((ACCOUNT, staff_sessions::all_columns))
        .first(db)
        .optional()
}

/// Those of an account that are not over, the newest first; of one that was renewed, the row that lasts first.
pub fn list(db: &mut Db, staff_id: Id, now: Timestamp, rested: Timestamp) -> QueryResult<Vec<Row>> {
    staff_sessions::table
        .filter(staff_sessions::staff_id.eq(staff_id))
        .filter(staff_sessions::expires_at.gt(now))
        .filter(staff_sessions::last_seen_at.gt(rested))
        .order((staff_sessions::id.desc(), staff_sessions::expires_at.desc()))
        .load(db)
}

/// Notes that a session was used, unless somebody noted it since `before`.
pub fn touch(db: &mut Db, hash: &[u8], now: Timestamp, before: Timestamp) -> QueryResult<()> {
    diesel::update(staff_sessions::table.filter(staff_sessions::token_hash.eq(hash)))
        .filter(staff_sessions::last_seen_at.lt(before))
        .set(staff_sessions::last_seen_at.eq(now))
        .execute(db)
        .map(drop)
}

/// Whether the account has a session with this hash.
pub fn is_there(db: &mut Db, staff_id: Id, hash: &[u8]) -> QueryResult<bool> {
    let found = staff_sessions::table
        .filter(staff_sessions::token_hash.eq(hash))
        .filter(staff_sessions::staff_id.eq(staff_id));
    diesel::select(diesel::dsl::exists(found)).get_result(db)
}

/// Ends the session that has this hash, or had it before it was renewed; false when there was none.
pub fn delete(db: &mut Db, hash: &[u8]) -> QueryResult<bool> {
    let found: Option<(Id, Id)> = staff_sessions::table
        .filter(staff_sessions::token_hash.eq(hash))
        .select((staff_sessions::staff_id, staff_sessions::id))
        .first(db)
        .optional()?;
    let Some((staff_id, id)) = found else { return Ok(false) };
    delete_one(db, staff_id, id)
}

/// Ends one session of the account, by every cookie it has; false when there is no such one.
pub fn delete_one(db: &mut Db, staff_id: Id, id: Id) -> QueryResult<bool> {
    lock_all(db, staff_id)?;
    diesel::delete(staff_sessions::table.filter(staff_sessions::id.eq(id)))
        .filter(staff_sessions::staff_id.eq(staff_id))
        .execute(db)
        .map(|deleted| deleted > 0)
}

/// Ends every session of the account; returns how many.
pub fn delete_all(db: &mut Db, staff_id: Id) -> QueryResult<usize> {
    lock_all(db, staff_id)?;
    diesel::delete(staff_sessions::table.filter(staff_sessions::staff_id.eq(staff_id))).execute(db)
}

/// Waits for renewals that are under way: the next statement then sees the cookies they gave. SQLite's writer is alone
/// anyway.
fn lock_all(db: &mut Db, staff_id: Id) -> QueryResult<()> {
    let theirs = staff_sessions::table.filter(staff_sessions::staff_id.eq(staff_id));
    let ordered = theirs.order(staff_sessions::token_hash).select(staff_sessions::id);
    each!(db, pg c => ordered.for_update().load::<Id>(c).map(drop), sqlite _c => Ok(()))
}

/// Every session of the account is to get another cookie.
pub fn renew_all(db: &mut Db, staff_id: Id) -> QueryResult<()> {
    diesel::update(staff_sessions::table.filter(staff_sessions::staff_id.eq(staff_id)))
        .set(staff_sessions::renew.eq(true))
        .execute(db)
        .map(drop)
}

/// Lets the cookie of a session that was to be renewed run out at `until`; the one request that finds it so may give it
/// another. A cookie that was replaced before is not renewed.
pub fn retire(db: &mut Db, hash: &[u8], until: Timestamp) -> QueryResult<Option<Row>> {
    let found: Option<Row> = staff_sessions::table
        .filter(staff_sessions::token_hash.eq(hash))
        .filter(staff_sessions::renew.eq(true))
        .first(db)
        .optional()?;
    let Some(row) = found else { return Ok(None) };
    let successors = staff_sessions::table
        .filter(staff_sessions::id.eq(row.id))
        .filter(staff_sessions::expires_at.gt(row.expires_at));
    if diesel::select(diesel::dsl::exists(successors)).get_result(db)? {
        return Ok(None);
    }
    let changed = diesel::update(staff_sessions::table.filter(staff_sessions::token_hash.eq(hash)))
        .filter(staff_sessions::renew.eq(true))
        .set((staff_sessions::renew.eq(false), staff_sessions::expires_at.eq(until.min(row.expires_at))))
        .execute(db)?;
    Ok((changed > 0).then_some(row))
}

//! Statements over sessions.

use diesel::{QueryResult, prelude::*};

use crate::{
    clock::Timestamp,
    id::Id,
    staff::model::{ACCOUNT, Account},
    store::{
        Db,
        schema::{staff, staff_sessions},
    },
};

/// A session to be stored.
#[derive(Insertable)]
#[diesel(table_name = staff_sessions)]
pub struct NewSession<'a> {
    pub token_hash: &'a [u8],
    pub id: Id,
    pub staff_id: Id,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub browser: &'a str,
    pub renew: bool,
}

/// Stores a session, and forgets those that are over.
pub fn insert(db: &mut Db, session: &NewSession<'_>) -> QueryResult<()> {
    let over = staff_sessions::expires_at.le(session.created_at);
    diesel::delete(staff_sessions::table.filter(over)).execute(db)?;
    diesel::insert_into(staff_sessions::table).values(session).execute(db).map(drop)
}

pub fn find(db: &mut Db, hash: &[u8], now: Timestamp) -> QueryResult<Option<Account>> {
    staff_sessions::table
        .inner_join(staff::table)
        .filter(staff_sessions::token_hash.eq(hash))
        .filter(staff_sessions::expires_at.gt(now))
        .filter(staff::disabled_at.is_null())
        .select(ACCOUNT)
        .first(db)
        .optional()
}

pub fn delete(db: &mut Db, hash: &[u8]) -> QueryResult<()> {
    diesel::delete(staff_sessions::table.filter(staff_sessions::token_hash.eq(hash))).execute(db).map(drop)
}

/// Ends every session of the account; returns how many.
pub fn delete_all(db: &mut Db, staff_id: Id) -> QueryResult<usize> {
    diesel::delete(staff_sessions::table.filter(staff_sessions::staff_id.eq(staff_id))).execute(db)
}

//! Statements over bearer tokens.

use diesel::{QueryResult, prelude::*};

use crate::{
    clock::Timestamp,
    id::Id,
    staff::model::{ACCOUNT, Account, Token, TokenView},
    store::{
        Db,
        schema::{staff, staff_tokens},
    },
};

pub fn insert(db: &mut Db, staff_id: Id, hash: &[u8], token: &TokenView) -> QueryResult<()> {
    diesel::insert_into(staff_tokens::table)
        .values((
            staff_tokens::id.eq(token.id),
            staff_tokens::token_hash.eq(hash),
            staff_tokens::staff_id.eq(staff_id),
            staff_tokens::name.eq(&token.name),
            staff_tokens::scopes.eq(&token.scopes),
            staff_tokens::created_at.eq(token.created_at),
            staff_tokens::expires_at.eq(token.expires_at),
            staff_tokens::group_id.eq(token.group_id),
        ))
        .execute(db)
        .map(drop)
}

/// The account a token belongs to, with the token.
pub fn find(db: &mut Db, hash: &[u8], now: Timestamp) -> QueryResult<Option<(Account, Token)>> {
    staff_tokens::table
        .inner_join(staff::table)
        .filter(staff_tokens::token_hash.eq(hash))
        .filter(staff_tokens::revoked_at.is_null())
        .filter(staff_tokens::expires_at.is_null().or(staff_tokens::expires_at.gt(Some(now))))
        .filter(staff::disabled_at.is_null())
        .select((
            ACCOUNT,
            (staff_tokens::id, staff_tokens::scopes, staff_tokens::group_id, staff_tokens::last_used_at),
        ))
        .first(db)
        .optional()
}

pub fn list(db: &mut Db, staff_id: Id) -> QueryResult<Vec<TokenView>> {
    staff_tokens::table
        .filter(staff_tokens::staff_id.eq(staff_id))
        .filter(staff_tokens::revoked_at.is_null())
        .order(staff_tokens::created_at.desc())
        .select((
            staff_tokens::id,
            staff_tokens::name,
            staff_tokens::scopes,
            staff_tokens::created_at,
            staff_tokens::expires_at,
            staff_tokens::group_id,
            staff_tokens::last_used_at,
        ))
        .load(db)
}

/// Ends one token of the account; false when there is no such one.
pub fn revoke(db: &mut Db, staff_id: Id, id: Id, now: Timestamp) -> QueryResult<bool> {
    diesel::update(staff_tokens::table.filter(staff_tokens::id.eq(id)))
        .filter(staff_tokens::staff_id.eq(staff_id))
        .filter(staff_tokens::revoked_at.is_null())
        .set(staff_tokens::revoked_at.eq(Some(now)))
        .execute(db)
        .map(|changed| changed > 0)
}

/// Ends every token of the account; returns which.
pub fn revoke_all(db: &mut Db, staff_id: Id, now: Timestamp) -> QueryResult<Vec<Id>> {
    let theirs = || {
        staff_tokens::table
            .filter(staff_tokens::staff_id.eq(staff_id))
            .filter(staff_tokens::revoked_at.is_null())
    };
    let ids = theirs().order(staff_tokens::id).select(staff_tokens::id).load(db)?;
    diesel::update(theirs()).set(staff_tokens::revoked_at.eq(Some(now))).execute(db)?;
    Ok(ids)
}

/// Notes that the token was used, unless it was within the last minute.
pub fn touch(db: &mut Db, id: Id, now: Timestamp, before: Timestamp) -> QueryResult<()> {
    diesel::update(staff_tokens::table.filter(staff_tokens::id.eq(id)))
        .filter(staff_tokens::last_used_at.is_null().or(staff_tokens::last_used_at.lt(Some(before))))
        .set(staff_tokens::last_used_at.eq(Some(now)))
        .execute(db)
        .map(drop)
}

//! Statements over staff, sessions and tokens.

use diesel::{QueryResult, prelude::*};

use super::model::{Account, Token, TokenView};
use crate::{
    clock::Timestamp,
    id::Id,
    store::{
        Db,
        schema::{staff, staff_sessions, staff_tokens},
    },
};

pub fn count(db: &mut Db) -> QueryResult<i64> {
    staff::table.count().get_result(db)
}

/// Whether an account with this matching key exists.
pub fn exists(db: &mut Db, email_key: &str) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(staff::table.filter(staff::email_key.eq(email_key)))).get_result(db)
}

pub fn insert(
    db: &mut Db,
    account: &Account,
    email_key: &str,
    hash: &str,
    now: Timestamp,
) -> QueryResult<()> {
    diesel::insert_into(staff::table)
        .values((
            staff::id.eq(account.id),
            staff::email.eq(&account.email),
            staff::email_key.eq(email_key),
            staff::password_hash.eq(hash),
            staff::role.eq(&account.role),
            staff::created_at.eq(now),
            staff::group_id.eq(account.group_id),
        ))
        .execute(db)
        .map(drop)
}

/// The account with this matching key, with its password hash.
pub fn find_by_email(db: &mut Db, email_key: &str) -> QueryResult<Option<(Account, String)>> {
    staff::table
        .filter(staff::email_key.eq(email_key))
        .select(((staff::id, staff::email, staff::role, staff::group_id), staff::password_hash))
        .first(db)
        .optional()
}

pub fn insert_session(
    db: &mut Db,
    hash: &[u8],
    staff: Id,
    now: Timestamp,
    end: Timestamp,
) -> QueryResult<()> {
    diesel::delete(staff_sessions::table.filter(staff_sessions::expires_at.le(now))).execute(db)?;
    diesel::insert_into(staff_sessions::table)
        .values((
            staff_sessions::token_hash.eq(hash),
            staff_sessions::staff_id.eq(staff),
            staff_sessions::created_at.eq(now),
            staff_sessions::expires_at.eq(end),
        ))
        .execute(db)
        .map(drop)
}

pub fn find_by_session(db: &mut Db, hash: &[u8], now: Timestamp) -> QueryResult<Option<Account>> {
    staff_sessions::table
        .inner_join(staff::table)
        .filter(staff_sessions::token_hash.eq(hash))
        .filter(staff_sessions::expires_at.gt(now))
        .select((staff::id, staff::email, staff::role, staff::group_id))
        .first(db)
        .optional()
}

pub fn delete_session(db: &mut Db, hash: &[u8]) -> QueryResult<()> {
    diesel::delete(staff_sessions::table.filter(staff_sessions::token_hash.eq(hash))).execute(db).map(drop)
}

pub fn insert_token(db: &mut Db, staff_id: Id, hash: &[u8], token: &TokenView) -> QueryResult<()> {
    diesel::insert_into(staff_tokens::table)
        .values((
            staff_tokens::id.eq(token.id),
            staff_tokens::token_hash.eq(hash),
            staff_tokens::staff_id.eq(staff_id),
            staff_tokens::name.eq(&token.name),
            staff_tokens::scopes.eq(&token.scopes),
            staff_tokens::created_at.eq(token.created_at),
            staff_tokens::expires_at.eq(token.expires_at),
        ))
        .execute(db)
        .map(drop)
}

/// The account a token belongs to, with the token.
pub fn find_by_token(db: &mut Db, hash: &[u8], now: Timestamp) -> QueryResult<Option<(Account, Token)>> {
    staff_tokens::table
        .inner_join(staff::table)
        .filter(staff_tokens::token_hash.eq(hash))
        .filter(staff_tokens::revoked_at.is_null())
        .filter(staff_tokens::expires_at.is_null().or(staff_tokens::expires_at.gt(Some(now))))
        .select((
            (staff::id, staff::email, staff::role, staff::group_id),
            (staff_tokens::id, staff_tokens::scopes, staff_tokens::group_id),
        ))
        .first(db)
        .optional()
}

pub fn list_tokens(db: &mut Db, staff_id: Id) -> QueryResult<Vec<TokenView>> {
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
        ))
        .load(db)
}

/// Ends one of the person's own tokens; false when there is no such one.
pub fn revoke_token(db: &mut Db, staff_id: Id, id: Id, now: Timestamp) -> QueryResult<bool> {
    diesel::update(staff_tokens::table.filter(staff_tokens::id.eq(id)))
        .filter(staff_tokens::staff_id.eq(staff_id))
        .filter(staff_tokens::revoked_at.is_null())
        .set(staff_tokens::revoked_at.eq(Some(now)))
        .execute(db)
        .map(|changed| changed > 0)
}

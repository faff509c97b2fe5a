//! Statements over accounts.

use diesel::{QueryResult, prelude::*};

use crate::{
    clock::Timestamp,
    id::Id,
    staff::model::{ACCOUNT, Account},
    store::{
        Db,
        schema::{groups, staff},
    },
};

pub fn count(db: &mut Db) -> QueryResult<i64> {
    staff::table.count().get_result(db)
}

/// Ids and addresses of all accounts; there are as many as people on the staff.
pub fn list_emails(db: &mut Db) -> QueryResult<Vec<(Id, String)>> {
    staff::table.select((staff::id, staff::email)).load(db)
}

/// Whether an account with this matching key exists.
pub fn exists(db: &mut Db, email_key: &str) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(staff::table.filter(staff::email_key.eq(email_key)))).get_result(db)
}

/// Whether the organisation with this id is a member now.
pub fn is_member(db: &mut Db, group: Id) -> QueryResult<bool> {
    let member = groups::table.filter(groups::id.eq(group)).filter(groups::status.eq("member"));
    diesel::select(diesel::dsl::exists(member)).get_result(db)
}

/// The member group with this slug. Groups are a slice above this one.
pub fn find_group(db: &mut Db, slug: &str) -> QueryResult<Option<Id>> {
    groups::table
        .filter(groups::slug.eq(slug))
        .filter(groups::status.eq("member"))
        .select(groups::id)
        .first(db)
        .optional()
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

/// An account without a password.
pub fn insert_invited(
    db: &mut Db,
    id: Id,
    email: &str,
    email_key: &str,
    role: &str,
    group_id: Option<Id>,
    now: Timestamp,
) -> QueryResult<()> {
    diesel::insert_into(staff::table)
        .values((
            staff::id.eq(id),
            staff::email.eq(email),
            staff::email_key.eq(email_key),
            staff::password_hash.eq(""),
            staff::role.eq(role),
            staff::created_at.eq(now),
            staff::invited_at.eq(Some(now)),
            staff::group_id.eq(group_id),
        ))
        .execute(db)
        .map(drop)
}

/// The account with this matching key, with its password hash; none without a password, or disabled.
pub fn find_by_email(db: &mut Db, email_key: &str) -> QueryResult<Option<(Account, String)>> {
    staff::table
        .filter(staff::email_key.eq(email_key))
        .filter(staff::disabled_at.is_null())
        .filter(staff::password_hash.ne(""))
        .select((ACCOUNT, staff::password_hash))
        .first(db)
        .optional()
}

/// An account that a mailed link is about.
#[derive(Clone, Queryable)]
pub struct LinkedAccount {
    pub id: Id,
    pub email: String,
    pub role: String,
    pub link_version: i32,
}

/// The account with this id, unless it is disabled.
pub fn find_linked(db: &mut Db, id: Id) -> QueryResult<Option<LinkedAccount>> {
    staff::table
        .filter(staff::id.eq(id))
        .filter(staff::disabled_at.is_null())
        .select((staff::id, staff::email, staff::role, staff::link_version))
        .first(db)
        .optional()
}

/// Those of `ids` that were invited and have set no password yet.
pub fn list_invited(db: &mut Db, ids: &[Id]) -> QueryResult<Vec<LinkedAccount>> {
    staff::table
        .filter(staff::id.eq_any(ids))
        .filter(staff::disabled_at.is_null())
        .filter(staff::password_hash.eq(""))
        .select((staff::id, staff::email, staff::role, staff::link_version))
        .load(db)
}

/// Sets the password if `link_version` is still the one that was read, and raises it: earlier links are then void.
pub fn set_password(db: &mut Db, id: Id, link_version: i32, hash: &str) -> QueryResult<bool> {
    diesel::update(staff::table.filter(staff::id.eq(id)))
        .filter(staff::link_version.eq(link_version))
        .filter(staff::disabled_at.is_null())
        .set((staff::password_hash.eq(hash), staff::link_version.eq(staff::link_version + 1)))
        .execute(db)
        .map(|changed| changed > 0)
}

//! Statements over accounts.

use diesel::{QueryResult, prelude::*};

use crate::{
    clock::Timestamp,
    each,
    id::Id,
    staff::{
        Role, StaffView,
        model::{ACCOUNT, Account},
    },
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

/// An account as a login needs it.
#[derive(Clone, Queryable)]
pub struct LoginAccount {
    pub account: Account,
    /// Empty when none was set yet.
    pub password_hash: String,
    pub disabled_at: Option<Timestamp>,
    pub link_version: i32,
}

impl LoginAccount {
    /// Whether there is a password to log in with.
    pub const fn may_log_in(&self) -> bool {
        self.disabled_at.is_none() && !self.password_hash.is_empty()
    }
}

/// The account with this matching key, whether or not it may log in.
pub fn find_login(db: &mut Db, email_key: &str) -> QueryResult<Option<LoginAccount>> {
    staff::table
        .filter(staff::email_key.eq(email_key))
        .select((ACCOUNT, staff::password_hash, staff::disabled_at, staff::link_version))
        .first(db)
        .optional()
}

pub fn find_login_by_id(db: &mut Db, id: Id) -> QueryResult<Option<LoginAccount>> {
    staff::table
        .filter(staff::id.eq(id))
        .select((ACCOUNT, staff::password_hash, staff::disabled_at, staff::link_version))
        .first(db)
        .optional()
}

/// Notes a login; false when the account was disabled or its password changed since `link_version` was read.
pub fn begin_login(db: &mut Db, id: Id, link_version: i32, now: Timestamp) -> QueryResult<bool> {
    diesel::update(staff::table.filter(staff::id.eq(id)))
        .filter(staff::link_version.eq(link_version))
        .filter(staff::disabled_at.is_null())
        .set(staff::last_login_at.eq(Some(now)))
        .execute(db)
        .map(|changed| changed > 0)
}

/// Whom the mail of a lost password goes to, if the account may be used.
pub fn find_for_reset(db: &mut Db, email_key: &str) -> QueryResult<Option<(Id, String)>> {
    staff::table
        .filter(staff::email_key.eq(email_key))
        .filter(staff::disabled_at.is_null())
        .select((staff::id, staff::email))
        .first(db)
        .optional()
}

/// An account as owners see and change it.
#[derive(Clone, Queryable)]
pub struct Row {
    pub id: Id,
    pub email: String,
    pub role: String,
    pub group_id: Option<Id>,
    pub created_at: Timestamp,
    pub last_login_at: Option<Timestamp>,
    pub disabled_at: Option<Timestamp>,
    pub has_totp: bool,
    pub is_invited: bool,
}

/// The columns of [`Row`]; a macro, since their type is long.
macro_rules! row {
    () => {
        (
            staff::id,
            staff::email,
            staff::role,
            staff::group_id,
            staff::created_at,
            staff::last_login_at,
            staff::disabled_at,
            staff::totp_nonce.is_not_null(),
            staff::password_hash.eq(""),
        )
    };
}

impl Row {
    /// An owner who can log in.
    pub fn is_able_owner(&self) -> bool {
        self.role == "owner" && self.disabled_at.is_none() && !self.is_invited
    }

    /// As it is shown.
    pub fn view(self) -> StaffView {
        let status = match () {
            () if self.disabled_at.is_some() => "disabled",
            () if self.is_invited => "invited",
            () => "active",
        };
        StaffView {
            id: self.id,
            email: self.email,
            role: self.role,
            group_id: self.group_id,
            status,
            totp: self.has_totp,
            created_at: self.created_at,
            last_login_at: self.last_login_at,
        }
    }
}

pub fn find(db: &mut Db, id: Id) -> QueryResult<Option<Row>> {
    staff::table.filter(staff::id.eq(id)).select(row!()).first(db).optional()
}

pub fn find_by_key(db: &mut Db, email_key: &str) -> QueryResult<Option<Row>> {
    staff::table.filter(staff::email_key.eq(email_key)).select(row!()).first(db).optional()
}

pub fn list(db: &mut Db, after: Option<Id>, limit: i64) -> QueryResult<Vec<Row>> {
    let after = after.unwrap_or(Id::from_bytes([0; 16]));
    staff::table.filter(staff::id.gt(after)).order(staff::id).limit(limit).select(row!()).load(db)
}

/// Whether the account with this matching key has a password.
pub fn has_password(db: &mut Db, email_key: &str) -> QueryResult<bool> {
    let theirs = staff::table.filter(staff::email_key.eq(email_key)).filter(staff::password_hash.ne(""));
    diesel::select(diesel::dsl::exists(theirs)).get_result(db)
}

/// Owners who can log in.
pub fn count_able_owners(db: &mut Db) -> QueryResult<i64> {
    staff::table
        .filter(staff::role.eq("owner"))
        .filter(staff::disabled_at.is_null())
        .filter(staff::password_hash.ne(""))
        .count()
        .get_result(db)
}

/// The address of the account, unless it is disabled. Its password, and whether it is disabled, stay as they are until
/// the end of this transaction.
pub fn lock(db: &mut Db, id: Id) -> QueryResult<Option<String>> {
    let account = staff::table.filter(staff::id.eq(id)).select((staff::email, staff::disabled_at));
    // SQLite's writer is alone anyway.
    let found: Option<(String, Option<Timestamp>)> = each!(db,
        pg c => account.for_no_key_update().first(c).optional(),
        sqlite c => account.first(c).optional())?;
    Ok(found.and_then(|(email, disabled_at)| disabled_at.is_none().then_some(email)))
}

/// Stores what an owner may change.
pub fn update(db: &mut Db, account: &Row) -> QueryResult<()> {
    diesel::update(staff::table.filter(staff::id.eq(account.id)))
        .set((
            staff::role.eq(&account.role),
            staff::group_id.eq(account.group_id),
            staff::disabled_at.eq(account.disabled_at),
        ))
        .execute(db)
        .map(drop)
}

pub fn raise_link_version(db: &mut Db, id: Id) -> QueryResult<()> {
    diesel::update(staff::table.filter(staff::id.eq(id)))
        .set(staff::link_version.eq(staff::link_version + 1))
        .execute(db)
        .map(drop)
}

/// Sets the password whatever the version, and raises it.
pub fn force_password(db: &mut Db, id: Id, hash: &str) -> QueryResult<()> {
    diesel::update(staff::table.filter(staff::id.eq(id)))
        .set((staff::password_hash.eq(hash), staff::link_version.eq(staff::link_version + 1)))
        .execute(db)
        .map(drop)
}

pub fn delete(db: &mut Db, id: Id) -> QueryResult<()> {
    diesel::delete(staff::table.filter(staff::id.eq(id))).execute(db).map(drop)
}

/// Accounts of these roles that can log in, with their addresses: who hears what waits for the staff.
///
/// # Errors
/// When the database does not answer.
pub fn addresses_of(db: &mut Db, roles: &[Role]) -> QueryResult<Vec<(Id, String)>> {
    staff::table
        .filter(staff::role.eq_any(roles.iter().map(|role| role.as_str()).collect::<Vec<_>>()))
        .filter(staff::disabled_at.is_null())
        .filter(staff::password_hash.ne(""))
        .order(staff::id)
        .select((staff::id, staff::email))
        .load(db)
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

/// Those of `ids` that are not disabled.
pub fn list_linked(db: &mut Db, ids: &[Id]) -> QueryResult<Vec<LinkedAccount>> {
    staff::table
        .filter(staff::id.eq_any(ids))
        .filter(staff::disabled_at.is_null())
        .select((staff::id, staff::email, staff::role, staff::link_version))
        .load(db)
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

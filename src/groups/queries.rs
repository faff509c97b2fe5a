//! Statements over organisations.

use diesel::{QueryResult, prelude::*};

use super::{
    domain::GroupChange,
    model::{Group, Member, NewGroup},
    words::{GroupStatus, join},
};
use crate::{
    clock::Timestamp,
    each,
    id::Id,
    keys::{AddressHash, Keys},
    store::{
        Db,
        schema::{group_logos, groups, suppressions},
    },
};

/// The organisation with this id, whatever its status.
///
/// # Errors
/// When the database does not answer.
pub fn find(db: &mut Db, id: Id) -> QueryResult<Option<Group>> {
    groups::table.filter(groups::id.eq(id)).select(Group::as_select()).first(db).optional()
}

/// The organisation with this slug, whatever its status.
///
/// # Errors
/// When the database does not answer.
pub fn find_by_slug(db: &mut Db, slug: &str) -> QueryResult<Option<Group>> {
    groups::table.filter(groups::slug.eq(slug)).select(Group::as_select()).first(db).optional()
}

/// The organisations with these ids, whatever their status.
///
/// # Errors
/// When the database does not answer.
pub fn find_all(db: &mut Db, ids: &[Id]) -> QueryResult<Vec<Group>> {
    groups::table.filter(groups::id.eq_any(ids)).select(Group::as_select()).load(db)
}

/// Every member, by name.
pub(super) fn list_members(db: &mut Db) -> QueryResult<Vec<Member>> {
    let rows: Vec<(Group, Option<String>)> = groups::table
        .left_join(group_logos::table)
        .filter(groups::status.eq(GroupStatus::Member))
        .order((groups::name, groups::id))
        .select((Group::as_select(), group_logos::sha256.nullable()))
        .load(db)?;
    Ok(rows.into_iter().map(|(group, logo)| Member::of(group, logo)).collect())
}

/// Organisations, newest first, beginning below `before`.
pub(super) fn list(
    db: &mut Db,
    status: Option<GroupStatus>,
    before: Option<Id>,
    limit: i64,
) -> QueryResult<Vec<Group>> {
    let mut query = groups::table.select(Group::as_select()).into_boxed();
    if let Some(status) = status {
        query = query.filter(groups::status.eq(status));
    }
    if let Some(before) = before {
        query = query.filter(groups::id.lt(before));
    }
    query.order(groups::id.desc()).limit(limit).load(db)
}

/// What is on file of the organisations of this contact.
pub(super) fn list_of_contact(db: &mut Db, email_key: &str) -> QueryResult<Vec<Group>> {
    groups::table.filter(groups::contact_email_key.eq(email_key)).select(Group::as_select()).load(db)
}

/// The slugs that begin with `slug`.
pub(super) fn slugs_like(db: &mut Db, slug: &str) -> QueryResult<Vec<String>> {
    // A slug holds nothing that LIKE would read as a sign.
    groups::table.filter(groups::slug.like(format!("{slug}%"))).select(groups::slug).load(db)
}

pub(super) fn insert(db: &mut Db, group: &NewGroup) -> QueryResult<()> {
    each!(db, c => diesel::insert_into(groups::table).values(group).execute(c)).map(drop)
}

/// Whether nobody may write to this address.
pub(super) fn is_suppressed(db: &mut Db, address: AddressHash) -> QueryResult<bool> {
    let marks = suppressions::table
        .filter(suppressions::address_hash.eq(address))
        .filter(suppressions::reason.ne("erased"));
    diesel::select(diesel::dsl::exists(marks)).get_result(db)
}

/// The contact confirmed; false when it was no application any more.
pub(super) fn set_confirmed(db: &mut Db, id: Id, now: Timestamp) -> QueryResult<bool> {
    let open = groups::table.filter(groups::id.eq(id)).filter(groups::status.eq(GroupStatus::Applied));
    let changed = diesel::update(open)
        .set((
            groups::status.eq(GroupStatus::InReview),
            groups::confirmed_at.eq(Some(now)),
            groups::updated_at.eq(now),
        ))
        .execute(db)?;
    Ok(changed > 0)
}

/// From review to what staff decided; false when somebody else was faster.
pub(super) fn decide(
    db: &mut Db,
    id: Id,
    status: GroupStatus,
    reason: Option<&str>,
    now: Timestamp,
) -> QueryResult<bool> {
    let open = groups::table.filter(groups::id.eq(id)).filter(groups::status.eq(GroupStatus::InReview));
    let changed = diesel::update(open)
        .set((
            groups::status.eq(status),
            groups::reason.eq(reason),
            groups::decided_at.eq(Some(now)),
            groups::updated_at.eq(now),
        ))
        .execute(db)?;
    Ok(changed > 0)
}

/// Keeps what is asked of an applicant; false when it is not in review any more.
pub(super) fn set_question(db: &mut Db, id: Id, question: &str, now: Timestamp) -> QueryResult<bool> {
    let open = groups::table.filter(groups::id.eq(id)).filter(groups::status.eq(GroupStatus::InReview));
    let changed = diesel::update(open)
        .set((
            groups::question.eq(Some(question)),
            groups::answer.eq(None::<String>),
            groups::updated_at.eq(now),
        ))
        .execute(db)?;
    Ok(changed > 0)
}

/// The contact answers what staff asked; false when the application is not in review, or nothing was asked.
pub(super) fn set_answer(db: &mut Db, id: Id, answer: &str, now: Timestamp) -> QueryResult<bool> {
    let asked = groups::table
        .filter(groups::id.eq(id))
        .filter(groups::status.eq(GroupStatus::InReview))
        .filter(groups::question.is_not_null());
    let changed = diesel::update(asked)
        .set((groups::answer.eq(Some(answer)), groups::updated_at.eq(now)))
        .execute(db)?;
    Ok(changed > 0)
}

/// A member leaves; false when it is none.
pub(super) fn set_left(db: &mut Db, id: Id, now: Timestamp) -> QueryResult<bool> {
    let member = groups::table.filter(groups::id.eq(id)).filter(groups::status.eq(GroupStatus::Member));
    let changed = diesel::update(member)
        .set((
            groups::status.eq(GroupStatus::Left),
            groups::left_at.eq(Some(now)),
            groups::updated_at.eq(now),
        ))
        .execute(db)?;
    Ok(changed > 0)
}

#[derive(AsChangeset)]
#[diesel(table_name = groups)]
struct Columns {
    name: Option<String>,
    kind: Option<super::Kind>,
    website: Option<String>,
    regions: Option<String>,
    sectors: Option<String>,
    about: Option<String>,
    contact_name: Option<String>,
    contact_email: Option<String>,
    contact_email_key: Option<String>,
    contact_hash: Option<AddressHash>,
    is_listed: Option<bool>,
    terms_id: Option<Id>,
    updated_at: Option<Timestamp>,
}

/// Changes what is given.
pub(super) fn update(
    db: &mut Db,
    keys: &Keys,
    id: Id,
    change: GroupChange,
    now: Timestamp,
) -> QueryResult<()> {
    let email_key = change.contact_email.as_ref().map(crate::contact::EmailAddress::key);
    let columns = Columns {
        name: change.name,
        kind: change.kind,
        website: change.website,
        regions: change.regions.map(|codes| join(codes.iter().map(String::as_str))),
        sectors: change.sectors.map(|sectors| join(sectors.into_iter().map(super::Sector::as_str))),
        about: change.about,
        contact_name: change.contact_name,
        contact_email: change.contact_email.map(|address| address.as_str().to_owned()),
        contact_hash: email_key.as_deref().map(|key| keys.address_hash(key)),
        contact_email_key: email_key,
        is_listed: change.is_listed,
        terms_id: change.terms,
        updated_at: Some(now),
    };
    let group = groups::table.filter(groups::id.eq(id));
    each!(db, c => diesel::update(group).set(&columns).execute(c)).map(drop)
}

/// Applications that nobody confirmed, changed last before `before`, oldest first, without the first `skip`.
pub(super) fn list_stale(db: &mut Db, before: Timestamp, skip: i64, limit: i64) -> QueryResult<Vec<Id>> {
    groups::table
        .filter(groups::status.eq(GroupStatus::Applied))
        .filter(groups::updated_at.lt(before))
        .order(groups::id)
        .offset(skip)
        .limit(limit)
        .select(groups::id)
        .load(db)
}

/// Erases those of `ids` that nobody has confirmed meanwhile.
pub(super) fn delete_applications(db: &mut Db, ids: &[Id]) -> QueryResult<usize> {
    let those = groups::table.filter(groups::id.eq_any(ids)).filter(groups::status.eq(GroupStatus::Applied));
    diesel::delete(those).execute(db)
}

/// Applications with this contact that nobody has confirmed.
pub(super) fn list_unconfirmed_of(db: &mut Db, contact: AddressHash) -> QueryResult<Vec<Id>> {
    groups::table
        .filter(groups::contact_hash.eq(Some(contact)))
        .filter(groups::status.eq(GroupStatus::Applied))
        .select(groups::id)
        .load(db)
}

/// How many are in review.
pub(super) fn count_in_review(db: &mut Db) -> QueryResult<i64> {
    groups::table.filter(groups::status.eq(GroupStatus::InReview)).count().get_result(db)
}

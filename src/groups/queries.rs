//! Statements over organisations.

use diesel::{QueryResult, prelude::*};

use super::{
    model::{Group, Member},
    words::GroupStatus,
};
use crate::{
    id::Id,
    store::{
        Db,
        schema::{group_logos, groups},
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

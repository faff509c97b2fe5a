//! Statements over tags and who has them.

use std::collections::BTreeMap;

use diesel::{QueryResult, prelude::*};

use super::bulk::Operation;
use crate::{
    clock::Timestamp,
    each,
    error::AppError,
    id::Id,
    store::{
        Db,
        schema::{supporter_tags, supporters, tag_operations, tags},
    },
    supporters::filter,
};

/// Every tag with how many have it, by slug.
pub(super) fn list(db: &mut Db) -> QueryResult<Vec<(String, i64)>> {
    let numbers: Vec<(i64, String)> =
        tags::table.order(tags::slug).select((tags::number, tags::slug)).load(db)?;
    let counts: Vec<(i64, i64)> = supporter_tags::table
        .group_by(supporter_tags::tag_number)
        .select((supporter_tags::tag_number, diesel::dsl::count_star()))
        .load(db)?;
    let counts: BTreeMap<i64, i64> = counts.into_iter().collect();
    Ok(numbers.into_iter().map(|(number, slug)| (slug, counts.get(&number).copied().unwrap_or(0))).collect())
}

/// The number of a tag.
pub(super) fn find(db: &mut Db, slug: &str) -> QueryResult<Option<i64>> {
    tags::table.filter(tags::slug.eq(slug)).select(tags::number).first(db).optional()
}

/// The number of a tag, which is made if there is none.
///
/// # Errors
/// When a statement fails.
pub fn ensure_tag(db: &mut Db, slug: &str, now: Timestamp) -> QueryResult<i64> {
    insert(db, slug, now)?;
    tags::table.filter(tags::slug.eq(slug)).select(tags::number).first(db)
}

/// Whether it was new.
pub(super) fn insert(db: &mut Db, slug: &str, now: Timestamp) -> QueryResult<bool> {
    let values = (tags::slug.eq(slug), tags::created_at.eq(now));
    let made =
        each!(db, c => diesel::insert_into(tags::table).values(values).on_conflict_do_nothing().execute(c))?;
    Ok(made > 0)
}

pub(super) fn rename(db: &mut Db, tag: i64, slug: &str) -> QueryResult<()> {
    diesel::update(tags::table.filter(tags::number.eq(tag))).set(tags::slug.eq(slug)).execute(db).map(drop)
}

/// Carries a tag's new name into the filters of operations that are under way or were cut off.
pub(super) fn rename_in_operations(db: &mut Db, old: &str, new: &str) -> Result<(), AppError> {
    let open = tag_operations::table.filter(tag_operations::finished_at.is_null());
    let open: Vec<(Id, String)> = open.select((tag_operations::id, tag_operations::query)).load(db)?;
    for (id, query) in open {
        if let Some(query) = filter::renamed(&query, old, new)? {
            diesel::update(tag_operations::table.filter(tag_operations::id.eq(id)))
                .set(tag_operations::query.eq(query))
                .execute(db)?;
        }
    }
    Ok(())
}

/// Takes a tag from up to `limit` of those who have it; returns how many.
pub(super) fn take_from_some(db: &mut Db, tag: i64, limit: i64) -> QueryResult<usize> {
    let mine = supporter_tags::table.filter(supporter_tags::tag_number.eq(tag));
    let some: Vec<i64> = mine
        .limit(limit)
        .order(supporter_tags::supporter_number)
        .select(supporter_tags::supporter_number)
        .load(db)?;
    take(db, tag, &some)
}

pub(super) fn delete(db: &mut Db, tag: i64) -> QueryResult<()> {
    diesel::delete(tags::table.filter(tags::number.eq(tag))).execute(db).map(drop)
}

/// Gives a tag to those of these supporters who are there and have not got it; returns how many.
///
/// # Errors
/// When the statement fails.
pub fn give_tag(db: &mut Db, tag: i64, supporters: &[i64], now: Timestamp) -> QueryResult<usize> {
    use diesel::sql_types::BigInt;
    let there = supporters::table.filter(supporters::number.eq_any(supporters)).select((
        tag.into_sql::<BigInt>(),
        supporters::number,
        now.into_sql::<BigInt>(),
    ));
    let columns = (supporter_tags::tag_number, supporter_tags::supporter_number, supporter_tags::created_at);
    each!(db, c => there
        .insert_into(supporter_tags::table)
        .into_columns(columns)
        .on_conflict_do_nothing()
        .execute(c))
}

/// Takes a tag from these supporters; returns how many had it.
pub(super) fn take(db: &mut Db, tag: i64, supporters: &[i64]) -> QueryResult<usize> {
    diesel::delete(supporter_tags::table.filter(supporter_tags::tag_number.eq(tag)))
        .filter(supporter_tags::supporter_number.eq_any(supporters))
        .execute(db)
}

/// The tags of each of these supporters, by number, in the order of their slugs. For lists and exports.
///
/// # Errors
/// When the database does not answer.
pub fn tags_of(db: &mut Db, supporters: &[i64]) -> QueryResult<BTreeMap<i64, Vec<String>>> {
    let rows: Vec<(i64, String)> = supporter_tags::table
        .inner_join(tags::table)
        .filter(supporter_tags::supporter_number.eq_any(supporters))
        .order(tags::slug)
        .select((supporter_tags::supporter_number, tags::slug))
        .load(db)?;
    let mut found: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for (supporter, slug) in rows {
        found.entry(supporter).or_default().push(slug);
    }
    Ok(found)
}

/// Makes a supporter's tags exactly these, which are there; whether anything changed.
pub(in crate::supporters) fn set_tags(
    db: &mut Db,
    supporter: i64,
    wanted: &[i64],
    now: Timestamp,
) -> QueryResult<bool> {
    let mine = supporter_tags::table.filter(supporter_tags::supporter_number.eq(supporter));
    let taken = diesel::delete(mine).filter(supporter_tags::tag_number.ne_all(wanted)).execute(db)?;
    let mut given = 0;
    for tag in wanted {
        given += give_tag(db, *tag, &[supporter], now)?;
    }
    Ok(taken + given > 0)
}

/// The numbers of these tags, in their order; nothing where there is none.
pub(in crate::supporters) fn numbers(db: &mut Db, slugs: &[String]) -> QueryResult<Vec<Option<i64>>> {
    let known: Vec<(String, i64)> =
        tags::table.filter(tags::slug.eq_any(slugs)).select((tags::slug, tags::number)).load(db)?;
    let number = |slug: &String| known.iter().find(|(name, _)| name == slug).map(|(_, number)| *number);
    Ok(slugs.iter().map(number).collect())
}

pub(super) fn begin(db: &mut Db, operation: &Operation) -> QueryResult<()> {
    each!(db, c => diesel::insert_into(tag_operations::table).values(operation).execute(c)).map(drop)
}

/// Records how far an operation is, if it is where the caller left it; false when another process goes on with it.
pub(super) fn advance(
    db: &mut Db,
    operation: &Operation,
    up_to: i64,
    changed: i64,
    now: Timestamp,
) -> QueryResult<bool> {
    let mine = tag_operations::table
        .filter(tag_operations::id.eq(operation.id))
        .filter(tag_operations::done_up_to.eq(operation.done_up_to))
        .filter(tag_operations::finished_at.is_null());
    let moved = diesel::update(mine)
        .set((
            tag_operations::done_up_to.eq(up_to),
            tag_operations::changed.eq(changed),
            tag_operations::touched_at.eq(now),
        ))
        .execute(db)?;
    Ok(moved > 0)
}

/// Whether this call finished it.
pub(super) fn finish(db: &mut Db, id: Id, now: Timestamp) -> QueryResult<bool> {
    let open =
        tag_operations::table.filter(tag_operations::id.eq(id)).filter(tag_operations::finished_at.is_null());
    let finished = diesel::update(open).set(tag_operations::finished_at.eq(Some(now))).execute(db)?;
    Ok(finished > 0)
}

pub(super) fn find_operation(db: &mut Db, id: Id) -> QueryResult<Option<(Operation, String)>> {
    tag_operations::table
        .inner_join(tags::table)
        .filter(tag_operations::id.eq(id))
        .select((Operation::as_select(), tags::slug))
        .first(db)
        .optional()
}

/// An operation that nobody has touched since `before`.
pub(super) fn find_abandoned(db: &mut Db, before: Timestamp) -> QueryResult<Option<Id>> {
    tag_operations::table
        .filter(tag_operations::finished_at.is_null())
        .filter(tag_operations::touched_at.lt(before))
        .order(tag_operations::touched_at)
        .select(tag_operations::id)
        .first(db)
        .optional()
}

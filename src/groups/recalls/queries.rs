//! Statements over recalls and the newest number of each group.

use std::collections::BTreeMap;

use diesel::{QueryResult, dsl::count_star, prelude::*};

use super::{
    Acknowledged,
    model::{NewRecall, Person, Recall},
};
use crate::{
    clock::Timestamp,
    each,
    id::Id,
    keys::sha256,
    store::{
        Db,
        schema::{groups, recall_heads, recalls, shares, supporter_aliases, supporters},
    },
};

/// Takes the lock under which numbers of `group` are given, until the commit; makes its row the first time.
pub(super) fn lock_head(db: &mut Db, group: Id) -> QueryResult<()> {
    each!(db, c => diesel::insert_into(recall_heads::table)
        .values((
            recall_heads::group_id.eq(group),
            recall_heads::number.eq(0_i64),
            recall_heads::acknowledged.eq(0_i64),
            recall_heads::expired.eq(0_i64),
        ))
        .on_conflict(recall_heads::group_id)
        .do_update()
        .set(recall_heads::number.eq(recall_heads::number))
        .execute(c))
    .map(drop)
}

/// The next number of `group`, whose lock the caller holds.
pub(super) fn next_number(db: &mut Db, group: Id) -> QueryResult<i64> {
    diesel::update(recall_heads::table.filter(recall_heads::group_id.eq(group)))
        .set(recall_heads::number.eq(recall_heads::number + 1))
        .returning(recall_heads::number)
        .get_result(db)
}

/// Groups that this supporter shares with, or ever did.
pub(super) fn groups_ever_shared(db: &mut Db, supporter: i64) -> QueryResult<Vec<Id>> {
    shares::table.filter(shares::supporter_number.eq(supporter)).select(shares::group_id).distinct().load(db)
}

pub(super) fn is_owed(db: &mut Db, group: Id, supporter: Id) -> QueryResult<bool> {
    let waiting =
        recalls::table.filter(recalls::supporter_id.eq(supporter)).filter(recalls::group_id.eq(group));
    diesel::select(diesel::dsl::exists(waiting)).get_result(db)
}

pub(super) fn insert(db: &mut Db, recall: &NewRecall) -> QueryResult<()> {
    each!(db, c => diesel::insert_into(recalls::table).values(recall).execute(c)).map(drop)
}

/// Recalls of `group` above `since`, oldest first; one more than `limit` when there are more.
pub(super) fn list(db: &mut Db, group: Id, since: i64, limit: u16) -> QueryResult<Vec<Recall>> {
    recalls::table
        .filter(recalls::group_id.eq(group))
        .filter(recalls::number.gt(since))
        .order(recalls::number)
        .limit(i64::from(limit) + 1)
        .select((recalls::number, recalls::supporter_id, recalls::address_sha256, recalls::created_at))
        .load(db)
}

/// Ends up to `limit` recalls of `group`; returns how many.
pub(super) fn acknowledge(
    db: &mut Db,
    group: Id,
    which: &Acknowledged,
    limit: i64,
    now: Timestamp,
) -> QueryResult<usize> {
    let mut chosen = recalls::table.filter(recalls::group_id.eq(group)).into_boxed();
    chosen = match which {
        Acknowledged::UpTo(number) => chosen.filter(recalls::number.le(*number)),
        Acknowledged::Numbers(numbers) => chosen.filter(recalls::number.eq_any(numbers.clone())),
    };
    let numbers: Vec<i64> = chosen.order(recalls::number).limit(limit).select(recalls::number).load(db)?;
    let ended = diesel::delete(recalls::table.filter(recalls::group_id.eq(group)))
        .filter(recalls::number.eq_any(&numbers))
        .execute(db)?;
    if ended > 0 {
        let more = i64::try_from(ended).unwrap_or(0);
        diesel::update(recall_heads::table.filter(recall_heads::group_id.eq(group)))
            .set((
                recall_heads::acknowledged.eq(recall_heads::acknowledged + more),
                recall_heads::acknowledged_at.eq(Some(now)),
            ))
            .execute(db)?;
    }
    Ok(ended)
}

/// Ends up to `limit` recalls from before `before`; returns how many of which group.
pub(super) fn expire(db: &mut Db, before: Timestamp, limit: i64) -> QueryResult<Vec<(Id, i64)>> {
    let stale: Vec<(Id, i64)> = recalls::table
        .filter(recalls::created_at.lt(before))
        .order(recalls::created_at)
        .limit(limit)
        .select((recalls::group_id, recalls::number))
        .load(db)?;
    let mut by_group: BTreeMap<Id, Vec<i64>> = BTreeMap::new();
    for (group, number) in stale {
        by_group.entry(group).or_default().push(number);
    }
    let mut ended = Vec::new();
    for (group, numbers) in by_group {
        let count = diesel::delete(recalls::table.filter(recalls::group_id.eq(group)))
            .filter(recalls::number.eq_any(&numbers))
            .execute(db)?;
        let count = i64::try_from(count).unwrap_or(0);
        diesel::update(recall_heads::table.filter(recall_heads::group_id.eq(group)))
            .set(recall_heads::expired.eq(recall_heads::expired + count))
            .execute(db)?;
        ended.push((group, count));
    }
    Ok(ended)
}

/// How many recalls have waited since before `before`.
pub(super) fn count_older(db: &mut Db, before: Timestamp) -> QueryResult<i64> {
    recalls::table.filter(recalls::created_at.lt(before)).select(count_star()).first(db)
}

/// The group with this slug that a token or session may name: its id.
pub(super) fn group_of_slug(db: &mut Db, slug: &str) -> QueryResult<Option<Id>> {
    groups::table.filter(groups::slug.eq(slug)).select(groups::id).first(db).optional()
}

/// Begins the departure of `group`.
pub(super) fn begin_departure(db: &mut Db, group: Id) -> QueryResult<()> {
    lock_head(db, group)?;
    diesel::update(recall_heads::table.filter(recall_heads::group_id.eq(group)))
        .filter(recall_heads::departing_after.is_null())
        .set(recall_heads::departing_after.eq(Some(0_i64)))
        .execute(db)
        .map(drop)
}

/// Whether every one of these distinct numbers has an active share with `group`.
pub(super) fn all_share(db: &mut Db, group: Id, supporters: &[i64]) -> QueryResult<bool> {
    // Fewer than SQLite takes in one statement.
    for some in supporters.chunks(10_000) {
        let sharing: i64 = shares::table
            .filter(shares::group_id.eq(group))
            .filter(shares::withdrawn_at.is_null())
            .filter(shares::supporter_number.eq_any(some))
            .count()
            .get_result(db)?;
        if usize::try_from(sharing) != Ok(some.len()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A group that is leaving, and the last supporter number that was seen to.
pub(super) fn next_departure(db: &mut Db) -> QueryResult<Option<(Id, i64)>> {
    recall_heads::table
        .filter(recall_heads::departing_after.is_not_null())
        .order(recall_heads::group_id)
        .select((recall_heads::group_id, recall_heads::departing_after.assume_not_null()))
        .first(db)
        .optional()
}

/// Where the departure of `group` stands; nothing when it is done. The caller holds its lock.
pub(super) fn departure(db: &mut Db, group: Id) -> QueryResult<Option<i64>> {
    recall_heads::table
        .filter(recall_heads::group_id.eq(group))
        .select(recall_heads::departing_after)
        .first(db)
}

pub(super) fn set_departure(db: &mut Db, group: Id, after: Option<i64>) -> QueryResult<()> {
    diesel::update(recall_heads::table.filter(recall_heads::group_id.eq(group)))
        .set(recall_heads::departing_after.eq(after))
        .execute(db)
        .map(drop)
}

/// The numbers that lists may hold a supporter under: their own, and those of records that were merged into theirs.
pub(super) fn numbers_of(db: &mut Db, supporter: i64) -> QueryResult<Vec<i64>> {
    let merged = supporter_aliases::table.filter(supporter_aliases::supporter_number.eq(supporter));
    let mut numbers: Vec<i64> =
        merged.order(supporter_aliases::number).select(supporter_aliases::number).load(db)?;
    numbers.push(supporter);
    Ok(numbers)
}

/// The supporters with these numbers who are still there, and those whose records of these numbers were merged.
pub(super) fn people(db: &mut Db, numbers: &[i64]) -> QueryResult<Vec<Person>> {
    let own: Vec<(Id, String)> = supporters::table
        .filter(supporters::number.eq_any(numbers))
        .order(supporters::number)
        .select((supporters::id, supporters::email_key))
        .load(db)?;
    let merged: Vec<(Id, Option<Vec<u8>>, String)> = supporter_aliases::table
        .inner_join(supporters::table.on(supporters::number.eq(supporter_aliases::supporter_number)))
        .filter(supporter_aliases::number.eq_any(numbers))
        .order(supporter_aliases::number)
        .select((supporter_aliases::id, supporter_aliases::address_sha256, supporters::email_key))
        .load(db)?;
    let own = own.into_iter().map(|(id, key)| Person { id, address_sha256: sha256(&key) });
    let merged = merged.into_iter().map(|(id, former, key)| {
        let address_sha256 = former.unwrap_or_else(|| sha256(&key));
        Person { id, address_sha256 }
    });
    Ok(own.chain(merged).collect())
}

/// Ends what `groups` are owed of a supporter, or of their present address, without an acknowledgement.
pub(super) fn delete(db: &mut Db, groups: &[Id], person: &Person) -> QueryResult<()> {
    let theirs =
        recalls::supporter_id.eq(person.id).or(recalls::address_sha256.eq(person.address_sha256.clone()));
    diesel::delete(recalls::table.filter(recalls::group_id.eq_any(groups)))
        .filter(theirs)
        .execute(db)
        .map(drop)
}

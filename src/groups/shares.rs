//! Shares: that one named group may have one supporter's contact. Every function runs inside the caller's transaction,
//! which has decided that it may; a withdrawn share is kept, with its dates.
//!
//! A supporter is meant by their number. What ends a share owes recalls: that is done here too, so that no caller can
//! forget it.

use diesel::{QueryResult, prelude::*};

use super::{recalls, words::GroupStatus};
use crate::{
    clock::Timestamp,
    each,
    id::Id,
    store::{
        Db,
        schema::{groups, shares, supporters as people},
    },
};

/// What came of a wish to share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Begun {
    /// Groups that have a share now which they did not have before.
    pub begun: Vec<Id>,
    /// Groups that are no longer members and get nothing.
    pub dropped: Vec<Id>,
}

/// An active share, with the group's name.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct ActiveShare {
    /// Names the share.
    pub id: Id,
    /// The group that has the contact.
    pub group_id: Id,
    /// The group's slug.
    pub slug: String,
    /// The group's name.
    pub name: String,
    /// The wording that was agreed to.
    pub notice_id: Id,
    /// Since when.
    pub given_at: Timestamp,
}

#[derive(Insertable)]
#[diesel(table_name = shares, treat_none_as_default_value = false)]
struct NewShare {
    id: Id,
    supporter_number: i64,
    group_id: Id,
    notice_id: Id,
    signup_id: Option<Id>,
    given_at: Timestamp,
}

/// Begins a share with each of `wanted` that is a member; one that is active already stays as it is.
///
/// # Errors
/// When a statement fails.
pub fn begin(
    db: &mut Db,
    supporter: i64,
    wanted: &[Id],
    notice: Id,
    signup: Option<Id>,
    now: Timestamp,
) -> QueryResult<Begun> {
    if wanted.is_empty() {
        return Ok(Begun::default());
    }
    let members = lock_members(db, wanted)?;
    let active: Vec<Id> = shares::table
        .filter(shares::supporter_number.eq(supporter))
        .filter(shares::withdrawn_at.is_null())
        .select(shares::group_id)
        .load(db)?;
    let mut outcome = Begun::default();
    for group_id in wanted.iter().copied() {
        if !members.contains(&group_id) {
            outcome.dropped.push(group_id);
        } else if !active.contains(&group_id) && !outcome.begun.contains(&group_id) {
            let row = NewShare {
                id: Id::new(),
                supporter_number: supporter,
                group_id,
                notice_id: notice,
                signup_id: signup,
                given_at: now,
            };
            each!(db, c => diesel::insert_into(shares::table).values(&row).execute(c))?;
            outcome.begun.push(group_id);
        }
    }
    recalls::settle(db, &outcome.begun, supporter)?;
    Ok(outcome)
}

/// Of these groups, the members, which stay members until the end of the transaction.
fn lock_members(db: &mut Db, wanted: &[Id]) -> QueryResult<Vec<Id>> {
    let members = groups::table
        .filter(groups::id.eq_any(wanted))
        .filter(groups::status.eq(GroupStatus::Member))
        .order(groups::id)
        .select(groups::id);
    each!(db, pg c => members.for_share().load(c), sqlite c => members.load(c))
}

/// Ends the share with `group`; false when there is none.
///
/// # Errors
/// When a statement fails.
pub fn withdraw(db: &mut Db, supporter: i64, group: Id, now: Timestamp) -> QueryResult<bool> {
    let ended = diesel::update(shares::table.filter(shares::supporter_number.eq(supporter)))
        .filter(shares::group_id.eq(group))
        .filter(shares::withdrawn_at.is_null())
        .set(shares::withdrawn_at.eq(Some(now)))
        .execute(db)?;
    recalls::owe_to(db, group, supporter, now)?;
    Ok(ended > 0)
}

/// Ends every share of a supporter, who leaves, is suppressed or is about to be erased; the groups that had one.
///
/// # Errors
/// When a statement fails.
pub fn withdraw_all(db: &mut Db, supporter: i64, now: Timestamp) -> QueryResult<Vec<Id>> {
    let ended = diesel::update(shares::table.filter(shares::supporter_number.eq(supporter)))
        .filter(shares::withdrawn_at.is_null())
        .set(shares::withdrawn_at.eq(Some(now)))
        .returning(shares::group_id)
        .get_results(db)?;
    recalls::owe(db, supporter, now)?;
    Ok(ended)
}

/// The active shares of a supporter, oldest first.
///
/// # Errors
/// When the database does not answer.
pub fn active_of(db: &mut Db, supporter: i64) -> QueryResult<Vec<ActiveShare>> {
    shares::table
        .inner_join(groups::table)
        .filter(shares::supporter_number.eq(supporter))
        .filter(shares::withdrawn_at.is_null())
        .order(shares::id)
        .select((shares::id, groups::id, groups::slug, groups::name, shares::notice_id, shares::given_at))
        .load(db)
}

/// The groups that each of these supporters shares with now, as pairs.
///
/// # Errors
/// When the database does not answer.
pub fn active_groups_of(db: &mut Db, supporters: &[i64]) -> QueryResult<Vec<(i64, Id)>> {
    shares::table
        .filter(shares::supporter_number.eq_any(supporters))
        .filter(shares::withdrawn_at.is_null())
        .select((shares::supporter_number, shares::group_id))
        .load(db)
}

/// The same for supporters by their ids.
///
/// # Errors
/// When the database does not answer.
pub fn active_groups_of_ids(db: &mut Db, supporters: &[Id]) -> QueryResult<Vec<(Id, Id)>> {
    shares::table
        .inner_join(people::table.on(people::number.eq(shares::supporter_number)))
        .filter(people::id.eq_any(supporters))
        .filter(shares::withdrawn_at.is_null())
        .select((people::id, shares::group_id))
        .load(db)
}

/// Ends shares with `group`, which leaves, at most `limit` of them; the supporters whose they were. Call it again until
/// there is none: a large group must not hold the writer up.
///
/// # Errors
/// When a statement fails.
pub fn end_all_of_group(db: &mut Db, group: Id, now: Timestamp, limit: i64) -> QueryResult<Vec<i64>> {
    let active = shares::table
        .filter(shares::group_id.eq(group))
        .filter(shares::withdrawn_at.is_null())
        .order(shares::supporter_number)
        .limit(limit);
    let ended: Vec<(Id, i64)> = active.select((shares::id, shares::supporter_number)).load(db)?;
    let ids: Vec<Id> = ended.iter().map(|(id, _)| *id).collect();
    diesel::update(shares::table.filter(shares::id.eq_any(ids)))
        .filter(shares::withdrawn_at.is_null())
        .set(shares::withdrawn_at.eq(Some(now)))
        .execute(db)?;
    Ok(ended.into_iter().map(|(_, supporter)| supporter).collect())
}

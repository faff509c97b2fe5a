//! Owing recalls, in the transaction of their reason. Called from the one place of each reason: a share withdrawn, a
//! supporter left, erased or suppressed, a group that leaves.

use std::collections::BTreeSet;

use diesel::QueryResult;

use super::{
    model::{NewRecall, Person},
    queries,
};
use crate::{clock::Timestamp, disclosures, id::Id, store::Db};

/// Every group whose export ever held this supporter must forget them, under each record that lists had of them: their own,
/// and those that were merged into it. Call it before they are erased.
///
/// # Errors
/// When a statement fails; the reason must then not be committed either.
pub fn owe(db: &mut Db, supporter: i64, now: Timestamp) -> QueryResult<()> {
    let numbers = queries::numbers_of(db, supporter)?;
    // An export to a group is recorded under its lock: whoever shares with it, or ever did, is looked for after.
    let mut locked: BTreeSet<Id> = queries::groups_ever_shared(db, supporter)?.into_iter().collect();
    for number in &numbers {
        locked.extend(disclosures::groups_holding(db, *number)?);
    }
    for group in &locked {
        queries::lock_head(db, *group)?;
    }
    if locked.is_empty() {
        return Ok(());
    }
    for number in numbers {
        for group in disclosures::groups_holding(db, number)? {
            recall(db, group, number, now)?;
        }
    }
    Ok(())
}

/// This group must forget this supporter, under each record that an export of its ever held.
///
/// # Errors
/// When a statement fails; the reason must then not be committed either.
pub fn owe_to(db: &mut Db, group: Id, supporter: i64, now: Timestamp) -> QueryResult<()> {
    queries::lock_head(db, group)?;
    for number in queries::numbers_of(db, supporter)? {
        if disclosures::groups_holding(db, number)?.contains(&group) {
            recall(db, group, number, now)?;
        }
    }
    Ok(())
}

fn recall(db: &mut Db, group: Id, number: i64, now: Timestamp) -> QueryResult<()> {
    for person in queries::people(db, &[number])? {
        insert(db, group, &person, now)?;
    }
    Ok(())
}

/// Whether each of these supporters shares with `group`. Whoever withdraws waits for the end of this transaction: an
/// export that is recorded in it is then found, and they are recalled.
///
/// # Errors
/// When a statement fails.
pub fn all_share(db: &mut Db, group: Id, supporters: &[i64]) -> QueryResult<bool> {
    queries::lock_head(db, group)?;
    queries::all_share(db, group, supporters)
}

/// The supporter shares with these groups again: they need not forget them any more.
///
/// # Errors
/// When the statement fails.
pub fn settle(db: &mut Db, groups: &[Id], supporter: i64) -> QueryResult<()> {
    for person in queries::people(db, &[supporter])? {
        queries::delete(db, groups, &person)?;
    }
    Ok(())
}

/// One recall of a person is enough, as long as it waits. The caller holds the lock of the group.
pub(super) fn insert(db: &mut Db, group: Id, person: &Person, now: Timestamp) -> QueryResult<()> {
    if queries::is_owed(db, group, person.id)? {
        return Ok(());
    }
    let number = queries::next_number(db, group)?;
    let recall = NewRecall {
        group_id: group,
        number,
        supporter_id: person.id,
        address_sha256: person.address_sha256.clone(),
        created_at: now,
    };
    queries::insert(db, &recall)
}

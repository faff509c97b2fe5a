//! Owing recalls, in the transaction of their reason. Called from the one place of each reason: a share withdrawn, a
//! supporter left, erased or suppressed, a group that leaves.

use std::collections::BTreeSet;

use diesel::QueryResult;

use super::{
    model::{NewRecall, Person},
    queries,
};
use crate::{clock::Timestamp, disclosures, id::Id, keys::sha256, store::Db};

/// Every group whose export ever held this supporter must forget them. Call it before they are erased.
///
/// # Errors
/// When a statement fails; the reason must then not be committed either.
pub fn owe(db: &mut Db, supporter: i64, now: Timestamp) -> QueryResult<()> {
    // An export to a group is recorded under its lock: whoever shares with it, or ever did, is looked for after.
    let mut locked: BTreeSet<Id> = queries::groups_ever_shared(db, supporter)?.into_iter().collect();
    locked.extend(disclosures::groups_holding(db, supporter)?);
    if locked.is_empty() {
        return Ok(());
    }
    for group in &locked {
        queries::lock_head(db, *group)?;
    }
    let holding = disclosures::groups_holding(db, supporter)?;
    for person in queries::people(db, &[supporter])? {
        for group in &holding {
            insert(db, *group, &person, now)?;
        }
    }
    Ok(())
}

/// This group must forget this supporter, if an export of its ever held them.
///
/// # Errors
/// When a statement fails; the reason must then not be committed either.
pub fn owe_to(db: &mut Db, group: Id, supporter: i64, now: Timestamp) -> QueryResult<()> {
    queries::lock_head(db, group)?;
    if disclosures::groups_holding(db, supporter)?.contains(&group) {
        for person in queries::people(db, &[supporter])? {
            insert(db, group, &person, now)?;
        }
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
        queries::delete(db, groups, person.id)?;
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
        address_sha256: sha256(&person.email_key),
        created_at: now,
    };
    queries::insert(db, &recall)
}

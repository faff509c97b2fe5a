//! A group leaves: its shares end and everybody whom its exports held is recalled, in pieces that any process may go on
//! with. From the moment it has left, its managers see nobody, whatever is still to be done here.

use diesel::QueryResult;

use super::{super::shares, Recalls, owe, queries};
use crate::{
    clock::Timestamp,
    disclosures,
    id::Id,
    store::{Db, Lane, StoreError},
};

/// Shares or people in one transaction.
const PIECE: i64 = 100;

/// Call it in the transaction in which `group` leaves: what is owed is then worked off by [`Recalls::depart`].
///
/// # Errors
/// When a statement fails; the group has then not left.
pub fn begin(db: &mut Db, group: Id) -> QueryResult<()> {
    queries::begin_departure(db, group)
}

impl Recalls {
    /// Works off what groups owe that have left; returns how many pieces that took.
    ///
    /// # Errors
    /// When the database does not answer; the rest is done later.
    pub async fn depart(&self) -> Result<usize, StoreError> {
        let mut pieces = 0;
        loop {
            let next = self.kernel.store.read(|db| Ok::<_, StoreError>(queries::next_departure(db)?)).await?;
            let Some((group, _)) = next else { return Ok(pieces) };
            let now = self.kernel.clock.now();
            self.kernel
                .store
                .write(Lane::Worker, move |db| Ok::<_, StoreError>(step(db, group, now)?))
                .await?;
            pieces += 1;
        }
    }
}

fn step(db: &mut Db, group: Id, now: Timestamp) -> QueryResult<()> {
    queries::lock_head(db, group)?;
    // Another process may have done it.
    let Some(after) = queries::departure(db, group)? else { return Ok(()) };
    if !shares::end_all_of_group(db, group, now, PIECE)?.is_empty() {
        return Ok(());
    }
    let numbers = disclosures::members_of_group(db, group, after, PIECE)?;
    for person in queries::people(db, &numbers)? {
        owe::insert(db, group, &person, now)?;
    }
    queries::set_departure(db, group, numbers.last().copied())
}

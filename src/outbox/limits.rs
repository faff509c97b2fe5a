//! How often an address may be asked to click, whoever asks: at most once in 24 hours and three times in 30 days until
//! somebody clicks. Kept under a keyed hash of the folded address; called inside the transactions of slices.

use std::{collections::HashMap, time::Duration};

use diesel::{
    QueryResult,
    prelude::*,
    sql_types::{Array, BigInt, Binary, Nullable},
};

use crate::{
    clock::Timestamp,
    each,
    keys::AddressHash,
    store::{Db, prepared, schema::mail_limits},
};

const DAY: Duration = Duration::from_secs(86_400);
/// After this, a limit no longer holds anything back.
pub const WINDOW: Duration = Duration::from_secs(30 * 86_400);

/// When an address was last asked to click, newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Queryable)]
pub struct Asked {
    /// The last time.
    pub newest: Option<Timestamp>,
    /// The time before.
    pub second: Option<Timestamp>,
    /// The time before that.
    pub third: Option<Timestamp>,
}

impl Asked {
    /// At most one mail in 24 hours and three in 30 days until somebody clicks.
    #[must_use]
    pub fn is_over_limit(self, now: Timestamp) -> bool {
        let within = |at: Option<Timestamp>, span| at.is_some_and(|at| at.after(span) > now);
        within(self.newest, DAY) || within(self.third, WINDOW)
    }

    /// After it was asked once more.
    #[must_use]
    pub const fn again(self, now: Timestamp) -> Self {
        Self { newest: Some(now), second: self.newest, third: self.second }
    }
}

/// When each of these addresses was last asked.
///
/// # Errors
/// When the database does not answer.
pub fn asked(db: &mut Db, hashes: &[AddressHash]) -> QueryResult<HashMap<AddressHash, Asked>> {
    let rows: Vec<(AddressHash, Timestamp, Option<Timestamp>, Option<Timestamp>)> =
        mail_limits::table.filter(mail_limits::address_hash.eq_any(hashes)).load(db)?;
    let asked = rows
        .into_iter()
        .map(|(hash, newest, second, third)| (hash, Asked { newest: Some(newest), second, third }));
    Ok(asked.collect())
}

/// Records that these addresses were asked now; `before` is what was known of each. None may be there twice.
///
/// # Errors
/// When a statement fails.
pub fn set_asked(db: &mut Db, before: &[(AddressHash, Asked)], now: Timestamp) -> QueryResult<()> {
    fn column<T>(before: &[(AddressHash, Asked)], value: fn(&(AddressHash, Asked)) -> T) -> Vec<T> {
        before.iter().map(value).collect()
    }
    let statement = "INSERT INTO mail_limits (address_hash, newest, second, third) \
         SELECT hash, ?, second, third FROM unnest(?, ?, ?) AS asked (hash, second, third) \
         ON CONFLICT (address_hash) \
         DO UPDATE SET newest = excluded.newest, second = excluded.second, third = excluded.third";
    each!(db,
        pg c => prepared(statement)
            .bind::<BigInt, _>(now)
            .bind::<Array<Binary>, _>(column(before, |(hash, _)| *hash))
            .bind::<Array<Nullable<BigInt>>, _>(column(before, |(_, asked)| asked.newest))
            .bind::<Array<Nullable<BigInt>>, _>(column(before, |(_, asked)| asked.second))
            .execute(c)
            .map(drop),
        sqlite c => before.iter().try_for_each(|(hash, before)| {
            let times = (
                mail_limits::newest.eq(now),
                mail_limits::second.eq(before.newest),
                mail_limits::third.eq(before.second),
            );
            diesel::insert_into(mail_limits::table)
                .values((mail_limits::address_hash.eq(hash), times))
                .on_conflict(mail_limits::address_hash)
                .do_update()
                .set(times)
                .execute(c)
                .map(drop)
        })
    )
}

/// Somebody clicked: the address may be asked again.
///
/// # Errors
/// When the statement fails.
pub fn forget_asked(db: &mut Db, hash: AddressHash) -> QueryResult<()> {
    diesel::delete(mail_limits::table.filter(mail_limits::address_hash.eq(hash))).execute(db).map(drop)
}

/// Forgets limits that no longer hold anything back.
///
/// # Errors
/// When the statement fails.
pub fn delete_asked_before(db: &mut Db, before: Timestamp) -> QueryResult<usize> {
    diesel::delete(mail_limits::table.filter(mail_limits::newest.lt(before))).execute(db)
}

//! What an owner chooses while the server runs, by name. Read where it matters, so that a change acts on the next
//! request of every replica. Called by slices, which know what their names mean.

use diesel::{QueryResult, prelude::*};

use super::{Db, schema::settings};
use crate::{clock::Timestamp, each};

/// The value of `name`, if anybody has chosen one.
///
/// # Errors
/// When the statement fails.
pub fn find(db: &mut Db, name: &str) -> QueryResult<Option<String>> {
    settings::table.find(name).select(settings::value).first(db).optional()
}

/// Sets `name` to `value`.
///
/// # Errors
/// When the statement fails.
pub fn store(db: &mut Db, name: &str, value: &str, now: Timestamp) -> QueryResult<()> {
    let change = (settings::value.eq(value), settings::updated_at.eq(now));
    each!(db, c => diesel::insert_into(settings::table)
        .values((settings::name.eq(name), change))
        .on_conflict(settings::name)
        .do_update()
        .set(change)
        .execute(c))
    .map(drop)
}

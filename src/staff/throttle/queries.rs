//! Statements over failed logins.

use std::collections::HashMap;

use diesel::{QueryResult, prelude::*};

use crate::{
    clock::Timestamp,
    each,
    keys::AddressHash,
    store::{Db, schema::login_attempts},
};

/// Failures so far, the last of them, and until when the next is refused.
#[derive(Clone, Copy, Queryable)]
pub struct Attempts {
    pub failures: i32,
    pub last_at: Timestamp,
    pub refused_until: Timestamp,
}

pub fn find(db: &mut Db, keys: &[AddressHash]) -> QueryResult<HashMap<AddressHash, Attempts>> {
    use login_attempts::dsl;
    let rows: Vec<(AddressHash, Attempts)> = dsl::login_attempts
        .filter(dsl::attempt_key.eq_any(keys))
        .select((dsl::attempt_key, (dsl::failures, dsl::last_at, dsl::refused_until)))
        .load(db)?;
    Ok(rows.into_iter().collect())
}

/// Stores what is known of `key` now.
pub fn store(db: &mut Db, key: AddressHash, now: Attempts) -> QueryResult<()> {
    use login_attempts::dsl;
    let counts = (
        dsl::failures.eq(now.failures),
        dsl::last_at.eq(now.last_at),
        dsl::refused_until.eq(now.refused_until),
    );
    each!(db, c => diesel::insert_into(dsl::login_attempts)
        .values((dsl::attempt_key.eq(key), counts))
        .on_conflict(dsl::attempt_key)
        .do_update()
        .set(counts)
        .execute(c))
    .map(drop)
}

pub fn delete(db: &mut Db, key: AddressHash) -> QueryResult<()> {
    use login_attempts::dsl;
    diesel::delete(dsl::login_attempts.filter(dsl::attempt_key.eq(key))).execute(db).map(drop)
}

/// Forgets what was last tried before `before`.
pub fn delete_before(db: &mut Db, before: Timestamp) -> QueryResult<()> {
    use login_attempts::dsl;
    diesel::delete(dsl::login_attempts.filter(dsl::last_at.lt(before))).execute(db).map(drop)
}

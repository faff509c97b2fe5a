//! Throttling: every try is counted as a failure before it is looked at, and taken back when it was none; so a hundred
//! tries at once are a hundred tries. Held in the database, by its clock, so that replicas agree. What is counted is
//! a keyed hash, the same for accounts that are there and for those that are not.

pub(super) mod domain;
mod queries;

use diesel::QueryResult;

use self::{domain::MEMORY, queries::Attempts};
pub(super) use domain::Counted;

use crate::{
    clock::{Clock, Timestamp},
    error::AppError,
    keys::{AddressHash, Keys},
    store::{Db, dialect, lock},
};

/// What one try counts for.
#[derive(Clone, Debug, Default)]
pub(super) struct Try(Vec<(Counted, AddressHash)>);

/// What became of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was right: its account, or its browser, begins anew.
    Right,
    /// Neither right nor a guess.
    Neither,
}

impl Try {
    /// The same try, counted for `name` too.
    pub fn and(mut self, keys: &Keys, counted: Counted, name: &str) -> Self {
        self.0.push((counted, keys.attempt_hash(counted.as_str(), name)));
        self
    }

    /// Counts the try, in a transaction of its own, unless it comes too early.
    pub fn begin(&self, db: &mut Db, clock: &Clock) -> Result<(), AppError> {
        let now = self.lock(db, clock)?;
        queries::delete_before(db, now.before(MEMORY))?;
        let known = queries::find(db, &self.hashes())?;
        let until = known.values().map(|attempts| attempts.refused_until).max();
        if let Some(until) = until.filter(|until| *until > now) {
            let micros = until.as_micros().saturating_sub(now.as_micros());
            let seconds = micros.div_euclid(1_000_000).saturating_add(1);
            return Err(AppError::TooMany { retry_after: u32::try_from(seconds).unwrap_or(u32::MAX) });
        }
        for (counted, key) in &self.0 {
            let failures = known.get(key).map_or(0, |attempts| attempts.failures).saturating_add(1);
            queries::store(db, *key, counted.after(failures, now))?;
        }
        Ok(())
    }

    /// Takes back what [`Self::begin`] counted, in the transaction that acts on the outcome.
    pub fn end(&self, db: &mut Db, clock: &Clock, outcome: Outcome) -> QueryResult<()> {
        let now = self.lock(db, clock)?;
        let known = queries::find(db, &self.hashes())?;
        for (counted, key) in &self.0 {
            let left = known.get(key).map_or(0, |attempts| attempts.failures - 1);
            // Somebody who knows one password must not thereby be free to guess at others from the same place.
            let begins_anew = outcome == Outcome::Right && *counted != Counted::Client;
            if left <= 0 || begins_anew {
                queries::delete(db, *key)?;
            } else {
                queries::store(db, *key, counted.after(left, now))?;
            }
        }
        Ok(())
    }

    fn lock(&self, db: &mut Db, clock: &Clock) -> QueryResult<Timestamp> {
        lock::addresses(db, self.hashes())?;
        dialect::now(db, clock)
    }

    fn hashes(&self) -> Vec<AddressHash> {
        self.0.iter().map(|(_, key)| *key).collect()
    }
}

impl Counted {
    fn after(self, failures: i32, now: Timestamp) -> Attempts {
        let delay = self.delay(u32::try_from(failures).unwrap_or(0));
        Attempts { failures, last_at: now, refused_until: now.after(delay) }
    }
}

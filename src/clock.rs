//! Time: the UTC [`Timestamp`] that every table holds, and the [`Clock`] that everything asks.
//! Nothing else in the crate reads the system clock, so that tests can move time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    serialize::{self, Output, ToSql},
    sql_types::BigInt,
};
use serde::{Serialize, Serializer};

/// An instant in UTC, in microseconds since 1970-01-01. Stored as a 64-bit integer on both databases,
/// shown as RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = BigInt)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since 1970.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// From whole seconds since 1970.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This instant and `span` more; the far end of time when that overflows.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(micros(span)))
    }

    /// This instant less `span`.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(micros(span)))
    }

    /// The same instant on the standard library's clock.
    #[must_use]
    pub fn to_system_time(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_micros(self.0.unsigned_abs())
    }
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

impl std::fmt::Display for Timestamp {
    /// RFC 3339, UTC, to the second.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match jiff::Timestamp::from_second(self.as_seconds()) {
            Ok(at) => write!(f, "{at}"),
            Err(_) => f.write_str("0000-00-00T00:00:00Z"),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<DB: Backend> ToSql<BigInt, DB> for Timestamp
where
    i64: ToSql<BigInt, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.to_sql(out)
    }
}

impl<DB: Backend> FromSql<BigInt, DB> for Timestamp
where
    i64: FromSql<BigInt, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        i64::from_sql(bytes).map(Self)
    }
}

/// How far this machine's clock may be from the database's before the database's is followed.
const AGREES: i64 = 1_000_000;

/// The one source of "now": the system clock, corrected to the database's where they differ by more than a second, plus
/// an offset that only tests move.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset_micros: Arc<AtomicI64>,
    /// The database's time less this machine's.
    skew_micros: Arc<AtomicI64>,
}

/// This machine's own time.
fn system() -> Timestamp {
    Timestamp(micros(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()))
}

impl Clock {
    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let skew = self.skew_micros.load(Ordering::Relaxed);
        Timestamp(system().0.saturating_add(skew)).after(self.offset())
    }

    /// Takes over the time of a database server, as `ask` reads it, if this machine's differs by more than a second: so
    /// replicas agree, whatever their own clocks say. An answer that took longer than that says too little.
    ///
    /// # Errors
    /// Those of `ask`.
    pub(crate) fn follow<E>(&self, ask: impl FnOnce() -> Result<Timestamp, E>) -> Result<Timestamp, E> {
        let before = system();
        let there = ask()?;
        let after = system();
        let took = after.0 - before.0;
        let skew = there.0.saturating_sub(before.0 + took / 2);
        let known = self.skew_micros.load(Ordering::Relaxed);
        if took.abs() <= AGREES && skew.abs_diff(known) > AGREES.unsigned_abs() {
            self.skew_micros.store(skew, Ordering::Relaxed);
            tracing::warn!(
                seconds = skew / 1_000_000,
                "this machine's clock differs from the database's, whose time is used from now on; set the clock right"
            );
        }
        Ok(there)
    }

    /// How far this clock runs ahead of the system's; also added to the database's clock, so that
    /// leases and due times move with a test's time.
    #[must_use]
    pub fn offset(&self) -> Duration {
        Duration::from_micros(self.offset_micros.load(Ordering::Relaxed).unsigned_abs())
    }

    /// Lets `span` pass at once.
    pub fn advance(&self, span: Duration) {
        self.offset_micros.fetch_add(micros(span), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_prints_as_rfc_3339_to_the_second() {
        assert_eq!(Timestamp::from_micros(1_764_000_000_999_999).to_string(), "2025-11-24T16:00:00Z");
    }

    #[test]
    fn a_clock_follows_the_databases_when_they_differ_by_more_than_a_second_either_way() {
        for seconds in [300, -300] {
            let clock = Clock::default();
            let there = || Timestamp(system().0 + seconds * 1_000_000);
            assert_eq!(clock.follow(|| Ok::<_, ()>(there())).map(|_| ()), Ok(()));
            assert!((clock.now().0 - there().0).abs() < AGREES, "{seconds}");
            let close = |micros| clock.follow(move || Ok::<_, ()>(Timestamp(there().0 + micros)));
            let before = clock.skew_micros.load(Ordering::Relaxed);
            assert!(close(AGREES / 2).is_ok() && close(-AGREES / 2).is_ok());
            assert_eq!(clock.skew_micros.load(Ordering::Relaxed), before, "it does not jump to and fro");
        }
    }

    #[test]
    fn advancing_a_clock_moves_every_clone_of_it() {
        let clock = Clock::default();
        let other = clock.clone();
        let before = other.now();
        clock.advance(Duration::from_secs(86_400));
        assert!(other.now() >= before.after(Duration::from_secs(86_400)));
    }
}

//! Reads of people's data in lists: the first of each session (or token) and minute is an entry before its answer
//! leaves; the further ones of that minute are counted here and become one entry when the minute is over. A crash
//! loses at most these counts, never that somebody read.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::json;

use super::{Act, Actor};
use crate::clock::Timestamp;

const MINUTE: i64 = 60_000_000;

/// Who reads: an actor, by one session or token.
#[derive(Clone, Debug)]
pub struct Reader {
    /// For the trail.
    pub actor: Actor,
    /// Tells this session or token from the actor's others.
    pub key: Vec<u8>,
}

/// Which session or token, which list, which minute since 1970.
type Key = (Vec<u8>, &'static str, i64);

/// Reads of a minute.
#[derive(Clone, Debug)]
struct Minute {
    actor: Actor,
    is_written: bool,
    /// After the first.
    further: u64,
    rows: u64,
}

/// The reads that this process has counted and not yet written.
#[derive(Debug, Default)]
pub struct Reads {
    open: Mutex<HashMap<Key, Minute>>,
}

/// A read that must be appended before it is answered.
pub(super) struct First {
    key: Key,
    pub act: Act,
}

/// Minutes that are over, taken out to be appended.
pub(super) struct Closed(Vec<(Key, Minute)>);

fn minute_of(now: Timestamp) -> i64 {
    now.as_micros().div_euclid(MINUTE)
}

impl Reads {
    fn open(&self) -> MutexGuard<'_, HashMap<Key, Minute>> {
        // Whoever panicked here left whole counts.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that `reader` reads `rows` people by `action`; gives what must be appended first, if it is the first.
    #[must_use]
    pub(super) fn note(
        &self,
        reader: &Reader,
        action: &'static str,
        rows: u64,
        now: Timestamp,
    ) -> Option<First> {
        let key = (reader.key.clone(), action, minute_of(now));
        let mut open = self.open();
        let minute = open.entry(key.clone()).or_insert_with(|| Minute {
            actor: reader.actor,
            is_written: false,
            further: 0,
            rows: 0,
        });
        if minute.is_written {
            minute.further += 1;
            minute.rows = minute.rows.saturating_add(rows);
            return None;
        }
        // Another first may be on its way and might fail: this one does not rely on it.
        Some(First { key, act: Act::new(reader.actor, action).with(json!({ "rows": rows })) })
    }

    /// The first read of a minute was committed: further ones are counted from now on.
    pub(super) fn is_written(&self, first: &First) {
        if let Some(minute) = self.open().get_mut(&first.key) {
            minute.is_written = true;
        }
    }

    /// Takes out the minutes that are over at `now`, or all.
    pub(super) fn close(&self, now: Option<Timestamp>) -> Closed {
        let now = now.map(minute_of);
        Closed(self.open().extract_if(|(_, _, minute), _| now.is_none_or(|now| *minute < now)).collect())
    }

    /// Puts back what could not be appended.
    pub(super) fn reopen(&self, closed: Closed) {
        self.open().extend(closed.0);
    }
}

impl Closed {
    /// What to append for the reads after the firsts.
    pub(super) fn acts(&self) -> Vec<Act> {
        let with_further = self.0.iter().filter(|(_, minute)| minute.further > 0);
        let act = |((_, action, number), minute): &(Key, Minute)| {
            let since = Timestamp::from_micros(number.saturating_mul(MINUTE)).to_string();
            let details = json!({ "further_reads": minute.further, "rows": minute.rows, "minute": since });
            Act::new(minute.actor, action).with(details)
        };
        with_further.map(act).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;

    #[test]
    fn a_minute_is_one_entry_first_and_one_for_all_further_reads() {
        let reads = Reads::default();
        let actor = Actor::Staff { id: Id::new(), token: None };
        let [one, two] = [1, 2].map(|key| Reader { actor, key: vec![key] });
        let (now, later) = (Timestamp::from_seconds(600), Timestamp::from_seconds(659));
        let Some(first) = reads.note(&one, "supporter.list", 50, now) else { panic!("it is the first") };
        assert_eq!(first.act.details, json!({ "rows": 50 }));
        assert!(reads.note(&one, "supporter.list", 50, now).is_some(), "until the first is committed");
        reads.is_written(&first);
        for rows in [50, 7] {
            assert!(reads.note(&one, "supporter.list", rows, later).is_none());
        }
        assert!(reads.note(&two, "supporter.list", 1, later).is_some(), "another session");
        assert!(reads.note(&one, "signup.list", 1, later).is_some(), "another list");
        assert!(
            reads.note(&one, "supporter.list", 1, Timestamp::from_seconds(660)).is_some(),
            "another minute"
        );

        assert!(reads.close(Some(later)).acts().is_empty(), "the minute is not over");
        let closed = reads.close(Some(Timestamp::from_seconds(660)));
        let details = closed.acts().into_iter().map(|act| act.details).collect::<Vec<_>>();
        let minute = "1970-01-01T00:10:00Z";
        assert_eq!(details, [json!({ "further_reads": 2, "rows": 57, "minute": minute })]);
        reads.reopen(closed);
        assert_eq!(reads.close(None).acts().len(), 1);
        assert!(reads.close(None).0.is_empty());
    }
}

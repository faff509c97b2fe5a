//! [`Seldom`]: for what the log says at most once a second, however often it happens: while a database is away every request
//! finds that out. Used where such lines are written.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const PAUSE: Duration = Duration::from_secs(1);

/// When a line was written last, and how many were left out since.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<(Option<Instant>, u64)>);

impl Seldom {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new((None, 0)))
    }

    /// How many lines were left out since the last, if it is time for another.
    pub fn now(&self) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, left_out) = &mut *state;
        if last.is_some_and(|last| last.elapsed() < PAUSE) {
            *left_out += 1;
            return None;
        }
        *last = Some(Instant::now());
        Some(std::mem::take(left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_lines_at_once_the_first_is_written_and_the_others_are_counted() {
        let seldom = Seldom::new();
        assert_eq!(seldom.now(), Some(0));
        assert!((0..5).all(|_| seldom.now().is_none()));
        seldom.0.lock().unwrap_or_else(PoisonError::into_inner).0 = None;
        assert_eq!(seldom.now(), Some(5));
    }
}

//! How long to refuse after so many failures. Pure.
//!
//! Guessing is slowed down by whom is guessed at and by who guesses; nobody is ever locked out:
//! - A browser in which the person has logged in before has a count of its own, and the account's does not touch it.
//!   So whoever guesses at an account from elsewhere does not keep its owner out.
//! - The link that sets a new password, which goes to the account's mailbox, makes its browser such a one.
//! - Everybody else waits at most a quarter of an hour. What is refused is not counted, so waiting always ends.

use std::time::Duration;

/// Failures are forgotten this long after the last of them.
pub const MEMORY: Duration = Duration::from_secs(24 * 3600);
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Failures at one account, known or not, from browsers that are not known.
    Account,
    /// Failures from one client address, at whichever accounts: an office may share one.
    Client,
    /// Failures at one account from one browser that is known there.
    Browser,
    /// Mails with a link to set a new password, to one address.
    Mail,
}

impl Counted {
    /// Its name in the keyed hash.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Client => "client",
            Self::Browser => "browser",
            Self::Mail => "mail",
        }
    }

    /// How many cost nothing.
    const fn free(self) -> u32 {
        match self {
            Self::Account => 5,
            Self::Client => 30,
            Self::Browser => 10,
            Self::Mail => 3,
        }
    }

    /// How long to refuse after this many failures in a row: a second, doubled each time.
    #[must_use]
    pub fn delay(self, failures: u32) -> Duration {
        let Some(doublings) = failures.checked_sub(self.free() + 1) else { return Duration::ZERO };
        let first = if self == Self::Mail { 60 } else { 1 };
        Duration::from_secs(first).saturating_mul(1 << doublings.min(20)).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_begin_after_a_few_tries_grow_and_end_at_a_quarter_of_an_hour() {
        for counted in [Counted::Account, Counted::Client, Counted::Browser, Counted::Mail] {
            let delays: Vec<_> = (0..200).map(|failures| counted.delay(failures)).collect();
            assert_eq!(delays[usize::try_from(counted.free()).unwrap_or(0)], Duration::ZERO);
            assert!(delays.windows(2).all(|pair| pair[0] <= pair[1]), "{counted:?}");
            assert_eq!(delays[199], LONGEST);
        }
        assert_eq!(Counted::Account.delay(6), Duration::from_secs(1));
        assert_eq!(Counted::Account.delay(9), Duration::from_secs(8));
    }
}

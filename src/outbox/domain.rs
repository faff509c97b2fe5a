//! The rules of the outbox: how long a claim holds, when a failed mail is tried again, when it is given up.

use std::time::Duration;

use crate::mail::transport::TRY_LIMIT;

/// How long a claim keeps others away.
pub const LEASE: Duration = Duration::from_secs(30);
/// A claimed mail that could not be begun by then is given back: its try might outlive the lease.
pub const BEGIN_WITHIN: Duration = Duration::from_secs(LEASE.as_secs() - TRY_LIMIT.as_secs());
/// Tries until a mail is dead; with the delays below, about three days.
pub const MAX_ATTEMPTS: i32 = 24;

const FIRST_DELAY: Duration = Duration::from_secs(30);
const LONGEST_DELAY: Duration = Duration::from_secs(4 * 3600);

/// How long to wait after the `attempts`th try (counted from 1), doubled each time up to four hours. `jitter`
/// spreads it over 75 % to 125 %, so that what failed together does not return together.
#[must_use]
pub fn retry_delay(attempts: i32, jitter: u8) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 16) - 1).unwrap_or(0);
    let delay = FIRST_DELAY.saturating_mul(1 << doublings).min(LONGEST_DELAY);
    delay * (192 + u32::from(jitter) / 2) / 256
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn delays_grow_and_stay_bounded(attempts in 1i32..MAX_ATTEMPTS, jitter: u8) {
            let delay = retry_delay(attempts, jitter);
            prop_assert!(delay >= Duration::from_secs(22) && delay <= LONGEST_DELAY * 5 / 4);
            prop_assert!(retry_delay(attempts + 1, jitter) >= delay);
        }
    }

    #[test]
    fn a_mail_is_tried_for_at_least_two_days() {
        let total: Duration = (1..MAX_ATTEMPTS).map(|attempts| retry_delay(attempts, 0)).sum();
        assert!(total > Duration::from_secs(36 * 3600), "{total:?}");
    }
}

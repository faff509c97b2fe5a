//! Triage's rules, pure: what an address is owed, given what is known of it and when it was last asked.

use crate::{
    clock::Timestamp,
    outbox::limits::Asked,
    supporters::{Standing, Status},
};

/// What a sign-up is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A mail whose click confirms it.
    Confirm,
    /// The "already in, here are your choices" mail; the sign-up ends `repeated`.
    AlreadyIn,
    /// Nothing; the sign-up ends `repeated`.
    Nothing,
    /// Nothing: it was sent before the person left; the sign-up ends `expired`.
    Void,
}

/// Decides. `asks_new` says whether the sign-up asks for something the supporter does not have yet.
pub fn verdict(
    standing: &Standing,
    asks_new: bool,
    sent: Timestamp,
    asked: Asked,
    now: Timestamp,
) -> Verdict {
    if standing.is_suppressed {
        return Verdict::Nothing;
    }
    if standing.voided_at.is_some_and(|at| sent <= at) {
        return Verdict::Void;
    }
    if asked.is_over_limit(now) {
        return Verdict::Nothing;
    }
    match standing.status {
        Some(Status::Confirmed) if !asks_new => Verdict::AlreadyIn,
        _ => Verdict::Confirm,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const SENT: Timestamp = Timestamp::from_seconds(1_799_999_990);

    fn known(status: Status) -> Standing {
        Standing { status: Some(status), is_suppressed: status == Status::Suppressed, ..Standing::default() }
    }

    fn decide(standing: &Standing, asks_new: bool) -> Verdict {
        verdict(standing, asks_new, SENT, Asked::default(), NOW)
    }

    #[test]
    fn each_standing_is_owed_what_the_table_says() {
        assert_eq!(decide(&Standing::default(), true), Verdict::Confirm);
        assert_eq!(decide(&known(Status::Confirmed), false), Verdict::AlreadyIn);
        assert_eq!(decide(&known(Status::Confirmed), true), Verdict::Confirm);
        assert_eq!(decide(&known(Status::Unsubscribed), false), Verdict::Confirm);
        assert_eq!(decide(&known(Status::Suppressed), true), Verdict::Nothing);
    }

    #[test]
    fn what_was_sent_before_leaving_is_void() {
        let left = Standing { voided_at: Some(SENT), ..known(Status::Unsubscribed) };
        assert_eq!(decide(&left, true), Verdict::Void);
        let left_earlier = Standing { voided_at: Some(SENT.before(DAY)), ..known(Status::Unsubscribed) };
        assert_eq!(decide(&left_earlier, true), Verdict::Confirm);
    }

    #[test]
    fn an_address_is_asked_once_a_day_and_three_times_in_thirty_days() {
        let days_ago = |days: u32| Some(NOW.before(DAY * days));
        let asked = |newest, second, third| Asked { newest, second, third };
        let with = |asked| verdict(&Standing::default(), true, SENT, asked, NOW);
        assert_eq!(with(asked(Some(NOW.before(DAY / 2)), None, None)), Verdict::Nothing);
        assert_eq!(with(asked(days_ago(1), None, None)), Verdict::Confirm);
        assert_eq!(with(asked(days_ago(2), days_ago(4), None)), Verdict::Confirm);
        assert_eq!(with(asked(days_ago(2), days_ago(4), days_ago(29))), Verdict::Nothing);
        assert_eq!(with(asked(days_ago(2), days_ago(4), days_ago(30))), Verdict::Confirm);
    }
}

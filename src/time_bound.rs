//! [`TimeBound`]: a date or time as people give it in filters, made an instant in the campaign's time zone.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::clock::Timestamp;

/// A day, which begins at midnight in the campaign's time zone, or an instant in RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeBound {
    /// `2026-05-01`
    Day(jiff::civil::Date),
    /// `2026-05-01T12:00:00Z`
    Instant(Timestamp),
}

impl TimeBound {
    /// The instant meant, in `zone`. A day at either end of the calendar, of which no clock shows the beginning there, is
    /// that end of time: it never means another time, and so never other people.
    #[must_use]
    pub fn resolve(self, zone: &jiff::tz::TimeZone) -> Timestamp {
        let at = match self {
            Self::Instant(at) => return at,
            Self::Day(day) => match day.to_zoned_datetime(zone.clone()) {
                Ok(start) => start.timestamp(),
                Err(_) if day.year() < 0 => jiff::Timestamp::MIN,
                Err(_) => jiff::Timestamp::MAX,
            },
        };
        Timestamp::from_micros(at.as_microsecond())
    }
}

impl FromStr for TimeBound {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains(['T', 't', ' ']) {
            let at: jiff::Timestamp = text.parse()?;
            Ok(Self::Instant(Timestamp::from_micros(at.as_microsecond())))
        } else {
            text.parse().map(Self::Day)
        }
    }
}

impl<'de> Deserialize<'de> for TimeBound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(|_| de::Error::custom("not a date or time"))
    }
}

impl Serialize for TimeBound {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Day(day) => serializer.collect_str(day),
            // To the microsecond, so that what is kept selects whom it selected.
            Self::Instant(at) => match jiff::Timestamp::from_microsecond(at.as_micros()) {
                Ok(exact) => serializer.collect_str(&exact),
                Err(_) => serializer.collect_str(at),
            },
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use jiff::civil::Date;
    use proptest::prelude::*;

    use super::*;

    const ZONES: [&str; 5] =
        ["UTC", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Africa/Monrovia"];

    /// Any day there is, the very first and the very last more often.
    fn day() -> impl Strategy<Value = Date> {
        let days = (Date::MAX - Date::MIN).get_days();
        let since = prop_oneof![0..=days, 0..4, days - 3..=days];
        since.prop_map(|since| Date::MIN.saturating_add(jiff::Span::new().days(since)))
    }

    fn instant() -> impl Strategy<Value = jiff::Timestamp> {
        let (first, last) = (jiff::Timestamp::MIN.as_microsecond(), jiff::Timestamp::MAX.as_microsecond());
        (first..=last).prop_map(|at| jiff::Timestamp::from_microsecond(at).unwrap())
    }

    #[test]
    fn a_day_begins_at_midnight_where_the_campaign_is() {
        let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
        let at = "2026-05-01".parse::<TimeBound>().unwrap().resolve(&zone);
        assert_eq!(at.to_string(), "2026-05-01T04:00:00Z");
        let at = "2026-05-01T12:00:00+02:00".parse::<TimeBound>().unwrap().resolve(&zone);
        assert_eq!(at.to_string(), "2026-05-01T10:00:00Z");
        assert!("yesterday".parse::<TimeBound>().is_err());
    }

    #[test]
    fn the_ends_of_the_calendar_are_the_ends_of_time_and_beyond_is_refused() {
        let resolve = |text: &str, zone: &str| {
            let zone = jiff::tz::TimeZone::get(zone).unwrap();
            text.parse::<TimeBound>().unwrap().resolve(&zone).as_micros()
        };
        for zone in ZONES {
            assert!(resolve("9999-12-31", zone) > resolve("9999-12-30", zone), "{zone}");
            assert!(resolve("-009999-01-01", zone) < resolve("-009999-01-03", zone), "{zone}");
            assert!(resolve("0001-01-01", zone) < resolve("1970-01-01", zone), "{zone}");
        }
        assert_eq!(resolve("9999-12-31", "UTC"), jiff::Timestamp::MAX.as_microsecond());
        assert_eq!(resolve("-009999-01-01", "UTC"), jiff::Timestamp::MIN.as_microsecond());
        for beyond in [
            "9999-12-31T23:59:59Z",
            "9999-12-31T00:00:00-12:00",
            "-009999-01-01T00:00:00+12:00",
            "10000-01-01",
        ] {
            assert!(beyond.parse::<TimeBound>().is_err(), "{beyond}");
        }
    }

    proptest! {
        #[test]
        fn a_later_bound_is_never_an_earlier_instant(
            days in [day(), day()], instants in [instant(), instant()], zone in prop::sample::select(&ZONES[..]),
        ) {
            let zone = jiff::tz::TimeZone::get(zone).unwrap();
            let read = |text: String| text.parse::<TimeBound>().unwrap().resolve(&zone);
            let at = days.map(|day| read(day.to_string()));
            prop_assert!(days[0] > days[1] || at[0] <= at[1]);
            prop_assert!(days[0] < days[1] || at[0] >= at[1]);
            let of = instants.map(|at| read(at.to_string()));
            prop_assert_eq!(instants[0].cmp(&instants[1]), of[0].cmp(&of[1]));
            // And the two kinds agree: a time of a day is not before the day's beginning.
            let local = zone.to_datetime(instants[0]).date();
            prop_assert!(read(local.to_string()) <= of[0]);
        }

        #[test]
        fn what_is_kept_is_what_was_given(day in day(), at in instant()) {
            for text in [day.to_string(), at.to_string()] {
                let given: TimeBound = text.parse().unwrap();
                let kept = serde_json::to_string(&given).unwrap();
                prop_assert_eq!(serde_json::from_str::<TimeBound>(&kept).unwrap(), given);
            }
        }
    }
}

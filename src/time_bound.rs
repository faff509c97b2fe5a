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
    /// The instant meant, in `zone`.
    #[must_use]
    pub fn resolve(self, zone: &jiff::tz::TimeZone) -> Timestamp {
        match self {
            Self::Instant(at) => at,
            Self::Day(day) => {
                day.to_zoned_datetime(zone.clone()).map_or(Timestamp::from_micros(0), |start| {
                    Timestamp::from_micros(start.timestamp().as_microsecond())
                })
            }
        }
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
            Self::Instant(at) => serializer.collect_str(at),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_where_the_campaign_is() {
        let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
        let at = "2026-05-01".parse::<TimeBound>().unwrap().resolve(&zone);
        assert_eq!(at.to_string(), "2026-05-01T04:00:00Z");
        let at = "2026-05-01T12:00:00+02:00".parse::<TimeBound>().unwrap().resolve(&zone);
        assert_eq!(at.to_string(), "2026-05-01T10:00:00Z");
        assert!("yesterday".parse::<TimeBound>().is_err());
    }
}

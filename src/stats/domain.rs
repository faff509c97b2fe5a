//! Days and weeks of the campaign, out of slots. Pure.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::counts::{Count, slot_begin};

/// How long a period is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// A day in the campaign's time zone.
    #[default]
    Day,
    /// A week of it, from Monday.
    Week,
}

/// What came in a period.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Period {
    /// Its first day in the campaign's time zone.
    #[schema(format = Date)]
    pub from: String,
    /// Sign-ups that came, those that added nothing included.
    pub signups: i64,
    /// Of those, the ones that were asked for a click.
    pub asked: i64,
    /// Of those asked, how many have been confirmed by now, whenever that was.
    pub answered: i64,
    /// Clicks that confirmed, whenever the sign-up came.
    pub confirmations: i64,
    /// `answered` of `asked`, from 0 to 1; null when nobody was asked.
    pub confirmation_rate: Option<f64>,
}

/// The day that a slot lies on.
pub(super) fn day(slot: i64, zone: &TimeZone) -> Date {
    let begin = jiff::Timestamp::from_second(slot_begin(slot).as_seconds()).unwrap_or_default();
    zone.to_datetime(begin).date()
}

impl Span {
    /// The first day of the period that `day` lies in.
    pub(super) fn first(self, day: Date) -> Date {
        match self {
            Self::Day => day,
            Self::Week => {
                let since_monday = i64::from(day.weekday().to_monday_zero_offset());
                day.checked_sub(since_monday.days()).unwrap_or(day)
            }
        }
    }

    fn next(self, day: Date) -> Option<Date> {
        let length = if self == Self::Day { 1 } else { 7 };
        day.checked_add(length.days()).ok()
    }
}

/// The periods from `first` to `last`, the empty ones too, from the figures of slots.
pub(super) fn periods(counts: &[Count], span: Span, zone: &TimeZone, first: Date, last: Date) -> Vec<Period> {
    let mut periods: BTreeMap<Date, Period> = BTreeMap::new();
    let mut begin = Some(span.first(first));
    while let Some(from) = begin.filter(|from| *from <= last) {
        periods.insert(from, Period { from: from.to_string(), ..Period::default() });
        begin = span.next(from);
    }
    // Slots come in order, many to a day.
    let mut known: Option<(i64, Date)> = None;
    for count in counts {
        let begin = match known {
            Some((slot, begin)) if slot == count.slot => begin,
            _ => span.first(day(count.slot, zone)),
        };
        known = Some((count.slot, begin));
        let Some(period) = periods.get_mut(&begin) else { continue };
        match count.dimension.as_str() {
            "asked" => {
                period.asked += count.amount;
                period.signups += count.amount;
            }
            "repeated" => period.signups += count.amount,
            "answered" => period.answered += count.amount,
            "confirmed" => period.confirmations += count.amount,
            _ => {}
        }
    }
    let mut periods: Vec<Period> = periods.into_values().collect();
    for period in &mut periods {
        period.confirmation_rate = rate(period.answered, period.asked);
    }
    periods
}

/// `part` of `whole`.
pub(super) fn rate(part: i64, whole: i64) -> Option<f64> {
    let float = |number: i64| i32::try_from(number).map(f64::from).unwrap_or(f64::from(i32::MAX));
    (whole > 0).then(|| float(part) / float(whole))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::{clock::Timestamp, counts::slot};

    fn at(text: &str) -> i64 {
        slot(Timestamp::from_seconds(text.parse::<jiff::Timestamp>().unwrap().as_second()))
    }

    fn count(dimension: &str, text: &str, amount: i64) -> Count {
        Count { dimension: dimension.to_owned(), key: String::new(), slot: at(text), amount }
    }

    #[test]
    fn days_are_the_campaigns_and_weeks_begin_on_monday() {
        let zone = TimeZone::get("America/New_York").unwrap();
        // Nepal's days begin at a quarter past an hour.
        let nepal = TimeZone::get("Asia/Kathmandu").unwrap();
        assert_eq!(day(at("2026-05-01T03:59:59Z"), &zone), date(2026, 4, 30));
        assert_eq!(day(at("2026-05-01T04:00:00Z"), &zone), date(2026, 5, 1));
        assert_eq!(day(at("2026-05-01T18:14:59Z"), &nepal), date(2026, 5, 1));
        assert_eq!(day(at("2026-05-01T18:15:00Z"), &nepal), date(2026, 5, 2));
        assert_eq!(Span::Week.first(date(2026, 5, 3)), date(2026, 4, 27));
        assert_eq!(Span::Week.first(date(2026, 5, 4)), date(2026, 5, 4));

        let counts = [
            count("asked", "2026-05-01T03:00:00Z", 4),
            count("repeated", "2026-05-01T03:00:00Z", 1),
            count("answered", "2026-05-01T03:00:00Z", 3),
            count("confirmed", "2026-05-02T12:00:00Z", 3),
        ];
        let days = periods(&counts, Span::Day, &zone, date(2026, 4, 30), date(2026, 5, 2));
        let seen: Vec<_> =
            days.iter().map(|p| (p.from.as_str(), p.signups, p.confirmations, p.confirmation_rate)).collect();
        assert_eq!(
            seen,
            [("2026-04-30", 5, 0, Some(0.75)), ("2026-05-01", 0, 0, None), ("2026-05-02", 0, 3, None)]
        );
        let weeks = periods(&counts, Span::Week, &zone, date(2026, 4, 30), date(2026, 5, 2));
        assert_eq!((weeks.len(), weeks[0].from.as_str(), weeks[0].confirmations), (1, "2026-04-27", 3));
    }
}

//! How many people share with a group, and how that grew. Counts alone.

use std::{collections::BTreeMap, time::Duration};

use diesel::{
    QueryResult,
    dsl::{count_star, sql},
    prelude::*,
    sql_types::BigInt,
};
use jiff::{civil::Date, tz::TimeZone};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    clock::Timestamp,
    id::Id,
    store::{Db, schema::shares},
};

/// Days that are told one by one.
const DAYS: i32 = 30;
const DAY: Duration = Duration::from_secs(86_400);
/// A quarter of an hour, as times are counted.
const QUARTER: i64 = 900_000_000;
/// The quarter of an hour, since 1970, in which a share began or ended: both databases leave out what is over.
const BEGUN_IN: &str = "given_at / 900000000";
const ENDED_IN: &str = "withdrawn_at / 900000000";

/// The figures of a group.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GroupFigures {
    /// People who share with it now.
    pub active: i64,
    /// Shares that were taken back.
    pub withdrawn: i64,
    /// Shares that began within the last seven days.
    pub new_this_week: i64,
    /// The last 30 days in the campaign's time zone, oldest first; today is the last.
    pub days: Vec<DayFigures>,
}

/// A day.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DayFigures {
    /// Which day it is.
    #[schema(value_type = String, format = Date)]
    pub day: String,
    /// Shares that began.
    pub given: i64,
    /// Shares that were taken back.
    pub withdrawn: i64,
}

/// The figures of `group` at `now`.
pub(super) fn read(db: &mut Db, group: Id, zone: &TimeZone, now: Timestamp) -> QueryResult<GroupFigures> {
    let mine = shares::table.filter(shares::group_id.eq(group));
    let active = mine.filter(shares::withdrawn_at.is_null()).select(count_star()).first(db)?;
    let withdrawn = mine.filter(shares::withdrawn_at.is_not_null()).select(count_star()).first(db)?;
    let week = mine.filter(shares::given_at.ge(now.before(7 * DAY)));
    let new_this_week = week.select(count_star()).first(db)?;
    // One day more than is told: days begin at midnight somewhere else.
    let since = now.before(DAY * u32::try_from(DAYS + 1).unwrap_or(31));
    let begun = sql::<BigInt>(BEGUN_IN);
    let given = mine
        .filter(shares::given_at.ge(since))
        .group_by(begun.clone())
        .select((begun, count_star()))
        .load(db)?;
    let ended = sql::<BigInt>(ENDED_IN);
    let taken = mine
        .filter(shares::withdrawn_at.ge(Some(since)))
        .group_by(ended.clone())
        .select((ended, count_star()))
        .load(db)?;
    let (given, taken) = (by_day(&given, zone), by_day(&taken, zone));
    let today = day(now, zone);
    let days = (0..DAYS).rev().filter_map(|ago| {
        let day = today?.checked_sub(jiff::Span::new().days(ago)).ok()?;
        let of = |counts: &BTreeMap<Date, i64>| counts.get(&day).copied().unwrap_or(0);
        Some(DayFigures { given: of(&given), withdrawn: of(&taken), day: day.to_string() })
    });
    Ok(GroupFigures { active, withdrawn, new_this_week, days: days.collect() })
}

fn day(at: Timestamp, zone: &TimeZone) -> Option<Date> {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).ok()?;
    Some(zone.to_datetime(at).date())
}

/// Days out of quarters of an hour: a day begins with one in every time zone.
fn by_day(quarters: &[(i64, i64)], zone: &TimeZone) -> BTreeMap<Date, i64> {
    let mut counts = BTreeMap::new();
    for (quarter, count) in quarters {
        if let Some(day) = day(Timestamp::from_micros(quarter * QUARTER), zone) {
            *counts.entry(day).or_insert(0) += count;
        }
    }
    counts
}

//! `/api/v1/admin/stats`: counts alone, never a name or an address.

use actix_web::web::{self, Data};
use jiff::{ToSpan, tz::TimeZone};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Period, Span,
    domain::{day, periods, rate},
    queries,
};
use crate::{
    clock::Timestamp,
    counts::{self, Count},
    error::{AppError, Problem},
    http::{Endpoint, Query},
    kernel::Kernel,
    staff::{Access, ReadStats},
    store::Db,
};

/// Rows of a breakdown at most: the largest.
const MOST: i64 = 200;
/// Sources that are shown.
const TOP_SOURCES: i64 = 20;

/// Over which time.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StatsQuery {
    /// Days to look back, today included; 30 by default.
    #[param(minimum = 1, maximum = 370)]
    pub days: Option<u16>,
    /// By day or by week.
    #[serde(default)]
    pub by: Span,
}

/// A part of the confirmed supporters.
#[derive(Serialize, ToSchema)]
pub struct Part {
    /// Region, source code, or slug of a form or group; empty for those that have none.
    pub key: String,
    /// How many.
    pub supporters: i64,
}

/// Supporters by status.
#[derive(Default, Serialize, ToSchema)]
pub struct Totals {
    /// In.
    pub confirmed: i64,
    /// Left by themselves.
    pub unsubscribed: i64,
    /// To be left alone.
    pub suppressed: i64,
    /// All of them.
    pub all: i64,
}

/// The figures.
#[derive(Serialize, ToSchema)]
pub struct Stats {
    /// Of when they are.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Timestamp,
    /// Supporters by status, of all time.
    pub totals: Totals,
    /// What came, period by period, oldest first.
    pub periods: Vec<Period>,
    /// Of those asked for a click in these periods, the part that has given it.
    pub confirmation_rate: Option<f64>,
    /// Confirmed supporters by the source code they came with, largest first.
    pub top_sources: Vec<Part>,
    /// Confirmed supporters by region, largest first.
    pub by_region: Vec<Part>,
    /// Active shares by group, largest first.
    pub by_group: Vec<Part>,
    /// Confirmed supporters by the form they first joined with, largest first.
    pub by_form: Vec<Part>,
}

/// The figures of the campaign, exact at this moment.
#[utoipa::path(
    get, path = "/api/v1/admin/stats", tag = "stats", params(StatsQuery),
    security(("token" = ["stats"]), ("session" = [])),
    responses(
        (status = 200, description = "The figures", body = Stats),
        (status = 401, description = "No session or token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A time that does not hold", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show_stats(
    _: Access<ReadStats>,
    kernel: Data<Kernel>,
    Query(query): Query<StatsQuery>,
) -> Result<web::Json<Stats>, AppError> {
    let days = query.days.unwrap_or(30);
    if !(1..=370).contains(&days) {
        return Err(AppError::field("days", "out_of_range", "look back 1 to 370 days"));
    }
    let zone = TimeZone::get(&kernel.config.campaign.timezone).map_err(|error| AppError::internal(&error))?;
    let now = kernel.clock.now();
    let stats = kernel.store.read(move |db| read(db, now, days, query.by, &zone)).await?;
    Ok(web::Json(stats))
}

fn read(db: &mut Db, now: Timestamp, days: u16, span: Span, zone: &TimeZone) -> Result<Stats, AppError> {
    let last = day(counts::slot(now), zone);
    let first = last.checked_sub((i64::from(days) - 1).days()).map_err(|error| AppError::internal(&error))?;
    let first = span.first(first);
    // From well before that day begins anywhere.
    let begin = first.to_zoned_datetime(TimeZone::UTC).map_err(|error| AppError::internal(&error))?;
    let from = counts::slot(Timestamp::from_seconds(begin.timestamp().as_second())) - 100;
    let mut slots = Vec::new();
    for dimension in ["asked", "repeated", "answered", "confirmed"] {
        slots.extend(counts::in_slots(db, dimension, from)?);
    }
    let periods = periods(&slots, span, zone, first, last);
    let sum = |of: fn(&Period) -> i64| periods.iter().map(of).sum::<i64>();
    let slugs = queries::group_slugs(db)?;
    let named = |count: Count| {
        let slug = slugs.iter().find(|(id, _)| id.uuid().simple().to_string() == count.key);
        Part { key: slug.map_or_else(String::new, |(_, slug)| slug.clone()), supporters: count.amount }
    };
    Ok(Stats {
        as_of: now,
        totals: totals(counts::top(db, "status", MOST)?),
        confirmation_rate: rate(sum(|period| period.answered), sum(|period| period.asked)),
        top_sources: parts(counts::top(db, "source", TOP_SOURCES)?),
        by_region: parts(counts::top(db, "region", MOST)?),
        by_group: counts::top(db, "group", MOST)?.into_iter().map(named).collect(),
        by_form: parts(counts::top(db, "form", MOST)?),
        periods,
    })
}

fn parts(counts: Vec<Count>) -> Vec<Part> {
    counts.into_iter().map(|count| Part { key: count.key, supporters: count.amount }).collect()
}

fn totals(counts: Vec<Count>) -> Totals {
    let mut totals = Totals::default();
    for count in counts {
        totals.all += count.amount;
        match count.key.as_str() {
            "confirmed" => totals.confirmed = count.amount,
            "unsubscribed" => totals.unsubscribed = count.amount,
            "suppressed" => totals.suppressed = count.amount,
            _ => {}
        }
    }
    totals
}

/// Mounts the route.
pub fn api(config: &mut web::ServiceConfig) {
    Endpoint::at("/api/v1/admin/stats").get(show_stats).mount(config);
}

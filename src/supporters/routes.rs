//! `/api/v1/admin/supporters`: the list.

use actix_web::web::{self, Data};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    filter::{Status, SupporterFilter},
    list,
    model::SupporterView,
};
use crate::{
    error::{AppError, Problem},
    http::{Cursor, Endpoint, Query, Slice, page_size},
    kernel::Kernel,
    staff::{Access, ListSupporters, Sight},
    time_bound::TimeBound,
};

/// The filter as a query string, with paging.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SupporterQuery {
    /// Part of a name or address, at most 200 characters.
    #[param(max_length = 200)]
    pub q: Option<String>,
    /// One status; every one by default (exports: only `confirmed`).
    pub status: Option<Status>,
    /// State or region, e.g. OH.
    #[param(max_length = 64)]
    pub region: Option<String>,
    /// A day in the campaign's time zone, or an RFC 3339 time.
    #[param(value_type = Option<String>)]
    pub created_after: Option<TimeBound>,
    /// A day in the campaign's time zone, or an RFC 3339 time.
    #[param(value_type = Option<String>)]
    pub created_before: Option<TimeBound>,
    /// Rows of a page, 50 by default.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
}

impl SupporterQuery {
    /// The filter meant, of what `sight` covers, with days resolved in `timezone`.
    ///
    /// # Errors
    /// The field that does not hold.
    pub fn filter(&self, sight: Sight, timezone: &str) -> Result<SupporterFilter, AppError> {
        let zone = jiff::tz::TimeZone::get(timezone).map_err(|error| AppError::internal(&error))?;
        let filter = SupporterFilter {
            sight,
            q: self.q.clone(),
            status: self.status,
            region: self.region.clone(),
            created_after: self.created_after.map(|bound| bound.resolve(&zone)),
            created_before: self.created_before.map(|bound| bound.resolve(&zone)),
        };
        filter.check().map_err(|fault| AppError::Invalid(vec![fault]))?;
        Ok(filter)
    }
}

/// Lists supporters, newest first, every status unless one is asked for.
#[utoipa::path(
    get, path = "/api/v1/admin/supporters", tag = "supporters", params(SupporterQuery),
    security(("token" = ["supporters:read"]), ("session" = [])),
    responses(
        (status = 200, description = "One page", body = Slice<SupporterView>),
        (status = 401, description = "No session or token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A filter that does not hold", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_supporters(
    access: Access<ListSupporters>,
    kernel: Data<Kernel>,
    Query(query): Query<SupporterQuery>,
) -> Result<web::Json<Slice<SupporterView>>, AppError> {
    let filter = query.filter(access.sight(), &kernel.config.campaign.timezone)?;
    let limit = page_size(query.limit)?;
    list::page(&kernel.store, filter, query.cursor, limit).await.map(web::Json)
}

/// Mounts the routes.
pub fn api(config: &mut web::ServiceConfig) {
    Endpoint::at("/api/v1/admin/supporters").get(list_supporters).mount(config);
}

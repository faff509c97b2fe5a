//! `/api/v1/admin/supporters`: the list.

use actix_web::web::{self, Data};

use super::{
    filter::SupporterQuery,
    list::{self, SupporterPage},
};
use crate::{
    error::{AppError, Problem},
    http::{Endpoint, PageQuery, QueryOf, page_size},
    kernel::Kernel,
    staff::{Access, ListSupporters},
};

/// Lists supporters, newest first, every status unless one is asked for. Whoever works for one group gets those who share
/// with it, as contacts.
#[utoipa::path(
    get, path = "/api/v1/admin/supporters", tag = "supporters", params(SupporterQuery, PageQuery),
    security(("token" = ["supporters:read"]), ("session" = [])),
    responses(
        (status = 200, description = "One page", body = SupporterPage),
        (status = 401, description = "No session or token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A filter that does not hold", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_supporters(
    access: Access<ListSupporters>,
    kernel: Data<Kernel>,
    QueryOf(query, page): QueryOf<SupporterQuery, PageQuery>,
) -> Result<web::Json<SupporterPage>, AppError> {
    let limit = page_size(page.limit)?;
    let filter = query.filter(&kernel, access.sight()).await?;
    let page = list::page(&kernel.store, filter, page.cursor, limit).await?;
    kernel.note_read(&access.reader(), "supporter.list", page.len()).await?;
    Ok(web::Json(page))
}

/// Mounts the routes.
pub fn api(config: &mut web::ServiceConfig) {
    Endpoint::at("/api/v1/admin/supporters").get(list_supporters).mount(config);
    for routes in [
        super::record_routes::api,
        super::tag_routes::api,
        super::field_routes::api,
        super::segment_routes::api,
    ] {
        routes(config);
    }
}

//! What a group's manager reads of the group itself: figures, join link, QR code.

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, Data, Path},
};

use super::{
    figures::{self, GroupFigures},
    invite::{self, InviteView},
};
use crate::{
    error::{AppError, Problem},
    groups::Recalls,
    http::Endpoint,
    id::Id,
    kernel::Kernel,
    staff::{Access, OwnGroup, Sight},
};

/// How many people share with the group, and how that grew.
#[utoipa::path(
    get, path = "/api/v1/admin/groups/{id}/stats", tag = "groups",
    params(("id" = String, Path, description = "The group")),
    security(("token" = ["groups"]), ("session" = [])),
    responses(
        (status = 200, description = "Counts", body = GroupFigures),
        (status = 401, description = "No session or token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No group of yours", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn group_stats(
    access: Access<OwnGroup>,
    kernel: Data<Kernel>,
    id: Path<String>,
) -> Result<web::Json<GroupFigures>, AppError> {
    let missing = || AppError::NotFound("there is no such group that you work for".to_owned());
    let id: Id = id.parse().map_err(|_| missing())?;
    if matches!(access.sight(), Sight::Group(own) if own != id) {
        return Err(missing());
    }
    let zone = jiff::tz::TimeZone::get(&kernel.config.campaign.timezone)
        .map_err(|error| AppError::internal(&error))?;
    let now = kernel.clock.now();
    kernel.store.read(move |db| Ok(web::Json(figures::read(db, id, &zone, now)?))).await
}

/// The group's join link, its QR code and a piece of HTML.
#[utoipa::path(
    get, path = "/api/v1/groups/{slug}/invite", tag = "groups",
    params(("slug" = String, Path, description = "The group")),
    security(("token" = ["groups"]), ("session" = [])),
    responses(
        (status = 200, description = "The ways to the join page", body = InviteView),
        (status = 401, description = "No session or token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No group of yours", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn invite(
    access: Access<OwnGroup>,
    recalls: Data<Recalls>,
    kernel: Data<Kernel>,
    slug: Path<String>,
) -> Result<web::Json<InviteView>, AppError> {
    recalls.group(&slug, access.sight()).await?;
    Ok(web::Json(InviteView::of(&kernel.base_url, &slug, &kernel.config.campaign.name)))
}

/// The group's join link as a QR code.
#[utoipa::path(
    get, path = "/api/v1/groups/{slug}/qr.svg", tag = "groups",
    params(("slug" = String, Path, description = "The group")),
    security(("token" = ["groups"]), ("session" = [])),
    responses(
        (status = 200, description = "The picture", body = String, content_type = "image/svg+xml"),
        (status = 401, description = "No session or token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No group of yours", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn qr(
    access: Access<OwnGroup>,
    recalls: Data<Recalls>,
    kernel: Data<Kernel>,
    slug: Path<String>,
) -> Result<HttpResponse, AppError> {
    recalls.group(&slug, access.sight()).await?;
    let svg = invite::qr_svg(&invite::join_url(&kernel.base_url, &slug));
    let svg = svg.map_err(|error| AppError::internal(&error))?;
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "image/svg+xml")).body(svg))
}

/// Mounts the routes.
pub fn api(config: &mut web::ServiceConfig) {
    Endpoint::at("/api/v1/admin/groups/{id}/stats").get(group_stats).mount(config);
    Endpoint::at("/api/v1/groups/{slug}/invite").get(invite).mount(config);
    Endpoint::at("/api/v1/groups/{slug}/qr.svg").get(qr).mount(config);
}

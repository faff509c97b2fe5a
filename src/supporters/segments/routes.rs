//! `/api/v1/admin/segments`.

use actix_web::{
    HttpResponse,
    web::{self, Data, Path},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Segments;
use crate::{
    clock::Timestamp,
    error::{AppError, Problem},
    http::{Endpoint, Json},
    staff::{Access, ReadSupporters, WriteSupporters},
};

/// A filter by name.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentForm {
    /// Its name in filters (`segment=`).
    #[schema(max_length = 64)]
    pub slug: String,
    /// Its name for people, at most 100 characters.
    #[schema(max_length = 100)]
    pub name: String,
    /// The filter as a query string, as the supporters list takes it.
    #[schema(example = "region=OH&tag=steel")]
    pub query: String,
}

/// A segment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SegmentView {
    /// Its name in filters.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// The filter as a query string.
    pub query: String,
    /// How many match, as of at most five seconds ago; null when it names a tag, group or field that is gone.
    pub count: Option<i64>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// Lists segments with how many match each, as of at most five seconds ago.
#[utoipa::path(
    get, path = "/api/v1/admin/segments", tag = "segments",
    security(("token" = ["supporters:read"]), ("session" = [])),
    responses((status = 200, description = "All of them", body = Vec<SegmentView>))
)]
pub(crate) async fn list_segments(
    _: Access<ReadSupporters>,
    segments: Data<Segments>,
) -> Result<web::Json<Vec<SegmentView>>, AppError> {
    segments.list().await.map(web::Json)
}

/// Shows a segment with how many match it, as of at most five seconds ago.
#[utoipa::path(
    get, path = "/api/v1/admin/segments/{slug}", tag = "segments",
    security(("token" = ["supporters:read"]), ("session" = [])),
    params(("slug" = String, Path, description = "Slug of the segment")),
    responses(
        (status = 200, description = "The segment", body = SegmentView),
        (status = 404, description = "No such segment", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show_segment(
    _: Access<ReadSupporters>,
    segments: Data<Segments>,
    slug: Path<String>,
) -> Result<web::Json<SegmentView>, AppError> {
    segments.show(slug.into_inner()).await.map(web::Json)
}

/// Saves a filter under a name.
#[utoipa::path(
    post, path = "/api/v1/admin/segments", tag = "segments", request_body = SegmentForm,
    security(("token" = ["supporters:write"]), ("session" = [])),
    responses(
        (status = 201, description = "Saved", body = SegmentView),
        (status = 409, description = "There is one of that name", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A filter that does not hold", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create_segment(
    access: Access<WriteSupporters>,
    segments: Data<Segments>,
    Json(form): Json<SegmentForm>,
) -> Result<HttpResponse, AppError> {
    let segment = segments.save(None, form, access.actor()).await?;
    Ok(HttpResponse::Created().json(segment))
}

/// Changes a segment.
#[utoipa::path(
    patch, path = "/api/v1/admin/segments/{slug}", tag = "segments", request_body = SegmentForm,
    security(("token" = ["supporters:write"]), ("session" = [])),
    params(("slug" = String, Path, description = "Slug of the segment")),
    responses(
        (status = 200, description = "Changed", body = SegmentView),
        (status = 404, description = "No such segment", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "There is one of that name", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A filter that does not hold", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn change_segment(
    access: Access<WriteSupporters>,
    segments: Data<Segments>,
    slug: Path<String>,
    Json(form): Json<SegmentForm>,
) -> Result<web::Json<SegmentView>, AppError> {
    segments.save(Some(slug.into_inner()), form, access.actor()).await.map(web::Json)
}

/// Forgets a segment; nobody in it is touched.
#[utoipa::path(
    delete, path = "/api/v1/admin/segments/{slug}", tag = "segments",
    security(("token" = ["supporters:write"]), ("session" = [])),
    params(("slug" = String, Path, description = "Slug of the segment")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "No such segment", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete_segment(
    access: Access<WriteSupporters>,
    segments: Data<Segments>,
    slug: Path<String>,
) -> Result<HttpResponse, AppError> {
    segments.remove(slug.into_inner(), access.actor()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Mounts the routes.
pub fn api(config: &mut web::ServiceConfig) {
    Endpoint::at("/api/v1/admin/segments").get(list_segments).post(create_segment).mount(config);
    Endpoint::at("/api/v1/admin/segments/{slug}")
        .get(show_segment)
        .patch(change_segment)
        .delete(delete_segment)
        .mount(config);
}

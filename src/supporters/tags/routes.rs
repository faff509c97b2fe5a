//! `/api/v1/admin/tags`.

use actix_web::{
    HttpResponse,
    web::{self, Data, Path},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    clock::Timestamp,
    error::{AppError, Problem},
    http::{Endpoint, Json, QueryOf},
    id::Id,
    kernel::Kernel,
    staff::{Access, EditForms, ReadSupporters, WriteSupporters},
    supporters::SupporterQuery,
};

/// A tag's name.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TagForm {
    /// Letters a to z, digits and single dashes, at most 64.
    #[schema(max_length = 64)]
    pub slug: String,
}

/// A tag.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TagView {
    /// Its name.
    pub slug: String,
    /// How many have it.
    pub supporters: i64,
}

/// What is to be done with a tag, for everybody whom the filter in the query string matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TagAction {
    /// Give it.
    Add,
    /// Take it.
    Remove,
}

/// What is to be done.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyForm {
    /// Give it or take it.
    pub action: TagAction,
    /// Only count.
    #[serde(default)]
    pub dry_run: bool,
}

/// What would be done.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DryRunView {
    /// How many the filter matches.
    pub matched: i64,
    /// For how many of them something would change.
    pub would_change: i64,
}

/// An operation on everybody whom a filter matched.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OperationView {
    /// Names the operation.
    #[schema(value_type = String)]
    pub id: Id,
    /// The tag.
    pub tag: String,
    /// Whether it is given; else it is taken.
    pub adds: bool,
    /// For how many something has changed so far.
    pub changed: i64,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it ended; null while it is under way.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
}

/// Nothing beside the filter.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NothingElse {}

/// Lists tags with how many have each.
#[utoipa::path(
    get, path = "/api/v1/admin/tags", tag = "tags",
    security(("token" = ["supporters:read"]), ("session" = [])),
    responses((status = 200, description = "All of them", body = Vec<TagView>))
)]
pub(crate) async fn list_tags(
    _: Access<ReadSupporters>,
    kernel: Data<Kernel>,
) -> Result<web::Json<Vec<TagView>>, AppError> {
    super::list(&kernel).await.map(web::Json)
}

/// Makes a tag.
#[utoipa::path(
    post, path = "/api/v1/admin/tags", tag = "tags", request_body = TagForm,
    security(("token" = ["supporters:write"]), ("session" = [])),
    responses(
        (status = 201, description = "Made", body = TagView),
        (status = 409, description = "There is one of that name", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No slug", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create_tag(
    access: Access<WriteSupporters>,
    kernel: Data<Kernel>,
    Json(form): Json<TagForm>,
) -> Result<HttpResponse, AppError> {
    let slug = super::create(&kernel, &form, access.actor()).await?;
    Ok(HttpResponse::Created().json(TagView { slug, supporters: 0 }))
}

/// Renames a tag, also in the segments that name it.
#[utoipa::path(
    patch, path = "/api/v1/admin/tags/{slug}", tag = "tags", request_body = TagForm,
    security(("token" = ["forms"]), ("session" = [])),
    params(("slug" = String, Path, description = "The tag")),
    responses(
        (status = 204, description = "Renamed"),
        (status = 404, description = "No such tag", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "There is one of that name", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn rename_tag(
    access: Access<EditForms>,
    kernel: Data<Kernel>,
    slug: Path<String>,
    Json(form): Json<TagForm>,
) -> Result<HttpResponse, AppError> {
    super::rename(&kernel, slug.into_inner(), &form, access.actor()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Deletes a tag and takes it from everybody, unless a segment names it.
#[utoipa::path(
    delete, path = "/api/v1/admin/tags/{slug}", tag = "tags",
    security(("token" = ["forms"]), ("session" = [])),
    params(("slug" = String, Path, description = "The tag")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "No such tag", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Segments name it; says which", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete_tag(
    access: Access<EditForms>,
    kernel: Data<Kernel>,
    slug: Path<String>,
) -> Result<HttpResponse, AppError> {
    super::remove(&kernel, slug.into_inner(), access.actor()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Gives a tag to everybody whom the filter matches, or takes it from them; with `dry_run`, only counts them. Answers
/// 202 when it is not done within 20 s; it goes on by itself.
#[utoipa::path(
    post, path = "/api/v1/admin/tags/{slug}/apply", tag = "tags", request_body = ApplyForm,
    security(("token" = ["supporters:write"]), ("session" = [])),
    params(("slug" = String, Path, description = "The tag"), SupporterQuery),
    responses(
        (status = 200, description = "Done, or counted (`matched`, `would_change`)", body = OperationView),
        (status = 202, description = "Under way", body = OperationView),
        (status = 404, description = "No such tag", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A filter that does not hold", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn apply_tag(
    access: Access<WriteSupporters>,
    kernel: Data<Kernel>,
    slug: Path<String>,
    QueryOf(query, NothingElse {}): QueryOf<SupporterQuery, NothingElse>,
    Json(form): Json<ApplyForm>,
) -> Result<HttpResponse, AppError> {
    let (slug, adds) = (slug.into_inner(), form.action == TagAction::Add);
    if form.dry_run {
        let (matched, would_change) = super::dry_run(&kernel, slug, query, adds).await?;
        return Ok(HttpResponse::Ok().json(DryRunView { matched, would_change }));
    }
    let operation = super::apply(&kernel, slug, query, adds, access.actor()).await?;
    let mut answer =
        if operation.finished_at.is_some() { HttpResponse::Ok() } else { HttpResponse::Accepted() };
    Ok(answer.json(operation))
}

/// Says how far an operation is.
#[utoipa::path(
    get, path = "/api/v1/admin/tag-operations/{id}", tag = "tags",
    security(("token" = ["supporters:read"]), ("session" = [])),
    params(("id" = String, Path, description = "Id of the operation")),
    responses(
        (status = 200, description = "The operation", body = OperationView),
        (status = 404, description = "No such operation", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show_tag_operation(
    _: Access<ReadSupporters>,
    kernel: Data<Kernel>,
    id: Path<String>,
) -> Result<web::Json<OperationView>, AppError> {
    let id = id.parse().map_err(|_| AppError::NotFound("there is no such operation".to_owned()))?;
    super::operation(&kernel, id).await.map(web::Json)
}

/// Mounts the routes.
pub fn api(config: &mut web::ServiceConfig) {
    Endpoint::at("/api/v1/admin/tags").get(list_tags).post(create_tag).mount(config);
    Endpoint::at("/api/v1/admin/tags/{slug}").patch(rename_tag).delete(delete_tag).mount(config);
    Endpoint::at("/api/v1/admin/tags/{slug}/apply").post(apply_tag).mount(config);
    Endpoint::at("/api/v1/admin/tag-operations/{id}").get(show_tag_operation).mount(config);
}

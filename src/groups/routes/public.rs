//! `/api/v1/groups`: the directory, and applications.

use actix_web::{
    HttpResponse,
    web::{self, Data, Path},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::{
    Groups,
    directory::{self, DirectoryFilter},
    domain::ApplicationForm,
    views::MemberView,
};
use crate::{
    error::{AppError, Problem},
    http::{Cursor, Json, Query, Slice, page_size},
    id::Id,
};

/// The answer to every application, whoever the address belongs to.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApplicationAccepted {
    /// Always `accepted`.
    #[schema(example = "accepted")]
    pub status: &'static str,
}

/// Which members, with paging.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DirectoryQuery {
    /// Part of the name or of what it does, at most 100 characters.
    #[param(max_length = 100)]
    pub q: Option<String>,
    /// A state by its two letters; those that serve all of the country are in it.
    #[param(example = "OH")]
    pub region: Option<String>,
    /// `steel`, `cement`, `aluminum`, `metallurgical_coke` or `other`.
    pub sector: Option<String>,
    /// `frontline_community`, `labor_union`, `advocacy`, `faith`, `business`, `research` or `other`.
    pub kind: Option<String>,
    /// Rows of a page, 50 by default.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
}

/// Takes an application. Its contact gets a mail; nobody reads it before its link is clicked.
#[utoipa::path(
    post, path = "/api/v1/groups", tag = "groups", request_body = ApplicationForm,
    responses(
        (status = 202, description = "The answer is the same whoever the address belongs to", body = ApplicationAccepted),
        (status = 422, description = "Fields that do not hold", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy; not accepted, come back after Retry-After seconds", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create_application(
    groups: Data<Groups>,
    Json(form): Json<ApplicationForm>,
) -> Result<HttpResponse, AppError> {
    groups.apply(form).await?;
    Ok(HttpResponse::Accepted().json(ApplicationAccepted { status: "accepted" }))
}

/// Lists the members that chose to be in the directory, by name.
#[utoipa::path(
    get, path = "/api/v1/groups", tag = "groups", params(DirectoryQuery),
    responses(
        (status = 200, description = "One page", body = Slice<MemberView>),
        (status = 422, description = "A filter that cannot be understood", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_directory(
    groups: Data<Groups>,
    Query(query): Query<DirectoryQuery>,
) -> Result<web::Json<Slice<MemberView>>, AppError> {
    let limit = page_size(query.limit)?;
    let filter = DirectoryFilter::read(
        query.q.as_deref(),
        query.region.as_deref(),
        query.sector.as_deref(),
        query.kind.as_deref(),
    );
    let filter = filter.map_err(AppError::Invalid)?;
    let foreign = || AppError::field("cursor", "invalid_cursor", "this cursor is of another list");
    let after = query.cursor.map(|cursor| cursor.bytes::<16>().ok_or_else(foreign)).transpose()?;
    let members = groups.fresh_members().await?;
    let found = directory::page(members.iter(), &filter, after.map(Id::from_bytes), usize::from(limit));
    let found = found.ok_or_else(foreign)?;
    let slice = Slice::cut(found, limit, |member| Cursor::at(member.id.as_bytes()));
    let data = slice.data.into_iter().map(|member| MemberView::of(&groups.kernel, member)).collect();
    Ok(web::Json(Slice { data, next_cursor: slice.next_cursor }))
}

/// One member of the directory.
#[utoipa::path(
    get, path = "/api/v1/groups/{slug}", tag = "groups",
    params(("slug" = String, Path, description = "Slug of the group")),
    responses(
        (status = 200, description = "The member", body = MemberView),
        (status = 404, description = "No such member in the directory", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show_member(
    groups: Data<Groups>,
    slug: Path<String>,
) -> Result<web::Json<MemberView>, AppError> {
    let members = groups.fresh_members().await?;
    let missing = || AppError::NotFound("there is no such group in the directory".to_owned());
    let member = members.by_slug(&slug).filter(|member| member.is_listed).ok_or_else(missing)?;
    Ok(web::Json(MemberView::of(&groups.kernel, member)))
}

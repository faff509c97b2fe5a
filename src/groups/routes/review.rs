//! `/api/v1/admin/groups`: review by staff, and what who works for one group may change of it.

use actix_web::web::{self, Data, Path};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    super::{Decision, Groups, domain::GroupEdit, views::GroupView, words::GroupStatus},
    id,
};
use crate::{
    error::{AppError, Problem},
    http::{Cursor, Json, Query, Slice, page_size},
    staff::{Access, OwnGroup, ReviewGroups},
};

/// Which organisations, with paging.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct GroupQuery {
    /// One status; every one by default.
    pub status: Option<GroupStatus>,
    /// Rows of a page, 50 by default.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
}

/// Why an organisation is declined.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclineForm {
    /// Mailed to its contact; at most 2000 characters.
    #[schema(max_length = 2000)]
    pub reason: String,
}

/// What is asked of an applicant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskForm {
    /// Mailed to its contact, who answers by mail; at most 2000 characters.
    #[schema(max_length = 2000)]
    pub question: String,
}

/// Lists organisations, newest first.
#[utoipa::path(
    get, path = "/api/v1/admin/groups", tag = "groups", params(GroupQuery),
    security(("token" = ["groups"]), ("session" = [])),
    responses((status = 200, description = "One page", body = Slice<GroupView>))
)]
pub(crate) async fn list_groups(
    _access: Access<ReviewGroups>,
    groups: Data<Groups>,
    Query(query): Query<GroupQuery>,
) -> Result<web::Json<Slice<GroupView>>, AppError> {
    let limit = page_size(query.limit)?;
    groups.list(query.status, query.cursor, limit).await.map(web::Json)
}

/// One organisation; who works for one group sees that one.
#[utoipa::path(
    get, path = "/api/v1/admin/groups/{id}", tag = "groups",
    params(("id" = String, Path, description = "Id of the group")),
    security(("token" = ["groups"]), ("session" = [])),
    responses(
        (status = 200, description = "The organisation", body = GroupView),
        (status = 404, description = "No such one", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show_group(
    access: Access<OwnGroup>,
    groups: Data<Groups>,
    path: Path<String>,
) -> Result<web::Json<GroupView>, AppError> {
    groups.view(access.sight(), id(&path)?).await.map(web::Json)
}

/// Changes an entry. Name, kind and contact are changed by staff alone; the slug stays.
#[utoipa::path(
    patch, path = "/api/v1/admin/groups/{id}", tag = "groups", request_body = GroupEdit,
    params(("id" = String, Path, description = "Id of the group")),
    security(("token" = ["groups"]), ("session" = [])),
    responses(
        (status = 200, description = "As it is now", body = GroupView),
        (status = 403, description = "Not theirs to change", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such one", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Fields that do not hold", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn change_group(
    access: Access<OwnGroup>,
    groups: Data<Groups>,
    path: Path<String>,
    Json(edit): Json<GroupEdit>,
) -> Result<web::Json<GroupView>, AppError> {
    let who = (access.actor(), access.sight());
    groups.edit(who, id(&path)?, edit).await.map(web::Json)
}

/// Takes an applicant in: a member, in the directory if it likes, its contact invited to log in.
#[utoipa::path(
    post, path = "/api/v1/admin/groups/{id}/approve", tag = "groups",
    params(("id" = String, Path, description = "Id of the group")),
    security(("token" = ["groups"]), ("session" = [])),
    responses(
        (status = 200, description = "A member now; its contact is mailed", body = GroupView),
        (status = 404, description = "No such one", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Not in review, or somebody else was faster", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn approve_group(
    access: Access<ReviewGroups>,
    groups: Data<Groups>,
    path: Path<String>,
) -> Result<web::Json<GroupView>, AppError> {
    groups.decide(access.actor(), id(&path)?, Decision::Approve).await.map(web::Json)
}

/// Declines an applicant, with a reason that is mailed.
#[utoipa::path(
    post, path = "/api/v1/admin/groups/{id}/decline", tag = "groups", request_body = DeclineForm,
    params(("id" = String, Path, description = "Id of the group")),
    security(("token" = ["groups"]), ("session" = [])),
    responses(
        (status = 200, description = "Declined; its contact is mailed", body = GroupView),
        (status = 404, description = "No such one", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Not in review, or somebody else was faster", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No reason", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn decline_group(
    access: Access<ReviewGroups>,
    groups: Data<Groups>,
    path: Path<String>,
    Json(form): Json<DeclineForm>,
) -> Result<web::Json<GroupView>, AppError> {
    groups.decide(access.actor(), id(&path)?, Decision::Decline(form.reason)).await.map(web::Json)
}

/// Asks an applicant for more; it stays in review.
#[utoipa::path(
    post, path = "/api/v1/admin/groups/{id}/ask", tag = "groups", request_body = AskForm,
    params(("id" = String, Path, description = "Id of the group")),
    security(("token" = ["groups"]), ("session" = [])),
    responses(
        (status = 200, description = "Asked; its contact is mailed", body = GroupView),
        (status = 404, description = "No such one", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Not in review", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No question", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn ask_group(
    access: Access<ReviewGroups>,
    groups: Data<Groups>,
    path: Path<String>,
    Json(form): Json<AskForm>,
) -> Result<web::Json<GroupView>, AppError> {
    groups.decide(access.actor(), id(&path)?, Decision::Ask(form.question)).await.map(web::Json)
}

/// A member leaves: every share with it ends, and it owes the return of what it has.
#[utoipa::path(
    post, path = "/api/v1/admin/groups/{id}/leave", tag = "groups",
    params(("id" = String, Path, description = "Id of the group")),
    security(("token" = ["groups"]), ("session" = [])),
    responses(
        (status = 200, description = "Left", body = GroupView),
        (status = 404, description = "No such one", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Not a member", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn leave_group(
    access: Access<ReviewGroups>,
    groups: Data<Groups>,
    path: Path<String>,
) -> Result<web::Json<GroupView>, AppError> {
    groups.leave(access.actor(), id(&path)?).await.map(web::Json)
}

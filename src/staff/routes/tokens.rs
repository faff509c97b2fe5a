//! `/api/v1/admin/tokens`.

use actix_web::{
    HttpResponse,
    web::{self, Data, Path},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::account;
use crate::{
    error::{AppError, Problem},
    http::Json,
    staff::{
        Access, Authenticator, ManageStaff, OwnAccount, ReadStaff, Staff, TokenView,
        tokens::{TokenOwner, TokenWish},
    },
    time_bound::TimeBound,
};

/// A token to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for, at most 100 characters.
    #[schema(max_length = 100)]
    pub name: String,
    /// What it may do: `supporters:read`, `supporters:write`, `exports`, `imports`, `groups`, `forms`, `stats`,
    /// `staff`, `audit`; never more than its owner's role.
    #[schema(min_items = 1, max_items = 9)]
    pub scopes: Vec<String>,
    /// When it ends by itself; never, when nothing is said. RFC 3339.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<TimeBound>,
    /// Slug of the one group whose people it may see; a group manager's tokens see theirs alone in any case.
    #[schema(max_length = 64)]
    pub group: Option<String>,
}

/// A token that was made.
#[derive(Serialize, ToSchema)]
pub struct NewTokenView {
    /// The token, shown this once.
    pub token: String,
    /// The rest.
    #[serde(flatten)]
    pub view: TokenView,
}

/// Lists one's own tokens.
#[utoipa::path(
    get, path = "/api/v1/admin/tokens", tag = "staff", security(("session" = [])),
    responses((status = 200, description = "Tokens that are not revoked", body = Vec<TokenView>))
)]
pub(crate) async fn list_tokens(
    access: Access<OwnAccount>,
    staff: Data<Staff>,
) -> Result<web::Json<Vec<TokenView>>, AppError> {
    staff.tokens(access.staff_id).await.map(web::Json)
}

/// Makes a token; it is shown this once.
#[utoipa::path(
    post, path = "/api/v1/admin/tokens", tag = "staff", security(("session" = [])), request_body = NewToken,
    responses(
        (status = 201, description = "Made", body = NewTokenView),
        (status = 422, description = "Unknown scope, or beyond the role", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create_token(
    access: Access<OwnAccount>,
    staff: Data<Staff>,
    Json(new): Json<NewToken>,
) -> Result<HttpResponse, AppError> {
    let expires_at = new.expires_at.map(|bound| bound.resolve(&jiff::tz::TimeZone::UTC));
    let actor = access.actor();
    let (id, role, group_id) = (access.staff_id, access.role, access.group_id);
    let session = match access.by {
        Authenticator::Session(hash) => Some(hash),
        Authenticator::Token(_) => None,
    };
    let owner = TokenOwner { id, role, group_id, actor, session };
    let wish = TokenWish { name: new.name, scopes: new.scopes, expires_at, group: new.group };
    let (token, view) = staff.create_token(owner, wish).await?;
    Ok(HttpResponse::Created().json(NewTokenView { token, view }))
}

/// Revokes one of one's own tokens.
#[utoipa::path(
    delete, path = "/api/v1/admin/tokens/{id}", tag = "staff", security(("session" = [])),
    params(("id" = String, Path, description = "Id of the token")),
    responses((status = 204, description = "Revoked"), (status = 404, description = "No such token", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn revoke_token(
    access: Access<OwnAccount>,
    staff: Data<Staff>,
    id: Path<String>,
) -> Result<HttpResponse, AppError> {
    let id = id.parse().map_err(|_| AppError::NotFound("you have no such token".to_owned()))?;
    staff.revoke_token(access.actor(), access.staff_id, id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Lists the tokens of somebody on the staff.
#[utoipa::path(
    get, path = "/api/v1/admin/staff/{id}/tokens", tag = "staff", security(("session" = []), ("token" = ["staff"])),
    params(("id" = String, Path, description = "Id of the account")),
    responses(
        (status = 200, description = "Tokens that are not revoked", body = Vec<TokenView>),
        (status = 404, description = "No such account", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_tokens_of(
    _: Access<ReadStaff>,
    staff: Data<Staff>,
    id: Path<String>,
) -> Result<web::Json<Vec<TokenView>>, AppError> {
    staff.tokens_of(account(&id)?).await.map(web::Json)
}

/// Revokes a token of somebody on the staff.
#[utoipa::path(
    delete, path = "/api/v1/admin/staff/{id}/tokens/{token}", tag = "staff", security(("session" = [])),
    params(
        ("id" = String, Path, description = "Id of the account"),
        ("token" = String, Path, description = "Id of the token"),
    ),
    responses((status = 204, description = "Revoked"), (status = 404, description = "No such token", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn revoke_token_of(
    access: Access<ManageStaff>,
    staff: Data<Staff>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, AppError> {
    let (id, token) = path.into_inner();
    let token = token.parse().map_err(|_| AppError::NotFound("there is no such token".to_owned()))?;
    staff.revoke_token(access.actor(), account(&id)?, token).await?;
    Ok(HttpResponse::NoContent().finish())
}

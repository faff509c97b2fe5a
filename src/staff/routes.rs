//! `/api/v1/admin/{session,me,tokens}`.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    web::{self, Data, Path},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Access, Authenticator, OwnAccount, Role, Staff, TokenView,
    access::session_cookie_name,
    tokens::{TokenOwner, TokenWish},
};
use crate::{
    clock::Timestamp,
    error::{AppError, Problem},
    http::{Endpoint, Json, require_same_origin},
    id::Id,
    time_bound::TimeBound,
};

/// A login.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionForm {
    /// Address of the account.
    #[schema(max_length = 254)]
    pub email: String,
    /// Its password.
    #[schema(value_type = String, format = Password, max_length = 128)]
    pub password: SecretString,
}

/// A session that has begun; its token is in the cookie.
#[derive(Serialize, ToSchema)]
pub struct SessionView {
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// Who is logged in.
#[derive(Serialize, ToSchema)]
pub struct MeView {
    /// Names the account.
    #[schema(value_type = String)]
    pub id: Id,
    /// Its address.
    pub email: String,
    /// Its role.
    pub role: Role,
    /// The one group it works for.
    #[schema(value_type = Option<String>)]
    pub group_id: Option<Id>,
    /// Whether it logs in with a second factor.
    pub totp: bool,
}

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

/// Logs in with e-mail and password.
#[utoipa::path(
    post, path = "/api/v1/admin/session", tag = "staff", request_body = SessionForm,
    responses(
        (status = 200, description = "Logged in; the session is in the cookie", body = SessionView),
        (status = 401, description = "Not right", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many log in at once", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn log_in(
    request: HttpRequest,
    staff: Data<Staff>,
    Json(form): Json<SessionForm>,
) -> Result<HttpResponse, AppError> {
    let base_url = &staff.kernel.base_url;
    require_same_origin(&request, base_url)?;
    let session = staff.log_in(&form.email, form.password).await?;
    let cookie = session_cookie(base_url, session.expose().to_owned()).finish();
    Ok(HttpResponse::Ok().cookie(cookie).json(SessionView { expires_at: session.expires_at }))
}

fn session_cookie(base_url: &str, value: String) -> actix_web::cookie::CookieBuilder<'static> {
    Cookie::build(session_cookie_name(base_url), value)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(base_url.starts_with("https://"))
}

/// Ends this session.
#[utoipa::path(
    delete, path = "/api/v1/admin/session", tag = "staff", security(("session" = [])),
    responses((status = 204, description = "Logged out"))
)]
pub(crate) async fn log_out(
    access: Access<OwnAccount>,
    staff: Data<Staff>,
) -> Result<HttpResponse, AppError> {
    if let Authenticator::Session(hash) = access.by {
        staff.log_out(access.staff_id, hash).await?;
    }
    let gone = session_cookie(&staff.kernel.base_url, String::new()).max_age(Duration::ZERO).finish();
    Ok(HttpResponse::NoContent().cookie(gone).finish())
}

/// Says who is logged in.
#[utoipa::path(
    get, path = "/api/v1/admin/me", tag = "staff", security(("session" = [])),
    responses((status = 200, description = "The account", body = MeView))
)]
pub(crate) async fn me(access: Access<OwnAccount>) -> web::Json<MeView> {
    let Access { staff_id: id, email, role, group_id, has_totp: totp, .. } = access;
    web::Json(MeView { id, email, role, group_id, totp })
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
    let owner = TokenOwner { id: access.staff_id, role: access.role, group_id: access.group_id, actor };
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
    staff.revoke_token(access.staff_id, id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Mounts the routes.
pub fn api(config: &mut web::ServiceConfig) {
    Endpoint::at("/api/v1/admin/session").post(log_in).delete(log_out).mount(config);
    Endpoint::at("/api/v1/admin/me").get(me).mount(config);
    Endpoint::at("/api/v1/admin/tokens").get(list_tokens).post(create_token).mount(config);
    Endpoint::at("/api/v1/admin/tokens/{id}").delete(revoke_token).mount(config);
}

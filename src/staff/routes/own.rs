//! `/api/v1/admin/me`: one's own account, password and sessions.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Data, Path},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::session::browser;
use crate::{
    error::{AppError, Problem},
    http::Json,
    id::Id,
    staff::{
        Access, Authenticator, OwnAccount, OwnLogin, Role, Staff,
        sessions::{OwnSessionView, cookies},
    },
};

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
    /// With one: recovery codes that have not been used.
    pub recovery_codes_left: Option<i64>,
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordForm {
    /// The password so far.
    #[schema(value_type = String, format = Password)]
    pub current_password: SecretString,
    /// The password from now on: 12 to 128 characters, not easy to guess.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 128)]
    pub new_password: SecretString,
    /// Whether one's bearer tokens end, too. Without it they go on: a script need not stop for a better password.
    #[serde(default)]
    pub revoke_tokens: bool,
}

/// Says who is logged in.
#[utoipa::path(
    get, path = "/api/v1/admin/me", tag = "staff", security(("session" = [])),
    responses((status = 200, description = "The account", body = MeView))
)]
pub(crate) async fn me(access: Access<OwnLogin>, staff: Data<Staff>) -> Result<web::Json<MeView>, AppError> {
    let Access { staff_id: id, email, role, group_id, has_totp: totp, .. } = access;
    let recovery_codes_left = if totp { Some(staff.recovery_codes_left(id).await?) } else { None };
    Ok(web::Json(MeView { id, email, role, group_id, totp, recovery_codes_left }))
}

/// Changes one's own password. Every other session ends; this one gets another cookie. Bearer tokens end if asked to.
#[utoipa::path(
    post, path = "/api/v1/admin/me/password", tag = "staff", security(("session" = [])), request_body = PasswordForm,
    responses(
        (status = 204, description = "Changed; the cookie is a new one"),
        (status = 422, description = "`wrong` for `current_password`; `too_short`, `too_long`, `too_common` or `same_as_email` for `new_password`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many failures", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn change_password(
    access: Access<OwnAccount>,
    request: HttpRequest,
    staff: Data<Staff>,
    Json(form): Json<PasswordForm>,
) -> Result<HttpResponse, AppError> {
    let login = staff.new_login(browser(&request))?;
    let PasswordForm { current_password, new_password, revoke_tokens } = form;
    let session =
        staff.change_password(access.staff_id, current_password, new_password, revoke_tokens, login).await?;
    let cookie = cookies::session(&staff.kernel.base_url, session.expose().to_owned());
    Ok(HttpResponse::NoContent().cookie(cookie).finish())
}

/// Lists one's own sessions.
#[utoipa::path(
    get, path = "/api/v1/admin/me/sessions", tag = "staff", security(("session" = [])),
    responses((status = 200, description = "Sessions that have not ended, the newest first", body = Vec<OwnSessionView>))
)]
pub(crate) async fn list_sessions(
    access: Access<OwnAccount>,
    staff: Data<Staff>,
) -> Result<web::Json<Vec<OwnSessionView>>, AppError> {
    let current = match access.by {
        Authenticator::Session(hash) => hash,
        Authenticator::Token(_) => Vec::new(),
    };
    staff.own_sessions(access.staff_id, current).await.map(web::Json)
}

/// Ends one of one's own sessions.
#[utoipa::path(
    delete, path = "/api/v1/admin/me/sessions/{id}", tag = "staff", security(("session" = [])),
    params(("id" = String, Path, description = "Id of the session")),
    responses((status = 204, description = "Ended"), (status = 404, description = "No such session", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn end_session(
    access: Access<OwnAccount>,
    staff: Data<Staff>,
    id: Path<String>,
) -> Result<HttpResponse, AppError> {
    let id = id.parse().map_err(|_| AppError::NotFound("you have no such session".to_owned()))?;
    staff.end_session(access.staff_id, id).await?;
    Ok(HttpResponse::NoContent().finish())
}

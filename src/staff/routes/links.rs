//! `/api/v1/admin/{invitations,password-resets}`: choosing a password by a mailed link, and asking for one. The link's
//! authority is the link itself; no session is needed or read.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    error::{AppError, Problem},
    http::{ClientAddress, Json, require_same_origin},
    staff::{Staff, accounts::MailedLink, sessions::cookies},
};

/// A password, and the link's right to set it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkedPasswordForm {
    /// The last part of the link.
    #[schema(value_type = String)]
    pub token: SecretString,
    /// 12 to 128 characters, not easy to guess.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 128)]
    pub password: SecretString,
}

/// Whoever has lost their password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetForm {
    /// Address of the account.
    #[schema(max_length = 254)]
    pub email: String,
}

/// Sets the first password of an account that was made by invitation.
#[utoipa::path(
    post, path = "/api/v1/admin/invitations", tag = "staff", request_body = LinkedPasswordForm,
    responses(
        (status = 204, description = "Set; log in with it"),
        (status = 404, description = "`link_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "`link_expired` or `link_void` (used, or replaced)", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`too_short`, `too_long`, `too_common` or `same_as_email`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn accept_invitation(
    request: HttpRequest,
    staff: Data<Staff>,
    Json(form): Json<LinkedPasswordForm>,
) -> Result<HttpResponse, AppError> {
    set(MailedLink::Invite, &request, &staff, form).await
}

/// Asks for the mail with the link to set a new password. The answer is the same for every address.
#[utoipa::path(
    post, path = "/api/v1/admin/password-resets", tag = "staff", request_body = ResetForm,
    responses(
        (status = 202, description = "If there is an account with this address, the mail is on its way"),
        (status = 422, description = "No address", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Asked too often from this client", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn request_reset(
    request: HttpRequest,
    client: ClientAddress,
    staff: Data<Staff>,
    Json(form): Json<ResetForm>,
) -> Result<HttpResponse, AppError> {
    require_same_origin(&request, &staff.kernel.base_url)?;
    staff.request_reset(&form.email, client.0).await?;
    Ok(HttpResponse::new(StatusCode::ACCEPTED))
}

/// Sets a new password by the link of a reset mail. Every session and bearer token of the account ends.
#[utoipa::path(
    post, path = "/api/v1/admin/password-resets/completion", tag = "staff", request_body = LinkedPasswordForm,
    responses(
        (status = 204, description = "Set; log in with it"),
        (status = 404, description = "`link_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "`link_expired` or `link_void` (used, or replaced)", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`too_short`, `too_long`, `too_common` or `same_as_email`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn complete_reset(
    request: HttpRequest,
    staff: Data<Staff>,
    Json(form): Json<LinkedPasswordForm>,
) -> Result<HttpResponse, AppError> {
    set(MailedLink::Reset, &request, &staff, form).await
}

async fn set(
    kind: MailedLink,
    request: &HttpRequest,
    staff: &Staff,
    form: LinkedPasswordForm,
) -> Result<HttpResponse, AppError> {
    require_same_origin(request, &staff.kernel.base_url)?;
    let account = staff.set_password_by_link(kind, form.token.expose_secret(), form.password).await?;
    let (base_url, keys) = (&staff.kernel.base_url, &staff.kernel.keys);
    let mark = cookies::browser(base_url, keys, account.id, cookies::number()?, staff.kernel.clock.now());
    Ok(HttpResponse::NoContent().cookie(mark).finish())
}

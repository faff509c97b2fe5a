//! `/api/v1/admin/session`: log in, log out.

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    clock::Timestamp,
    error::{AppError, Problem},
    http::{ClientAddress, Json, require_same_origin},
    keys::sha256,
    staff::{
        Access, Authenticator, OwnLogin, Staff,
        sessions::{Login, browser_kind, cookies},
    },
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
    /// The code of the authenticator app, or a recovery code, where the account has a second factor.
    #[schema(value_type = Option<String>, max_length = 32)]
    pub code: Option<SecretString>,
}

/// A session that has begun; its token is in the cookie.
#[derive(Serialize, ToSchema)]
pub struct SessionView {
    /// When it ends at the latest.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// Whether a second factor must be set up before anything else can be done.
    pub totp_enrolment_required: bool,
}

/// The kind of browser or program that sent the request.
pub(super) fn browser(request: &HttpRequest) -> &'static str {
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    browser_kind(agent.unwrap_or(""))
}

/// Logs in with e-mail and password, and a code where the account has a second factor.
#[utoipa::path(
    post, path = "/api/v1/admin/session", tag = "staff", request_body = SessionForm,
    responses(
        (status = 200, description = "Logged in; the session is in the cookie", body = SessionView),
        (status = 401, description = "`login_failed`, `totp_needed` (send a code, too) or `totp_wrong`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "From another site", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many failures; `Retry-After` says how long to wait", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many log in at once", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn log_in(
    request: HttpRequest,
    client: ClientAddress,
    staff: Data<Staff>,
    Json(form): Json<SessionForm>,
) -> Result<HttpResponse, AppError> {
    let (base_url, keys) = (&staff.kernel.base_url, &staff.kernel.keys);
    require_same_origin(&request, base_url)?;
    let now = staff.kernel.clock.now();
    let known_browser = cookies::known_browser(&request, base_url, keys, now);
    let begun = staff
        .log_in(Login {
            email: form.email,
            password: form.password,
            code: form.code,
            client: client.0,
            known_browser,
            browser: browser(&request),
            session: request.cookie(cookies::session_name(base_url)).map(|cookie| sha256(cookie.value())),
        })
        .await?;
    // A browser keeps its number, and with it its count.
    let number = known_browser.filter(|(whose, _)| *whose == begun.staff_id).map(|(_, number)| number);
    let mark =
        cookies::browser(base_url, keys, begun.staff_id, number.map_or_else(cookies::number, Ok)?, now);
    let cookie = cookies::session(base_url, begun.session.expose().to_owned());
    let view =
        SessionView { expires_at: begun.session.expires_at, totp_enrolment_required: begun.must_enrol };
    Ok(HttpResponse::Ok().cookie(cookie).cookie(mark).json(view))
}

/// Ends this session.
#[utoipa::path(
    delete, path = "/api/v1/admin/session", tag = "staff", security(("session" = [])),
    responses((status = 204, description = "Logged out"))
)]
pub(crate) async fn log_out(access: Access<OwnLogin>, staff: Data<Staff>) -> Result<HttpResponse, AppError> {
    if let Authenticator::Session(hash) = access.by {
        staff.log_out(access.staff_id, hash).await?;
    }
    Ok(HttpResponse::NoContent().cookie(cookies::no_session(&staff.kernel.base_url)).finish())
}

//! `/api/v1/admin/me/totp`: one's own second factor.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Data},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::session::browser;
use crate::{
    error::{AppError, Problem},
    http::Json,
    staff::{Access, OwnAccount, OwnLogin, Staff, accounts::Proof, sessions::cookies},
};

/// Who one is, once more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProofForm {
    /// The account's password.
    #[schema(value_type = String, format = Password)]
    pub current_password: SecretString,
    /// The app's code, or a recovery code, where a second factor is on already.
    #[schema(value_type = Option<String>, max_length = 32)]
    pub code: Option<SecretString>,
}

/// The code that shows that the app has the secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TotpCodeForm {
    /// Six digits.
    #[schema(value_type = String, min_length = 6, max_length = 16)]
    pub code: SecretString,
}

/// What goes into the authenticator app. Nothing changes until it is confirmed.
#[derive(Serialize, ToSchema)]
pub struct EnrolmentView {
    /// To be typed, in base32.
    pub secret: String,
    /// For an app on the same device: `otpauth://totp/…`.
    pub otpauth_url: String,
    /// The same as a QR code, as an SVG element.
    pub qr_svg: String,
}

/// Codes for whoever has lost the app; each works once.
#[derive(Serialize, ToSchema)]
pub struct RecoveryCodesView {
    /// Ten codes, shown this once.
    pub recovery_codes: Vec<String>,
}

/// Begins to set up, or to replace, one's second factor.
#[utoipa::path(
    post, path = "/api/v1/admin/me/totp", tag = "staff", security(("session" = [])), request_body = ProofForm,
    responses(
        (status = 200, description = "For the app; confirm it with a code", body = EnrolmentView),
        (status = 422, description = "`wrong` for `current_password` or `code`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn begin_totp(
    access: Access<OwnLogin>,
    staff: Data<Staff>,
    Json(form): Json<ProofForm>,
) -> Result<web::Json<EnrolmentView>, AppError> {
    staff.prove(access.staff_id, form.current_password, form.code, Proof::Both).await?;
    let made = staff.begin_totp(access.staff_id, &access.email).await?;
    Ok(web::Json(EnrolmentView { secret: made.secret, otpauth_url: made.uri, qr_svg: made.qr_svg }))
}

/// Turns the second factor on. Every other session ends; this one gets another cookie.
#[utoipa::path(
    post, path = "/api/v1/admin/me/totp/confirmation", tag = "staff", security(("session" = [])),
    request_body = TotpCodeForm,
    responses(
        (status = 200, description = "On; keep these codes", body = RecoveryCodesView),
        (status = 409, description = "`totp_not_begun`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`wrong` for `code`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn confirm_totp(
    access: Access<OwnLogin>,
    request: HttpRequest,
    staff: Data<Staff>,
    Json(form): Json<TotpCodeForm>,
) -> Result<HttpResponse, AppError> {
    let login = staff.new_login(browser(&request))?;
    let (session, recovery_codes) =
        staff.confirm_totp(access.staff_id, access.email, form.code, login).await?;
    let cookie = cookies::session(&staff.kernel.base_url, session.expose().to_owned());
    Ok(HttpResponse::Ok().cookie(cookie).json(RecoveryCodesView { recovery_codes }))
}

/// Makes ten new recovery codes in place of the old ones.
#[utoipa::path(
    post, path = "/api/v1/admin/me/totp/recovery-codes", tag = "staff", security(("session" = [])),
    request_body = ProofForm,
    responses(
        (status = 200, description = "Keep these codes; the old ones are void", body = RecoveryCodesView),
        (status = 409, description = "`totp_off`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`wrong` for `current_password` or `code`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn renew_recovery_codes(
    access: Access<OwnAccount>,
    staff: Data<Staff>,
    Json(form): Json<ProofForm>,
) -> Result<web::Json<RecoveryCodesView>, AppError> {
    if !access.has_totp {
        let sentence = "set up a second factor first";
        return Err(AppError::refused(actix_web::http::StatusCode::CONFLICT, "totp_off", sentence));
    }
    staff.prove(access.staff_id, form.current_password, form.code, Proof::Both).await?;
    let recovery_codes = staff.renew_recovery_codes(access.staff_id, access.email).await?;
    Ok(web::Json(RecoveryCodesView { recovery_codes }))
}

/// Switches one's second factor off.
#[utoipa::path(
    delete, path = "/api/v1/admin/me/totp", tag = "staff", security(("session" = [])), request_body = ProofForm,
    responses(
        (status = 204, description = "Off"),
        (status = 409, description = "`totp_required` of everybody", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`wrong` for `current_password` or `code`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn remove_totp(
    access: Access<OwnAccount>,
    staff: Data<Staff>,
    Json(form): Json<ProofForm>,
) -> Result<HttpResponse, AppError> {
    staff.prove(access.staff_id, form.current_password, form.code, Proof::Both).await?;
    staff.remove_own_totp(access.staff_id, access.email).await?;
    Ok(HttpResponse::NoContent().finish())
}

//! `/api/v1/admin/staff` and `/api/v1/admin/settings`: what owners do with accounts.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{self, Data, Path},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    error::{AppError, Problem},
    http::{Cursor, Json, Query, Slice, page_size},
    id::Id,
    staff::{Access, ManageStaff, ReadStaff, Role, Staff, StaffView, accounts::StaffChange},
};

/// Which part of the list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StaffQuery {
    /// 1 to 500; 50 when nothing is said.
    pub limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
}

/// Somebody to be let in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationForm {
    /// Whom the invitation goes to.
    #[schema(max_length = 254)]
    pub email: String,
    /// What they will be.
    pub role: Role,
    /// Slug of the one group of a `group_manager`.
    #[schema(max_length = 64)]
    pub group: Option<String>,
}

/// What is to become of an account; what is not named stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StaffChangeForm {
    /// Another role.
    pub role: Option<Role>,
    /// Slug of the one group of a `group_manager`.
    #[schema(max_length = 64)]
    pub group: Option<String>,
    /// Whether it may no longer log in; its sessions and tokens end, and come back by nothing.
    pub disabled: Option<bool>,
}

/// What owners have chosen for everybody.
#[derive(Serialize, ToSchema)]
pub struct SettingsView {
    /// Whether everybody on the staff must log in with a second factor. Bearer tokens are not asked for one.
    pub totp_required: bool,
}

/// What is to be otherwise.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsForm {
    /// Whether everybody on the staff must log in with a second factor.
    pub totp_required: Option<bool>,
}

pub(super) fn account(id: &str) -> Result<Id, AppError> {
    id.parse().map_err(|_| AppError::NotFound("there is no such account".to_owned()))
}

/// Lists the accounts, in the order they were made.
#[utoipa::path(
    get, path = "/api/v1/admin/staff", tag = "staff", security(("session" = []), ("token" = ["staff"])),
    params(StaffQuery),
    responses((status = 200, description = "A page of accounts", body = Slice<StaffView>))
)]
pub(crate) async fn list_staff(
    _: Access<ReadStaff>,
    staff: Data<Staff>,
    Query(query): Query<StaffQuery>,
) -> Result<web::Json<Slice<StaffView>>, AppError> {
    let limit = page_size(query.limit)?;
    let foreign = || AppError::field("cursor", "unknown", "this cursor is not of this list");
    let after = match query.cursor {
        Some(cursor) => Some(Id::from_bytes(cursor.bytes().ok_or_else(foreign)?)),
        None => None,
    };
    let rows = staff.list_staff(after, limit).await?;
    Ok(web::Json(Slice::cut(rows, limit, |row| Cursor::at(row.id.as_bytes()))))
}

/// Invites somebody by mail; they choose a password by the link in it.
#[utoipa::path(
    post, path = "/api/v1/admin/staff", tag = "staff", security(("session" = [])),
    request_body = InvitationForm,
    responses(
        (status = 201, description = "Invited", body = StaffView),
        (status = 409, description = "`account_exists` or `already_invited`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "An address, role or group that does not hold", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn invite_staff(
    access: Access<ManageStaff>,
    staff: Data<Staff>,
    Json(form): Json<InvitationForm>,
) -> Result<HttpResponse, AppError> {
    let view = staff.invite_staff(access.actor(), &form.email, form.role, form.group).await?;
    Ok(HttpResponse::Created().json(view))
}

/// Changes role or group, disables or enables. Acts on the next request of whoever it is about.
#[utoipa::path(
    patch, path = "/api/v1/admin/staff/{id}", tag = "staff", security(("session" = [])),
    params(("id" = String, Path, description = "Id of the account")), request_body = StaffChangeForm,
    responses(
        (status = 200, description = "As it is now", body = StaffView),
        (status = 404, description = "No such account", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`last_owner`: nobody could manage the staff any more", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A group that does not hold", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn change_staff(
    access: Access<ManageStaff>,
    staff: Data<Staff>,
    id: Path<String>,
    Json(form): Json<StaffChangeForm>,
) -> Result<web::Json<StaffView>, AppError> {
    let change = StaffChange { role: form.role, group: form.group, disabled: form.disabled };
    staff.change_staff(access.actor(), account(&id)?, change).await.map(web::Json)
}

/// Takes an invitation back that nobody has used. Accounts that were used stay; disable them.
#[utoipa::path(
    delete, path = "/api/v1/admin/staff/{id}", tag = "staff", security(("session" = [])),
    params(("id" = String, Path, description = "Id of the account")),
    responses(
        (status = 204, description = "Taken back"),
        (status = 404, description = "No such account", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`not_invited`: it is in use", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn take_back_invitation(
    access: Access<ManageStaff>,
    staff: Data<Staff>,
    id: Path<String>,
) -> Result<HttpResponse, AppError> {
    staff.take_back_invitation(access.actor(), account(&id)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Sends the invitation once more; the links of earlier mails are void.
#[utoipa::path(
    post, path = "/api/v1/admin/staff/{id}/invitation", tag = "staff", security(("session" = [])),
    params(("id" = String, Path, description = "Id of the account")),
    responses(
        (status = 202, description = "The mail is owed"),
        (status = 404, description = "No such account", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`not_invited`: it has a password", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn invite_again(
    access: Access<ManageStaff>,
    staff: Data<Staff>,
    id: Path<String>,
) -> Result<HttpResponse, AppError> {
    staff.invite_again(access.actor(), account(&id)?).await?;
    Ok(HttpResponse::new(StatusCode::ACCEPTED))
}

/// Sends somebody the link to set a new password.
#[utoipa::path(
    post, path = "/api/v1/admin/staff/{id}/password-reset", tag = "staff", security(("session" = [])),
    params(("id" = String, Path, description = "Id of the account")),
    responses(
        (status = 202, description = "The mail is owed"),
        (status = 404, description = "No such account", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn send_reset(
    access: Access<ManageStaff>,
    staff: Data<Staff>,
    id: Path<String>,
) -> Result<HttpResponse, AppError> {
    staff.send_reset(access.actor(), account(&id)?).await?;
    Ok(HttpResponse::new(StatusCode::ACCEPTED))
}

/// Switches the second factor of somebody off who has lost it; their sessions end.
#[utoipa::path(
    delete, path = "/api/v1/admin/staff/{id}/totp", tag = "staff", security(("session" = [])),
    params(("id" = String, Path, description = "Id of the account")),
    responses(
        (status = 204, description = "Off"),
        (status = 404, description = "No such account", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`totp_off`: there was none; `own_account`: yours is at `/api/v1/admin/me/totp`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn reset_totp(
    access: Access<ManageStaff>,
    staff: Data<Staff>,
    id: Path<String>,
) -> Result<HttpResponse, AppError> {
    staff.reset_totp(access.actor(), account(&id)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Shows what owners have chosen for everybody.
#[utoipa::path(
    get, path = "/api/v1/admin/settings", tag = "staff", security(("session" = []), ("token" = ["staff"])),
    responses((status = 200, description = "The settings", body = SettingsView))
)]
pub(crate) async fn show_settings(
    _: Access<ReadStaff>,
    staff: Data<Staff>,
) -> Result<web::Json<SettingsView>, AppError> {
    Ok(web::Json(SettingsView { totp_required: staff.is_totp_required().await? }))
}

/// Chooses for everybody.
#[utoipa::path(
    patch, path = "/api/v1/admin/settings", tag = "staff", security(("session" = [])),
    request_body = SettingsForm,
    responses(
        (status = 200, description = "The settings as they are now", body = SettingsView),
        (status = 409, description = "`totp_first`: set up your own second factor before requiring it", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn change_settings(
    access: Access<ManageStaff>,
    staff: Data<Staff>,
    Json(form): Json<SettingsForm>,
) -> Result<web::Json<SettingsView>, AppError> {
    if let Some(required) = form.totp_required {
        staff.require_totp(access.actor(), required, access.has_totp).await?;
    }
    Ok(web::Json(SettingsView { totp_required: staff.is_totp_required().await? }))
}

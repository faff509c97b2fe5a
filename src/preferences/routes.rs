//! `/api/v1/preferences/{token}`. The token is the authority.

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, Data, Path},
};

use super::{Choice, LinkFault, Power, Preferences, PreferencesChange, PreferencesView, views};
use crate::{
    error::{AppError, Problem},
    http::{Endpoint, Json},
    staff::{Access, ReadSupporters},
};

/// Shows what the link allows to see: masked, or everything with a fresh link.
#[utoipa::path(
    get, path = "/api/v1/preferences/{token}", tag = "preferences",
    params(("token" = String, Path, description = "Last part of a preferences link")),
    responses(
        (status = 200, description = "The person's own data", body = PreferencesView),
        (status = 404, description = "Not a link of ours", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "No longer good", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show(
    preferences: Data<Preferences>,
    token: Path<String>,
) -> Result<web::Json<PreferencesView>, AppError> {
    let visitor = preferences.visitor(&token).await?;
    let holdings = preferences.holdings(&visitor.supporter).await?;
    Ok(web::Json(views::view(visitor.supporter, visitor.power, holdings)))
}

/// Takes away (any link: withdraws shares, pauses, leaves), or changes and adds (fresh link: details, language, shares).
#[utoipa::path(
    patch, path = "/api/v1/preferences/{token}", tag = "preferences", request_body = PreferencesChange,
    params(("token" = String, Path, description = "Last part of a preferences link")),
    responses(
        (status = 204, description = "Done"),
        (status = 403, description = "This needs a fresh link", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "No longer good", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Fields that do not hold", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn change(
    preferences: Data<Preferences>,
    token: Path<String>,
    Json(change): Json<PreferencesChange>,
) -> Result<HttpResponse, AppError> {
    let visitor = preferences.visitor(&token).await?;
    let id = visitor.supporter.id;
    if change.adds() && visitor.power != Power::Everything {
        return Err(LinkFault::NeedsFresh.into());
    }
    let speech = change.speech().map_err(|fault| AppError::Invalid(vec![fault]))?;
    let profile = if change.edits() {
        Some(change.apply(&visitor.supporter).map_err(AppError::Invalid)?)
    } else {
        None
    };
    let share = change.share_with.clone().unwrap_or_default();
    let withdraw = change.withdraw.clone().unwrap_or_default();
    let choice = Choice {
        profile,
        language: speech.map(|speech| speech.tag().to_owned()),
        share: preferences.groups_named("share_with", share, true).await?,
        withdraw: preferences.groups_named("withdraw", withdraw, false).await?,
        pause: change.pause,
    };
    preferences.choose(visitor.supporter, choice).await?;
    if change.status.is_some() {
        preferences.leave(id).await?;
    }
    Ok(HttpResponse::NoContent().finish())
}

/// Erases everything that is stored of the person; needs a fresh link.
#[utoipa::path(
    delete, path = "/api/v1/preferences/{token}", tag = "preferences",
    params(("token" = String, Path, description = "Last part of a fresh preferences link")),
    responses(
        (status = 204, description = "Erased"),
        (status = 403, description = "This needs a fresh link", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "No longer good", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn erase(
    preferences: Data<Preferences>,
    token: Path<String>,
) -> Result<HttpResponse, AppError> {
    let supporter = preferences.fresh_visitor(&token).await?;
    preferences.erase(supporter).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Proves one supporter's consent: every wording with its time, language and fingerprint, as one HTML file.
#[utoipa::path(
    get, path = "/api/v1/admin/supporters/{id}/consent.html", tag = "preferences",
    security(("token" = ["supporters:read"]), ("session" = [])),
    params(("id" = String, Path, description = "Id of the supporter")),
    responses(
        (status = 200, description = "The file", body = String, content_type = "text/html"),
        (status = 401, description = "No session or token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such supporter", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn prove_consent(
    access: Access<ReadSupporters>,
    preferences: Data<Preferences>,
    id: Path<String>,
) -> Result<HttpResponse, AppError> {
    let id = id.parse().map_err(|_| AppError::NotFound("there is no such supporter".to_owned()))?;
    let html = preferences.proof(id, access.email.clone(), access.actor()).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"consent.html\""))
        .body(html))
}

/// Mounts the routes.
pub fn api(config: &mut web::ServiceConfig) {
    Endpoint::at("/api/v1/admin/supporters/{id}/consent.html").get(prove_consent).mount(config);
    Endpoint::at("/api/v1/preferences/{token}").get(show).patch(change).delete(erase).mount(config);
}

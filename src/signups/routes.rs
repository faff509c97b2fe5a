//! `/api/v1/signups`, `/api/v1/confirmations` and the list for staff.

use actix_web::{
    HttpResponse,
    web::{self, Data},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    JoinForm, Signups,
    views::{self, SignupQuery, SignupView},
};
use crate::{
    error::{AppError, Problem},
    http::{ClientAddress, Endpoint, Json, Query, Slice, cors, page_size},
    kernel::Kernel,
    staff::{Access, ReadSupporters},
};

/// The answer to every sign-up, whoever the address belongs to.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignupAccepted {
    /// Always `accepted`.
    #[schema(example = "accepted")]
    pub status: &'static str,
}

/// Takes a sign-up. The address gets a mail; nobody is on a list before its link is clicked.
#[utoipa::path(
    post, path = "/api/v1/signups", tag = "join", request_body = JoinForm,
    responses(
        (status = 202, description = "Stored durably; the answer is the same whoever the address belongs to", body = SignupAccepted),
        (status = 400, description = "Not well-formed JSON", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Over 64 KiB", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not application/json", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Fields that do not hold", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy, or the database is away; not accepted, come back after Retry-After seconds", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create_signup(
    signups: Data<Signups>,
    client: ClientAddress,
    Json(form): Json<JoinForm>,
) -> Result<HttpResponse, AppError> {
    let signup = signups.check(form).map_err(AppError::Invalid)?;
    signups.append(signup, client.0).await?;
    Ok(HttpResponse::Accepted().content_type("application/json").body(r#"{"status":"accepted"}"#))
}

/// A confirmation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmationForm {
    /// The last part of the link in the confirmation mail.
    #[schema(max_length = 64)]
    pub token: String,
    /// Slugs of the groups that still may have the contact, of those that the sign-up names; all of them when nothing is
    /// said, none of them for an empty list.
    #[schema(max_items = 5)]
    pub share_with: Option<Vec<String>>,
}

/// The answer to a confirmation.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConfirmationView {
    /// Always `confirmed`.
    #[schema(example = "confirmed")]
    pub status: &'static str,
}

/// Confirms the sign-up its link was mailed for; once more changes nothing.
#[utoipa::path(
    post, path = "/api/v1/confirmations", tag = "join", request_body = ConfirmationForm,
    responses(
        (status = 200, description = "Confirmed, now or before", body = ConfirmationView),
        (status = 404, description = "Not a link of ours", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "No longer good", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A group that the sign-up does not name", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create_confirmation(
    signups: Data<Signups>,
    Json(form): Json<ConfirmationForm>,
) -> Result<web::Json<ConfirmationView>, AppError> {
    let kept = match &form.share_with {
        Some(slugs) => Some(signups.kept(&form.token, slugs).await?),
        None => None,
    };
    signups.confirm(&form.token, kept).await?;
    Ok(web::Json(ConfirmationView { status: "confirmed" }))
}

/// Lists sign-ups, newest first: what was typed, of which only the confirmed is proven.
#[utoipa::path(
    get, path = "/api/v1/admin/signups", tag = "supporters", params(SignupQuery),
    security(("token" = ["supporters:read"]), ("session" = [])),
    responses((status = 200, description = "One page", body = Slice<SignupView>))
)]
pub(crate) async fn list_signups(
    access: Access<ReadSupporters>,
    kernel: Data<Kernel>,
    Query(query): Query<SignupQuery>,
) -> Result<web::Json<Slice<SignupView>>, AppError> {
    let limit = page_size(query.limit)?;
    let page = views::page(&kernel.store, query.status, query.cursor, limit).await?;
    kernel.note_read(&access.reader(), "signup.list", page.data.len()).await?;
    Ok(web::Json(page))
}

/// Mounts the routes; `origins` may send sign-ups from pages of their own.
pub fn api(origins: &[String]) -> impl FnOnce(&mut web::ServiceConfig) {
    let origins = origins.to_vec();
    move |config| {
        config.service(Endpoint::at("/api/v1/signups").post(create_signup).resource().wrap(cors(&origins)));
        Endpoint::at("/api/v1/confirmations").post(create_confirmation).mount(config);
        Endpoint::at("/api/v1/admin/signups").get(list_signups).mount(config);
    }
}

//! `/api/v1/groups/{slug}/recalls` and `…/webhook` for a group's own programs, and what staff see and do about recalls.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Data, Path},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{AcknowledgeForm, RecallPage, RecallStanding, Recalls, WebhookForm, WebhookSecret, WebhookView};
use crate::{
    error::{AppError, Problem},
    http::{Endpoint, Json, Query, page_size},
    id::Id,
    staff::{Access, OwnGroup, OwnRecalls, ReviewGroups, Sight},
};

/// From where the feed is read.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FeedQuery {
    /// The last `number` that was read; 0, the default, reads all that waits.
    #[param(minimum = 0)]
    pub since: Option<i64>,
    /// Rows of a page, 50 by default.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u16>,
}

/// How many recalls ended.
#[derive(Serialize, ToSchema)]
pub struct AcknowledgedView {
    /// Recalls that this acknowledgement ended; those acknowledged before do not count.
    pub acknowledged: usize,
}

/// Which standings are listed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StandingQuery {
    /// Only groups that have kept a recall waiting for longer than `groups.recall_overdue_days`.
    #[serde(default)]
    pub overdue: bool,
}

/// All standings; there are as many as groups.
#[derive(Serialize, ToSchema)]
pub struct StandingList {
    /// The longest waiting first.
    pub data: Vec<RecallStanding>,
}

impl Recalls {
    /// The group of this slug, if the caller may work for it. To others, every slug is as unknown as one that nobody
    /// has.
    pub(in super::super) async fn group(&self, slug: &str, sight: Sight) -> Result<Id, AppError> {
        let slug = slug.to_owned();
        let found = self
            .kernel
            .store
            .read(move |db| Ok::<_, AppError>(super::queries::group_of_slug(db, &slug)?))
            .await?;
        let visible = found.filter(|group| match sight {
            Sight::Everybody => true,
            Sight::Group(own) => own == *group,
        });
        visible.ok_or_else(|| AppError::NotFound("there is no such group that you work for".to_owned()))
    }
}

/// What the group must forget, oldest first; as NDJSON, one recall a line, with `Accept: application/x-ndjson`.
#[utoipa::path(
    get, path = "/api/v1/groups/{slug}/recalls", tag = "recalls",
    params(("slug" = String, Path, description = "The group"), FeedQuery),
    security(("token" = ["groups"]), ("session" = [])),
    responses(
        (status = 200, description = "One page", content((RecallPage = "application/json"), (String = "application/x-ndjson"))),
        (status = 401, description = "No session or token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No group of yours", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn feed(
    access: Access<OwnRecalls>,
    recalls: Data<Recalls>,
    slug: Path<String>,
    Query(query): Query<FeedQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, AppError> {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let lines = accept.split(',').any(|kind| kind.trim().starts_with("application/x-ndjson"));
    read(&recalls, &slug, access.sight(), &query, lines).await
}

/// The same as NDJSON: one recall a line.
#[utoipa::path(
    get, path = "/api/v1/groups/{slug}/recalls.ndjson", tag = "recalls",
    params(("slug" = String, Path, description = "The group"), FeedQuery),
    security(("token" = ["groups"]), ("session" = [])),
    responses(
        (status = 200, description = "One page", body = String, content_type = "application/x-ndjson"),
        (status = 401, description = "No session or token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No group of yours", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn feed_ndjson(
    access: Access<OwnRecalls>,
    recalls: Data<Recalls>,
    slug: Path<String>,
    Query(query): Query<FeedQuery>,
) -> Result<HttpResponse, AppError> {
    read(&recalls, &slug, access.sight(), &query, true).await
}

async fn read(
    recalls: &Recalls,
    slug: &str,
    sight: Sight,
    query: &FeedQuery,
    lines: bool,
) -> Result<HttpResponse, AppError> {
    let since = query.since.unwrap_or(0);
    if since < 0 {
        return Err(AppError::field("since", "out_of_range", "give the number of a recall, or 0"));
    }
    let limit = page_size(query.limit)?;
    let group = recalls.group(slug, sight).await?;
    let mut data = recalls.list(group, since, limit).await?;
    let has_more = data.len() > usize::from(limit);
    data.truncate(usize::from(limit));
    if !lines {
        let next_cursor = data.last().filter(|_| has_more).map(|last| last.number.to_string());
        return Ok(HttpResponse::Ok().json(RecallPage { data, next_cursor }));
    }
    let mut body = Vec::new();
    for recall in &data {
        serde_json::to_writer(&mut body, recall).map_err(|error| AppError::internal(&error))?;
        body.push(b'\n');
    }
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "application/x-ndjson")).body(body))
}

/// Says that the group has forgotten these people; their recalls end.
#[utoipa::path(
    post, path = "/api/v1/groups/{slug}/recalls/acknowledge", tag = "recalls", request_body = AcknowledgeForm,
    params(("slug" = String, Path, description = "The group")),
    security(("token" = ["groups"]), ("session" = [])),
    responses(
        (status = 200, description = "Done; once more changes nothing", body = AcknowledgedView),
        (status = 401, description = "No session or token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No group of yours", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No number, or too many", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn acknowledge(
    access: Access<OwnRecalls>,
    recalls: Data<Recalls>,
    slug: Path<String>,
    Json(form): Json<AcknowledgeForm>,
) -> Result<web::Json<AcknowledgedView>, AppError> {
    let group = recalls.group(&slug, access.sight()).await?;
    let acknowledged = recalls.acknowledge(group, form.check()?, access.actor()).await?;
    Ok(web::Json(AcknowledgedView { acknowledged }))
}

/// How the group's webhook stands; never its secret.
#[utoipa::path(
    get, path = "/api/v1/groups/{slug}/webhook", tag = "recalls",
    params(("slug" = String, Path, description = "The group")),
    security(("token" = ["groups"]), ("session" = [])),
    responses(
        (status = 200, description = "The webhook", body = WebhookView),
        (status = 401, description = "No session or token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No webhook, or no group of yours", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show_webhook(
    access: Access<OwnGroup>,
    recalls: Data<Recalls>,
    slug: Path<String>,
) -> Result<web::Json<WebhookView>, AppError> {
    let group = recalls.group(&slug, access.sight()).await?;
    recalls.webhook(group).await.map(web::Json)
}

/// Sends recalls there from now on, signed with a new secret that is shown this once.
#[utoipa::path(
    post, path = "/api/v1/groups/{slug}/webhook", tag = "recalls", request_body = WebhookForm,
    params(("slug" = String, Path, description = "The group")),
    security(("token" = ["groups"]), ("session" = [])),
    responses(
        (status = 201, description = "Set", body = WebhookSecret),
        (status = 401, description = "No session or token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No group of yours", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not https, or not public", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn set_webhook(
    access: Access<OwnGroup>,
    recalls: Data<Recalls>,
    slug: Path<String>,
    Json(form): Json<WebhookForm>,
) -> Result<HttpResponse, AppError> {
    let group = recalls.group(&slug, access.sight()).await?;
    let set = recalls.set_webhook(group, &form.url, access.actor()).await?;
    Ok(HttpResponse::Created().json(set))
}

/// Sends nothing more to the group's webhook; its secret is void.
#[utoipa::path(
    delete, path = "/api/v1/groups/{slug}/webhook", tag = "recalls",
    params(("slug" = String, Path, description = "The group")),
    security(("token" = ["groups"]), ("session" = [])),
    responses(
        (status = 204, description = "Removed"),
        (status = 401, description = "No session or token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No webhook, or no group of yours", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn remove_webhook(
    access: Access<OwnGroup>,
    recalls: Data<Recalls>,
    slug: Path<String>,
) -> Result<HttpResponse, AppError> {
    let group = recalls.group(&slug, access.sight()).await?;
    recalls.remove_webhook(group, access.actor()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// How the groups stand with their recalls.
#[utoipa::path(
    get, path = "/api/v1/admin/recalls", tag = "recalls", params(StandingQuery),
    security(("token" = ["groups"]), ("session" = [])),
    responses(
        (status = 200, description = "Every group that was ever owed one", body = StandingList),
        (status = 401, description = "No session or token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn standings(
    _access: Access<ReviewGroups>,
    recalls: Data<Recalls>,
    Query(query): Query<StandingQuery>,
) -> Result<web::Json<StandingList>, AppError> {
    let data = recalls.standings(query.overdue).await?;
    Ok(web::Json(StandingList { data }))
}

/// Tries the group's webhook again, at once and for three days.
#[utoipa::path(
    post, path = "/api/v1/admin/groups/{id}/recalls/replay", tag = "recalls",
    params(("id" = String, Path, description = "The group")),
    security(("token" = ["groups"]), ("session" = [])),
    responses(
        (status = 202, description = "What waits is sent again"),
        (status = 401, description = "No session or token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No group with a webhook", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn replay(
    access: Access<ReviewGroups>,
    recalls: Data<Recalls>,
    id: Path<String>,
) -> Result<HttpResponse, AppError> {
    let id: Id = id.parse().map_err(|_| AppError::NotFound("there is no such group".to_owned()))?;
    recalls.replay(id, access.actor()).await?;
    Ok(HttpResponse::Accepted().finish())
}

/// Mounts the routes.
pub fn api(config: &mut web::ServiceConfig) {
    Endpoint::at("/api/v1/groups/{slug}/recalls").get(feed).mount(config);
    Endpoint::at("/api/v1/groups/{slug}/recalls.ndjson").get(feed_ndjson).mount(config);
    Endpoint::at("/api/v1/groups/{slug}/recalls/acknowledge").post(acknowledge).mount(config);
    Endpoint::at("/api/v1/groups/{slug}/webhook")
        .get(show_webhook)
        .post(set_webhook)
        .delete(remove_webhook)
        .mount(config);
    Endpoint::at("/api/v1/admin/recalls").get(standings).mount(config);
    Endpoint::at("/api/v1/admin/groups/{id}/recalls/replay").post(replay).mount(config);
}

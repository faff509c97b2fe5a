//! `/api/v1/admin/audit`: the trail as a list, as a file, and verified. Here and not in the kernel, since who may read
//! it is asked here.

use std::collections::HashMap;

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, Data},
};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::{IntoParams, ToSchema};

use super::{Access, ReadAudit, Staff, accounts::queries, audit_export};
use crate::{
    audit::{EntryFilter, EntryView, FaultKind, Head, Link, Verdict, VerifyError},
    error::{AppError, Problem},
    http::{Cursor, Endpoint, Query, Slice, page_size},
    id::Id,
    time_bound::TimeBound,
};

/// Verifications at a time in this process; each holds a connection and a thread.
static VERIFYING: Semaphore = Semaphore::const_new(1);

/// Which entries.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EntryQuery {
    /// Id of who did it.
    #[param(value_type = Option<String>)]
    pub actor: Option<Id>,
    /// What kind of somebody did it: `staff`, `supporter`, `group`, `unknown`, `command_line`, `system`.
    #[param(max_length = 32)]
    pub actor_kind: Option<String>,
    /// The beginning of the action's name, e.g. `export.` or `session.begin`.
    #[param(max_length = 64)]
    pub action: Option<String>,
    /// Id of what it was done to.
    #[param(value_type = Option<String>)]
    pub subject: Option<Id>,
    /// A day in the campaign's time zone, or an RFC 3339 time.
    #[param(value_type = Option<String>)]
    pub from: Option<TimeBound>,
    /// A day in the campaign's time zone, or an RFC 3339 time.
    #[param(value_type = Option<String>)]
    pub to: Option<TimeBound>,
    /// Rows of a page, 50 by default; a file has all.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
}

impl EntryQuery {
    fn filter(&self, timezone: &str) -> Result<EntryFilter, AppError> {
        let zone = jiff::tz::TimeZone::get(timezone).map_err(|error| AppError::internal(&error))?;
        for (field, text) in [("action", &self.action), ("actor_kind", &self.actor_kind)] {
            if text.as_ref().is_some_and(|text| !EntryFilter::is_action(text)) {
                let message = "write small letters, digits, underscores and dots, as in export.begin";
                return Err(AppError::field(field, "invalid_action", message));
            }
        }
        let (from, to) =
            (self.from.map(|bound| bound.resolve(&zone)), self.to.map(|bound| bound.resolve(&zone)));
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            return Err(AppError::field("to", "contradiction", "to must be later than from"));
        }
        Ok(EntryFilter {
            actor: self.actor,
            actor_kind: self.actor_kind.clone(),
            action: self.action.clone(),
            subject: self.subject,
            from,
            to,
        })
    }
}

/// An entry in a list, with the address of whoever on the staff did it.
#[derive(Serialize, ToSchema)]
pub struct EntryRow {
    /// The entry.
    #[serde(flatten)]
    pub entry: EntryView,
    /// Address of the account, if somebody on the staff did it and still has one.
    pub actor_email: Option<String>,
}

/// Lists entries of the audit trail, newest first.
#[utoipa::path(
    get, path = "/api/v1/admin/audit", tag = "audit", params(EntryQuery),
    security(("token" = ["audit"]), ("session" = [])),
    responses(
        (status = 200, description = "One page", body = Slice<EntryRow>),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A filter that does not hold", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_entries(
    access: Access<ReadAudit>,
    staff: Data<Staff>,
    Query(query): Query<EntryQuery>,
) -> Result<web::Json<Slice<EntryRow>>, AppError> {
    let kernel = &staff.kernel;
    let filter = query.filter(&kernel.config.campaign.timezone)?;
    let limit = page_size(query.limit)?;
    let before = match query.cursor.map(|cursor| cursor.bytes::<8>().map(i64::from_be_bytes)) {
        Some(None) => {
            return Err(AppError::field("cursor", "invalid_cursor", "this cursor is of another list"));
        }
        other => other.flatten(),
    };
    let rows = kernel.trail().list(filter, before, i64::from(limit) + 1).await?;
    let page = Slice::cut(rows, limit, |link: &Link| Cursor::at(&link.entry.number.to_be_bytes()));
    kernel.note_read(&access.reader(), "audit.list", page.data.len()).await?;
    let emails: HashMap<Id, String> =
        kernel.store.read(|db| Ok::<_, AppError>(queries::list_emails(db)?)).await?.into_iter().collect();
    let show = |link: Link| {
        let actor_email = link.entry.actor_id.and_then(|id| emails.get(&id).cloned());
        EntryRow { entry: link.into(), actor_email }
    };
    Ok(web::Json(Slice { data: page.data.into_iter().map(show).collect(), next_cursor: page.next_cursor }))
}

/// What is expected of the trail.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VerifyQuery {
    /// A place of the trail that was kept elsewhere, `NUMBER:MAC`: shows also that nothing up to it was cut off.
    #[param(max_length = 128)]
    pub expect: Option<String>,
}

/// What the trail was found to be.
#[derive(Serialize, ToSchema)]
pub struct VerdictView {
    /// Whether it is as it was appended.
    pub intact: bool,
    /// The first entry that is not.
    pub broken_at: Option<i64>,
    /// What is wrong with it.
    pub kind: Option<FaultKind>,
    /// The same as a sentence.
    pub sentence: Option<String>,
    /// Entries up to this number were taken away by retention.
    pub retired: Option<i64>,
    /// The newest entry's place, to be kept elsewhere.
    pub head: Option<String>,
}

impl From<Verdict> for VerdictView {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Intact { retired, head } => Self {
                intact: true,
                broken_at: None,
                kind: None,
                sentence: None,
                retired: Some(retired),
                head: (head.number > 0).then(|| head.to_string()),
            },
            Verdict::Broken(fault) => Self {
                intact: false,
                broken_at: Some(fault.number),
                kind: Some(fault.kind),
                sentence: Some(fault.to_string()),
                retired: None,
                head: None,
            },
        }
    }
}

/// Verifies the whole trail; one verification at a time.
#[utoipa::path(
    get, path = "/api/v1/admin/audit/verify", tag = "audit", params(VerifyQuery),
    security(("token" = ["audit"]), ("session" = [])),
    responses(
        (status = 200, description = "The verdict, good or bad", body = VerdictView),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "What was expected cannot be read, or is not kept any more", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Another verification is under way", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn verify_trail(
    _access: Access<ReadAudit>,
    staff: Data<Staff>,
    Query(query): Query<VerifyQuery>,
) -> Result<web::Json<VerdictView>, AppError> {
    let expected = query.expect.as_deref().map(str::parse::<Head>).transpose();
    let expected = expected.map_err(|message| AppError::field("expect", "invalid_head", message))?;
    let _permit = VERIFYING.try_acquire().map_err(|_| AppError::Unavailable { retry_after: 5 })?;
    match staff.kernel.trail().verify(expected).await {
        Ok(verdict) => Ok(web::Json(verdict.into())),
        Err(error @ VerifyError::TooOld(_)) => Err(AppError::field("expect", "too_old", error.to_string())),
        Err(VerifyError::Store(error)) => Err(error.into()),
        Err(error) => Err(AppError::internal(&error)),
    }
}

/// Downloads entries as NDJSON, newest first, streamed; itself in the trail, at its beginning and end.
#[utoipa::path(
    get, path = "/api/v1/admin/exports/audit.ndjson", tag = "audit", params(EntryQuery),
    security(("token" = ["audit"]), ("session" = [])),
    responses(
        (status = 200, description = "One entry a line", body = String, content_type = "application/x-ndjson"),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A filter that does not hold", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn export_entries(
    access: Access<ReadAudit>,
    staff: Data<Staff>,
    Query(query): Query<EntryQuery>,
) -> Result<HttpResponse, AppError> {
    let kernel = &staff.kernel;
    if query.limit.is_some() || query.cursor.is_some() {
        let field = if query.limit.is_some() { "limit" } else { "cursor" };
        return Err(AppError::field(field, "unknown_field", "a file has all entries that match"));
    }
    let filter = query.filter(&kernel.config.campaign.timezone)?;
    let body = audit_export::begin(kernel, access.actor(), filter).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/x-ndjson"))
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"audit.ndjson\""))
        .streaming(body))
}

/// Mounts the routes.
pub fn api(config: &mut web::ServiceConfig) {
    Endpoint::at("/api/v1/admin/audit").get(list_entries).mount(config);
    Endpoint::at("/api/v1/admin/audit/verify").get(verify_trail).mount(config);
    Endpoint::at("/api/v1/admin/exports/audit.ndjson").get(export_entries).mount(config);
}

//! `/api/v1/admin/outbox`: mails that wait, left or were given up, for staff who may see people; and the given-up ones owed
//! once more. Here and not in the kernel, since who may read it is asked here.

use actix_web::web::{self, Data};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::{
    audit::{self, Act},
    clock::Timestamp,
    error::{AppError, Problem},
    http::{Cursor, Endpoint, Json, Query, Slice, page_size},
    id::Id,
    kernel::Kernel,
    outbox::{self, OwedMail},
    staff::{Access, ReadSupporters, WriteSupporters},
    store::{Db, Lane},
};

/// Mails that one transaction owes once more.
const PIECE: i64 = 500;
/// Mails that a request may name.
const MOST_NAMED: usize = 500;

/// Where a mail stands.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MailState {
    /// It waits, or is tried again later.
    Due,
    /// The relay took it.
    Sent,
    /// Refused, or tried for too long.
    Dead,
    /// Nobody was owed it any more.
    Dropped,
}

impl MailState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Sent => "sent",
            Self::Dead => "dead",
            Self::Dropped => "dropped",
        }
    }
}

/// Which mails.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MailQuery {
    /// Where they stand; all when nothing is said.
    #[param(value_type = Option<MailState>, inline)]
    pub state: Option<MailState>,
    /// Rows of a page, 50 by default.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
}

/// A mail owed. What it says is written when it is sent, and kept nowhere.
#[derive(Serialize, ToSchema)]
pub(crate) struct OwedMailView {
    /// Names it.
    #[schema(value_type = String)]
    pub id: Id,
    /// What kind of mail it is.
    #[schema(example = "welcome")]
    pub template: String,
    /// `due`, `sent`, `dead` or `dropped`.
    pub state: String,
    /// Whom it goes to; nothing once it left, or was forgotten.
    pub address: Option<String>,
    /// How often it was tried.
    pub attempts: i32,
    /// When it is tried next, if it waits.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub due_at: Option<Timestamp>,
    /// What the relay said last, if it did not take it.
    pub last_error: Option<String>,
    /// Since when it is owed.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it left or was given up.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
}

impl From<OwedMail> for OwedMailView {
    fn from(mail: OwedMail) -> Self {
        Self {
            due_at: (mail.state == "due").then_some(mail.due_at),
            address: Some(mail.address).filter(|address| !address.is_empty()),
            id: mail.id,
            template: mail.template,
            state: mail.state,
            attempts: mail.attempts,
            last_error: mail.last_error,
            created_at: mail.created_at,
            finished_at: mail.finished_at,
        }
    }
}

/// Lists mails, newest first.
#[utoipa::path(
    get, path = "/api/v1/admin/outbox", tag = "outbox", params(MailQuery),
    security(("token" = ["supporters:read"]), ("session" = [])),
    responses(
        (status = 200, description = "One page", body = Slice<OwedMailView>),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A query that does not hold", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_mails(
    access: Access<ReadSupporters>,
    kernel: Data<Kernel>,
    Query(query): Query<MailQuery>,
) -> Result<web::Json<Slice<OwedMailView>>, AppError> {
    let limit = page_size(query.limit)?;
    let not_ours = || AppError::field("cursor", "invalid", "give the next_cursor of a page of this list");
    let before = match &query.cursor {
        Some(cursor) => Some(Id::from_bytes(cursor.bytes().ok_or_else(not_ours)?)),
        None => None,
    };
    let state = query.state.map(MailState::as_str);
    let read = move |db: &mut Db| Ok::<_, AppError>(outbox::list(db, state, before, limit)?);
    let rows = kernel.store.read(read).await?;
    let page = Slice::cut(rows, limit, |mail| Cursor::at(mail.id.as_bytes()));
    kernel.note_read(&access.reader(), "outbox.list", page.data.len()).await?;
    let data = page.data.into_iter().map(OwedMailView::from).collect();
    Ok(web::Json(Slice { data, next_cursor: page.next_cursor }))
}

/// Which mails are owed once more.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetryForm {
    /// Ids of mails that were given up, at most 500; all of them when nothing is said.
    #[schema(value_type = Option<Vec<String>>, max_items = 500)]
    pub ids: Option<Vec<Id>>,
}

/// How many are owed once more.
#[derive(Serialize, ToSchema)]
pub(crate) struct RetriedView {
    /// Mails that were given up and still had their address.
    pub retried: usize,
}

/// Owes mails once more that were given up, as far as their addresses are still known.
#[utoipa::path(
    post, path = "/api/v1/admin/outbox/retry", tag = "outbox", request_body = RetryForm,
    security(("token" = ["supporters:write"]), ("session" = [])),
    responses(
        (status = 200, description = "They are due now", body = RetriedView),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Too many, or no ids", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn retry_mails(
    access: Access<WriteSupporters>,
    kernel: Data<Kernel>,
    Json(form): Json<RetryForm>,
) -> Result<web::Json<RetriedView>, AppError> {
    if form.ids.as_ref().is_some_and(|ids| ids.len() > MOST_NAMED) {
        return Err(AppError::field("ids", "too_many", "name at most 500 mails"));
    }
    let (actor, mut retried) = (access.actor(), 0);
    // Those that are given up while this goes on are not caught in a circle.
    let until = kernel.clock.now();
    loop {
        let (keys, ids, actor) = (kernel.keys.clone(), form.ids.clone(), actor);
        let write = move |db: &mut Db| {
            let count = outbox::revive(db, ids.as_deref(), until, PIECE)?;
            if count > 0 {
                let act = Act::new(actor, "outbox.retry").with(json!({ "mails": count }));
                audit::append(db, &keys, &[act], until)?;
            }
            Ok::<_, AppError>(count)
        };
        let count = kernel.store.write(Lane::Staff, write).await?;
        retried += count;
        if count == 0 {
            break;
        }
        kernel.outbox.wake();
    }
    Ok(web::Json(RetriedView { retried }))
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    Endpoint::at("/api/v1/admin/outbox").get(list_mails).mount(config);
    Endpoint::at("/api/v1/admin/outbox/retry").post(retry_mails).mount(config);
}

//! Statements over webhooks: claim by lease, mark. Times are the database's, as the outbox's are.

use diesel::{QueryResult, prelude::*};

use super::domain::{LEASE, TRIED_FOR, WebhookFault, retry_delay};
use crate::{
    clock::{Clock, Timestamp},
    each,
    id::Id,
    store::{
        Db, dialect,
        schema::{group_webhooks, groups, recalls},
    },
};

/// A webhook as stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = group_webhooks)]
pub struct Webhook {
    pub group_id: Id,
    pub url: String,
    pub secret_version: i32,
    pub created_at: Timestamp,
    pub attempts: i32,
    pub failing_since: Option<Timestamp>,
    pub last_error: Option<String>,
    pub given_up_at: Option<Timestamp>,
}

/// A webhook in hand.
#[derive(Clone, Debug)]
pub(super) struct Claimed {
    pub webhook: Webhook,
    /// The group's slug.
    pub slug: String,
    pub lease: Id,
}

/// The webhook of `group`.
pub fn state(db: &mut Db, group: Id) -> QueryResult<Option<Webhook>> {
    group_webhooks::table
        .filter(group_webhooks::group_id.eq(group))
        .select(Webhook::as_select())
        .first(db)
        .optional()
}

/// Sets the webhook of `group`; returns the version of its secret, a new one each time.
pub(super) fn set(db: &mut Db, group: Id, url: &str, now: Timestamp) -> QueryResult<i32> {
    let version = group_webhooks::secret_version;
    each!(db, c => diesel::insert_into(group_webhooks::table)
        .values((
            group_webhooks::group_id.eq(group),
            group_webhooks::url.eq(url),
            version.eq(1),
            group_webhooks::created_at.eq(now),
            group_webhooks::due_at.eq(now),
            group_webhooks::attempts.eq(0),
        ))
        .on_conflict(group_webhooks::group_id)
        .do_update()
        .set((
            group_webhooks::url.eq(url),
            version.eq(version + 1),
            group_webhooks::due_at.eq(now),
            group_webhooks::lease.eq(None::<Id>),
            group_webhooks::attempts.eq(0),
            group_webhooks::failing_since.eq(None::<Timestamp>),
            group_webhooks::last_error.eq(None::<String>),
            group_webhooks::given_up_at.eq(None::<Timestamp>),
        ))
        .returning(version)
        .get_result(c))
}

/// Empties the webhook of `group`; returns whether there was one. Its row stays, so that a later one gets a new secret.
pub(super) fn disable(db: &mut Db, group: Id) -> QueryResult<bool> {
    diesel::update(group_webhooks::table.filter(group_webhooks::group_id.eq(group)))
        .filter(group_webhooks::url.ne(""))
        .set((group_webhooks::url.eq(""), group_webhooks::lease.eq(None::<Id>)))
        .execute(db)
        .map(|count| count > 0)
}

/// Tries the webhook of `group` again, at once; returns whether there is one.
pub(super) fn replay(db: &mut Db, group: Id, now: Timestamp) -> QueryResult<bool> {
    diesel::update(group_webhooks::table.filter(group_webhooks::group_id.eq(group)))
        .filter(group_webhooks::url.ne(""))
        .set((
            group_webhooks::due_at.eq(now),
            group_webhooks::attempts.eq(0),
            group_webhooks::failing_since.eq(None::<Timestamp>),
            group_webhooks::given_up_at.eq(None::<Timestamp>),
        ))
        .execute(db)
        .map(|count| count > 0)
}

/// Webhooks that are due and have recalls to send: a read, so that looking writes nothing.
pub(super) fn due(db: &mut Db, clock: &Clock, limit: i64) -> QueryResult<Vec<Id>> {
    let now = dialect::now(db, clock)?;
    let waiting = recalls::table.filter(recalls::group_id.eq(group_webhooks::group_id));
    group_webhooks::table
        .filter(group_webhooks::given_up_at.is_null())
        .filter(group_webhooks::url.ne(""))
        .filter(group_webhooks::due_at.le(now))
        .filter(diesel::dsl::exists(waiting))
        .order(group_webhooks::due_at)
        .limit(limit)
        .select(group_webhooks::group_id)
        .load(db)
}

/// Claims those of `groups` that are still due. A claim moves `due_at`, so that another worker finds none.
pub(super) fn claim(db: &mut Db, clock: &Clock, due: &[Id]) -> QueryResult<Vec<Claimed>> {
    let now = dialect::now(db, clock)?;
    let lease = Id::new();
    let webhooks: Vec<Webhook> = diesel::update(group_webhooks::table)
        .filter(group_webhooks::group_id.eq_any(due))
        .filter(group_webhooks::due_at.le(now))
        .filter(group_webhooks::given_up_at.is_null())
        .set((
            group_webhooks::due_at.eq(now.after(LEASE)),
            group_webhooks::lease.eq(Some(lease)),
            group_webhooks::attempts.eq(group_webhooks::attempts + 1),
        ))
        .returning((
            group_webhooks::group_id,
            group_webhooks::url,
            group_webhooks::secret_version,
            group_webhooks::created_at,
            group_webhooks::attempts,
            group_webhooks::failing_since,
            group_webhooks::last_error,
            group_webhooks::given_up_at,
        ))
        .get_results(db)?;
    let slugs: Vec<(Id, String)> = groups::table
        .filter(groups::id.eq_any(webhooks.iter().map(|webhook| webhook.group_id)))
        .select((groups::id, groups::slug))
        .load(db)?;
    let slug_of = |id| slugs.iter().find(|(group, _)| *group == id).map(|(_, slug)| slug.clone());
    Ok(webhooks
        .into_iter()
        .map(|webhook| {
            let slug = slug_of(webhook.group_id).unwrap_or_default();
            Claimed { webhook, slug, lease }
        })
        .collect())
}

/// Records what became of a delivery; one whose lease was lost is left to its new holder. Returns whether it was given
/// up now.
pub(super) fn mark(
    db: &mut Db,
    clock: &Clock,
    claimed: &Claimed,
    outcome: Result<(), &WebhookFault>,
) -> QueryResult<bool> {
    let now = dialect::now(db, clock)?;
    let webhook = &claimed.webhook;
    let mine = group_webhooks::table
        .filter(group_webhooks::group_id.eq(webhook.group_id))
        .filter(group_webhooks::lease.eq(Some(claimed.lease)));
    let since = webhook.failing_since.unwrap_or(now);
    let (due_at, attempts, failing_since, error, given_up_at) = match outcome {
        Ok(()) => (now, 0, None, None, None),
        Err(fault) => {
            let over = since.after(TRIED_FOR) <= now;
            let due_at = now.after(retry_delay(webhook.attempts));
            (due_at, webhook.attempts, Some(since), Some(fault.to_string()), over.then_some(now))
        }
    };
    let marked = diesel::update(mine)
        .set((
            group_webhooks::due_at.eq(due_at),
            group_webhooks::lease.eq(None::<Id>),
            group_webhooks::attempts.eq(attempts),
            group_webhooks::failing_since.eq(failing_since),
            group_webhooks::last_error.eq(error),
            group_webhooks::given_up_at.eq(given_up_at),
        ))
        .execute(db)?;
    Ok(marked > 0 && given_up_at.is_some())
}

//! A tag given to, or taken from, everybody whom a filter matches: in pieces, under one operation that any process may go
//! on with after a crash. Whoever began it is named in the audit trail when it ends.

use std::time::Duration;

use diesel::prelude::*;
use serde_json::json;

use super::queries;
use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    error::AppError,
    http::read_query,
    id::Id,
    kernel::Kernel,
    staff::Sight,
    store::{
        Db, Lane,
        schema::{supporters, tag_operations},
    },
    supporters::{SupporterFilter, SupporterQuery},
};

/// Supporters in one transaction: a few milliseconds of the writer's time.
const PIECE: usize = 1000;
/// An operation that nobody has touched for so long is gone on with by whoever finds it.
const ABANDONED: Duration = Duration::from_secs(30);

/// One operation, as it is stored.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = tag_operations, treat_none_as_default_value = false)]
pub struct Operation {
    pub id: Id,
    pub tag_number: i64,
    pub adds: bool,
    pub query: String,
    pub staff_id: Option<Id>,
    pub token_id: Option<Id>,
    pub done_up_to: i64,
    pub changed: i64,
    pub started_at: Timestamp,
    pub touched_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

impl Operation {
    pub(super) fn new(
        tag: i64,
        adds: bool,
        query: &SupporterQuery,
        actor: Actor,
        now: Timestamp,
    ) -> Result<Self, AppError> {
        let (staff_id, token_id) = match actor {
            Actor::Staff { id, token } => (Some(id), token),
            _ => (None, None),
        };
        Ok(Self {
            id: Id::new(),
            tag_number: tag,
            adds,
            query: query.kept()?,
            staff_id,
            token_id,
            done_up_to: 0,
            changed: 0,
            started_at: now,
            touched_at: now,
            finished_at: None,
        })
    }

    fn actor(&self) -> Actor {
        self.staff_id.map_or(Actor::System, |id| Actor::Staff { id, token: self.token_id })
    }
}

/// Numbers of all who match, above `after`, in their order: eight bytes each.
fn numbers(db: &mut Db, filter: &SupporterFilter, after: i64) -> diesel::QueryResult<Vec<i64>> {
    let mut numbers: Vec<i64> = supporters::table
        .filter(filter.matching())
        .filter(supporters::number.gt(after))
        .select(supporters::number)
        .load(db)?;
    numbers.sort_unstable();
    Ok(numbers)
}

/// Works on an operation until it is done, or another process does.
pub(super) async fn run(kernel: &Kernel, id: Id) -> Result<(), AppError> {
    let zone = crate::supporters::time_zone(&kernel.config.campaign.timezone)?;
    let found = kernel.store.read(move |db| Ok::<_, AppError>(queries::find_operation(db, id)?)).await?;
    let Some((mut operation, slug)) = found.filter(|(operation, _)| operation.finished_at.is_none()) else {
        return Ok(());
    };
    let query = read_query::<SupporterQuery>(&operation.query);
    let after = operation.done_up_to;
    let matched = kernel.store.read(move |db| {
        let filter = query?.resolve(db, Sight::Everybody, &zone)?;
        Ok::<_, AppError>(numbers(db, &filter, after)?)
    });
    let matched = matched.await;
    let matched = match matched {
        // What the filter names is gone: nobody is left to be matched.
        Err(AppError::Invalid(_)) => Vec::new(),
        other => other?,
    };
    for piece in matched.chunks(PIECE) {
        let (now, piece, before) = (kernel.clock.now(), piece.to_vec(), operation.clone());
        let write = move |db: &mut Db| {
            let changed = if before.adds {
                queries::give_tag(db, before.tag_number, &piece, now)?
            } else {
                queries::take(db, before.tag_number, &piece)?
            };
            let changed = before.changed + i64::try_from(changed).unwrap_or(0);
            let up_to = piece.last().copied().unwrap_or(before.done_up_to);
            let is_mine = queries::advance(db, &before, up_to, changed, now)?;
            // Given twice is given once, but it must be counted once, too.
            if !is_mine {
                return Err(AppError::Conflict("another process goes on with this".to_owned()));
            }
            Ok(Operation { done_up_to: up_to, changed, ..before })
        };
        match kernel.store.write(Lane::Staff, write).await {
            Ok(after) => operation = after,
            Err(AppError::Conflict(_)) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    let (keys, now) = (kernel.keys.clone(), kernel.clock.now());
    let write = move |db: &mut Db| {
        if queries::finish(db, operation.id, now)? {
            let action = if operation.adds { "tag.give" } else { "tag.take" };
            let details = json!({ "tag": slug, "operation": operation.id, "supporters": operation.changed });
            audit::append(db, &keys, &[Act::new(operation.actor(), action).with(details)], now)?;
        }
        Ok::<_, AppError>(())
    };
    kernel.store.write(Lane::Staff, write).await
}

/// Goes on with one operation that was left behind; whether there was one.
///
/// # Errors
/// When the database does not answer.
pub async fn resume(kernel: &Kernel) -> Result<bool, AppError> {
    let before = kernel.clock.now().before(ABANDONED);
    let found = kernel.store.read(move |db| Ok::<_, AppError>(queries::find_abandoned(db, before)?)).await?;
    let Some(id) = found else { return Ok(false) };
    run(kernel, id).await?;
    Ok(true)
}

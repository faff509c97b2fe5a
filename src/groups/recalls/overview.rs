//! How every group stands with its recalls, for staff: what waits, since when, and whether the webhook works.

use std::{collections::HashMap, time::Duration};

use diesel::{
    QueryResult,
    dsl::{count_star, min},
    prelude::*,
};

use super::{Recalls, model::RecallStanding, queries};
use crate::{
    clock::Timestamp,
    error::AppError,
    id::Id,
    kernel::Kernel,
    store::{
        Db,
        schema::{group_webhooks, groups, recall_heads, recalls},
    },
};

impl Recalls {
    /// Groups that were ever owed a recall; with `only_overdue`, those that have kept one waiting too long. The longest
    /// waiting come first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn standings(&self, only_overdue: bool) -> Result<Vec<RecallStanding>, AppError> {
        let before = self.overdue_before();
        self.kernel
            .store
            .read(move |db| {
                let mut all = standings(db, before)?;
                all.retain(|standing| !only_overdue || standing.overdue > 0);
                all.sort_by_key(|standing| {
                    (standing.oldest_at.is_none(), standing.oldest_at, standing.group_id)
                });
                Ok::<_, AppError>(all)
            })
            .await
    }

    /// How many recalls are overdue, for the digest.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_overdue(&self) -> Result<i64, AppError> {
        let kernel = self.kernel.clone();
        self.kernel.store.read(move |db| Ok::<_, AppError>(count_overdue(db, &kernel)?)).await
    }

    fn overdue_before(&self) -> Timestamp {
        overdue_before(&self.kernel)
    }
}

fn overdue_before(kernel: &Kernel) -> Timestamp {
    let days = u64::from(kernel.config.groups.recall_overdue_days);
    kernel.clock.now().before(Duration::from_secs(days * 86_400))
}

/// How many recalls are overdue.
///
/// # Errors
/// When the database does not answer.
pub fn count_overdue(db: &mut Db, kernel: &Kernel) -> QueryResult<i64> {
    queries::count_older(db, overdue_before(kernel))
}

fn standings(db: &mut Db, before: Timestamp) -> QueryResult<Vec<RecallStanding>> {
    type Head = (Id, String, String, String, i64, Option<Timestamp>, i64);
    let heads: Vec<Head> = recall_heads::table
        .inner_join(groups::table.on(groups::id.eq(recall_heads::group_id)))
        .select((
            groups::id,
            groups::slug,
            groups::name,
            groups::status,
            recall_heads::acknowledged,
            recall_heads::acknowledged_at,
            recall_heads::expired,
        ))
        .load(db)?;
    let waiting: Vec<(Id, i64, Option<Timestamp>)> = recalls::table
        .group_by(recalls::group_id)
        .select((recalls::group_id, count_star(), min(recalls::created_at)))
        .load(db)?;
    let waiting: HashMap<Id, (i64, Option<Timestamp>)> =
        waiting.into_iter().map(|(group, count, oldest)| (group, (count, oldest))).collect();
    let overdue: Vec<(Id, i64)> = recalls::table
        .filter(recalls::created_at.lt(before))
        .group_by(recalls::group_id)
        .select((recalls::group_id, count_star()))
        .load(db)?;
    let overdue: HashMap<Id, i64> = overdue.into_iter().collect();
    let webhooks: Vec<(Id, Option<String>, Option<Timestamp>)> = group_webhooks::table
        .select((group_webhooks::group_id, group_webhooks::last_error, group_webhooks::given_up_at))
        .filter(group_webhooks::url.ne(""))
        .load(db)?;
    let webhooks: HashMap<Id, (Option<String>, bool)> =
        webhooks.into_iter().map(|(group, error, over)| (group, (error, over.is_some()))).collect();
    let standing = |(group_id, slug, name, status, acknowledged, acknowledged_at, expired): Head| {
        let (count, oldest_at) = waiting.get(&group_id).copied().unwrap_or_default();
        let (webhook_error, webhook_given_up) = webhooks.get(&group_id).cloned().unwrap_or_default();
        RecallStanding {
            group_id,
            slug,
            name,
            status,
            waiting: count,
            overdue: overdue.get(&group_id).copied().unwrap_or(0),
            oldest_at,
            acknowledged,
            acknowledged_at,
            expired,
            webhook_error,
            webhook_given_up,
        }
    };
    Ok(heads.into_iter().map(standing).collect())
}

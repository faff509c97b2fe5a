//! Retention: takes old entries away, a piece a transaction, and leaves a sealed checkpoint from which the rest
//! verifies. What does not verify stays.

use diesel::QueryResult;
use serde_json::json;

use super::{
    Act, Actor, append, chain,
    queries::{self, Checkpoint},
    verify::{Fault, FaultKind, check_page},
};
use crate::{
    clock::Timestamp,
    keys::Keys,
    store::{Db, StoreError},
};

/// Entries of one transaction.
const PIECE: i64 = 500;

/// Why nothing more was taken away.
#[derive(Debug, thiserror::Error)]
pub enum RetainError {
    /// The old entries do not verify, so they are evidence.
    #[error("{0}; old entries are kept until somebody has looked")]
    Broken(Fault),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<diesel::result::Error> for RetainError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What one transaction took away.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Retired {
    pub entries: i64,
    pub more: bool,
}

/// Takes away up to one piece of the oldest entries, as far as they are from before `cutoff`; the last piece says in
/// the trail how many went, `before` of them earlier.
pub(super) fn retire_piece(
    db: &mut Db,
    keys: &Keys,
    cutoff: Timestamp,
    now: Timestamp,
    before: i64,
) -> Result<Retired, RetainError> {
    let missing = RetainError::Broken(Fault { number: 0, kind: FaultKind::Checkpoint });
    let checkpoint = queries::lock_checkpoint(db)?.ok_or(missing)?;
    let page = queries::list_after(db, checkpoint.head.number, PIECE)?;
    let old = page.iter().take_while(|link| link.entry.at < cutoff).count();
    let old = &page[..old];
    check_page(keys, &checkpoint, old).map_err(RetainError::Broken)?;
    let Some(last) = old.last() else {
        if before > 0 {
            record(db, keys, checkpoint.head.number, before, now)?;
        }
        return Ok(Retired::default());
    };
    let head = chain::Head { number: last.entry.number, mac: last.mac.clone() };
    let entries = head.number - checkpoint.head.number;
    let seal = chain::seal(keys, &head, now);
    let until = head.number;
    queries::retire(db, &Checkpoint { head, made_at: now, seal })?;
    let more = entries == PIECE;
    if !more {
        record(db, keys, until, before + entries, now)?;
    }
    Ok(Retired { entries, more })
}

fn record(db: &mut Db, keys: &Keys, until: i64, entries: i64, now: Timestamp) -> QueryResult<()> {
    let act = Act::new(Actor::System, "audit.retire").with(json!({ "until": until, "entries": entries }));
    append(db, keys, &[act], now)
}

//! Statements over the audit trail. Nothing here changes an entry, and only retention deletes any.

use std::time::Duration;

use diesel::{QueryResult, dsl::max, prelude::*};

use super::{
    chain::{Head, Link},
    list::EntryFilter,
};
use crate::{
    clock::Timestamp,
    each,
    store::{
        Db,
        schema::{audit_checkpoint, audit_entries, audit_head},
    },
};

/// Entries of one statement: ten values each, and PostgreSQL takes 65,535, SQLite 32,766.
const ROWS: usize = 500;
/// How far an entry may be from where its time belongs.
const DISORDER: Duration = Duration::from_secs(3600);

diesel::alias!(audit_entries as newest: Newest);

/// Entries and links, in the order of [`Link`]'s fields.
macro_rules! link {
    () => {
        (
            (
                audit_entries::number,
                audit_entries::at,
                audit_entries::actor_kind,
                audit_entries::actor_id,
                audit_entries::token_id,
                audit_entries::action,
                audit_entries::subject_kind,
                audit_entries::subject_id,
                audit_entries::details,
            ),
            audit_entries::mac,
        )
    };
}

/// The newest number and link; nobody else appends before the end of this transaction.
pub(super) fn lock_head(db: &mut Db) -> QueryResult<Head> {
    let head = audit_head::table.filter(audit_head::id.eq(1)).select((audit_head::number, audit_head::mac));
    // SQLite's writer is alone anyway.
    let (number, mac) = each!(db, pg c => head.for_no_key_update().first(c), sqlite c => head.first(c))?;
    Ok(Head { number, mac })
}

pub(super) fn set_head(db: &mut Db, head: &Head) -> QueryResult<()> {
    diesel::update(audit_head::table.filter(audit_head::id.eq(1)))
        .set((audit_head::number.eq(head.number), audit_head::mac.eq(&head.mac)))
        .execute(db)
        .map(drop)
}

pub(super) fn insert(db: &mut Db, links: &[Link]) -> QueryResult<()> {
    for links in links.chunks(ROWS) {
        each!(db, c => diesel::insert_into(audit_entries::table).values(links).execute(c))?;
    }
    Ok(())
}

/// The head, if its row is there, and the highest number of all entries, at one moment.
pub(super) fn ends(db: &mut Db) -> QueryResult<Option<(Head, Option<i64>)>> {
    let highest = newest.select(max(newest.field(audit_entries::number))).single_value();
    let found: Option<(i64, Vec<u8>, Option<i64>)> = audit_head::table
        .filter(audit_head::id.eq(1))
        .select((audit_head::number, audit_head::mac, highest))
        .first(db)
        .optional()?;
    Ok(found.map(|(number, mac, highest)| (Head { number, mac }, highest)))
}

/// Up to `limit` entries after `number`, the oldest first.
pub(super) fn list_after(db: &mut Db, number: i64, limit: i64) -> QueryResult<Vec<Link>> {
    audit_entries::table
        .filter(audit_entries::number.gt(number))
        .order(audit_entries::number.asc())
        .limit(limit)
        .select(link!())
        .load(db)
}

/// The numbers between which all entries of the filter's span of time are. Numbers and times rise together, but for
/// clocks that differ and transactions that waited: by less than [`DISORDER`]. So a span is read from its end and no
/// further than its begin, whatever else was done before and after.
fn numbers_of(db: &mut Db, filter: &EntryFilter) -> QueryResult<(Option<i64>, Option<i64>)> {
    use audit_entries::dsl;
    let after = match filter.from {
        Some(from) => dsl::audit_entries
            .filter(dsl::at.lt(from.before(DISORDER)))
            .order((dsl::at.desc(), dsl::number.desc()))
            .select(dsl::number)
            .first(db)
            .optional()?,
        None => None,
    };
    let before = match filter.to {
        Some(to) => dsl::audit_entries
            .filter(dsl::at.ge(to.after(DISORDER)))
            .order((dsl::at.asc(), dsl::number.asc()))
            .select(dsl::number)
            .first(db)
            .optional()?,
        None => None,
    };
    Ok((after, before))
}

/// Up to `limit` entries that match, the newest first, those before `before`.
pub(super) fn list(
    db: &mut Db,
    filter: &EntryFilter,
    before: Option<i64>,
    limit: i64,
) -> QueryResult<Vec<Link>> {
    let (after, until) = numbers_of(db, filter)?;
    let mut query = audit_entries::table.select(link!()).order(audit_entries::number.desc()).into_boxed();
    if let Some(after) = after {
        query = query.filter(audit_entries::number.gt(after));
    }
    if let Some(before) = before.into_iter().chain(until).min() {
        query = query.filter(audit_entries::number.lt(before));
    }
    if let Some(actor) = filter.actor {
        query = query.filter(audit_entries::actor_id.eq(Some(actor)));
    }
    if let Some(kind) = &filter.actor_kind {
        query = query.filter(audit_entries::actor_kind.eq(kind.as_str()));
    }
    if let Some(prefix) = &filter.action {
        // Its letters are checked: of what LIKE reads in its own way there is only the underscore.
        let pattern = format!("{}%", prefix.replace('_', "\\_"));
        query = query.filter(audit_entries::action.like(pattern).escape('\\'));
    }
    if let Some(subject) = filter.subject {
        query = query.filter(audit_entries::subject_id.eq(Some(subject)));
    }
    if let Some(from) = filter.from {
        query = query.filter(audit_entries::at.ge(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(audit_entries::at.lt(to));
    }
    query.limit(limit).load(db)
}

/// Up to where entries were taken away.
#[derive(Clone, Debug)]
pub(super) struct Checkpoint {
    pub head: Head,
    pub made_at: Timestamp,
    pub seal: Vec<u8>,
}

type CheckpointRow = (i64, Vec<u8>, Timestamp, Vec<u8>);

fn checkpoint_of((number, mac, made_at, seal): CheckpointRow) -> Checkpoint {
    Checkpoint { head: Head { number, mac }, made_at, seal }
}

macro_rules! checkpoint {
    () => {
        audit_checkpoint::table.filter(audit_checkpoint::id.eq(1)).select((
            audit_checkpoint::number,
            audit_checkpoint::mac,
            audit_checkpoint::made_at,
            audit_checkpoint::seal,
        ))
    };
}

pub(super) fn find_checkpoint(db: &mut Db) -> QueryResult<Option<Checkpoint>> {
    let found: Option<CheckpointRow> = checkpoint!().first(db).optional()?;
    Ok(found.map(checkpoint_of))
}

/// The checkpoint; nobody else moves it before the end of this transaction.
pub(super) fn lock_checkpoint(db: &mut Db) -> QueryResult<Option<Checkpoint>> {
    let found: Option<CheckpointRow> = each!(db,
        pg c => checkpoint!().for_update().first(c).optional(),
        sqlite c => checkpoint!().first(c).optional())?;
    Ok(found.map(checkpoint_of))
}

/// Moves the checkpoint and takes away what is up to it.
pub(super) fn retire(db: &mut Db, checkpoint: &Checkpoint) -> QueryResult<()> {
    diesel::update(audit_checkpoint::table.filter(audit_checkpoint::id.eq(1)))
        .set((
            audit_checkpoint::number.eq(checkpoint.head.number),
            audit_checkpoint::mac.eq(&checkpoint.head.mac),
            audit_checkpoint::made_at.eq(checkpoint.made_at),
            audit_checkpoint::seal.eq(&checkpoint.seal),
        ))
        .execute(db)?;
    diesel::delete(audit_entries::table.filter(audit_entries::number.le(checkpoint.head.number)))
        .execute(db)
        .map(drop)
}

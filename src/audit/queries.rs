//! Statements over the audit trail. Nothing here changes or deletes an entry.

use diesel::{QueryResult, prelude::*};

use super::Entry;
use crate::store::{
    Db,
    schema::{audit_entries, audit_head},
};

/// The newest number and link; nobody else appends before the end of this transaction.
pub(super) fn lock_head(db: &mut Db) -> QueryResult<(i64, Vec<u8>)> {
    // An update takes the row's lock on PostgreSQL; SQLite's writer is alone anyway.
    diesel::update(audit_head::table.filter(audit_head::id.eq(1)))
        .set(audit_head::number.eq(audit_head::number))
        .returning((audit_head::number, audit_head::mac))
        .get_result(db)
}

pub(super) fn set_head(db: &mut Db, number: i64, mac: &[u8]) -> QueryResult<()> {
    diesel::update(audit_head::table.filter(audit_head::id.eq(1)))
        .set((audit_head::number.eq(number), audit_head::mac.eq(mac)))
        .execute(db)
        .map(drop)
}

pub(super) fn insert(db: &mut Db, entry: &Entry, mac: &[u8]) -> QueryResult<()> {
    diesel::insert_into(audit_entries::table)
        .values((
            audit_entries::number.eq(entry.number),
            audit_entries::at.eq(entry.at),
            audit_entries::actor_kind.eq(&entry.actor_kind),
            audit_entries::actor_id.eq(entry.actor_id),
            audit_entries::token_id.eq(entry.token_id),
            audit_entries::action.eq(&entry.action),
            audit_entries::subject_kind.eq(&entry.subject_kind),
            audit_entries::subject_id.eq(entry.subject_id),
            audit_entries::details.eq(&entry.details),
            audit_entries::mac.eq(mac),
        ))
        .execute(db)
        .map(drop)
}

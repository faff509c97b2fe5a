//! The record of exports.

use diesel::{QueryResult, prelude::*};

use crate::{
    clock::Timestamp,
    id::Id,
    store::{Db, schema::exports},
};

/// Who takes which list, and why.
pub(super) struct Export {
    pub id: Id,
    pub staff_id: Id,
    pub format: &'static str,
    pub purpose: String,
    pub filter: String,
}

pub(super) fn insert(db: &mut Db, export: &Export, now: Timestamp) -> QueryResult<()> {
    diesel::insert_into(exports::table)
        .values((
            exports::id.eq(export.id),
            exports::staff_id.eq(export.staff_id),
            exports::format.eq(export.format),
            exports::purpose.eq(&export.purpose),
            exports::filter.eq(&export.filter),
            exports::started_at.eq(now),
        ))
        .execute(db)
        .map(drop)
}

pub(super) fn finish(db: &mut Db, id: Id, rows: i64, complete: bool, now: Timestamp) -> QueryResult<()> {
    diesel::update(exports::table.filter(exports::id.eq(id)))
        .set((
            exports::finished_at.eq(Some(now)),
            exports::row_count.eq(Some(rows)),
            exports::outcome.eq(Some(if complete { "complete" } else { "cut_off" })),
        ))
        .execute(db)
        .map(drop)
}

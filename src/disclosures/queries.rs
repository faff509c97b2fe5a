//! Statements over exports and their members.

use diesel::{QueryResult, prelude::*, result::Error};

use super::{
    members,
    model::{Begun, Export, ExportSummary, Outcome},
};
use crate::{
    clock::Timestamp,
    each,
    id::Id,
    store::{
        Db,
        schema::{export_members, exports, staff},
    },
};

/// Records that a list is about to be taken out.
///
/// # Errors
/// When the statement fails; nothing may leave then.
pub fn begin(db: &mut Db, export: &Begun) -> QueryResult<()> {
    each!(db, c => diesel::insert_into(exports::table).values(export).execute(c)).map(drop)
}

/// Records who is in a piece of an export, by supporter number. Commit it before a byte of the piece leaves. `piece`
/// counts up within the export.
///
/// # Errors
/// When a statement fails; the piece must not leave then.
pub fn add_piece(db: &mut Db, export: Id, piece: i32, numbers: &[i64]) -> QueryResult<()> {
    let sets = members::pack(numbers).map_err(|error| Error::SerializationError(Box::new(error)))?;
    for (block, set) in sets {
        diesel::insert_into(export_members::table)
            .values((
                export_members::export_id.eq(export),
                export_members::piece.eq(piece),
                export_members::block.eq(block),
                export_members::members.eq(set),
            ))
            .execute(db)?;
    }
    Ok(())
}

/// Records how an export ended.
///
/// # Errors
/// When the statement fails.
pub fn end(db: &mut Db, export: Id, rows: i64, outcome: Outcome, now: Timestamp) -> QueryResult<()> {
    diesel::update(exports::table.filter(exports::id.eq(export)))
        .set((
            exports::finished_at.eq(Some(now)),
            exports::row_count.eq(Some(rows)),
            exports::outcome.eq(Some(outcome.as_str())),
        ))
        .execute(db)
        .map(drop)
}

/// The exports that had this supporter in them, newest first. Reads one set for each export that touched the number's
/// block, however long the exports were.
///
/// # Errors
/// When the database does not answer.
pub fn including(db: &mut Db, number: i64) -> QueryResult<Vec<ExportSummary>> {
    let sets = export_members::table
        .inner_join(exports::table)
        .filter(export_members::block.eq(members::block(number)))
        .order((exports::started_at.desc(), exports::id.desc()))
        .select((
            (
                exports::id,
                exports::started_at,
                exports::taken_by,
                exports::group_id,
                exports::purpose,
                exports::format,
            ),
            export_members::members,
        ))
        .load::<(ExportSummary, Vec<u8>)>(db)?;
    let mut found: Vec<ExportSummary> = holding(sets, number)?;
    found.dedup_by_key(|export| export.id);
    Ok(found)
}

/// Every group for which an export was taken that had this supporter in it.
///
/// # Errors
/// When the database does not answer.
pub fn groups_holding(db: &mut Db, number: i64) -> QueryResult<Vec<Id>> {
    let sets = export_members::table
        .inner_join(exports::table)
        .filter(export_members::block.eq(members::block(number)))
        .filter(exports::group_id.is_not_null())
        .select((exports::group_id.assume_not_null(), export_members::members))
        .load::<(Id, Vec<u8>)>(db)?;
    let mut groups: Vec<Id> = holding(sets, number)?;
    groups.sort_unstable();
    groups.dedup();
    Ok(groups)
}

/// Numbers above `after` of supporters who were in any export for `group`, lowest first, at most `limit`; none at the
/// end. Reads one block of numbers at a time.
///
/// # Errors
/// When the database does not answer.
pub fn members_of_group(db: &mut Db, group: Id, after: i64, limit: i64) -> QueryResult<Vec<i64>> {
    let most = usize::try_from(limit).unwrap_or(1);
    let mut after = after;
    loop {
        let sets = export_members::table.inner_join(exports::table).filter(exports::group_id.eq(Some(group)));
        let next: Option<i64> = sets
            .filter(export_members::block.ge(members::block(after + 1)))
            .select(diesel::dsl::min(export_members::block))
            .first(db)?;
        let Some(block) = next else { return Ok(Vec::new()) };
        let sets: Vec<Vec<u8>> =
            sets.filter(export_members::block.eq(block)).select(export_members::members).load(db)?;
        let found = members::above(block, &sets, after, most)
            .map_err(|error| Error::DeserializationError(Box::new(error)))?;
        if !found.is_empty() {
            return Ok(found);
        }
        after = members::last_of(block);
    }
}

/// What goes with the sets that hold `number`, in their order.
fn holding<T>(sets: Vec<(T, Vec<u8>)>, number: i64) -> QueryResult<Vec<T>> {
    let mut found = Vec::new();
    for (item, set) in sets {
        let is_in = members::contains(&set, number);
        if is_in.map_err(|error| Error::DeserializationError(Box::new(error)))? {
            found.push(item);
        }
    }
    Ok(found)
}

/// Exports newest first, beginning below `before`; one more than `limit` when there are more.
///
/// # Errors
/// When the database does not answer.
pub fn list(db: &mut Db, before: Option<Id>, limit: u16) -> QueryResult<Vec<Export>> {
    let mut query =
        exports::table.left_join(staff::table.on(exports::staff_id.eq(staff::id.nullable()))).into_boxed();
    if let Some(before) = before {
        query = query.filter(exports::id.lt(before));
    }
    query
        .order(exports::id.desc())
        .limit(i64::from(limit) + 1)
        .select((
            exports::id,
            exports::staff_id,
            staff::email.nullable(),
            exports::taken_by,
            exports::group_id,
            exports::format,
            exports::preset,
            exports::purpose,
            exports::filter,
            exports::started_at,
            exports::finished_at,
            exports::row_count,
            exports::outcome,
        ))
        .load(db)
}

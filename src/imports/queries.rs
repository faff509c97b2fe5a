//! Statements over imports, their uploads and their refused rows.

use diesel::{QueryResult, prelude::*};

use super::model::{Counts, NewImport, Stored};
use crate::{
    clock::Timestamp,
    each,
    id::Id,
    keys::AddressHash,
    store::{
        Db,
        schema::{import_chunks, import_refusals, imports},
    },
};

/// Stores a new import.
pub fn insert(db: &mut Db, import: &NewImport) -> QueryResult<()> {
    each!(db, c => diesel::insert_into(imports::table).values(import).execute(c)).map(drop)
}

/// The import with this id.
pub fn find(db: &mut Db, id: Id) -> QueryResult<Option<Stored>> {
    imports::table.filter(imports::id.eq(id)).select(Stored::as_select()).first(db).optional()
}

/// Imports, newest first, beginning below `before`; uploads that were never whole are none.
pub fn list(db: &mut Db, before: Option<Id>, limit: i64) -> QueryResult<Vec<Stored>> {
    let mut query =
        imports::table.filter(imports::state.ne("uploading")).select(Stored::as_select()).into_boxed();
    if let Some(before) = before {
        query = query.filter(imports::id.lt(before));
    }
    query.order(imports::id.desc()).limit(limit).load(db)
}

/// Deletes an import and all of it.
pub fn delete(db: &mut Db, id: Id) -> QueryResult<()> {
    diesel::delete(imports::table.filter(imports::id.eq(id))).execute(db).map(drop)
}

/// Stores a piece of an upload; false if the import is there no longer.
pub fn insert_chunk(db: &mut Db, id: Id, piece: i32, bytes: &[u8]) -> QueryResult<bool> {
    let is_there = diesel::update(imports::table.filter(imports::id.eq(id)))
        .filter(imports::state.eq("uploading"))
        .set(imports::file_bytes.eq(imports::file_bytes + i64::try_from(bytes.len()).unwrap_or(0)))
        .execute(db)?;
    if is_there == 0 {
        return Ok(false);
    }
    let row =
        (import_chunks::import_id.eq(id), import_chunks::piece.eq(piece), import_chunks::bytes.eq(bytes));
    each!(db, c => diesel::insert_into(import_chunks::table).values(row).execute(c))?;
    Ok(true)
}

/// A piece of an upload.
pub fn find_chunk(db: &mut Db, id: Id, piece: i32) -> QueryResult<Option<Vec<u8>>> {
    import_chunks::table
        .filter(import_chunks::import_id.eq(id))
        .filter(import_chunks::piece.eq(piece))
        .select(import_chunks::bytes)
        .first(db)
        .optional()
}

/// The upload is whole.
pub fn set_uploaded(db: &mut Db, id: Id, hash: AddressHash, options: &str) -> QueryResult<bool> {
    diesel::update(imports::table.filter(imports::id.eq(id)).filter(imports::state.eq("uploading")))
        .set((imports::state.eq("uploaded"), imports::file_hash.eq(Some(hash)), imports::options.eq(options)))
        .execute(db)
        .map(|count| count > 0)
}

/// Changes what columns hold; the preview is made again. False if the import is past that.
pub fn set_mapping(db: &mut Db, id: Id, mapping: &str) -> QueryResult<bool> {
    diesel::update(imports::table.filter(imports::id.eq(id)).filter(imports::state.eq("previewed")))
        .set((
            imports::state.eq("uploaded"),
            imports::mapping.eq(mapping),
            imports::preview.eq(""),
            imports::leased_until.eq(Timestamp::from_micros(0)),
        ))
        .execute(db)
        .map(|count| count > 0)
}

/// The work begins, or waits for whoever has workers. False if the import is not ready for it.
pub fn set_running(
    db: &mut Db,
    id: Id,
    options: &str,
    notice: Option<Id>,
    now: Timestamp,
) -> QueryResult<bool> {
    diesel::update(imports::table.filter(imports::id.eq(id)).filter(imports::state.eq("previewed")))
        .set((
            imports::state.eq("running"),
            imports::options.eq(options),
            imports::notice_id.eq(notice),
            imports::started_at.eq(Some(now)),
            imports::lease.eq(None::<Id>),
            imports::leased_until.eq(Timestamp::from_micros(0)),
        ))
        .execute(db)
        .map(|count| count > 0)
}

/// Ends an import that is in one of `states`; returns it as it then is.
pub fn set_ended(
    db: &mut Db,
    id: Id,
    states: &[&str],
    state: &str,
    fault: Option<&str>,
    now: Timestamp,
) -> QueryResult<Option<Stored>> {
    let ended = diesel::update(imports::table.filter(imports::id.eq(id)))
        .filter(imports::state.eq_any(states))
        .set((
            imports::state.eq(state),
            imports::fault.eq(fault),
            imports::finished_at.eq(Some(now)),
            imports::lease.eq(None::<Id>),
        ))
        .execute(db)?;
    if ended == 0 { Ok(None) } else { find(db, id) }
}

/// An import with work that nobody has in hand, oldest first.
pub fn find_open(db: &mut Db, now: Timestamp) -> QueryResult<Option<Id>> {
    imports::table
        .filter(imports::state.eq_any(["uploaded", "running"]))
        .filter(imports::is_stored.eq(true))
        .filter(imports::leased_until.le(now))
        .order(imports::id)
        .select(imports::id)
        .first(db)
        .optional()
}

/// Takes an import in hand until `until`; false if somebody else was faster.
pub fn claim(db: &mut Db, id: Id, lease: Id, now: Timestamp, until: Timestamp) -> QueryResult<bool> {
    diesel::update(imports::table.filter(imports::id.eq(id)))
        .filter(imports::state.eq_any(["uploaded", "running"]))
        .filter(imports::leased_until.le(now))
        .set((imports::lease.eq(Some(lease)), imports::leased_until.eq(until)))
        .execute(db)
        .map(|count| count > 0)
}

/// Lets an import go, so that another process may go on at once.
pub fn release(db: &mut Db, id: Id, lease: Id) -> QueryResult<()> {
    diesel::update(imports::table.filter(imports::id.eq(id)).filter(imports::lease.eq(Some(lease))))
        .set((imports::lease.eq(None::<Id>), imports::leased_until.eq(Timestamp::from_micros(0))))
        .execute(db)
        .map(drop)
}

/// Keeps the claim until `until`; false if it is lost, or the import is no longer in `state`.
pub fn keep(db: &mut Db, id: Id, lease: Id, state: &str, until: Timestamp) -> QueryResult<bool> {
    diesel::update(imports::table.filter(imports::id.eq(id)))
        .filter(imports::state.eq(state))
        .filter(imports::lease.eq(Some(lease)))
        .set(imports::leased_until.eq(until))
        .execute(db)
        .map(|count| count > 0)
}

/// The same in a piece's transaction: also false unless all up to `line` is in, and nothing behind it.
pub fn keep_at(db: &mut Db, id: Id, lease: Id, until: Timestamp, line: i64) -> QueryResult<bool> {
    diesel::update(imports::table.filter(imports::id.eq(id)))
        .filter(imports::state.eq("running"))
        .filter(imports::lease.eq(Some(lease)))
        .filter(imports::line.eq(line))
        .set(imports::leased_until.eq(until))
        .execute(db)
        .map(|count| count > 0)
}

/// The preview is made. False if the claim is lost.
pub fn set_previewed(
    db: &mut Db,
    id: Id,
    lease: Id,
    (layout, mapping, preview): (&str, &str, &str),
) -> QueryResult<bool> {
    diesel::update(imports::table.filter(imports::id.eq(id)))
        .filter(imports::state.eq("uploaded"))
        .filter(imports::lease.eq(Some(lease)))
        .set((
            imports::state.eq("previewed"),
            imports::layout.eq(layout),
            imports::mapping.eq(mapping),
            imports::preview.eq(preview),
            imports::lease.eq(None::<Id>),
            imports::leased_until.eq(Timestamp::from_micros(0)),
        ))
        .execute(db)
        .map(|count| count > 0)
}

/// Rows up to `line` are in: with the rows, in their transaction.
pub fn add_progress(
    db: &mut Db,
    id: Id,
    counts: &Counts,
    (line, bytes): (i64, i64),
    next_invite_at: Option<Timestamp>,
) -> QueryResult<()> {
    let mine = imports::table.filter(imports::id.eq(id));
    if let Some(at) = next_invite_at {
        diesel::update(mine).set(imports::next_invite_at.eq(at)).execute(db)?;
    }
    diesel::update(mine)
        .set((
            imports::created.eq(imports::created + counts.created),
            imports::updated.eq(imports::updated + counts.updated),
            imports::unchanged.eq(imports::unchanged + counts.unchanged),
            imports::invited.eq(imports::invited + counts.invited),
            imports::refused.eq(imports::refused + counts.refused),
            imports::left_out.eq(imports::left_out + counts.left_out),
            imports::line.eq(line),
            imports::byte_offset.eq(bytes),
        ))
        .execute(db)
        .map(drop)
}

/// When the next invitation of any list may go.
pub fn next_invite_at(db: &mut Db) -> QueryResult<Option<Timestamp>> {
    imports::table.select(diesel::dsl::max(imports::next_invite_at)).first(db)
}

/// A refused row, or one that lost a value.
#[derive(Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = import_refusals)]
pub struct Refusal {
    pub import_id: Id,
    pub line: i64,
    pub is_refused: bool,
    pub reasons: String,
    pub cells: String,
    pub address_hash: Option<AddressHash>,
}

/// Keeps refused rows.
pub fn insert_refusals(db: &mut Db, rows: &[Refusal]) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let table = import_refusals::table;
    each!(db,
        pg c => diesel::insert_into(table).values(rows).on_conflict_do_nothing().execute(c).map(drop),
        sqlite c => rows.iter().try_for_each(|row| {
            diesel::insert_into(table).values(row).on_conflict_do_nothing().execute(c).map(drop)
        })
    )
}

/// Refused rows in the order of the file, or those that lost a value, after `after`.
pub fn list_refusals(
    db: &mut Db,
    id: Id,
    is_refused: bool,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<Refusal>> {
    import_refusals::table
        .filter(import_refusals::import_id.eq(id))
        .filter(import_refusals::is_refused.eq(is_refused))
        .filter(import_refusals::line.gt(after))
        .order(import_refusals::line)
        .limit(limit)
        .select(Refusal::as_select())
        .load(db)
}

/// An import from before `before` that still holds something of people and is not under way; uploads that were never
/// whole count from `broken_before`.
pub fn find_stale(db: &mut Db, before: Timestamp, broken_before: Timestamp) -> QueryResult<Option<Stored>> {
    let is_broken = imports::state.eq("uploading").and(imports::created_at.lt(broken_before));
    imports::table
        .filter(imports::erased_at.is_null())
        .filter(imports::state.ne("running"))
        .filter(imports::created_at.lt(before).or(is_broken))
        .order(imports::id)
        .select(Stored::as_select())
        .first(db)
        .optional()
}

/// An import at its end that still has its file, which nobody reads any more.
pub fn find_read(db: &mut Db) -> QueryResult<Option<Id>> {
    let stored: Vec<Id> = import_chunks::table.select(import_chunks::import_id).distinct().load(db)?;
    imports::table
        .filter(imports::id.eq_any(stored))
        .filter(imports::state.eq_any(["done", "cancelled", "failed"]))
        .filter(imports::erased_at.is_null())
        .order(imports::id)
        .select(imports::id)
        .first(db)
        .optional()
}

/// Deletes some of what an import holds of people; false when nothing was left.
pub fn erase_some(db: &mut Db, id: Id, chunks: i64, refusals: i64) -> QueryResult<bool> {
    let pieces: Vec<i32> = import_chunks::table
        .filter(import_chunks::import_id.eq(id))
        .order(import_chunks::piece)
        .limit(chunks)
        .select(import_chunks::piece)
        .load(db)?;
    let lines: Vec<i64> = import_refusals::table
        .filter(import_refusals::import_id.eq(id))
        .order(import_refusals::line)
        .limit(refusals)
        .select(import_refusals::line)
        .load(db)?;
    let of_chunks = import_chunks::table.filter(import_chunks::import_id.eq(id));
    diesel::delete(of_chunks.filter(import_chunks::piece.eq_any(&pieces))).execute(db)?;
    let of_refusals = import_refusals::table.filter(import_refusals::import_id.eq(id));
    diesel::delete(of_refusals.filter(import_refusals::line.eq_any(&lines))).execute(db)?;
    Ok(!pieces.is_empty() || !lines.is_empty())
}

/// Nothing of people is left in an import; one that never ended ends so.
pub fn set_erased(db: &mut Db, id: Id, now: Timestamp) -> QueryResult<()> {
    diesel::update(imports::table.filter(imports::id.eq(id)))
        .filter(imports::state.eq_any(["uploading", "uploaded", "previewed"]))
        .set((imports::state.eq("cancelled"), imports::finished_at.eq(Some(now))))
        .execute(db)?;
    diesel::update(imports::table.filter(imports::id.eq(id)))
        .set((imports::preview.eq(""), imports::file_name.eq(""), imports::erased_at.eq(Some(now))))
        .execute(db)
        .map(drop)
}

/// The newest import of this file by the command line that is not at its end.
pub fn find_unfinished(db: &mut Db, hash: AddressHash) -> QueryResult<Option<Stored>> {
    imports::table
        .filter(imports::file_hash.eq(Some(hash)))
        .filter(imports::is_stored.eq(false))
        .filter(imports::state.eq("running"))
        .order(imports::id.desc())
        .select(Stored::as_select())
        .first(db)
        .optional()
}

//! Statements over sign-ups.

use std::collections::HashMap;

use diesel::{
    QueryResult,
    prelude::*,
    result::{DatabaseErrorKind, Error::DatabaseError},
    sql_types::{Array, BigInt, Binary, Text},
};

use super::model::{NewSignup, Stored, Untriaged};
use crate::{
    clock::Timestamp,
    each,
    id::Id,
    keys::AddressHash,
    store::{Db, Literally, literally, prepared, schema::signups},
};

const NEW: Literally = literally("state = 'new'");
const NOT_NEW: Literally = literally("state <> 'new'");
const STALE: Literally = literally("triaged_at IS NOT NULL AND email <> '' AND state <> 'confirmed'");

/// Appends `rows`; those that are there already stay as they are. SQLite takes them in pieces of a fixed size,
/// without an ON CONFLICT clause: diesel then finds its prepared statement by type, and writes no SQL.
pub fn insert_all(db: &mut Db, rows: &[NewSignup]) -> QueryResult<()> {
    each!(db,
        pg c => insert_columns(c, rows),
        sqlite c => {
            let (sixteens, rest) = rows.as_chunks::<16>();
            let (fours, rest) = rest.as_chunks::<4>();
            sixteens.iter().try_for_each(|piece| insert_piece(c, piece))?;
            fours.iter().try_for_each(|piece| insert_piece(c, piece))?;
            rest.iter().try_for_each(|row| insert_one(c, row))
        }
    )
}

/// A statement of one text for any number of rows: each column is one array.
fn insert_columns(c: &mut PgConnection, rows: &[NewSignup]) -> QueryResult<()> {
    fn column<'a, T>(rows: &'a [NewSignup], value: fn(&'a NewSignup) -> T) -> Vec<T> {
        rows.iter().map(value).collect()
    }
    let statement = "INSERT INTO signups \
         (id, state, email, form, notice_id, language, details, client_hash, created_at) \
         SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
    prepared(statement)
        .bind::<Array<Binary>, _>(column(rows, |row| row.id))
        .bind::<Array<Text>, _>(column(rows, |row| row.state))
        .bind::<Array<Text>, _>(column(rows, |row| row.email.as_str()))
        .bind::<Array<Text>, _>(column(rows, |row| row.form.as_str()))
        .bind::<Array<Binary>, _>(column(rows, |row| row.notice_id))
        .bind::<Array<Text>, _>(column(rows, |row| row.language.as_str()))
        .bind::<Array<Text>, _>(column(rows, |row| row.details.as_str()))
        .bind::<Array<Binary>, _>(column(rows, |row| row.client_hash))
        .bind::<Array<BigInt>, _>(column(rows, |row| row.created_at))
        .execute(c)
        .map(drop)
}

/// One statement for all of `rows`; if one is there already, one for each.
fn insert_piece<const N: usize>(c: &mut SqliteConnection, rows: &[NewSignup; N]) -> QueryResult<()> {
    match diesel::insert_into(signups::table).values(rows).execute(c) {
        Err(DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
            rows.iter().try_for_each(|row| insert_one(c, row))
        }
        outcome => outcome.map(drop),
    }
}

fn insert_one(c: &mut SqliteConnection, row: &NewSignup) -> QueryResult<()> {
    match diesel::insert_into(signups::table).values(row).execute(c) {
        Err(DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// Whether any sign-up waits for triage.
pub fn any_new(db: &mut Db) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(signups::table.filter(NEW))).get_result(db)
}

/// When the sign-up came that has waited longest for triage.
///
/// # Errors
/// When the database does not answer.
pub fn oldest_new(db: &mut Db) -> QueryResult<Option<Timestamp>> {
    signups::table.filter(NEW).order(signups::id).select(signups::created_at).first(db).optional()
}

/// The oldest sign-ups that wait for triage, and that no other transaction has in hand.
pub fn list_new(db: &mut Db, limit: i64) -> QueryResult<Vec<Untriaged>> {
    let oldest = signups::table.filter(NEW).order(signups::id).limit(limit).select((
        signups::id,
        signups::email,
        signups::form,
        signups::details,
        signups::created_at,
    ));
    each!(db, pg c => oldest.for_update().skip_locked().load(c), sqlite c => oldest.load(c))
}

/// What triage decided of a sign-up.
#[derive(Clone, Copy, Debug)]
pub struct Decided {
    /// Which.
    pub id: Id,
    /// Its state from now on.
    pub state: &'static str,
    /// Its address.
    pub hash: AddressHash,
}

/// Records what triage decided: on PostgreSQL in one statement, since each is a round trip.
pub fn set_triaged(db: &mut Db, decided: &[Decided], now: Timestamp) -> QueryResult<()> {
    fn column<T>(decided: &[Decided], value: fn(&Decided) -> T) -> Vec<T> {
        decided.iter().map(value).collect()
    }
    let statement = "UPDATE signups SET state = d.state, address_hash = d.hash, triaged_at = ? \
         FROM unnest(?, ?, ?) AS d (id, state, hash) WHERE signups.id = d.id";
    each!(db,
        pg c => prepared(statement)
            .bind::<BigInt, _>(now)
            .bind::<Array<Binary>, _>(column(decided, |one| one.id))
            .bind::<Array<Text>, _>(column(decided, |one| one.state))
            .bind::<Array<Binary>, _>(column(decided, |one| one.hash))
            .execute(c)
            .map(drop),
        // By a statement that is prepared once, as diesel's `update` never is.
        sqlite c => decided.iter().try_for_each(|one| {
            prepared("UPDATE signups SET state = ?, address_hash = ?, triaged_at = ? WHERE id = ?")
                .bind::<Text, _>(one.state)
                .bind::<Binary, _>(one.hash)
                .bind::<BigInt, _>(now)
                .bind::<Binary, _>(one.id)
                .execute(c)
                .map(drop)
        })
    )
}

/// The sign-up with this id.
pub fn find(db: &mut Db, id: Id) -> QueryResult<Option<Stored>> {
    signups::table.filter(signups::id.eq(id)).select(Stored::as_select()).first(db).optional()
}

/// The sign-ups with these ids.
pub fn find_all(db: &mut Db, ids: &[Id]) -> QueryResult<Vec<Stored>> {
    signups::table.filter(signups::id.eq_any(ids)).select(Stored::as_select()).load(db)
}

/// Records a confirmation, and what its details say since.
pub fn set_confirmed(db: &mut Db, signup: &Stored, supporter: Id, now: Timestamp) -> QueryResult<()> {
    diesel::update(signups::table.filter(signups::id.eq(signup.id)))
        .set((
            signups::state.eq("confirmed"),
            signups::details.eq(&signup.details),
            signups::confirmed_at.eq(Some(now)),
            signups::supporter_id.eq(Some(supporter)),
        ))
        .execute(db)
        .map(drop)
}

/// The forms by which each of `supporters` has joined.
pub fn forms_of(db: &mut Db, supporters: &[Id]) -> QueryResult<HashMap<Id, Vec<String>>> {
    let rows: Vec<(Option<Id>, String)> = signups::table
        .filter(signups::supporter_id.eq_any(supporters.iter().copied().map(Some).collect::<Vec<_>>()))
        .select((signups::supporter_id, signups::form))
        .distinct()
        .load(db)?;
    let mut forms: HashMap<Id, Vec<String>> = HashMap::new();
    for (supporter, form) in rows {
        if let Some(supporter) = supporter {
            forms.entry(supporter).or_default().push(form);
        }
    }
    Ok(forms)
}

/// Unconfirmed sign-ups triaged before `before` that still hold something of a person, oldest first, without
/// the first `skip`.
pub fn list_stale(db: &mut Db, before: Timestamp, skip: i64, limit: i64) -> QueryResult<Vec<Id>> {
    signups::table
        .filter(STALE)
        .filter(signups::triaged_at.lt(Some(before)))
        .order(signups::triaged_at)
        .offset(skip)
        .limit(limit)
        .select(signups::id)
        .load(db)
}

/// Of these sign-ups, those that still wait for their click, with their addresses' hashes.
pub fn list_pending(db: &mut Db, ids: &[Id]) -> QueryResult<Vec<(Id, AddressHash, String)>> {
    signups::table
        .filter(signups::id.eq_any(ids))
        .filter(signups::state.eq("pending"))
        .filter(signups::address_hash.is_not_null())
        .select((signups::id, signups::address_hash.assume_not_null(), signups::language))
        .load(db)
}

/// Sign-ups in `state`, newest first, beginning below `before`.
pub fn list(db: &mut Db, state: &str, before: Option<Id>, limit: i64) -> QueryResult<Vec<Stored>> {
    let mut query = signups::table.select(Stored::as_select()).into_boxed();
    query = match state {
        "new" => query.filter(NEW),
        _ => query.filter(NOT_NEW).filter(signups::state.eq(state)),
    };
    if let Some(before) = before {
        query = query.filter(signups::id.lt(before));
    }
    query.order(signups::id.desc()).limit(limit).load(db)
}

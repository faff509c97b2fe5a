//! Statements of the outbox: owe, claim by lease, mark. Times are the database's.

use std::collections::BTreeSet;

use diesel::{
    QueryResult,
    prelude::*,
    sql_types::{Array, BigInt, Binary, Text},
};

use super::{
    domain::{LEASE, MAX_ATTEMPTS, retry_delay},
    model::{Claimed, Fate, NewMail, NewRow, OwedMail},
};
use crate::{
    clock::{Clock, Timestamp},
    each,
    id::Id,
    store::{Db, Literally, dialect, literally, prepared, schema::outbox},
};

const DUE: Literally = literally("state = 'due'");
const DEAD: Literally = literally("state = 'dead'");

/// Owes `mails`, in the caller's transaction: the reason and the mail commit together.
///
/// # Errors
/// When the statement fails.
pub fn enqueue(db: &mut Db, mails: &[NewMail], now: Timestamp) -> QueryResult<()> {
    if mails.is_empty() {
        return Ok(());
    }
    each!(db, pg c => insert_columns(c, mails, now), sqlite c => insert_each(c, mails, now))
}

/// One statement for all: each is a round trip to the server.
fn insert_columns(c: &mut PgConnection, mails: &[NewMail], now: Timestamp) -> QueryResult<()> {
    let statement = "INSERT INTO outbox (id, template, subject_id, address, state, attempts, due_at, created_at) \
         SELECT id, template, subject_id, address, 'due', 0, ?, ? \
         FROM unnest(?, ?, ?, ?) AS mail (id, template, subject_id, address)";
    let columns = |value: fn(&NewMail) -> &str| mails.iter().map(value).collect::<Vec<_>>();
    prepared(statement)
        .bind::<BigInt, _>(now)
        .bind::<BigInt, _>(now)
        .bind::<Array<Binary>, _>(mails.iter().map(|_| Id::new()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(columns(|mail| mail.template))
        .bind::<Array<Binary>, _>(mails.iter().map(|mail| mail.subject_id).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(columns(|mail| &mail.address))
        .execute(c)
        .map(drop)
}

/// One by one, by a statement that is prepared once.
fn insert_each(c: &mut SqliteConnection, mails: &[NewMail], now: Timestamp) -> QueryResult<()> {
    for mail in mails {
        let row = NewRow {
            id: Id::new(),
            template: mail.template,
            subject_id: mail.subject_id,
            address: &mail.address,
            state: "due",
            attempts: 0,
            due_at: now,
            created_at: now,
        };
        diesel::insert_into(outbox::table).values(&row).execute(c)?;
    }
    Ok(())
}

/// Owes `mail`, not to be sent before `due_at`.
///
/// # Errors
/// When the statement fails.
pub fn enqueue_at(db: &mut Db, mail: &NewMail, due_at: Timestamp, now: Timestamp) -> QueryResult<()> {
    let row = NewRow {
        id: Id::new(),
        template: mail.template,
        subject_id: mail.subject_id,
        address: &mail.address,
        state: "due",
        attempts: 0,
        due_at,
        created_at: now,
    };
    each!(db, c => diesel::insert_into(outbox::table).values(&row).execute(c)).map(drop)
}

/// Whether any mail is due: a read, so that idle polling writes nothing.
pub(super) fn any_due(db: &mut Db, clock: &Clock) -> QueryResult<bool> {
    let now = dialect::now(db, clock)?;
    let due = outbox::table.filter(DUE).filter(outbox::due_at.le(now));
    diesel::select(diesel::dsl::exists(due)).get_result(db)
}

/// Claims up to `limit` due mails under `lease`. The condition is repeated outside the selection: two workers
/// may select the same row, and only one may have it. A claim that a crash of the server forgets is no loss: what was
/// sent under it and not marked is sent again, as it would be after the lease.
pub(super) fn claim(db: &mut Db, clock: &Clock, lease: Id, limit: i64) -> QueryResult<Vec<Claimed>> {
    let now = dialect::now_for_claiming(db, clock)?;
    if let Db::Pg(connection) = db {
        return claim_unlocked(connection, now, lease, limit);
    }
    let columns = (
        outbox::id,
        outbox::template,
        outbox::subject_id,
        outbox::address,
        outbox::attempts,
        outbox::lease.assume_not_null(),
    );
    let other = diesel::alias!(outbox as other);
    let due = other
        .filter(DUE)
        .filter(other.field(outbox::due_at).le(now))
        .order(other.field(outbox::due_at))
        .limit(limit)
        .select(other.field(outbox::id));
    diesel::update(outbox::table)
        .filter(outbox::id.eq_any(due))
        .filter(DUE)
        .filter(outbox::due_at.le(now))
        .set((
            outbox::due_at.eq(now.after(LEASE)),
            outbox::lease.eq(Some(lease)),
            outbox::attempts.eq(outbox::attempts + 1),
        ))
        .returning(columns)
        .get_results(db)
}

/// The same without waiting for mails that another worker is just claiming: what is selected is locked, so its condition
/// holds. The selection is an array, made once: as a set, the planner may run it for every row, and each run would find
/// other rows unlocked.
fn claim_unlocked(c: &mut PgConnection, now: Timestamp, lease: Id, limit: i64) -> QueryResult<Vec<Claimed>> {
    let statement = "UPDATE outbox SET due_at = ?, lease = ?, attempts = attempts + 1 \
         WHERE id = ANY (ARRAY(\
             SELECT id FROM outbox WHERE state = 'due' AND due_at <= ? \
             ORDER BY due_at LIMIT ? FOR UPDATE SKIP LOCKED)) \
         RETURNING id, template, subject_id, address, attempts, lease";
    prepared(statement)
        .bind::<BigInt, _>(now.after(LEASE))
        .bind::<Binary, _>(lease)
        .bind::<BigInt, _>(now)
        .bind::<BigInt, _>(limit)
        .load(c)
}

/// Records what became of claimed mails; a mail whose lease was lost is left to its new holder. What was sent,
/// dropped or given back, as most are, in one statement each.
pub(super) fn mark(db: &mut Db, clock: &Clock, fates: &[(Claimed, Fate)]) -> QueryResult<()> {
    let now = dialect::now(db, clock)?;
    let (mut sent, mut dropped, mut given_back) = (Vec::new(), Vec::new(), Vec::new());
    for (mail, fate) in fates {
        let mine = outbox::table.filter(outbox::id.eq(mail.id)).filter(outbox::lease.eq(Some(mail.lease)));
        match fate {
            Fate::Sent => sent.push(mail),
            Fate::Dropped => dropped.push(mail),
            Fate::GivenBack => given_back.push(mail),
            Fate::Deferred(reason) if mail.attempts < MAX_ATTEMPTS => {
                let jitter = mail.id.as_bytes()[15];
                diesel::update(mine)
                    .set((
                        outbox::due_at.eq(now.after(retry_delay(mail.attempts, jitter))),
                        outbox::lease.eq(None::<Id>),
                        outbox::last_error.eq(Some(reason)),
                    ))
                    .execute(db)?;
            }
            Fate::Deferred(reason) | Fate::Refused(reason) => {
                diesel::update(mine)
                    .set((
                        outbox::state.eq("dead"),
                        outbox::lease.eq(None::<Id>),
                        outbox::last_error.eq(Some(reason)),
                        outbox::finished_at.eq(Some(now)),
                    ))
                    .execute(db)?;
            }
        }
    }
    give_back(db, &given_back, now)?;
    finish(db, "sent", &sent, now)?;
    finish(db, "dropped", &dropped, now)
}

/// These were not begun; a slow relay leaves many.
fn give_back(db: &mut Db, mails: &[&Claimed], now: Timestamp) -> QueryResult<()> {
    if mails.is_empty() {
        return Ok(());
    }
    let mine = outbox::table
        .filter(outbox::id.eq_any(mails.iter().map(|mail| mail.id)))
        .filter(outbox::lease.eq_any(leases(mails).into_iter().map(Some)));
    diesel::update(mine)
        .set((
            outbox::due_at.eq(now),
            outbox::lease.eq(None::<Id>),
            outbox::attempts.eq(outbox::attempts - 1),
        ))
        .execute(db)
        .map(drop)
}

fn leases(mails: &[&Claimed]) -> BTreeSet<Id> {
    mails.iter().map(|mail| mail.lease).collect()
}

/// These need their address no longer.
fn finish(db: &mut Db, state: &str, mails: &[&Claimed], now: Timestamp) -> QueryResult<()> {
    if mails.is_empty() {
        return Ok(());
    }
    if let Db::Pg(connection) = db {
        let statement = "UPDATE outbox SET state = ?, address = '', lease = NULL, finished_at = ? \
             WHERE id = ANY (?) AND lease = ANY (?)";
        return prepared(statement)
            .bind::<Text, _>(state)
            .bind::<BigInt, _>(now)
            .bind::<Array<Binary>, _>(mails.iter().map(|mail| mail.id).collect::<Vec<_>>())
            .bind::<Array<Binary>, _>(leases(mails).into_iter().collect::<Vec<_>>())
            .execute(connection)
            .map(drop);
    }
    let mine = outbox::table
        .filter(outbox::id.eq_any(mails.iter().map(|mail| mail.id)))
        .filter(outbox::lease.eq_any(leases(mails).into_iter().map(Some)));
    diesel::update(mine)
        .set((
            outbox::state.eq(state),
            outbox::address.eq(""),
            outbox::lease.eq(None::<Id>),
            outbox::finished_at.eq(Some(now)),
        ))
        .execute(db)
        .map(drop)
}

/// Of `subjects`, those with no mail that is still due or was finished after `since`.
///
/// # Errors
/// When the statement fails.
pub fn is_settled_before(db: &mut Db, subjects: &[Id], since: Timestamp) -> QueryResult<Vec<Id>> {
    let unsettled: Vec<Id> = outbox::table
        .filter(outbox::subject_id.eq_any(subjects))
        .filter(outbox::state.eq("due").or(outbox::finished_at.gt(Some(since))))
        .select(outbox::subject_id)
        .load(db)?;
    Ok(subjects.iter().copied().filter(|subject| !unsettled.contains(subject)).collect())
}

/// Whether a mail of this kind about `subject` was owed after `since`.
///
/// # Errors
/// When the statement fails.
pub fn was_owed_since(db: &mut Db, template: &str, subject: Id, since: Timestamp) -> QueryResult<bool> {
    let recent = outbox::table
        .filter(outbox::subject_id.eq(subject))
        .filter(outbox::template.eq(template))
        .filter(outbox::created_at.gt(since));
    diesel::select(diesel::dsl::exists(recent)).get_result(db)
}

/// Nobody is owed mails about `subjects` any more; their addresses are erased.
///
/// # Errors
/// When a statement fails.
pub fn forget(db: &mut Db, subjects: &[Id]) -> QueryResult<()> {
    let theirs = outbox::table.filter(outbox::subject_id.eq_any(subjects));
    diesel::update(theirs.clone().filter(outbox::state.eq("due")))
        .set(outbox::state.eq("dropped"))
        .execute(db)?;
    diesel::update(theirs).set(outbox::address.eq("")).execute(db).map(drop)
}

/// Since when the mail has been due that waits longest.
///
/// # Errors
/// When the database does not answer.
pub fn oldest_due(db: &mut Db, now: Timestamp) -> QueryResult<Option<Timestamp>> {
    let due = outbox::table.filter(DUE).filter(outbox::due_at.le(now)).order(outbox::due_at);
    due.select(outbox::due_at).first(db).optional()
}

/// Mails given up since `since`.
///
/// # Errors
/// When the database does not answer.
pub fn count_dead_since(db: &mut Db, since: Timestamp) -> QueryResult<i64> {
    outbox::table.filter(DEAD).filter(outbox::finished_at.ge(Some(since))).count().get_result(db)
}

/// Mails in this state, or all, newest first, beginning below `before`; one more than `limit` when there are more.
///
/// # Errors
/// When the database does not answer.
pub fn list(
    db: &mut Db,
    state: Option<&'static str>,
    before: Option<Id>,
    limit: u16,
) -> QueryResult<Vec<OwedMail>> {
    let mut query = outbox::table.into_boxed();
    match state {
        Some("due") => query = query.filter(DUE),
        Some("dead") => query = query.filter(DEAD),
        Some(state) => query = query.filter(outbox::state.eq(state)),
        None => {}
    }
    if let Some(before) = before {
        query = query.filter(outbox::id.lt(before));
    }
    query
        .order(outbox::id.desc())
        .limit(i64::from(limit) + 1)
        .select((
            outbox::id,
            outbox::template,
            outbox::state,
            outbox::address,
            outbox::attempts,
            outbox::due_at,
            outbox::last_error,
            outbox::created_at,
            outbox::finished_at,
        ))
        .load(db)
}

/// Owes mails once more that were given up until `now` and still have their address: those with these ids, or all, at most
/// `limit`; returns how many.
///
/// # Errors
/// When a statement fails.
pub fn revive(db: &mut Db, ids: Option<&[Id]>, now: Timestamp, limit: i64) -> QueryResult<usize> {
    let mut dead = outbox::table.filter(DEAD).into_boxed();
    if let Some(ids) = ids {
        dead = dead.filter(outbox::id.eq_any(ids.to_vec()));
    }
    let some: Vec<Id> = dead
        .filter(outbox::address.ne(""))
        .filter(outbox::finished_at.le(Some(now)))
        .order(outbox::finished_at)
        .limit(limit)
        .select(outbox::id)
        .load(db)?;
    diesel::update(outbox::table.filter(outbox::id.eq_any(some)).filter(outbox::state.eq("dead")))
        .set((
            outbox::state.eq("due"),
            outbox::attempts.eq(0),
            outbox::due_at.eq(now),
            outbox::finished_at.eq(None::<Timestamp>),
        ))
        .execute(db)
}

/// Erases the addresses of mails that were given up before `before`; returns how many.
///
/// # Errors
/// When the statement fails.
pub fn forget_dead(db: &mut Db, before: Timestamp) -> QueryResult<usize> {
    diesel::update(outbox::table.filter(DEAD))
        .filter(outbox::finished_at.lt(Some(before)))
        .filter(outbox::address.ne(""))
        .set(outbox::address.eq(""))
        .execute(db)
}

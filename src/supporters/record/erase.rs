//! Taking somebody out: erased, with a keyed hash that keeps imports from bringing them back, or suppressed, known but
//! never written to. One function for each, whoever asks: the person by a link, or staff.

use diesel::{QueryResult, prelude::*};

use super::{Record, lock_addresses};
use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    error::AppError,
    http::IfMatch,
    id::Id,
    kernel::Kernel,
    keys::{AddressHash, Keys},
    outbox,
    store::{
        Db, Lane, lock,
        schema::{import_refusals, imports as lists, signups, supporter_aliases},
    },
    supporters::{Supporter, queries},
};

diesel::define_sql_function! {
    /// In lower case, as far as the database knows letters.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

/// Erases a person: the supporter with their notes, tags, fields and shares (which are recalled), what every sign-up holds
/// of them, and mails on their way. Under the lock of their address.
///
/// # Errors
/// When a statement fails; nothing may then be committed.
pub fn erase(db: &mut Db, keys: &Keys, supporter: &Supporter, now: Timestamp) -> QueryResult<()> {
    let hash = keys.address_hash(&supporter.email_key);
    lock::addresses(db, [hash])?;
    let mut subjects = forget_signups(db, hash, true)?;
    let others: Vec<Id> =
        signups::table.filter(signups::supporter_id.eq(Some(supporter.id))).select(signups::id).load(db)?;
    blank_signups(db, &others)?;
    subjects.extend(others);
    subjects.push(supporter.id);
    outbox::forget(db, &subjects)?;
    // Nor may they come back under an address that was merged into this record.
    let merged: Vec<AddressHash> = supporter_aliases::table
        .filter(supporter_aliases::supporter_number.eq(supporter.number))
        .select(supporter_aliases::address_hash)
        .load(db)?;
    for hash in &merged {
        queries::set_mark(db, *hash, "erased", now)?;
    }
    let known: Vec<AddressHash> = merged.into_iter().chain([hash]).collect();
    forget_listed(db, &known, &supporter.email_key)?;
    queries::delete(db, supporter.id, hash, now)
}

/// Erases what lists that were brought in show of a person: rows that were kept, and previews with their address. A file that
/// waits to be read stays as it is (`imports/purge.rs`).
fn forget_listed(db: &mut Db, known: &[AddressHash], key: &str) -> QueryResult<()> {
    let kept = import_refusals::address_hash.eq_any(known.iter().copied().map(Some));
    diesel::delete(import_refusals::table.filter(kept)).execute(db)?;
    // An underscore stands for any letter, too: one preview more may go.
    let shown = lower(lists::preview).like(format!("%{}%", key.replace('%', "_")));
    diesel::update(lists::table.filter(lists::preview.ne("").and(shown)))
        .set(lists::preview.eq(""))
        .execute(db)
        .map(drop)
}

/// Erases what the sign-ups of an address hold of a person, the confirmed ones too if asked; counts stay.
/// Returns which those were.
///
/// # Errors
/// When the statement fails.
pub fn forget_signups(db: &mut Db, hash: AddressHash, with_confirmed: bool) -> QueryResult<Vec<Id>> {
    let mut query =
        signups::table.filter(signups::address_hash.eq(Some(hash))).select(signups::id).into_boxed();
    if !with_confirmed {
        query = query.filter(signups::state.ne("confirmed"));
    }
    let ids: Vec<Id> = query.load(db)?;
    blank_signups(db, &ids)?;
    Ok(ids)
}

/// Erases what these sign-ups hold of a person. What was not confirmed is then expired.
///
/// # Errors
/// When a statement fails.
pub fn blank_signups(db: &mut Db, ids: &[Id]) -> QueryResult<usize> {
    let blank = (
        signups::email.eq(""),
        signups::details.eq("{}"),
        signups::client_hash.eq(None::<AddressHash>),
        signups::address_hash.eq(None::<AddressHash>),
        signups::supporter_id.eq(None::<Id>),
    );
    let those = signups::table.filter(signups::id.eq_any(ids));
    diesel::update(those.clone().filter(signups::state.eq("pending")))
        .set(signups::state.eq("expired"))
        .execute(db)?;
    diesel::update(those).set(blank).execute(db)
}

/// Staff erase a person.
pub(super) async fn by_staff(kernel: &Kernel, id: Id, known: IfMatch, actor: Actor) -> Result<(), AppError> {
    let (keys, now) = (kernel.keys.clone(), kernel.clock.now());
    let write = move |db: &mut Db| {
        lock_addresses(db, &keys, &[id], None)?;
        let record = Record::lock(db, id)?;
        known.check(&record.etag()?)?;
        erase(db, &keys, &record.supporter, now)?;
        let act = Act::new(actor, "supporter.erase").on("supporter", record.supporter.id);
        Ok::<_, AppError>(audit::append(db, &keys, &[act], now)?)
    };
    kernel.store.write(Lane::Staff, write).await?;
    kernel.store.scrub();
    Ok(())
}

/// Staff leave a person alone for good: nothing is mailed to them, whatever they sign up for.
pub(super) async fn suppress(kernel: &Kernel, id: Id, known: IfMatch, actor: Actor) -> Result<(), AppError> {
    let (keys, now) = (kernel.keys.clone(), kernel.clock.now());
    let write = move |db: &mut Db| {
        lock_addresses(db, &keys, &[id], None)?;
        let record = Record::lock(db, id)?;
        known.check(&record.etag()?)?;
        let hash = keys.address_hash(&record.supporter.email_key);
        lock::addresses(db, [hash])?;
        queries::suppress(db, hash, "manual", now)?;
        let mut subjects = forget_signups(db, hash, false)?;
        subjects.push(record.supporter.id);
        outbox::forget(db, &subjects)?;
        let act = Act::new(actor, "supporter.suppress").on("supporter", record.supporter.id);
        Ok::<_, AppError>(audit::append(db, &keys, &[act], now)?)
    };
    kernel.store.write(Lane::Staff, write).await?;
    kernel.store.scrub();
    Ok(())
}

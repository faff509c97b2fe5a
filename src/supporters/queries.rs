//! Statements over supporters and the suppression list.

use std::collections::HashMap;

use diesel::{QueryResult, prelude::*};

use super::{
    filter::{SupporterFilter, newest},
    model::{Confirmed, NewSupporter, Profile, Supporter, join, words},
    standing::Standing,
    status::Status,
};
use crate::{
    clock::Timestamp,
    each, groups,
    id::Id,
    keys::{AddressHash, Keys},
    store::{
        Db,
        schema::{shares, supporter_aliases, supporters, suppressions},
    },
};

/// The supporter with this id, or the one that the record with this id was merged into.
///
/// # Errors
/// When the database does not answer.
pub fn find(db: &mut Db, id: Id) -> QueryResult<Option<Supporter>> {
    if let Some(known) = find_own(db, id)? {
        return Ok(Some(known));
    }
    let merged = supporter_aliases::table
        .filter(supporter_aliases::id.eq(id))
        .select(supporter_aliases::supporter_number);
    let Some(number) = merged.first::<i64>(db).optional()? else { return Ok(None) };
    supporters::table
        .filter(supporters::number.eq(number))
        .select(Supporter::as_select())
        .first(db)
        .optional()
}

/// The supporter with this id alone.
pub(super) fn find_own(db: &mut Db, id: Id) -> QueryResult<Option<Supporter>> {
    supporters::table.filter(supporters::id.eq(id)).select(Supporter::as_select()).first(db).optional()
}

/// The supporter with this matching key.
///
/// # Errors
/// When the database does not answer.
pub fn find_by_key(db: &mut Db, key: &str) -> QueryResult<Option<Supporter>> {
    supporters::table
        .filter(supporters::email_key.eq(key))
        .select(Supporter::as_select())
        .first(db)
        .optional()
}

/// The standing of each address, given as matching key and keyed hash; in the order given.
///
/// # Errors
/// When the database does not answer.
pub fn standings(db: &mut Db, addresses: &[(String, AddressHash)]) -> QueryResult<Vec<Standing>> {
    type Row = (String, Id, Status, String, Option<Timestamp>);
    let keys: Vec<&str> = addresses.iter().map(|(key, _)| key.as_str()).collect();
    let rows: Vec<Row> = supporters::table
        .filter(supporters::email_key.eq_any(keys))
        .select((
            supporters::email_key,
            supporters::id,
            supporters::status,
            supporters::email,
            supporters::voided_at,
        ))
        .load(db)?;
    let mut known: HashMap<String, Standing> = rows
        .into_iter()
        .map(|(key, id, status, email, voided_at)| {
            let standing = Standing {
                supporter: Some(id),
                status: Some(status),
                email: Some(email),
                is_suppressed: status == Status::Suppressed,
                voided_at,
            };
            (key, standing)
        })
        .collect();
    let hashes: Vec<AddressHash> = addresses.iter().map(|(_, hash)| *hash).collect();
    let marks: Vec<(AddressHash, String, Timestamp)> =
        suppressions::table.filter(suppressions::address_hash.eq_any(hashes)).load(db)?;
    for (hash, reason, at) in marks {
        for (key, _) in addresses.iter().filter(|(_, address)| *address == hash) {
            known.entry(key.clone()).or_default().mark(&reason, at);
        }
    }
    Ok(addresses.iter().map(|(key, _)| known.get(key).cloned().unwrap_or_default()).collect())
}

/// Makes or updates the supporter of a confirmed sign-up; what was left blank stays as it was. Lifts the mark
/// that an erasure by their own wish left.
///
/// # Errors
/// When a statement fails.
pub fn confirm(db: &mut Db, keys: &Keys, confirmed: Confirmed, now: Timestamp) -> QueryResult<Id> {
    let key = confirmed.email.key();
    let hash = keys.address_hash(&key);
    diesel::delete(suppressions::table.filter(suppressions::address_hash.eq(hash)))
        .filter(suppressions::reason.eq("erased"))
        .execute(db)?;
    match find_by_key(db, &key)? {
        Some(known) => update_confirmed(db, known, confirmed, now),
        None => insert_confirmed(db, (key, hash), confirmed, now),
    }
}

fn insert_confirmed(
    db: &mut Db,
    address: (String, AddressHash),
    confirmed: Confirmed,
    now: Timestamp,
) -> QueryResult<Id> {
    let row = NewSupporter::of(confirmed, address, now);
    let id = row.id;
    each!(db, c => diesel::insert_into(supporters::table).values(&row).execute(c))?;
    Ok(id)
}

fn update_confirmed(db: &mut Db, known: Supporter, confirmed: Confirmed, now: Timestamp) -> QueryResult<Id> {
    let has_place = confirmed.profile.postal_code.is_some() || confirmed.profile.region.is_some();
    let profile = Profile {
        given_name: confirmed.profile.given_name.or(known.given_name),
        family_name: confirmed.profile.family_name.or(known.family_name),
        postal_code: if has_place { confirmed.profile.postal_code } else { known.postal_code },
        region: if has_place { confirmed.profile.region } else { known.region },
    };
    let (phone, phone_consent) = match confirmed.phone {
        Some(phone) => (Some(phone), confirmed.phone_consent),
        None => (known.phone, known.phone_consent),
    };
    let involvement =
        if confirmed.involvement.is_empty() { known.involvement } else { join(&confirmed.involvement) };
    diesel::update(supporters::table.filter(supporters::id.eq(known.id)))
        .set((
            supporters::status.eq(Status::Confirmed),
            words(&profile, &known.email_key),
            supporters::given_name.eq(profile.given_name),
            supporters::family_name.eq(profile.family_name),
            supporters::postal_code.eq(profile.postal_code),
            supporters::region.eq(profile.region),
            supporters::phone.eq(phone),
            supporters::phone_consent.eq(phone_consent),
            supporters::country.eq(confirmed.country.or(known.country)),
            supporters::language.eq(confirmed.language),
            supporters::involvement.eq(involvement),
            supporters::notice_id.eq(confirmed.notice_id),
            supporters::signed_up_at.eq(confirmed.signed_up_at),
            supporters::confirmed_at.eq(now),
            supporters::unsubscribed_at.eq(None::<Timestamp>),
            supporters::updated_at.eq(now),
        ))
        .execute(db)?;
    Ok(known.id)
}

/// The supporter leaves: unsubscribed, every share ended and recalled, every earlier sign-up and preferences link void.
/// Leaving twice keeps the first date; the suppressed stay suppressed.
///
/// # Errors
/// When a statement fails.
pub fn leave(db: &mut Db, id: Id, now: Timestamp) -> QueryResult<()> {
    let Some(Supporter { id, .. }) = find(db, id)? else { return Ok(()) };
    let left: Option<i64> = diesel::update(supporters::table.filter(supporters::id.eq(id)))
        .filter(supporters::status.eq(Status::Confirmed))
        .set((
            supporters::status.eq(Status::Unsubscribed),
            supporters::unsubscribed_at.eq(Some(now)),
            supporters::voided_at.eq(Some(now)),
            supporters::link_version.eq(supporters::link_version + 1),
            supporters::updated_at.eq(now),
        ))
        .returning(supporters::number)
        .get_result(db)
        .optional()?;
    if let Some(number) = left {
        groups::withdraw_all_shares(db, number, now)?;
    }
    Ok(())
}

/// Leaves the address alone for good, whether or not a supporter has it; their shares end and are recalled.
///
/// # Errors
/// When a statement fails.
pub fn suppress(db: &mut Db, hash: AddressHash, reason: &str, now: Timestamp) -> QueryResult<()> {
    set_mark(db, hash, reason, now)?;
    let known: Option<i64> = diesel::update(supporters::table.filter(supporters::address_hash.eq(hash)))
        .set((
            supporters::status.eq(Status::Suppressed),
            supporters::suppression_reason.eq(Some(reason)),
            supporters::voided_at.eq(Some(now)),
            supporters::link_version.eq(supporters::link_version + 1),
            supporters::updated_at.eq(now),
        ))
        .returning(supporters::number)
        .get_result(db)
        .optional()?;
    if let Some(number) = known {
        groups::withdraw_all_shares(db, number, now)?;
    }
    Ok(())
}

/// Erases the supporter, whose shares are recalled; a keyed hash of the address stays, so that an import cannot bring
/// them back.
///
/// # Errors
/// When a statement fails.
pub fn delete(db: &mut Db, id: Id, hash: AddressHash, now: Timestamp) -> QueryResult<()> {
    set_mark(db, hash, "erased", now)?;
    let mine = supporters::table.filter(supporters::id.eq(id));
    if let Some(number) = mine.select(supporters::number).first(db).optional()? {
        groups::withdraw_all_shares(db, number, now)?;
    }
    diesel::delete(mine).execute(db).map(drop)
}

/// A mark for good is not weakened by an erasure.
pub(super) fn set_mark(db: &mut Db, hash: AddressHash, reason: &str, now: Timestamp) -> QueryResult<()> {
    let mine = suppressions::table.filter(suppressions::address_hash.eq(hash));
    diesel::delete(mine).filter(suppressions::reason.eq("erased")).execute(db)?;
    each!(db, c => diesel::insert_into(suppressions::table)
        .values((
            suppressions::address_hash.eq(hash),
            suppressions::reason.eq(reason),
            suppressions::created_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(c))
    .map(drop)
}

/// Changes what the person may change by themselves.
///
/// # Errors
/// When the statement fails.
pub fn set_profile(db: &mut Db, supporter: &Supporter, profile: &Profile, now: Timestamp) -> QueryResult<()> {
    diesel::update(supporters::table.filter(supporters::id.eq(supporter.id)))
        .set((
            words(profile, &supporter.email_key),
            supporters::given_name.eq(&profile.given_name),
            supporters::family_name.eq(&profile.family_name),
            supporters::postal_code.eq(&profile.postal_code),
            supporters::region.eq(&profile.region),
            supporters::updated_at.eq(now),
        ))
        .execute(db)
        .map(drop)
}

/// Sets the language a supporter is written to in.
///
/// # Errors
/// When the statement fails.
pub fn set_language(db: &mut Db, id: Id, language: &str, now: Timestamp) -> QueryResult<()> {
    diesel::update(supporters::table.filter(supporters::id.eq(id)))
        .set((supporters::language.eq(language), supporters::updated_at.eq(now)))
        .execute(db)
        .map(drop)
}

/// Pauses a supporter until then, or ends their pause.
///
/// # Errors
/// When the statement fails.
pub fn set_pause(db: &mut Db, id: Id, until: Option<Timestamp>, now: Timestamp) -> QueryResult<()> {
    diesel::update(supporters::table.filter(supporters::id.eq(id)))
        .set((supporters::paused_until.eq(until), supporters::updated_at.eq(now)))
        .execute(db)
        .map(drop)
}

/// Ends the pauses that are over. Exports ask whether there is a pause, not until when.
///
/// # Errors
/// When the statement fails.
pub fn end_pauses(db: &mut Db, now: Timestamp) -> QueryResult<usize> {
    diesel::update(supporters::table.filter(supporters::paused_until.le(Some(now))))
        .set(supporters::paused_until.eq(None::<Timestamp>))
        .execute(db)
}

/// Voids every preferences link that was mailed before.
///
/// # Errors
/// When the statement fails.
pub fn raise_link_version(db: &mut Db, id: Id) -> QueryResult<()> {
    diesel::update(supporters::table.filter(supporters::id.eq(id)))
        .set(supporters::link_version.eq(supporters::link_version + 1))
        .execute(db)
        .map(drop)
}

/// One page of matching supporters, newest first, beginning below `before`; one more than `limit` when there
/// are more.
pub(super) fn list(
    db: &mut Db,
    filter: &SupporterFilter,
    before: Option<i64>,
    limit: u16,
) -> QueryResult<Vec<Supporter>> {
    let numbers = newest(db, filter, before, i64::from(limit) + 1)?;
    supporters::table
        .filter(supporters::number.eq_any(numbers))
        .order(supporters::number.desc())
        .select(Supporter::as_select())
        .load(db)
}

/// Since when each of these supporters shares with `group`.
pub(super) fn shared_at(db: &mut Db, group: Id, numbers: &[i64]) -> QueryResult<HashMap<i64, Timestamp>> {
    let rows: Vec<(i64, Timestamp)> = shares::table
        .filter(shares::group_id.eq(group))
        .filter(shares::withdrawn_at.is_null())
        .filter(shares::supporter_number.eq_any(numbers))
        .select((shares::supporter_number, shares::given_at))
        .load(db)?;
    Ok(rows.into_iter().collect())
}

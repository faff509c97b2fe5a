//! Supporters of an imported list, many at a time: what is known of their addresses, and statements that write a whole
//! piece at once. Called by `imports` inside its transactions; decides nothing about consent.

use std::collections::HashMap;

use diesel::{
    QueryResult,
    prelude::*,
    sql_types::{Array, BigInt, Binary, Bool, Nullable, Text},
};

use super::{
    SearchWords, Status, copied,
    fields::FieldValue,
    model::{Confirmed, NewSupporter, Profile, Supporter, join, words},
};
use crate::{
    clock::Timestamp,
    each,
    id::Id,
    keys::AddressHash,
    store::{
        Db, prepared,
        schema::{supporter_aliases, supporters, suppressions},
    },
};

/// Somebody of a list, who becomes a supporter.
pub struct Listed {
    /// What the list says of them.
    pub confirmed: Confirmed,
    /// Matching key and keyed hash of their address.
    pub address: (String, AddressHash),
    /// When they confirmed, as far as that is known.
    pub confirmed_at: Timestamp,
    /// When they left, if the list says that they are not to be written to.
    pub left_at: Option<Timestamp>,
}

/// What is known of an address.
#[derive(Clone, Default)]
pub struct Known {
    /// The supporter who has it, or whom a record with it was merged into.
    pub supporter: Option<Supporter>,
    /// Why it is to be left alone, if it is; `erased` by own wish.
    pub mark: Option<String>,
}

/// A value of a field that staff defined, as a list gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedValue {
    /// The field's number.
    pub number: i64,
    /// Its slug.
    pub slug: String,
    /// The value.
    pub value: FieldValue,
}

/// The addresses of those whom records with these addresses were merged into.
///
/// # Errors
/// When the database does not answer.
pub fn survivors(db: &mut Db, hashes: &[AddressHash]) -> QueryResult<Vec<AddressHash>> {
    supporter_aliases::table
        .inner_join(supporters::table.on(supporters::number.eq(supporter_aliases::supporter_number)))
        .filter(supporter_aliases::address_hash.eq_any(hashes))
        .select(supporters::address_hash)
        .load(db)
}

/// What is known of each address, in the order given.
///
/// # Errors
/// When the database does not answer.
pub fn known(db: &mut Db, addresses: &[(&str, AddressHash)]) -> QueryResult<Vec<Known>> {
    let keys: Vec<&str> = addresses.iter().map(|(key, _)| *key).collect();
    let hashes: Vec<AddressHash> = addresses.iter().map(|(_, hash)| *hash).collect();
    let rows: Vec<Supporter> = supporters::table
        .filter(supporters::email_key.eq_any(keys))
        .select(Supporter::as_select())
        .load(db)?;
    let marks: Vec<(AddressHash, String)> = suppressions::table
        .filter(suppressions::address_hash.eq_any(&hashes))
        .select((suppressions::address_hash, suppressions::reason))
        .load(db)?;
    let mut rows: HashMap<String, Supporter> =
        rows.into_iter().map(|row| (row.email_key.clone(), row)).collect();
    let mut marks: HashMap<AddressHash, String> = marks.into_iter().collect();
    let merged: Vec<(AddressHash, Supporter)> = supporter_aliases::table
        .inner_join(supporters::table.on(supporters::number.eq(supporter_aliases::supporter_number)))
        .filter(supporter_aliases::address_hash.eq_any(&hashes))
        // Of several records with one address, the one that was merged last.
        .order(supporter_aliases::created_at)
        .select((supporter_aliases::address_hash, Supporter::as_select()))
        .load(db)?;
    let mut merged: HashMap<AddressHash, Supporter> = merged.into_iter().collect();
    let known = addresses.iter().map(|(key, hash)| Known {
        // Whoever joined with the address since has it.
        supporter: rows.remove(*key).or_else(|| merged.remove(hash)),
        mark: marks.remove(hash),
    });
    Ok(known.collect())
}

/// Inserts people whose addresses nobody has; nobody else may decide anything about them before the commit.
///
/// # Errors
/// When a statement fails.
pub fn insert_listed(db: &mut Db, listed: Vec<Listed>, now: Timestamp) -> QueryResult<()> {
    let rows: Vec<NewSupporter> = listed
        .into_iter()
        .map(|person| NewSupporter {
            status: if person.left_at.is_some() { Status::Unsubscribed } else { Status::Confirmed },
            confirmed_at: person.confirmed_at,
            unsubscribed_at: person.left_at,
            voided_at: person.left_at,
            ..NewSupporter::of(person.confirmed, person.address, now)
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    each!(db,
        pg c => copied::copy(c, &rows),
        // Pieces of a fixed size: diesel then finds its prepared statement by type.
        sqlite c => {
            let (pieces, rest) = rows.as_chunks::<32>();
            for piece in pieces {
                diesel::insert_into(supporters::table).values(piece).execute(c)?;
            }
            rest.iter().try_for_each(|row| diesel::insert_into(supporters::table).values(row).execute(c).map(drop))
        }
    )
}

/// A supporter with what a list adds to what is stored.
pub struct Filled {
    id: Id,
    profile: Profile,
    words: SearchWords,
    phone: Option<String>,
    phone_consent: bool,
    country: Option<String>,
    involvement: String,
    source_code: Option<String>,
}

/// What `listed` adds to `known`: what is empty is filled; what the person gave stays, unless `overwrite`. Nothing if
/// that changes nothing. The language stays: the person has chosen it.
#[must_use]
pub fn fill_listed(known: &Supporter, listed: &Confirmed, overwrite: bool) -> Option<Filled> {
    let choose = |stored: &Option<String>, given: &Option<String>| {
        let (first, second) = if overwrite { (given, stored) } else { (stored, given) };
        first.as_ref().or(second.as_ref()).cloned()
    };
    // Both or neither: a region goes with its postal code.
    let has_place = known.postal_code.is_some() || known.region.is_some();
    let gives_place = listed.profile.postal_code.is_some() || listed.profile.region.is_some();
    let (postal_code, region) = if gives_place && (overwrite || !has_place) {
        (listed.profile.postal_code.clone(), listed.profile.region.clone())
    } else {
        (known.postal_code.clone(), known.region.clone())
    };
    let profile = Profile {
        given_name: choose(&known.given_name, &listed.profile.given_name),
        family_name: choose(&known.family_name, &listed.profile.family_name),
        postal_code,
        region,
    };
    let phone = choose(&known.phone, &listed.phone);
    let is_new_phone = phone != known.phone;
    let takes_involvement = !listed.involvement.is_empty() && (overwrite || known.involvement.is_empty());
    let filled = Filled {
        id: known.id,
        words: words(&profile, &known.email_key),
        phone_consent: if is_new_phone { listed.phone_consent } else { known.phone_consent },
        phone,
        country: choose(&known.country, &listed.country),
        involvement: if takes_involvement { join(&listed.involvement) } else { known.involvement.clone() },
        source_code: known.source_code.clone().or_else(|| listed.source.first().cloned().flatten()),
        profile,
    };
    let is_changed = filled.profile.given_name != known.given_name
        || filled.profile.family_name != known.family_name
        || filled.profile.postal_code != known.postal_code
        || filled.profile.region != known.region
        || is_new_phone
        || filled.country != known.country
        || filled.involvement != known.involvement
        || filled.source_code != known.source_code;
    is_changed.then_some(filled)
}

/// Stores what lists added.
///
/// # Errors
/// When a statement fails.
pub fn update_listed(db: &mut Db, rows: &[Filled], now: Timestamp) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    each!(db,
        pg c => update_columns(c, rows, now),
        sqlite c => rows.iter().try_for_each(|row| update_row(c, row, now))
    )
}

/// Prepared once; diesel's `update` would be compiled anew for each row, which takes longer than to run it.
fn update_row(c: &mut SqliteConnection, row: &Filled, now: Timestamp) -> QueryResult<()> {
    let statement = "UPDATE supporters SET given_name = ?, family_name = ?, postal_code = ?, region = ?, phone = ?, \
         phone_consent = ?, country = ?, involvement = ?, source_code = ?, word_1 = ?, word_2 = ?, word_3 = ?, \
         word_4 = ?, word_5 = ?, word_6 = ?, domain = ?, updated_at = ? WHERE id = ?";
    type Value = Nullable<Text>;
    let [word_1, word_2, word_3, word_4, word_5, word_6, domain] = row.words.columns();
    prepared(statement)
        .bind::<Value, _>(&row.profile.given_name)
        .bind::<Value, _>(&row.profile.family_name)
        .bind::<Value, _>(&row.profile.postal_code)
        .bind::<Value, _>(&row.profile.region)
        .bind::<Value, _>(&row.phone)
        .bind::<Bool, _>(row.phone_consent)
        .bind::<Value, _>(&row.country)
        .bind::<Text, _>(&row.involvement)
        .bind::<Value, _>(&row.source_code)
        .bind::<Value, _>(word_1)
        .bind::<Value, _>(word_2)
        .bind::<Value, _>(word_3)
        .bind::<Value, _>(word_4)
        .bind::<Value, _>(word_5)
        .bind::<Value, _>(word_6)
        .bind::<Value, _>(domain)
        .bind::<BigInt, _>(now)
        .bind::<Binary, _>(row.id)
        .execute(c)
        .map(drop)
}

/// One statement for all of them: each column is one array.
fn update_columns(c: &mut PgConnection, rows: &[Filled], now: Timestamp) -> QueryResult<()> {
    fn column<'a, T>(rows: &'a [Filled], value: fn(&'a Filled) -> T) -> Vec<T> {
        rows.iter().map(value).collect()
    }
    fn word(rows: &[Filled], at: usize) -> Vec<Option<&str>> {
        rows.iter().map(|row| row.words.columns().get(at).copied().flatten()).collect()
    }
    let statement = "UPDATE supporters SET given_name = n.given_name, family_name = n.family_name, \
         postal_code = n.postal_code, region = n.region, phone = n.phone, phone_consent = n.phone_consent, \
         country = n.country, involvement = n.involvement, source_code = n.source_code, word_1 = n.w1, \
         word_2 = n.w2, word_3 = n.w3, word_4 = n.w4, word_5 = n.w5, word_6 = n.w6, domain = n.domain, \
         updated_at = ? \
         FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) AS n (id, \
         given_name, family_name, postal_code, region, phone, phone_consent, country, involvement, source_code, \
         w1, w2, w3, w4, w5, w6, domain) WHERE supporters.id = n.id";
    type Texts = Array<Nullable<Text>>;
    prepared(statement)
        .bind::<BigInt, _>(now)
        .bind::<Array<Binary>, _>(column(rows, |row| row.id))
        .bind::<Texts, _>(column(rows, |row| row.profile.given_name.as_deref()))
        .bind::<Texts, _>(column(rows, |row| row.profile.family_name.as_deref()))
        .bind::<Texts, _>(column(rows, |row| row.profile.postal_code.as_deref()))
        .bind::<Texts, _>(column(rows, |row| row.profile.region.as_deref()))
        .bind::<Texts, _>(column(rows, |row| row.phone.as_deref()))
        .bind::<Array<Bool>, _>(column(rows, |row| row.phone_consent))
        .bind::<Texts, _>(column(rows, |row| row.country.as_deref()))
        .bind::<Array<Text>, _>(column(rows, |row| row.involvement.as_str()))
        .bind::<Texts, _>(column(rows, |row| row.source_code.as_deref()))
        .bind::<Texts, _>(word(rows, 0))
        .bind::<Texts, _>(word(rows, 1))
        .bind::<Texts, _>(word(rows, 2))
        .bind::<Texts, _>(word(rows, 3))
        .bind::<Texts, _>(word(rows, 4))
        .bind::<Texts, _>(word(rows, 5))
        .bind::<Texts, _>(word(rows, 6))
        .execute(c)
        .map(drop)
}

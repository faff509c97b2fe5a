//! What a list gives people besides what stands in their own row: tags, and values of fields that staff defined. Many
//! people at a time, by the matching keys of their addresses. Called by `imports` inside its transactions.

use std::collections::{HashMap, HashSet};

use diesel::{
    QueryResult,
    prelude::*,
    sql_types::{Array, BigInt, Double, Nullable, Text},
};

use super::import::ListedValue;
use crate::{
    clock::Timestamp,
    each,
    store::{
        Db, prepared,
        schema::{fields, supporter_fields, supporter_tags, supporters, tags},
    },
};

/// Gives people, by the matching keys of their addresses, tags, which are made if they are missing. A tag that somebody
/// has stays as it is. Returns which of the people got a tag that they had not.
///
/// # Errors
/// When a statement fails.
pub fn tag_listed(db: &mut Db, wishes: &[(&str, &str)], now: Timestamp) -> QueryResult<Vec<String>> {
    if wishes.is_empty() {
        return Ok(Vec::new());
    }
    let mut slugs: Vec<&str> = wishes.iter().map(|(_, slug)| *slug).collect();
    slugs.sort_unstable();
    slugs.dedup();
    let mut numbers = tag_numbers(db, &slugs)?;
    for slug in slugs.iter().filter(|slug| !numbers.contains_key(**slug)) {
        each!(db, c => diesel::insert_into(tags::table)
            .values((tags::slug.eq(slug), tags::created_at.eq(now)))
            .on_conflict_do_nothing()
            .execute(c))?;
    }
    if numbers.len() < slugs.len() {
        numbers = tag_numbers(db, &slugs)?;
    }
    let people = people(db, wishes.iter().map(|(key, _)| *key))?;
    let keys: HashMap<i64, &str> = people.iter().map(|(key, number)| (*number, key.as_str())).collect();
    let mut rows: Vec<(i64, i64)> = wishes
        .iter()
        .filter_map(|(key, slug)| numbers.get(*slug).copied().zip(people.get(*key).copied()))
        .collect();
    rows.sort_unstable();
    rows.dedup();
    let mut tagged: Vec<String> = Vec::new();
    for (_, supporter) in each!(db,
        pg c => insert_tags(c, &rows, now)?,
        sqlite c => {
            let mut added = Vec::new();
            for (tag, supporter) in rows {
                let row = (
                    supporter_tags::tag_number.eq(tag),
                    supporter_tags::supporter_number.eq(supporter),
                    supporter_tags::created_at.eq(now),
                );
                let count =
                    diesel::insert_into(supporter_tags::table).values(row).on_conflict_do_nothing().execute(c)?;
                if count > 0 {
                    added.push((tag, supporter));
                }
            }
            added
        }
    ) {
        tagged.extend(keys.get(&supporter).map(|key| (*key).to_owned()));
    }
    tagged.sort_unstable();
    tagged.dedup();
    Ok(tagged)
}

/// Gives people values of fields: where they have none, or in place of it if `overwrite`. A field that is gone is passed
/// over. Returns which of the people got a value that they had not.
///
/// # Errors
/// When a statement fails.
pub fn fill_fields(
    db: &mut Db,
    wishes: &[(&str, &[ListedValue])],
    overwrite: bool,
) -> QueryResult<Vec<String>> {
    let missing = missing(db, wishes, overwrite)?;
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    each!(db,
        pg c => {
            let statement = "INSERT INTO supporter_fields (supporter_number, field_number, value, rank) \
                 SELECT s, f, v, r FROM unnest(?, ?, ?, ?) AS n (s, f, v, r) \
                 ON CONFLICT (supporter_number, field_number) DO UPDATE SET value = excluded.value, rank = excluded.rank";
            prepared(statement)
                .bind::<Array<BigInt>, _>(missing.iter().map(|one| one.supporter).collect::<Vec<_>>())
                .bind::<Array<BigInt>, _>(missing.iter().map(|one| one.given.number).collect::<Vec<_>>())
                .bind::<Array<Text>, _>(missing.iter().map(|one| one.given.value.text.as_str()).collect::<Vec<_>>())
                .bind::<Array<Nullable<Double>>, _>(missing.iter().map(|one| one.given.value.rank).collect::<Vec<_>>())
                .execute(c)
                .map(drop)
        },
        sqlite c => missing.iter().try_for_each(|one| {
            diesel::replace_into(supporter_fields::table)
                .values((
                    supporter_fields::field_number.eq(one.given.number),
                    supporter_fields::supporter_number.eq(one.supporter),
                    supporter_fields::value.eq(&one.given.value.text),
                    supporter_fields::rank.eq(one.given.value.rank),
                ))
                .execute(c)
                .map(drop)
        })
    )?;
    let mut keys: Vec<String> = missing.iter().map(|one| one.key.to_owned()).collect();
    keys.dedup();
    Ok(keys)
}

/// Which people would get a tag, or a value of a field, that they have not.
///
/// # Errors
/// When the database does not answer.
pub fn lacking(
    db: &mut Db,
    tagged: &[(&str, &str)],
    valued: &[(&str, &[ListedValue])],
    overwrite: bool,
) -> QueryResult<HashSet<String>> {
    let missing = missing(db, valued, overwrite)?;
    let mut keys: HashSet<String> = missing.into_iter().map(|one| one.key.to_owned()).collect();
    if !tagged.is_empty() {
        let stored: Vec<(String, String)> = supporter_tags::table
            .inner_join(tags::table)
            .inner_join(supporters::table.on(supporters::number.eq(supporter_tags::supporter_number)))
            .filter(supporters::email_key.eq_any(tagged.iter().map(|(key, _)| *key).collect::<HashSet<_>>()))
            .select((supporters::email_key, tags::slug))
            .load(db)?;
        let stored: HashSet<(&str, &str)> =
            stored.iter().map(|(key, slug)| (key.as_str(), slug.as_str())).collect();
        keys.extend(tagged.iter().filter(|wish| !stored.contains(*wish)).map(|(key, _)| (*key).to_owned()));
    }
    Ok(keys)
}

/// A value that somebody has not.
struct Missing<'a> {
    supporter: i64,
    key: &'a str,
    given: &'a ListedValue,
}

fn missing<'a>(
    db: &mut Db,
    wishes: &[(&'a str, &'a [ListedValue])],
    overwrite: bool,
) -> QueryResult<Vec<Missing<'a>>> {
    if wishes.iter().all(|(_, values)| values.is_empty()) {
        return Ok(Vec::new());
    }
    let there: HashSet<i64> = fields::table.select(fields::number).load(db)?.into_iter().collect();
    let people = people(db, wishes.iter().map(|(key, _)| *key))?;
    let stored: Vec<(i64, i64, String)> = supporter_fields::table
        .filter(supporter_fields::supporter_number.eq_any(people.values()))
        .select((supporter_fields::supporter_number, supporter_fields::field_number, supporter_fields::value))
        .load(db)?;
    let mut stored: HashMap<(i64, i64), String> =
        stored.into_iter().map(|(supporter, field, value)| ((supporter, field), value)).collect();
    let mut missing = Vec::new();
    for (key, values) in wishes {
        let Some(supporter) = people.get(*key).copied() else { continue };
        for given in values.iter().filter(|given| there.contains(&given.number)) {
            let place = (supporter, given.number);
            let is_missing = stored.get(&place).is_none_or(|text| overwrite && *text != given.value.text);
            if is_missing {
                stored.insert(place, given.value.text.clone());
                missing.push(Missing { supporter, key, given });
            }
        }
    }
    Ok(missing)
}

/// Numbers of people by the matching keys of their addresses.
fn people<'a>(db: &mut Db, keys: impl Iterator<Item = &'a str>) -> QueryResult<HashMap<String, i64>> {
    let mut keys: Vec<&str> = keys.collect();
    keys.dedup();
    let people: Vec<(String, i64)> = supporters::table
        .filter(supporters::email_key.eq_any(keys))
        .select((supporters::email_key, supporters::number))
        .load(db)?;
    Ok(people.into_iter().collect())
}

fn tag_numbers(db: &mut Db, slugs: &[&str]) -> QueryResult<HashMap<String, i64>> {
    let rows: Vec<(String, i64)> =
        tags::table.filter(tags::slug.eq_any(slugs)).select((tags::slug, tags::number)).load(db)?;
    Ok(rows.into_iter().collect())
}

#[derive(QueryableByName)]
struct Added {
    #[diesel(sql_type = BigInt)]
    tag_number: i64,
    #[diesel(sql_type = BigInt)]
    supporter_number: i64,
}

fn insert_tags(c: &mut PgConnection, rows: &[(i64, i64)], now: Timestamp) -> QueryResult<Vec<(i64, i64)>> {
    let statement = "INSERT INTO supporter_tags (tag_number, supporter_number, created_at) \
         SELECT t, s, ? FROM unnest(?, ?) AS n (t, s) ON CONFLICT DO NOTHING \
         RETURNING tag_number, supporter_number";
    let added: Vec<Added> = prepared(statement)
        .bind::<BigInt, _>(now)
        .bind::<Array<BigInt>, _>(rows.iter().map(|row| row.0).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(rows.iter().map(|row| row.1).collect::<Vec<_>>())
        .load(c)?;
    Ok(added.into_iter().map(|row| (row.tag_number, row.supporter_number)).collect())
}

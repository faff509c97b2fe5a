//! Statements over fields and their values.

use std::collections::BTreeMap;

use diesel::{QueryResult, prelude::*, result::Error};

use super::domain::{Field, FieldValue};
use crate::{
    clock::Timestamp,
    each,
    id::Id,
    store::{
        Db,
        schema::{fields, supporter_fields, supporters},
    },
};

/// Every field, oldest first.
///
/// # Errors
/// When the database does not answer.
pub fn list_fields(db: &mut Db) -> QueryResult<Vec<Field>> {
    type Row = (i64, String, String, String, String);
    let columns = (fields::number, fields::slug, fields::label, fields::kind, fields::choices);
    let rows: Vec<Row> = fields::table.order(fields::number).select(columns).load(db)?;
    let field = |(number, slug, label, kind, choices): Row| {
        let unreadable = |error: String| Error::DeserializationError(error.into());
        let choices = serde_json::from_str(&choices).map_err(|error| unreadable(error.to_string()))?;
        Ok(Field { number, slug, label, kind: kind.parse().map_err(unreadable)?, choices })
    };
    rows.into_iter().map(field).collect()
}

/// Whether it was new.
pub(super) fn insert(db: &mut Db, field: &Field, now: Timestamp) -> QueryResult<bool> {
    let values = (
        fields::slug.eq(&field.slug),
        fields::label.eq(&field.label),
        fields::kind.eq(field.kind.as_str()),
        fields::choices.eq(choices(&field.choices)),
        fields::created_at.eq(now),
    );
    let made = each!(db, c => diesel::insert_into(fields::table).values(values).on_conflict_do_nothing().execute(c))?;
    Ok(made > 0)
}

fn choices(choices: &[String]) -> String {
    serde_json::json!(choices).to_string()
}

/// Names the field and says what can be chosen.
pub(super) fn update(db: &mut Db, field: &Field) -> QueryResult<()> {
    diesel::update(fields::table.filter(fields::number.eq(field.number)))
        .set((fields::label.eq(&field.label), fields::choices.eq(choices(&field.choices))))
        .execute(db)
        .map(drop)
}

/// Deletes up to `limit` values of a field; returns how many.
pub(super) fn delete_values(db: &mut Db, field: i64, limit: i64) -> QueryResult<usize> {
    let some = supporter_fields::table
        .filter(supporter_fields::field_number.eq(field))
        .limit(limit)
        .select(supporter_fields::supporter_number);
    let some: Vec<i64> = some.load(db)?;
    diesel::delete(supporter_fields::table.filter(supporter_fields::field_number.eq(field)))
        .filter(supporter_fields::supporter_number.eq_any(some))
        .execute(db)
}

pub(super) fn delete(db: &mut Db, field: i64) -> QueryResult<()> {
    diesel::delete(fields::table.filter(fields::number.eq(field))).execute(db).map(drop)
}

/// Whether anybody has a value that is none of these.
pub(super) fn has_other_value(db: &mut Db, field: i64, choices: &[String]) -> QueryResult<bool> {
    let others = supporter_fields::table
        .filter(supporter_fields::field_number.eq(field))
        .filter(supporter_fields::value.ne_all(choices));
    diesel::select(diesel::dsl::exists(others)).get_result(db)
}

/// Sets values of a supporter, and takes away those that are nothing.
///
/// # Errors
/// When a statement fails.
pub fn set_fields(db: &mut Db, supporter: i64, values: &[(i64, Option<FieldValue>)]) -> QueryResult<()> {
    for (field, value) in values {
        let mine = supporter_fields::table
            .filter(supporter_fields::supporter_number.eq(supporter))
            .filter(supporter_fields::field_number.eq(field));
        diesel::delete(mine).execute(db)?;
        if let Some(value) = value {
            diesel::insert_into(supporter_fields::table)
                .values((
                    supporter_fields::field_number.eq(field),
                    supporter_fields::supporter_number.eq(supporter),
                    supporter_fields::value.eq(&value.text),
                    supporter_fields::rank.eq(value.rank),
                ))
                .execute(db)?;
        }
    }
    Ok(())
}

/// Gives a supporter what a confirmed sign-up says of fields, as far as it still holds: a field may have gone or changed
/// since.
///
/// # Errors
/// When a statement fails.
pub fn give_fields(db: &mut Db, supporter: Id, texts: &BTreeMap<String, String>) -> QueryResult<()> {
    if texts.is_empty() {
        return Ok(());
    }
    let known = list_fields(db)?;
    let value = |(slug, text): (&String, &String)| {
        let field = known.iter().find(|field| field.slug == *slug)?;
        Some((field.number, Some(field.parse(text).ok()?)))
    };
    let values: Vec<_> = texts.iter().filter_map(value).collect();
    let number =
        supporters::table.filter(supporters::id.eq(supporter)).select(supporters::number).first(db)?;
    set_fields(db, number, &values)
}

/// The values of each of these supporters, by number, as slug and text, in the order of the slugs. For lists and exports.
///
/// # Errors
/// When the database does not answer.
pub fn fields_of(db: &mut Db, supporters: &[i64]) -> QueryResult<BTreeMap<i64, Vec<(String, String)>>> {
    let rows: Vec<(i64, String, String)> = supporter_fields::table
        .inner_join(fields::table)
        .filter(supporter_fields::supporter_number.eq_any(supporters))
        .order(fields::slug)
        .select((supporter_fields::supporter_number, fields::slug, supporter_fields::value))
        .load(db)?;
    let mut values: BTreeMap<i64, Vec<(String, String)>> = BTreeMap::new();
    for (supporter, slug, value) in rows {
        values.entry(supporter).or_default().push((slug, value));
    }
    Ok(values)
}

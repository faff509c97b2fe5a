//! Statements over figures and deltas.

use std::collections::BTreeMap;

use diesel::{
    QueryResult, QueryableByName,
    prelude::*,
    sql_types::{BigInt, Text},
    upsert::excluded,
};

use crate::{
    each,
    store::{
        Db, prepared,
        schema::{count_deltas, counts},
    },
};

/// A figure, or a change of one.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Count {
    /// What is counted.
    #[diesel(sql_type = Text)]
    pub dimension: String,
    /// Under which key.
    #[diesel(sql_type = Text)]
    pub key: String,
    /// In which slot; 0 where the figure has none.
    #[diesel(sql_type = BigInt)]
    pub slot: i64,
    /// How many.
    #[diesel(sql_type = BigInt)]
    pub amount: i64,
}

#[derive(Insertable)]
#[diesel(table_name = count_deltas, treat_none_as_default_value = false)]
struct NewDelta<'a> {
    dimension: &'a str,
    key: &'a str,
    slot: i64,
    amount: i64,
}

#[derive(Insertable)]
#[diesel(table_name = counts, treat_none_as_default_value = false)]
struct NewCount<'a> {
    dimension: &'a str,
    key: &'a str,
    slot: i64,
    amount: i64,
}

/// Rows of a statement: SQLite binds 32,766 values.
const ROWS: usize = 4_000;

/// Appends changes of figures.
///
/// # Errors
/// When a statement fails.
pub fn append(db: &mut Db, changes: &[Count]) -> QueryResult<()> {
    let rows: Vec<NewDelta<'_>> = changes
        .iter()
        .map(|Count { dimension, key, slot, amount }| NewDelta {
            dimension,
            key,
            slot: *slot,
            amount: *amount,
        })
        .collect();
    for rows in rows.chunks(ROWS) {
        each!(db, c => diesel::insert_into(count_deltas::table).values(rows).execute(c))?;
    }
    Ok(())
}

pub(super) fn is_folded(db: &mut Db) -> QueryResult<bool> {
    let first: Option<i64> = count_deltas::table.select(count_deltas::number).first(db).optional()?;
    Ok(first.is_none())
}

/// Takes up to `limit` deltas away and adds them to the figures; returns how many there were.
pub(super) fn fold(db: &mut Db, limit: i64) -> QueryResult<usize> {
    // What is taken away is what is added, whatever commits beside this.
    let taken: Vec<Count> = prepared(
        "DELETE FROM count_deltas WHERE number IN (SELECT number FROM count_deltas ORDER BY number LIMIT ?) \
         RETURNING dimension, key, slot, amount",
    )
    .bind::<BigInt, _>(limit)
    .load(db)?;
    let mut sums: BTreeMap<(&str, &str, i64), i64> = BTreeMap::new();
    for delta in &taken {
        *sums.entry((&delta.dimension, &delta.key, delta.slot)).or_default() += delta.amount;
    }
    // In one order, so that two processes do not wait for each other in a ring.
    let rows: Vec<NewCount<'_>> = sums
        .iter()
        .map(|((dimension, key, slot), amount)| NewCount { dimension, key, slot: *slot, amount: *amount })
        .collect();
    for rows in rows.chunks(ROWS) {
        each!(db, c => diesel::insert_into(counts::table)
            .values(rows)
            .on_conflict((counts::dimension, counts::key, counts::slot))
            .do_update()
            .set(counts::amount.eq(counts::amount + excluded(counts::amount)))
            .execute(c))?;
    }
    Ok(taken.len())
}

/// The largest figures of a dimension that has no slots, largest first.
///
/// # Errors
/// When the database does not answer.
pub fn top(db: &mut Db, dimension: &str, limit: i64) -> QueryResult<Vec<Count>> {
    prepared(
        "SELECT dimension, key, slot, CAST(sum(amount) AS BIGINT) AS amount FROM ( \
             SELECT dimension, key, slot, amount FROM counts WHERE dimension = ? \
             UNION ALL SELECT dimension, key, slot, amount FROM count_deltas WHERE dimension = ? \
         ) AS every_one GROUP BY dimension, key, slot HAVING sum(amount) > 0 ORDER BY 4 DESC, key LIMIT ?",
    )
    .bind::<Text, _>(dimension)
    .bind::<Text, _>(dimension)
    .bind::<BigInt, _>(limit)
    .load(db)
}

/// The figures of a dimension in every slot from `from` on.
///
/// # Errors
/// When the database does not answer.
pub fn in_slots(db: &mut Db, dimension: &str, from: i64) -> QueryResult<Vec<Count>> {
    prepared(
        "SELECT dimension, key, slot, amount FROM counts WHERE dimension = ? AND key = '' AND slot >= ? \
         UNION ALL SELECT dimension, key, slot, amount FROM count_deltas WHERE dimension = ? AND key = '' AND slot >= ?",
    )
    .bind::<Text, _>(dimension)
    .bind::<BigInt, _>(from)
    .bind::<Text, _>(dimension)
    .bind::<BigInt, _>(from)
    .load(db)
}

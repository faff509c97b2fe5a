//! The newest supporters that match a filter: a page of the list, fast whatever the filter is. The databases' own choice
//! of a plan is a guess about how many match; this looks first.
//!
//! A condition on a whole value, a tag or a share has an index in the order of the numbers, which is read from the page's
//! beginning. A range (a beginning, a date) has one within each block of numbers (`blocks`). Of several conditions, the one
//! that holds the fewest is read a piece at a time, and each is checked against the rest: no plan of the database, which can
//! only guess, goes about it in another order. What has no index (without a tag, without a phone) holds most people, and
//! they are looked at one by one.

use diesel::{
    QueryResult,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::BigInt,
};

use super::{
    Condition, SupporterFilter,
    blocks::newest_in_blocks,
    ranges::is_range,
    sql::{Matching, Plan, Values, field_holds, push, share_holds},
};
use crate::{
    clock::Timestamp,
    id::Id,
    staff::Sight,
    store::{Db, schema::supporters},
    supporters::fields::Asked,
};

/// So few are all looked at.
const FEW: i64 = 1_000;
/// Up to so many are counted, to find what holds the fewest; and read at once.
const MANY: i64 = 8_000;
/// Numbers that are checked in one statement.
const CHECKED: usize = 500;

/// Numbers of up to `limit` supporters that match, newest first, all below `before`.
pub(in crate::supporters) fn newest(
    db: &mut Db,
    filter: &SupporterFilter,
    mut before: Option<i64>,
    limit: i64,
) -> QueryResult<Vec<i64>> {
    let mut range = None;
    for condition in filter.conditions.iter().filter(|one| is_range(one)) {
        if stands_for_all(filter, condition) {
            return newest_in_blocks(db, condition, before, limit);
        }
        let few = newest_in_blocks(db, condition, before, FEW + 1)?;
        // Where many match, the newest of these are enough.
        if few.len() <= size(FEW) || range.is_none() {
            let found = check(db, filter, &few, limit)?;
            if few.len() <= size(FEW) || found.len() >= size(limit) {
                return Ok(found);
            }
        }
        // Nobody newer than the newest of these can match.
        before = few.first().map(|newest| newest.saturating_add(1));
        range = range.or(Some(condition));
    }
    if let Some(driver) = choose_driver(db, filter, range)? {
        return drive(db, filter, &driver, before, limit);
    }
    Walk { matching: Matching::walk(filter.clone()), before, limit }.load(db)
}

fn size(limit: i64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Whether everybody for whom the condition holds matches, so that nobody need be looked at.
fn stands_for_all(filter: &SupporterFilter, condition: &Condition) -> bool {
    let is_implied = |other: &Condition| match (other, condition) {
        (Condition::SharesWith(group), Condition::SharedWithin(other, ..)) => group == other,
        _ => other == condition,
    };
    // Of a word with several parts, only its longest is looked up.
    let is_exact = !matches!(condition, Condition::Term(term) if term.parts.len() > 1);
    is_exact
        && !filter.is_awake
        && filter.sight == Sight::Everybody
        && filter.conditions.iter().all(is_implied)
}

/// The first of these numbers, which descend, that match.
fn check(db: &mut Db, filter: &SupporterFilter, numbers: &[i64], limit: i64) -> QueryResult<Vec<i64>> {
    let mut found = Vec::new();
    for piece in numbers.chunks(CHECKED) {
        let mut hits: Vec<i64> = supporters::table
            .filter(supporters::number.eq_any(piece))
            .filter(Matching::walk(filter.clone()))
            .select(supporters::number)
            .load(db)?;
        hits.sort_unstable_by(|a, b| b.cmp(a));
        found.extend(hits);
        if found.len() >= size(limit) {
            break;
        }
    }
    found.truncate(size(limit));
    Ok(found)
}

/// An index that holds whom a condition is about in the order of the numbers.
struct Driver {
    holds: Holds,
    /// Whether all in it match.
    is_all: bool,
}

enum Holds {
    /// One of these tags.
    Tags(Vec<i64>),
    /// An active share, given within these bounds.
    Share(Id, (Option<Timestamp>, Option<Timestamp>)),
    Field(i64, Asked),
    /// A whole value of the row.
    Row(Condition),
    /// A range.
    Range(Condition),
}

/// The driver of the fewest. Where all hold many, one of another table, a range, or a whole value of the row, in this order.
fn choose_driver(
    db: &mut Db,
    filter: &SupporterFilter,
    range: Option<&Condition>,
) -> QueryResult<Option<Driver>> {
    // When the shares were given, with this group.
    let given = |group: Id| {
        let bounds = filter.conditions.iter().find_map(|one| match one {
            Condition::SharedWithin(with, from, until) if *with == group => Some((*from, *until)),
            _ => None,
        });
        Holds::Share(group, bounds.unwrap_or_default())
    };
    if let Sight::Group(group) = filter.sight {
        return Ok(Some(Driver { holds: given(group), is_all: false }));
    }
    let driver = |condition: &Condition| {
        let holds = match condition {
            Condition::SharesWith(group) => given(*group),
            Condition::Tagged(numbers) => Holds::Tags(numbers.clone()),
            Condition::Field(field, asked @ Asked::Is(_)) => Holds::Field(*field, asked.clone()),
            Condition::Is(..) | Condition::Status(_) | Condition::Involved(_) | Condition::HasPhone(true) => {
                Holds::Row(condition.clone())
            }
            _ => return None,
        };
        Some(Driver { holds, is_all: stands_for_all(filter, condition) })
    };
    let mut drivers: Vec<Driver> = filter.conditions.iter().filter_map(driver).collect();
    if let [_] = filter.conditions[..] {
        return Ok(drivers.pop());
    }
    // Nearly everybody has a status that is asked for.
    drivers.sort_by_key(|driver| match driver.holds {
        Holds::Row(Condition::Status(_)) => 2,
        Holds::Row(_) => 1,
        _ => 0,
    });
    let mut best: Option<(i64, Driver)> = None;
    for driver in drivers {
        let piece = Driven { holds: &driver.holds, before: None, most: MANY };
        let count: i64 = Count(piece).get_result(db)?;
        if best.as_ref().is_none_or(|(fewest, _)| count < *fewest) {
            best = Some((count, driver));
        }
    }
    let range = range.map(|condition| Driver { holds: Holds::Range(condition.clone()), is_all: false });
    Ok(match (best, range) {
        (Some((MANY.., Driver { holds: Holds::Row(_), .. })), Some(range)) => Some(range),
        (Some((_, driver)), _) => Some(driver),
        (None, range) => range,
    })
}

/// Reads what the driver holds a piece at a time, and checks each: no plan can go about it in another order.
fn drive(
    db: &mut Db,
    filter: &SupporterFilter,
    driver: &Driver,
    mut before: Option<i64>,
    limit: i64,
) -> QueryResult<Vec<i64>> {
    let mut most = if driver.is_all { limit } else { 256 };
    let mut found = Vec::new();
    loop {
        let piece = match &driver.holds {
            Holds::Range(condition) => newest_in_blocks(db, condition, before, most)?,
            holds => Driven { holds, before, most }.load(db)?,
        };
        if driver.is_all {
            return Ok(piece);
        }
        let wanted = limit.saturating_sub(i64::try_from(found.len()).unwrap_or(limit));
        found.extend(check(db, filter, &piece, wanted)?);
        if found.len() >= size(limit) || piece.len() < size(most) {
            return Ok(found);
        }
        before = piece.last().copied();
        most = (most * 2).min(MANY);
    }
}

/// The newest of what a driver holds.
struct Driven<'a> {
    holds: &'a Holds,
    before: Option<i64>,
    most: i64,
}

impl Driven<'_> {
    /// The newest of one index.
    fn of_index<'b, DB: Values>(
        &'b self,
        out: &mut AstPass<'_, 'b, DB>,
        (table, number): (&'static str, &'static str),
        holds: impl FnOnce(&mut AstPass<'_, 'b, DB>) -> QueryResult<()>,
    ) -> QueryResult<()> {
        out.push_sql("SELECT ");
        out.push_sql(number);
        out.push_sql(" AS number FROM ");
        out.push_sql(table);
        out.push_sql(" WHERE ");
        holds(out)?;
        if let Some(before) = &self.before {
            out.push_sql(" AND ");
            out.push_sql(number);
            out.push_sql(" < ");
            DB::number(out, before)?;
        }
        out.push_sql(" ORDER BY ");
        out.push_sql(number);
        out.push_sql(" DESC LIMIT ");
        DB::number(out, &self.most)
    }
}

impl Query for Driven<'_> {
    type SqlType = BigInt;
}
impl RunQueryDsl<Db> for Driven<'_> {}
impl QueryId for Driven<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<DB: Values> QueryFragment<DB> for Driven<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        let out = &mut out;
        match self.holds {
            Holds::Tags(tags) => {
                // The newest of any are among the newest of each.
                out.push_sql("SELECT d.number FROM (");
                for (place, tag) in tags.iter().enumerate() {
                    out.push_sql(if place == 0 { "SELECT * FROM (" } else { " UNION SELECT * FROM (" });
                    self.of_index(out, ("supporter_tags c", "c.supporter_number"), |out| {
                        out.push_sql("c.tag_number = ");
                        DB::number(out, tag)
                    })?;
                    out.push_sql(") AS t");
                }
                out.push_sql(") AS d ORDER BY d.number DESC LIMIT ");
                DB::number(out, &self.most)
            }
            Holds::Share(group, (from, until)) => {
                self.of_index(out, ("shares c", "c.supporter_number"), |out| {
                    share_holds(out, group, Some((from, until)))
                })
            }
            Holds::Field(field, asked) => {
                self.of_index(out, ("supporter_fields c", "c.supporter_number"), |out| {
                    field_holds(out, field, asked)
                })
            }
            Holds::Row(condition) | Holds::Range(condition) => {
                self.of_index(out, ("supporters", "supporters.number"), |out| {
                    push(out, Plan::Walk, condition)
                })
            }
        }
    }
}

/// How many there are of a piece.
struct Count<'a>(Driven<'a>);

impl Query for Count<'_> {
    type SqlType = BigInt;
}
impl RunQueryDsl<Db> for Count<'_> {}
impl QueryId for Count<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<DB: Values> QueryFragment<DB> for Count<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("SELECT count(*) FROM (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(") AS counted");
        Ok(())
    }
}

/// Rows looked at one by one, or through an index on a whole value that is in their order.
struct Walk {
    matching: Matching,
    before: Option<i64>,
    limit: i64,
}

impl Query for Walk {
    type SqlType = BigInt;
}
impl RunQueryDsl<Db> for Walk {}
impl QueryId for Walk {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<DB: Values> QueryFragment<DB> for Walk {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql("SELECT supporters.number FROM supporters WHERE ");
        self.matching.walk_ast(out.reborrow())?;
        if let Some(before) = &self.before {
            out.push_sql(" AND supporters.number < ");
            DB::number(&mut out, before)?;
        }
        out.push_sql(" ORDER BY supporters.number DESC LIMIT ");
        DB::number(&mut out, &self.limit)
    }
}

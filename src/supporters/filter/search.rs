//! The newest supporters that match a filter: a page of the list, fast whatever the filter is. The databases' own choice
//! of a plan is a guess about how many match; this looks first.
//!
//! A condition on a whole value, a tag or a share has an index in the order of the numbers, which is read from the page's
//! beginning. A range (a prefix, a date) has none: when few lie in it they are all read and sorted; when many do, the
//! newest rows are looked at one by one, and soon enough of them match.

use diesel::{
    QueryResult,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::BigInt,
};

use super::{
    Condition, SupporterFilter,
    sql::{Known, Matching, Values, candidates, field_holds},
};
use crate::{
    id::Id,
    staff::Sight,
    store::{Db, schema::supporters},
    supporters::fields::Asked,
};

/// Candidates that are few. As many rows are looked at, one by one, where 1 in 160 of a million matches.
const FEW: i64 = 8_000;
/// Rows among which a page's fill is expected where more than [`FEW`] match.
const WINDOW: i64 = 20_000;
/// Candidates that are checked at a time.
const CHECKED: usize = 500;

/// Numbers of up to `limit` supporters that match, newest first, all below `before`.
pub(in crate::supporters) fn newest(
    db: &mut Db,
    filter: &SupporterFilter,
    before: Option<i64>,
    limit: i64,
) -> QueryResult<Vec<i64>> {
    let mut ranges = filter.conditions.iter().filter(|one| is_range(one)).peekable();
    let has_range = ranges.peek().is_some();
    for condition in ranges {
        let few: Vec<i64> = Candidates { condition, before, sorted: None, most: FEW + 1 }.load(db)?;
        if i64::try_from(few.len()).unwrap_or(i64::MAX) <= FEW {
            return check(db, filter, condition, few, limit);
        }
    }
    let mut walk = Walk::new(filter, before, limit);
    if has_range {
        let top = match before {
            Some(before) => before,
            None => supporters::table
                .select(diesel::dsl::max(supporters::number))
                .first::<Option<i64>>(db)?
                .unwrap_or(0)
                .saturating_add(1),
        };
        walk.from = Some(top.saturating_sub(WINDOW));
        let found: Vec<i64> = (&walk).load(db)?;
        if i64::try_from(found.len()).unwrap_or(i64::MAX) >= limit {
            return Ok(found);
        }
        walk.from = None;
        // Many match, none of them new: their index alone is read.
        if let (Sight::Everybody, [condition]) = (filter.sight, &filter.conditions[..])
            && is_exact(condition)
        {
            let mut found: Vec<i64> =
                Candidates { condition, before, sorted: Some(()), most: limit * 8 }.load(db)?;
            found.dedup();
            found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            return Ok(found);
        }
    }
    (&walk).load(db)
}

const fn is_range(condition: &Condition) -> bool {
    matches!(
        condition,
        Condition::Term(_)
            | Condition::PostalPrefix(_)
            | Condition::Within(..)
            | Condition::Field(_, Asked::Within(..))
    )
}

/// Whether every candidate matches.
fn is_exact(condition: &Condition) -> bool {
    !matches!(condition, Condition::Term(term) if term.parts.len() > 1)
}

/// The newest of the candidates that match the rest, too.
fn check(
    db: &mut Db,
    filter: &SupporterFilter,
    condition: &Condition,
    mut few: Vec<i64>,
    limit: i64,
) -> QueryResult<Vec<i64>> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    few.sort_unstable_by(|a, b| b.cmp(a));
    few.dedup();
    if filter.conditions.len() == 1 && is_exact(condition) && filter.sight == Sight::Everybody {
        few.truncate(limit);
        return Ok(few);
    }
    let mut found = Vec::new();
    for piece in few.chunks(CHECKED) {
        let matching = Matching::walk(filter.clone(), None);
        let mut hits: Vec<i64> = supporters::table
            .filter(supporters::number.eq_any(piece))
            .filter(matching)
            .select(supporters::number)
            .load(db)?;
        hits.sort_unstable_by(|a, b| b.cmp(a));
        found.extend(hits);
        if found.len() >= limit {
            break;
        }
    }
    found.truncate(limit);
    Ok(found)
}

/// Numbers for which one range may hold.
struct Candidates<'a> {
    condition: &'a Condition,
    before: Option<i64>,
    /// Newest first; else in no order.
    sorted: Option<()>,
    most: i64,
}

impl Query for Candidates<'_> {
    type SqlType = BigInt;
}
impl RunQueryDsl<Db> for Candidates<'_> {}
impl QueryId for Candidates<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<DB: Values> QueryFragment<DB> for Candidates<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql("SELECT f.number FROM (");
        candidates(&mut out, self.condition, self.before.as_ref())?;
        out.push_sql(") AS f");
        if self.sorted.is_some() {
            // Not the column itself: its own order would be that of the rows, not of the range.
            out.push_sql(" ORDER BY f.number + 0 DESC");
        }
        out.push_sql(" LIMIT ");
        DB::number(&mut out, &self.most)
    }
}

/// What is read in the order of the numbers.
enum Driver {
    Supporters,
    Tag(i64),
    Shares(Id),
    Field(i64, Asked),
}

struct Walk {
    driver: Driver,
    matching: Matching,
    /// The lowest number looked at.
    from: Option<i64>,
    before: Option<i64>,
    limit: i64,
}

impl Walk {
    fn new(filter: &SupporterFilter, before: Option<i64>, limit: i64) -> Self {
        let (driver, known) = Self::driver(filter);
        let matching = Matching::walk(filter.clone(), known);
        Self { driver, matching, from: None, before, limit }
    }

    /// A tag or a share is rarer than what a column says, as a rule.
    fn driver(filter: &SupporterFilter) -> (Driver, Option<Known>) {
        if let Sight::Group(group) = filter.sight {
            return (Driver::Shares(group), Some(Known::Sight));
        }
        for (place, condition) in filter.conditions.iter().enumerate() {
            let driver = match condition {
                Condition::SharesWith(group) => Driver::Shares(*group),
                Condition::Tagged(numbers) => match numbers[..] {
                    [number] => Driver::Tag(number),
                    _ => continue,
                },
                Condition::Field(field, asked @ Asked::Is(_)) => Driver::Field(*field, asked.clone()),
                _ => continue,
            };
            return (driver, Some(Known::Condition(place)));
        }
        (Driver::Supporters, None)
    }
}

impl Query for Walk {
    type SqlType = BigInt;
}
impl RunQueryDsl<Db> for &Walk {}
impl QueryId for Walk {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<DB: Values> QueryFragment<DB> for Walk {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        // CROSS JOIN keeps SQLite to this order of tables.
        let number = match &self.driver {
            Driver::Supporters => {
                out.push_sql("SELECT supporters.number FROM supporters WHERE ");
                "supporters.number"
            }
            Driver::Tag(tag) => {
                out.push_sql(
                    "SELECT d.supporter_number FROM supporter_tags d CROSS JOIN supporters \
                     WHERE supporters.number = d.supporter_number AND d.tag_number = ",
                );
                DB::number(&mut out, tag)?;
                out.push_sql(" AND ");
                "d.supporter_number"
            }
            Driver::Field(field, asked) => {
                out.push_sql(
                    "SELECT c.supporter_number FROM supporter_fields c CROSS JOIN supporters \
                     WHERE supporters.number = c.supporter_number AND ",
                );
                field_holds(&mut out, field, asked)?;
                out.push_sql(" AND ");
                "c.supporter_number"
            }
            Driver::Shares(group) => {
                out.push_sql(
                    "SELECT d.supporter_number FROM shares d CROSS JOIN supporters \
                     WHERE supporters.number = d.supporter_number AND d.withdrawn_at IS NULL AND d.group_id = ",
                );
                DB::id(&mut out, group)?;
                out.push_sql(" AND ");
                "d.supporter_number"
            }
        };
        self.matching.walk_ast(out.reborrow())?;
        for (bound, than) in [(&self.from, " >= "), (&self.before, " < ")] {
            if let Some(bound) = bound {
                out.push_sql(" AND ");
                out.push_sql(number);
                out.push_sql(than);
                DB::number(&mut out, bound)?;
            }
        }
        out.push_sql(" ORDER BY ");
        out.push_sql(number);
        out.push_sql(" DESC LIMIT ");
        DB::number(&mut out, &self.limit)
    }
}

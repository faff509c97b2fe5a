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
    sql::{Matching, Values, candidates, field_holds},
};
use crate::{
    id::Id,
    staff::Sight,
    store::{Db, schema::supporters},
    supporters::fields::Asked,
};

/// Candidates that are few: all of them are read. As many rows are looked at, one by one, where 1 in 160 of a million
/// matches.
const FEW: i64 = 8_000;
/// Rows among which a page's fill is expected where more than [`FEW`] match.
const WINDOW: i64 = 10_000;
/// Numbers that are checked in one statement.
const CHECKED: usize = 500;

/// Numbers of up to `limit` supporters that match, newest first, all below `before`.
pub(in crate::supporters) fn newest(
    db: &mut Db,
    filter: &SupporterFilter,
    before: Option<i64>,
    limit: i64,
) -> QueryResult<Vec<i64>> {
    let mut has_range = false;
    for condition in filter.conditions.iter().filter(|one| is_range(one)) {
        has_range = true;
        let candidates = |what| Candidates { condition, before, what };
        let count: i64 = candidates(What::CountUpTo(FEW + 1)).get_result(db)?;
        if count <= FEW {
            let mut few: Vec<i64> = candidates(What::All).load(db)?;
            few.sort_unstable_by(|a, b| b.cmp(a));
            few.dedup();
            return first_of(db, filter, condition, few, limit);
        }
    }
    if let Some((driver, known)) = choose_driver(db, filter)? {
        return drive(db, filter, &driver, known, before, limit);
    }
    let mut walk = Walk { matching: Matching::walk(filter.clone()), from: None, before, limit };
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
        if found.len() >= size(limit) {
            return Ok(found);
        }
        walk.from = None;
        // Many match, few of them new: their index alone is read.
        if let (Sight::Everybody, [condition]) = (filter.sight, &filter.conditions[..])
            && is_exact(condition)
        {
            // Each is there at most once for each word, address and domain.
            let what = What::Newest(limit.saturating_mul(8));
            let mut found: Vec<i64> = Candidates { condition, before, what }.load(db)?;
            found.dedup();
            found.truncate(size(limit));
            return Ok(found);
        }
    }
    (&walk).load(db)
}

fn size(limit: i64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn is_range(condition: &Condition) -> bool {
    match condition {
        Condition::Term(_)
        | Condition::PostalPrefix(_)
        | Condition::Within(..)
        | Condition::Field(_, Asked::Within(..)) => true,
        Condition::Tagged(numbers) => numbers.len() > 1,
        _ => false,
    }
}

/// Whether every candidate matches.
fn is_exact(condition: &Condition) -> bool {
    !matches!(condition, Condition::Term(term) if term.parts.len() > 1)
}

/// The first of these candidates, in their order, that match the rest, too.
fn first_of(
    db: &mut Db,
    filter: &SupporterFilter,
    condition: &Condition,
    mut few: Vec<i64>,
    limit: i64,
) -> QueryResult<Vec<i64>> {
    if filter.conditions.len() == 1 && is_exact(condition) && filter.sight == Sight::Everybody {
        few.truncate(size(limit));
        return Ok(few);
    }
    check(db, filter, &few, limit)
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

/// Numbers for which one range may hold.
struct Candidates<'a> {
    condition: &'a Condition,
    before: Option<i64>,
    what: What,
}

/// What is asked of candidates.
enum What {
    CountUpTo(i64),
    All,
    Newest(i64),
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
        if let What::CountUpTo(_) = self.what {
            out.push_sql("SELECT count(*) FROM (");
        }
        out.push_sql("SELECT f.number FROM (");
        candidates(&mut out, self.condition, self.before.as_ref())?;
        out.push_sql(") AS f");
        match &self.what {
            What::CountUpTo(most) => {
                out.push_sql(" LIMIT ");
                DB::number(&mut out, most)?;
                out.push_sql(") AS counted");
            }
            What::All => {}
            What::Newest(most) => {
                // Not the column itself: its own order would be that of the rows, not of the range.
                out.push_sql(" ORDER BY f.number + 0 DESC LIMIT ");
                DB::number(&mut out, most)?;
            }
        }
        Ok(())
    }
}

/// An index of another table that is in the order of the numbers.
enum Driver {
    Tag(i64),
    Shares(Id),
    Field(i64, Asked),
}

/// The driver of the fewest, and the condition it stands for.
fn choose_driver<'f>(
    db: &mut Db,
    filter: &'f SupporterFilter,
) -> QueryResult<Option<(Driver, Option<&'f Condition>)>> {
    if let Sight::Group(group) = filter.sight {
        return Ok(Some((Driver::Shares(group), None)));
    }
    let mut drivers: Vec<(Driver, Option<&Condition>)> = Vec::new();
    for condition in &filter.conditions {
        let driver = match condition {
            Condition::SharesWith(group) => Driver::Shares(*group),
            Condition::Tagged(numbers) => match numbers[..] {
                [number] => Driver::Tag(number),
                _ => continue,
            },
            Condition::Field(field, asked @ Asked::Is(_)) => Driver::Field(*field, asked.clone()),
            _ => continue,
        };
        drivers.push((driver, Some(condition)));
    }
    if drivers.len() < 2 {
        return Ok(drivers.pop());
    }
    let mut best: Option<(i64, (Driver, Option<&Condition>))> = None;
    for (driver, condition) in drivers {
        let count: i64 = Driven { driver: &driver, before: None, most: FEW, counts: true }.get_result(db)?;
        if best.as_ref().is_none_or(|(fewest, _)| count < *fewest) {
            best = Some((count, (driver, condition)));
        }
    }
    Ok(best.map(|(_, driver)| driver))
}

/// Reads the driver's index a piece at a time, and checks each: no plan can go about it in another order.
fn drive(
    db: &mut Db,
    filter: &SupporterFilter,
    driver: &Driver,
    known: Option<&Condition>,
    mut before: Option<i64>,
    limit: i64,
) -> QueryResult<Vec<i64>> {
    let is_all = known.is_some() && filter.conditions.len() == 1;
    let mut most = if is_all { limit } else { 256 };
    let mut found = Vec::new();
    loop {
        let piece: Vec<i64> = Driven { driver, before, most, counts: false }.load(db)?;
        if is_all {
            return Ok(piece);
        }
        let wanted = limit.saturating_sub(i64::try_from(found.len()).unwrap_or(limit));
        found.extend(check(db, filter, &piece, wanted)?);
        if found.len() >= size(limit) || piece.len() < size(most) {
            return Ok(found);
        }
        before = piece.last().copied();
        most = (most * 2).min(FEW);
    }
}

/// A piece of what a driver holds.
struct Driven<'a> {
    driver: &'a Driver,
    before: Option<i64>,
    most: i64,
    /// Only how many there are, up to `most`.
    counts: bool,
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
        out.push_sql(if self.counts { "SELECT count(*) FROM (" } else { "" });
        match self.driver {
            Driver::Tag(tag) => {
                out.push_sql("SELECT c.supporter_number FROM supporter_tags c WHERE c.tag_number = ");
                DB::number(&mut out, tag)?;
            }
            Driver::Shares(group) => {
                out.push_sql(
                    "SELECT c.supporter_number FROM shares c WHERE c.withdrawn_at IS NULL AND c.group_id = ",
                );
                DB::id(&mut out, group)?;
            }
            Driver::Field(field, asked) => {
                out.push_sql("SELECT c.supporter_number FROM supporter_fields c WHERE ");
                field_holds(&mut out, field, asked)?;
            }
        }
        if let Some(before) = &self.before {
            out.push_sql(" AND c.supporter_number < ");
            DB::number(&mut out, before)?;
        }
        out.push_sql(" ORDER BY c.supporter_number DESC LIMIT ");
        DB::number(&mut out, &self.most)?;
        out.push_sql(if self.counts { ") AS counted" } else { "" });
        Ok(())
    }
}

/// Rows looked at one by one, or through an index on a whole value that is in their order.
struct Walk {
    matching: Matching,
    /// The lowest number looked at.
    from: Option<i64>,
    before: Option<i64>,
    limit: i64,
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
        out.push_sql("SELECT supporters.number FROM supporters WHERE ");
        self.matching.walk_ast(out.reborrow())?;
        for (bound, than) in [(&self.from, " >= "), (&self.before, " < ")] {
            if let Some(bound) = bound {
                out.push_sql(" AND supporters.number");
                out.push_sql(than);
                DB::number(&mut out, bound)?;
            }
        }
        out.push_sql(" ORDER BY supporters.number DESC LIMIT ");
        DB::number(&mut out, &self.limit)
    }
}

//! [`Matching`]: a filter as SQL. The text is made of constants, every value is bound, and both databases take the same.

use diesel::{
    QueryResult,
    backend::Backend,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
    serialize::ToSql,
    sql_types::{BigInt, Binary, Bool, Double, Text},
};

use super::{
    Condition, Moment, SupporterFilter,
    ranges::members,
    words::{Prefix, Term, WORDS},
};
use crate::{
    clock::Timestamp,
    contact::Involvement,
    id::Id,
    staff::Sight,
    supporters::{Status, fields::Asked},
};

/// How a statement goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Everybody who matches is wanted: what is in other tables, or a range, is a set of numbers.
    Sets,
    /// A few are wanted, in the order of their numbers: rows are looked at one by one, and no index is used whose order
    /// is another.
    Walk,
}

/// The condition of a filter, for any statement that has `supporters` in it under its own name.
#[derive(Clone, Debug)]
pub struct Matching {
    pub(super) filter: SupporterFilter,
    pub(super) plan: Plan,
}

impl Matching {
    pub(super) const fn sets(filter: SupporterFilter) -> Self {
        Self { filter, plan: Plan::Sets }
    }

    pub(super) const fn walk(filter: SupporterFilter) -> Self {
        Self { filter, plan: Plan::Walk }
    }
}

impl Expression for Matching {
    type SqlType = Bool;
}
impl<QS> AppearsOnTable<QS> for Matching {}
impl<QS> SelectableExpression<QS> for Matching {}
impl<G> ValidGrouping<G> for Matching {
    type IsAggregate = is_aggregate::Never;
}
impl QueryId for Matching {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// A database that takes the values of a filter.
pub trait Values: Backend {
    /// Binds a text.
    ///
    /// # Errors
    /// When it cannot be bound.
    fn text<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b str) -> QueryResult<()>;
    /// Binds a number.
    ///
    /// # Errors
    /// When it cannot be bound.
    fn number<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b i64) -> QueryResult<()>;
    /// Binds an id.
    ///
    /// # Errors
    /// When it cannot be bound.
    fn id<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b Id) -> QueryResult<()>;
    /// Binds a time.
    ///
    /// # Errors
    /// When it cannot be bound.
    fn time<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b Timestamp) -> QueryResult<()>;
    /// Binds a number with a fraction.
    ///
    /// # Errors
    /// When it cannot be bound.
    fn real<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b f64) -> QueryResult<()>;
    /// Binds a status.
    ///
    /// # Errors
    /// When it cannot be bound.
    fn status<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b Status) -> QueryResult<()>;
}

impl<DB: Backend> Values for DB
where
    str: ToSql<Text, DB>,
    i64: ToSql<BigInt, DB>,
    Id: ToSql<Binary, DB>,
    Timestamp: ToSql<BigInt, DB>,
    f64: ToSql<Double, DB>,
    Status: ToSql<Text, DB>,
{
    fn text<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b str) -> QueryResult<()> {
        out.push_bind_param::<Text, _>(value)
    }

    fn number<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b i64) -> QueryResult<()> {
        out.push_bind_param::<BigInt, _>(value)
    }

    fn id<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b Id) -> QueryResult<()> {
        out.push_bind_param::<Binary, _>(value)
    }

    fn time<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b Timestamp) -> QueryResult<()> {
        out.push_bind_param::<BigInt, _>(value)
    }

    fn real<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b f64) -> QueryResult<()> {
        out.push_bind_param::<Double, _>(value)
    }

    fn status<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b Status) -> QueryResult<()> {
        out.push_bind_param::<Text, _>(value)
    }
}

impl<DB: Values> QueryFragment<DB> for Matching {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql("(1 = 1");
        if let Sight::Group(group) = &self.filter.sight {
            out.push_sql(" AND ");
            shares_with(&mut out, self.plan, group, None)?;
            out.push_sql(" AND supporters.status = 'confirmed'");
        }
        if self.filter.is_awake || self.filter.sight != Sight::Everybody {
            out.push_sql(" AND supporters.paused_until IS NULL");
        }
        for condition in &self.filter.conditions {
            out.push_sql(" AND ");
            push(&mut out, self.plan, condition)?;
        }
        out.push_sql(")");
        Ok(())
    }
}

/// A condition.
pub(super) fn push<'b, DB: Values>(
    out: &mut AstPass<'_, 'b, DB>,
    plan: Plan,
    condition: &'b Condition,
) -> QueryResult<()> {
    match condition {
        Condition::Status(status) => {
            out.push_sql("supporters.status = ");
            DB::status(out, status)?;
        }
        Condition::Is(column, value) => {
            out.push_sql("supporters.");
            out.push_sql(column.column());
            out.push_sql(" = ");
            DB::text(out, value)?;
        }
        Condition::Term(term) if plan == Plan::Walk => term_holds(out, term)?,
        Condition::PostalPrefix(prefixes) if plan == Plan::Walk => {
            out.push_sql(UNINDEXED);
            any(out, prefixes, |out, prefix| range(out, "supporters.postal_code", prefix))?;
            out.push_sql(UNINDEXED_END);
        }
        Condition::Within(moment, from, before) if plan == Plan::Walk => {
            out.push_sql(UNINDEXED);
            out.push_sql("1 = 1");
            within(out, moment.of_row(), (from, before))?;
            out.push_sql(UNINDEXED_END);
        }
        Condition::Term(_) | Condition::PostalPrefix(_) | Condition::Within(..) => {
            out.push_sql("supporters.number IN (");
            members(out, condition)?;
            out.push_sql(")");
            if let Condition::Term(term) = condition
                && term.parts.len() > 1
            {
                out.push_sql(" AND ");
                term_holds(out, term)?;
            }
        }
        Condition::Tagged(numbers) => tagged(out, plan, numbers)?,
        Condition::Untagged(numbers) => {
            out.push_sql("NOT ");
            tagged(out, plan, numbers)?;
        }
        Condition::Field(field, asked) => {
            out.push_sql(match plan {
                Plan::Sets => "supporters.number IN (SELECT c.supporter_number FROM supporter_fields c WHERE ",
                Plan::Walk => {
                    "EXISTS (SELECT 1 FROM supporter_fields c WHERE c.supporter_number = supporters.number AND "
                }
            });
            field_holds(out, field, asked)?;
            out.push_sql(")");
        }
        Condition::Involved(involvement) => out.push_sql(involved(*involvement)),
        Condition::SharesWith(group) => shares_with(out, plan, group, None)?,
        Condition::SharedWithin(group, from, before) => {
            shares_with(out, plan, group, Some((from, before)))?;
        }
        Condition::HasPhone(true) => {
            out.push_sql("supporters.phone IS NOT NULL AND supporters.phone_consent");
        }
        Condition::HasPhone(false) => {
            out.push_sql("NOT (supporters.phone IS NOT NULL AND supporters.phone_consent)");
        }
    }
    Ok(())
}

/// That a row `c` of `supporter_fields` is what is asked for.
pub(super) fn field_holds<'b, DB: Values>(
    out: &mut AstPass<'_, 'b, DB>,
    field: &'b i64,
    asked: &'b Asked,
) -> QueryResult<()> {
    out.push_sql("c.field_number = ");
    DB::number(out, field)?;
    match asked {
        Asked::Is(value) => {
            out.push_sql(" AND c.value = ");
            DB::text(out, value)?;
        }
        Asked::Within(from, to) => {
            for (end, than) in [(from, " AND c.rank >= "), (to, " AND c.rank <= ")] {
                if let Some(end) = end {
                    out.push_sql(than);
                    DB::real(out, end)?;
                }
            }
        }
    }
    Ok(())
}

/// As the partial index of each answer has it; none of the words is part of another.
const fn involved(involvement: Involvement) -> &'static str {
    match involvement {
        Involvement::Frontline => "supporters.involvement LIKE '%frontline%'",
        Involvement::Worker => "supporters.involvement LIKE '%worker%'",
        Involvement::Advocate => "supporters.involvement LIKE '%advocate%'",
        Involvement::Faith => "supporters.involvement LIKE '%faith%'",
        Involvement::Researcher => "supporters.involvement LIKE '%researcher%'",
        Involvement::Other => "supporters.involvement LIKE '%other%'",
    }
}

fn tagged<'b, DB: Values>(out: &mut AstPass<'_, 'b, DB>, plan: Plan, numbers: &'b [i64]) -> QueryResult<()> {
    out.push_sql(match plan {
        Plan::Sets => "supporters.number IN (SELECT t.supporter_number FROM supporter_tags t WHERE ",
        Plan::Walk => {
            "EXISTS (SELECT 1 FROM supporter_tags t WHERE t.supporter_number = supporters.number AND "
        }
    });
    out.push_sql("t.tag_number IN (");
    list(out, numbers)?;
    out.push_sql("))");
    Ok(())
}

pub(super) fn list<'b, DB: Values>(out: &mut AstPass<'_, 'b, DB>, numbers: &'b [i64]) -> QueryResult<()> {
    for (place, number) in numbers.iter().enumerate() {
        out.push_sql(if place == 0 { "" } else { ", " });
        DB::number(out, number)?;
    }
    Ok(())
}

/// At or after, and before.
pub(super) type Bounds<'b> = (&'b Option<Timestamp>, &'b Option<Timestamp>);

fn shares_with<'b, DB: Values>(
    out: &mut AstPass<'_, 'b, DB>,
    plan: Plan,
    group: &'b Id,
    given: Option<Bounds<'b>>,
) -> QueryResult<()> {
    out.push_sql(match plan {
        Plan::Sets => "supporters.number IN (SELECT c.supporter_number FROM shares c WHERE ",
        Plan::Walk => "EXISTS (SELECT 1 FROM shares c WHERE c.supporter_number = supporters.number AND ",
    });
    share_holds(out, group, given)?;
    out.push_sql(")");
    Ok(())
}

/// That a row `c` of `shares` is active, with this group, and given within these bounds.
pub(super) fn share_holds<'b, DB: Values>(
    out: &mut AstPass<'_, 'b, DB>,
    group: &'b Id,
    given: Option<Bounds<'b>>,
) -> QueryResult<()> {
    out.push_sql("c.withdrawn_at IS NULL AND c.group_id = ");
    DB::id(out, group)?;
    given.map_or(Ok(()), |given| within(out, "c.given_at", given))
}

/// That a row `c` of `supporters` has this date within these bounds, one of which there is.
pub(super) fn moment_holds<'b, DB: Values>(
    out: &mut AstPass<'_, 'b, DB>,
    moment: Moment,
    bounds: Bounds<'b>,
) -> QueryResult<()> {
    out.push_sql("1 = 1");
    within(out, moment.indexed(), bounds)
}

/// And that a column lies within these bounds.
fn within<'b, DB: Values>(
    out: &mut AstPass<'_, 'b, DB>,
    column: &'static str,
    (from, until): Bounds<'b>,
) -> QueryResult<()> {
    for (bound, than) in [(from, " >= "), (until, " < ")] {
        if let Some(bound) = bound {
            out.push_sql(" AND ");
            out.push_sql(column);
            out.push_sql(than);
            DB::time(out, bound)?;
        }
    }
    Ok(())
}

/// Around a condition for which no index is to be used: neither database looks into it for one.
const UNINDEXED: &str = "CASE WHEN ";
const UNINDEXED_END: &str = " THEN 1 ELSE 0 END = 1";

/// Words of the row that is looked at.
const ROW_WORDS: [&str; WORDS] = [
    "supporters.word_1",
    "supporters.word_2",
    "supporters.word_3",
    "supporters.word_4",
    "supporters.word_5",
    "supporters.word_6",
];

/// That a term holds for the row, with no index.
fn term_holds<'b, DB: Values>(out: &mut AstPass<'_, 'b, DB>, term: &'b Term) -> QueryResult<()> {
    out.push_sql(UNINDEXED);
    out.push_sql("1 = 0");
    for (prefix, column) in [(&term.address, "supporters.email_key"), (&term.domain, "supporters.domain")] {
        if let Some(prefix) = prefix {
            out.push_sql(" OR ");
            range(out, column, prefix)?;
        }
    }
    if !term.parts.is_empty() {
        out.push_sql(" OR (1 = 1");
        for part in &term.parts {
            out.push_sql(" AND (1 = 0");
            for column in ROW_WORDS {
                out.push_sql(" OR ");
                range(out, column, part)?;
            }
            out.push_sql(")");
        }
        out.push_sql(")");
    }
    out.push_sql(UNINDEXED_END);
    Ok(())
}

fn any<'b, DB: Values, T>(
    out: &mut AstPass<'_, 'b, DB>,
    all: &'b [T],
    each: impl Fn(&mut AstPass<'_, 'b, DB>, &'b T) -> QueryResult<()>,
) -> QueryResult<()> {
    out.push_sql("(1 = 0");
    for one in all {
        out.push_sql(" OR ");
        each(out, one)?;
    }
    out.push_sql(")");
    Ok(())
}

pub(super) fn range<'b, DB: Values>(
    out: &mut AstPass<'_, 'b, DB>,
    column: &'static str,
    prefix: &'b Prefix,
) -> QueryResult<()> {
    out.push_sql("(");
    out.push_sql(column);
    out.push_sql(" >= ");
    DB::text(out, &prefix.from)?;
    out.push_sql(" AND ");
    out.push_sql(column);
    out.push_sql(" < ");
    DB::text(out, &prefix.below)?;
    out.push_sql(")");
    Ok(())
}

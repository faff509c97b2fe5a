//! Ranges, as what their indexes are asked: a word that begins so may be an address, a domain or any word of a name, each
//! of which has an index of its own.

use diesel::{QueryResult, query_builder::AstPass};

use super::{
    Condition, Moment,
    sql::{Bounds, Values, field_holds, moment_holds, range, share_holds},
    words::{Prefix, WORDS},
};
use crate::{id::Id, supporters::fields::Asked};

const WORD_COLUMNS: [&str; WORDS] = ["c.word_1", "c.word_2", "c.word_3", "c.word_4", "c.word_5", "c.word_6"];

/// What one index is asked.
pub(super) enum Branch<'a> {
    /// A column of the supporter begins so.
    Begins(&'static str, &'a Prefix),
    /// A date of the supporter.
    Date(Moment, Bounds<'a>),
    /// A share with a group, by when it was given.
    Given(&'a Id, Bounds<'a>),
    /// The value of a field.
    Value(&'a i64, &'a Asked),
}

/// Whether a condition is a range.
pub(super) const fn is_range(condition: &Condition) -> bool {
    matches!(
        condition,
        Condition::Term(_)
            | Condition::PostalPrefix(_)
            | Condition::Within(..)
            | Condition::SharedWithin(..)
            | Condition::Field(_, Asked::Within(..))
    )
}

/// The indexes to ask for a range, at least one; none of another condition. Of a word with several parts, its longest is
/// asked for.
pub(super) fn branches(condition: &Condition) -> Vec<Branch<'_>> {
    match condition {
        Condition::Term(term) => {
            let whole = [("c.email_key", &term.address), ("c.domain", &term.domain)];
            let whole = whole
                .into_iter()
                .filter_map(|(column, prefix)| prefix.as_ref().map(|prefix| Branch::Begins(column, prefix)));
            let longest = term.parts.first().into_iter();
            let words = longest.flat_map(|part| WORD_COLUMNS.map(|column| Branch::Begins(column, part)));
            whole.chain(words).collect()
        }
        Condition::PostalPrefix(prefixes) => {
            prefixes.iter().map(|prefix| Branch::Begins("c.postal_code", prefix)).collect()
        }
        Condition::Within(moment, from, until) => vec![Branch::Date(*moment, (from, until))],
        Condition::SharedWithin(group, from, until) => vec![Branch::Given(group, (from, until))],
        Condition::Field(field, asked) => vec![Branch::Value(field, asked)],
        _ => Vec::new(),
    }
}

impl<'b> Branch<'b> {
    pub(super) const fn number(&self) -> &'static str {
        match self {
            Self::Begins(..) | Self::Date(..) => "c.number",
            Self::Given(..) | Self::Value(..) => "c.supporter_number",
        }
    }

    /// The table, up to a condition on the number.
    pub(super) fn rows<DB: Values>(&self, out: &mut AstPass<'_, 'b, DB>) {
        out.push_sql(match self {
            Self::Begins(..) | Self::Date(..) => "supporters c WHERE c.number",
            Self::Given(..) => "shares c WHERE c.supporter_number",
            Self::Value(..) => "supporter_fields c WHERE c.supporter_number",
        });
    }

    pub(super) fn holds<DB: Values>(&self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()> {
        match self {
            Self::Begins(column, prefix) => range(out, column, prefix),
            Self::Date(moment, bounds) => moment_holds(out, *moment, *bounds),
            Self::Given(group, bounds) => share_holds(out, group, Some(*bounds)),
            Self::Value(field, asked) => field_holds(out, field, asked),
        }
    }

    pub(super) fn below<DB: Values>(
        &self,
        out: &mut AstPass<'_, 'b, DB>,
        before: &'b i64,
    ) -> QueryResult<()> {
        out.push_sql(" AND ");
        out.push_sql(self.number());
        out.push_sql(" < ");
        DB::number(out, before)
    }
}

/// The blocks there are, for words, which have indexes within blocks alone.
const BLOCKS: &str = "WITH RECURSIVE blocks (block) AS (SELECT 0 UNION ALL SELECT block + 1 FROM blocks \
     WHERE block < (SELECT max(m.number) / 8192 FROM supporters m)) ";

/// Numbers of all of whom a range may hold, as a set.
pub(super) fn members<'b, DB: Values>(
    out: &mut AstPass<'_, 'b, DB>,
    condition: &'b Condition,
) -> QueryResult<()> {
    out.push_sql(if matches!(condition, Condition::Term(_)) { BLOCKS } else { "" });
    for (place, branch) in branches(condition).into_iter().enumerate() {
        out.push_sql(if place == 0 { "SELECT " } else { " UNION ALL SELECT " });
        out.push_sql(branch.number());
        out.push_sql(" FROM ");
        match branch {
            Branch::Begins(column, _) if !matches!(column, "c.email_key" | "c.postal_code") => {
                out.push_sql("blocks b CROSS JOIN supporters c WHERE c.number / 8192 = b.block AND ");
            }
            Branch::Begins(..) | Branch::Date(..) => out.push_sql("supporters c WHERE "),
            Branch::Given(..) => out.push_sql("shares c WHERE "),
            Branch::Value(..) => out.push_sql("supporter_fields c WHERE "),
        }
        branch.holds(out)?;
    }
    Ok(())
}

//! The newest of whom a range holds (words that begin so, dates, a field's values), wherever they are among the numbers. An
//! index in the order of the words knows nothing of the numbers, and one in the order of the numbers nothing of the words;
//! but within each block of 8192 numbers the words have an index, and there are few blocks. Each is asked whether it holds
//! any, the newest first, and of those that do, as many are read as are needed. So what is done is bounded, whoever matches.

use diesel::{
    QueryResult,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::BigInt,
};

use super::{
    Condition,
    ranges::{Branch, branches},
    sql::{Values, list},
    words::WORDS,
};
use crate::store::{Db, schema::supporters};

/// Numbers of a block, as the indexes have it.
const BLOCK: i64 = 8192;
/// Blocks that are asked at first; then sixteen times as many, and so on.
const FIRST: i64 = 1;
/// Indexes times blocks of a statement that is kept prepared: to plan one for each index of a word takes longer than to run
/// it. Larger ones are rare.
const KEPT: usize = 1024;
/// Indexes of such a statement: those of a word, or as many beginnings of postal codes.
const MOST_KEPT: usize = WORDS + 2;

/// Numbers of up to `limit` of whom `condition`, a range, may hold, newest first, all below `before`: everybody for whom it
/// does, and of a word with several parts those for whom its longest does.
pub(super) fn newest_in_blocks(
    db: &mut Db,
    condition: &Condition,
    before: Option<i64>,
    limit: i64,
) -> QueryResult<Vec<i64>> {
    let newest: Option<i64> = supporters::table.select(diesel::dsl::max(supporters::number)).first(db)?;
    let end = newest.unwrap_or(0).saturating_add(1);
    let before = before.map_or(end, |before| before.min(end));
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut found: Vec<i64> = Vec::new();
    let (mut highest, mut step) = ((before - 1) / BLOCK, FIRST);
    while highest >= 0 && before > 0 && found.len() < most {
        let lowest = (highest - step + 1).max(0);
        let counts = Counts { branches: branches(condition), before, lowest, highest, limit };
        let mut counts: Vec<(i64, i64)> = counts.load(db)?;
        counts.retain(|(_, count)| *count > 0);
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let mut rest = counts.as_slice();
        while !rest.is_empty() && found.len() < most {
            // Somebody may be held twice, by name and by address: then the next blocks are needed, too.
            let mut wanted = limit.saturating_sub(i64::try_from(found.len()).unwrap_or(limit));
            let enough = |(_, count): &(i64, i64)| {
                wanted -= count;
                wanted <= 0
            };
            let taken = rest.iter().position(enough).map_or(rest.len(), |last| last + 1);
            let (now, later) = rest.split_at(taken);
            let mut blocks: Vec<i64> = now.iter().map(|(block, _)| *block).collect();
            // In few sizes, so that there are few texts of the statement; a block named twice is read once.
            let size = blocks.len().next_power_of_two();
            blocks.resize(size, blocks.last().copied().unwrap_or_default());
            let members = Members { branches: branches(condition), before, blocks, limit };
            found.extend(members.load::<i64>(db)?);
            rest = later;
        }
        (highest, step) = (lowest - 1, step * 16);
    }
    found.truncate(most);
    Ok(found)
}

/// How many each block holds, up to `limit`.
struct Counts<'a> {
    branches: Vec<Branch<'a>>,
    before: i64,
    lowest: i64,
    highest: i64,
    limit: i64,
}

/// The newest that these blocks hold, each once.
struct Members<'a> {
    branches: Vec<Branch<'a>>,
    before: i64,
    blocks: Vec<i64>,
    limit: i64,
}

impl Query for Counts<'_> {
    type SqlType = (BigInt, BigInt);
}
impl RunQueryDsl<Db> for Counts<'_> {}
impl QueryId for Counts<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<DB: Values> QueryFragment<DB> for Counts<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if self.branches.len() > MOST_KEPT {
            out.unsafe_to_cache_prepared();
        }
        out.push_sql("WITH RECURSIVE blocks (block) AS (SELECT ");
        DB::number(&mut out, &self.highest)?;
        out.push_sql(" UNION ALL SELECT block - 1 FROM blocks WHERE block > ");
        DB::number(&mut out, &self.lowest)?;
        out.push_sql(") SELECT b.block, (SELECT count(*) FROM (");
        for (place, branch) in self.branches.iter().enumerate() {
            out.push_sql(if place == 0 {
                "SELECT 1 AS one FROM "
            } else {
                " UNION ALL SELECT 1 AS one FROM "
            });
            branch.rows(&mut out);
            out.push_sql(" / 8192 = b.block AND ");
            branch.holds(&mut out)?;
            branch.below(&mut out, &self.before)?;
        }
        out.push_sql(" LIMIT ");
        DB::number(&mut out, &self.limit)?;
        out.push_sql(") AS held) FROM blocks b");
        Ok(())
    }
}

impl Query for Members<'_> {
    type SqlType = BigInt;
}
impl RunQueryDsl<Db> for Members<'_> {}
impl QueryId for Members<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<DB: Values> QueryFragment<DB> for Members<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if self.branches.len() > MOST_KEPT || self.branches.len() * self.blocks.len() > KEPT {
            out.unsafe_to_cache_prepared();
        }
        out.push_sql("SELECT f.number FROM (");
        for (place, branch) in self.branches.iter().enumerate() {
            out.push_sql(if place == 0 { "SELECT " } else { " UNION SELECT " });
            out.push_sql(branch.number());
            out.push_sql(" AS number FROM ");
            branch.rows(&mut out);
            out.push_sql(" / 8192 IN (");
            list(&mut out, &self.blocks)?;
            out.push_sql(") AND ");
            branch.holds(&mut out)?;
            branch.below(&mut out, &self.before)?;
        }
        // Not the column itself: its own order would be that of the rows, not of the range.
        out.push_sql(") AS f ORDER BY f.number + 0 DESC LIMIT ");
        DB::number(&mut out, &self.limit)
    }
}

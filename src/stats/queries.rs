//! The recount, and the names of groups.

use diesel::{QueryResult, prelude::*, sql_query};

use crate::{
    counts::Count,
    each,
    store::{Db, schema::groups},
};

/// What the figures lack to be what the rows say: nothing, if all is well. One statement, so that both are of one moment.
///
/// # Errors
/// When the database does not answer.
pub fn differences(db: &mut Db) -> QueryResult<Vec<Count>> {
    let group = match db {
        Db::Pg(_) => "encode(group_id, 'hex')",
        Db::Sqlite(_) => "lower(hex(group_id))",
    };
    let statement = format!(
        "SELECT dimension, key, CAST(slot AS BIGINT) AS slot, CAST(sum(amount) AS BIGINT) AS amount FROM (
             SELECT 'status' AS dimension, status AS key, 0 AS slot, count(*) AS amount FROM supporters GROUP BY status
             UNION ALL SELECT 'region', coalesce(region, ''), 0, count(*) FROM supporters WHERE status = 'confirmed'
                 GROUP BY coalesce(region, '')
             UNION ALL SELECT 'source', coalesce(source_code, ''), 0, count(*) FROM supporters WHERE status = 'confirmed'
                 GROUP BY coalesce(source_code, '')
             UNION ALL SELECT 'form', form, 0, count(*) FROM supporters WHERE status = 'confirmed' GROUP BY form
             UNION ALL SELECT 'group', {group}, 0, count(*) FROM shares WHERE withdrawn_at IS NULL GROUP BY group_id
             UNION ALL SELECT 'asked', '', created_at / 900000000, count(*) FROM signups
                 WHERE state IN ('pending', 'expired', 'confirmed') GROUP BY created_at / 900000000
             UNION ALL SELECT 'repeated', '', created_at / 900000000, count(*) FROM signups WHERE state = 'repeated'
                 GROUP BY created_at / 900000000
             UNION ALL SELECT 'answered', '', created_at / 900000000, count(*) FROM signups WHERE state = 'confirmed'
                 GROUP BY created_at / 900000000
             UNION ALL SELECT 'confirmed', '', confirmed_at / 900000000, count(*) FROM signups
                 WHERE state = 'confirmed' AND confirmed_at IS NOT NULL GROUP BY confirmed_at / 900000000
             UNION ALL SELECT dimension, key, slot, -amount FROM counts
             UNION ALL SELECT dimension, key, slot, -amount FROM count_deltas
         ) AS every_one GROUP BY dimension, key, slot HAVING sum(amount) <> 0 ORDER BY dimension, key, slot"
    );
    sql_query(statement).load(db)
}

/// Slugs of the groups there are, by id in hexadecimal.
pub(super) fn group_slugs(db: &mut Db) -> QueryResult<Vec<(crate::id::Id, String)>> {
    each!(db, c => groups::table.select((groups::id, groups::slug)).load(c))
}

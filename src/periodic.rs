//! [`is_due`]: jobs that run once per period, whichever of several processes runs them. Called by the loops of slices;
//! knows no job.

use std::time::Duration;

use diesel::prelude::*;

use crate::{
    clock::Clock,
    each,
    store::{Lane, Store, StoreError, dialect, schema::periodic_jobs},
};

/// Whether `job` was begun by nobody within `period`, by the database's clock; if so, it counts as begun now, by the
/// caller. A job that fails or dies with its process is due again after the period.
///
/// # Errors
/// When the database does not answer.
pub async fn is_due(
    store: &Store,
    clock: &Clock,
    job: &'static str,
    period: Duration,
) -> Result<bool, StoreError> {
    let clock = clock.clone();
    store
        .write(Lane::Worker, move |db| {
            let now = dialect::now(db, &clock)?;
            each!(db, c => {
                let begun = diesel::insert_into(periodic_jobs::table)
                    .values((periodic_jobs::name.eq(job), periodic_jobs::begun_at.eq(now)))
                    .on_conflict_do_nothing()
                    .execute(c)?;
                let again = diesel::update(periodic_jobs::table.filter(periodic_jobs::name.eq(job)))
                    .filter(periodic_jobs::begun_at.le(now.before(period)))
                    .set(periodic_jobs::begun_at.eq(now))
                    .execute(c)?;
                Ok::<_, StoreError>(begun + again > 0)
            })
        })
        .await
}

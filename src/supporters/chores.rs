//! What a worker does for supporters: gives rows from before the words they are searched by, and goes on with operations
//! on tags that a process left behind.

use std::time::Duration;

use diesel::prelude::*;
use tokio_util::sync::CancellationToken;

use super::{filter::SearchWords, tags};
use crate::{
    error::AppError,
    kernel::Kernel,
    store::{Db, Lane, StoreError, schema::supporters},
};

/// Rows in one transaction.
const PIECE: i64 = 200;
/// Pause between two looks.
const LOOK: Duration = Duration::from_secs(10);

/// Works until `stop`.
pub async fn run_chores(kernel: Kernel, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = work(&kernel, &stop).await {
            tracing::warn!(%error, "a chore over supporters could not be done; trying again");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

async fn work(kernel: &Kernel, stop: &CancellationToken) -> Result<(), AppError> {
    while fill_words(kernel).await? > 0 && !stop.is_cancelled() {}
    while !stop.is_cancelled() && tags::resume(kernel).await? {}
    Ok(())
}

/// Gives words to some of those who have none yet; returns to how many.
///
/// # Errors
/// When the database does not answer.
pub async fn fill_words(kernel: &Kernel) -> Result<usize, StoreError> {
    let without =
        || supporters::table.filter(supporters::domain.is_null()).limit(PIECE).select(supporters::number);
    let any = move |db: &mut Db| Ok::<_, StoreError>(without().first::<i64>(db).optional()?.is_some());
    if !kernel.store.read(any).await? {
        return Ok(0);
    }
    let write = move |db: &mut Db| {
        type Row = (i64, Option<String>, Option<String>, String);
        let rows: Vec<Row> = supporters::table
            .filter(supporters::domain.is_null())
            .limit(PIECE)
            .select((
                supporters::number,
                supporters::given_name,
                supporters::family_name,
                supporters::email_key,
            ))
            .load(db)?;
        for (number, given, family, key) in &rows {
            let words = SearchWords::of(given.as_deref(), family.as_deref(), key);
            // Somebody may have changed it since: then it has its words.
            diesel::update(supporters::table.filter(supporters::number.eq(number)))
                .filter(supporters::domain.is_null())
                .set(words)
                .execute(db)?;
        }
        Ok::<_, StoreError>(rows.len())
    };
    kernel.store.write(Lane::Worker, write).await
}

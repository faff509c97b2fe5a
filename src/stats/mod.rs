//! Stats: the figures of the dashboard, aggregates alone, from what `counts` keeps; and the rebuild, which counts anew and
//! corrects what differs. Imported by nobody but what puts the slices together.

mod domain;
mod queries;
pub(crate) mod routes;

pub use domain::{Period, Span};
pub use queries::differences;
pub use routes::api;

use crate::{
    counts,
    error::AppError,
    kernel::Kernel,
    store::{Lane, StoreError},
};

/// Counts everything anew and corrects the figures that differ; returns how many did. Acts go on meanwhile: what is
/// counted and what the figures say is of the same moment, and only the difference is added.
///
/// # Errors
/// When the database does not answer.
pub async fn rebuild(kernel: &Kernel) -> Result<usize, AppError> {
    let found = kernel.store.read(|db| Ok::<_, AppError>(queries::differences(db)?)).await?;
    let count = found.len();
    if count > 0 {
        let write = move |db: &mut _| Ok::<_, StoreError>(counts::append(db, &found)?);
        kernel.store.write(Lane::Worker, write).await?;
        counts::fold(&kernel.store).await?;
    }
    Ok(count)
}

//! Exports: contact lists as files, streamed with constant memory. Who took which list, and why, is recorded
//! before the first byte leaves.

mod csv;
pub(crate) mod routes;
mod stream;

pub use csv::{DEFAULT_COLUMNS, guard};
pub use routes::api;

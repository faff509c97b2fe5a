//! What a group has of its own: its figures, and the ways to its join link. Called by its managers' routes; names nobody.

mod figures;
mod invite;
pub(crate) mod routes;

pub use figures::{DayFigures, GroupFigures};
pub use invite::InviteView;

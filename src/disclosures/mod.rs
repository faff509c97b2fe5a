//! Disclosures: which lists were taken out, by whom and why, and who was in each. Written by whoever hands people's
//! records out, before they leave; asked by the pages that tell a supporter, and by recalls. Knows numbers alone and
//! imports no other slice. After an erasure a number stays in its sets and names nobody any more.

mod members;
mod model;
mod queries;

pub use model::{Begun, Export, ExportSummary, Outcome};
pub use queries::{add_piece, begin, end, groups_holding, including, list, members_of_group};

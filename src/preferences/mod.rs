//! What a person may do with a link from a mail: leave, say "this was not me", see, change, take along, erase.
//!
//! A link's authority is the link itself; no cookie is read. Any link can take away; a fresh one, mailed to the
//! stored address and good for an hour, shows and changes everything.

mod choices;
mod mails;
mod owed;
mod page_routes;
mod pages;
pub(crate) mod routes;
mod views;

pub use choices::{LinkFault, Power, Preferences};
pub use owed::templates;
pub use page_routes::pages;
pub use routes::api;
pub use views::{DataExport, PreferencesChange, PreferencesView};

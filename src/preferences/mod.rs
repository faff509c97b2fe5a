//! What a person may do with a link from a mail: leave, say "this was not me", see, change, take along, erase.
//!
//! A link's authority is the link itself; no cookie is read. Any link can take away; a fresh one, mailed to the
//! stored address and good for an hour, shows and changes everything.

mod choices;
mod holdings;
mod mails;
mod owed;
mod page_routes;
mod pages;
mod present;
mod proof;
mod queries;
pub(crate) mod routes;
mod sharing;
mod views;
mod words;

pub use choices::{LinkFault, Power, Preferences};
pub use holdings::Holdings;
pub use owed::templates;
pub use page_routes::pages;
pub use routes::api;
pub use sharing::Choice;
pub use views::{DataExport, PreferencesChange, PreferencesView};

//! Supporters: one person each, by e-mail identity; made by a confirmation, never by a stranger's form.
//!
//! Other slices change supporters only through the functions here, inside their own transactions.

mod filter;
mod links;
mod list;
mod model;
mod queries;
pub(crate) mod routes;
mod standing;
mod status;

pub use filter::{FilterFault, Matching, SearchWords, SupporterFilter, SupporterQuery, time_zone};
pub use links::{Links, fresh_preferences_url, preferences_url, unsubscribe_url};
pub use model::{Confirmed, Profile, Supporter, SupporterView};
pub use queries::{
    ContactRow, confirm, delete, find, find_by_key, for_each_contact, leave, raise_link_version, set_profile,
    standings, suppress,
};
pub use routes::api;
pub use standing::Standing;
pub use status::Status;

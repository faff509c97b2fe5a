//! Values that describe how to reach a person; every one is valid by construction.
//!
//! Called by every slice's edge (forms, imports, admin API) to turn text into values, and by the store
//! to read them back. Pure: must not touch the web, the database, the clock or the log, and personal
//! values never print themselves in `Debug`.

mod chars;
mod country;
mod email;
mod involvement;
mod language;
mod phone;
mod postal;
mod region;
mod text;
mod wire;

pub use country::{Country, CountryError};
pub use email::{EmailAddress, EmailError};
pub use involvement::{Involvement, InvolvementError};
pub use language::{Language, LanguageError};
pub use phone::{Phone, PhoneError};
pub use postal::{PostalCode, PostalCodeError};
pub use region::{Region, RegionError};
pub use text::{LineText, Slug, SlugError, TextError};

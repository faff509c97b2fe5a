//! The outbox: mails owed, written in the transaction of their reason, sent by workers outside any.
//!
//! Slices call [`enqueue`] and give a [`Template`] for each kind of mail; the outbox knows neither what a mail
//! says nor whom it concerns. A row holds no text and no link: both are made at sending.

mod crew;
mod domain;
pub mod limits;
mod mailer;
mod model;
mod queries;
mod slots;
mod trays;

use std::collections::HashMap;

use diesel::QueryResult;

pub use crew::Crew;
pub use mailer::Mailer;
pub use model::{NewMail, OwedMail};
pub use queries::{
    count_dead_since, enqueue, enqueue_at, forget, forget_dead, is_settled_before, list, oldest_due, revive,
    was_owed_since,
};

use crate::{clock::Timestamp, id::Id, mail::message::Content, store::Db};

/// Writes one mail, at the moment of its sending.
pub type Compose = Box<dyn FnOnce(Timestamp) -> Result<Content, askama::Error> + Send>;

/// A kind of mail.
pub trait Template: Send + Sync {
    /// Its name in the table.
    fn name(&self) -> &'static str;

    /// Reads what the mails about `subjects` need. A subject that is left out is no longer owed its mail.
    ///
    /// # Errors
    /// When the database does not answer.
    fn load(&self, db: &mut Db, subjects: &[Id]) -> QueryResult<HashMap<Id, Compose>>;
}

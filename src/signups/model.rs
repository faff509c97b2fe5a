//! Rows of `signups`.

use diesel::prelude::{Insertable, Queryable, Selectable};

use super::domain::{Details, Signup};
use crate::{clock::Timestamp, id::Id, keys::AddressHash, store::schema::signups};

/// A sign-up on its way into the table.
#[derive(Insertable)]
#[diesel(table_name = signups, treat_none_as_default_value = false)]
pub struct NewSignup {
    pub id: Id,
    pub state: &'static str,
    pub email: String,
    pub form: String,
    pub notice_id: Id,
    pub language: String,
    pub details: String,
    pub client_hash: AddressHash,
    pub created_at: Timestamp,
}

impl NewSignup {
    /// A row for `signup`, with an id of its own.
    pub fn new(signup: Signup, client_hash: AddressHash, now: Timestamp) -> serde_json::Result<Self> {
        Ok(Self {
            id: Id::new(),
            state: "new",
            email: signup.email.as_str().to_owned(),
            form: signup.form,
            notice_id: signup.notice_id,
            language: signup.language.as_str().to_owned(),
            details: serde_json::to_string(&signup.details)?,
            client_hash,
            created_at: now,
        })
    }

    pub const fn id(&self) -> Id {
        self.id
    }
}

/// A new sign-up as triage needs it.
#[derive(Queryable)]
pub struct Untriaged {
    pub id: Id,
    pub email: String,
    pub form: String,
    pub details: String,
    pub created_at: Timestamp,
}

impl Untriaged {
    /// Groups that are to have the contact.
    pub fn share_with(&self) -> Vec<Id> {
        serde_json::from_str(&self.details).map_or_else(|_| Vec::new(), |details: Details| details.share_with)
    }
}

/// A sign-up as its confirmation needs it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = signups)]
pub struct Stored {
    pub id: Id,
    pub state: String,
    pub email: String,
    pub form: String,
    pub notice_id: Id,
    pub language: String,
    pub details: String,
    pub created_at: Timestamp,
    pub confirmed_at: Option<Timestamp>,
    pub supporter_id: Option<Id>,
}

impl Stored {
    /// What was typed; nothing if it was erased or cannot be read.
    pub fn details(&self) -> Details {
        serde_json::from_str(&self.details).unwrap_or_default()
    }
}

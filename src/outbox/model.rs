//! Rows of the outbox and what becomes of them.

use diesel::{
    prelude::{Insertable, Queryable, QueryableByName},
    sql_types::Binary,
};

use crate::{clock::Timestamp, id::Id, store::schema::outbox};

/// A mail that is owed.
#[derive(Clone, Debug)]
pub struct NewMail {
    /// Name of its [`super::Template`].
    pub template: &'static str,
    /// What it is about, as its template understands it.
    pub subject_id: Id,
    /// Whom it goes to.
    pub address: String,
}

#[derive(Insertable)]
#[diesel(table_name = outbox, treat_none_as_default_value = false)]
pub(super) struct NewRow<'a> {
    pub id: Id,
    pub template: &'a str,
    pub subject_id: Id,
    pub address: &'a str,
    pub state: &'a str,
    pub attempts: i32,
    pub due_at: Timestamp,
    pub created_at: Timestamp,
}

/// A mail as staff see it.
#[derive(Clone, Queryable)]
pub struct OwedMail {
    /// Names it.
    pub id: Id,
    /// Name of its [`super::Template`].
    pub template: String,
    /// Where it stands: `due`, `sent`, `dead` or `dropped`.
    pub state: String,
    /// Whom it goes to; empty once it left, or was forgotten.
    pub address: String,
    /// How often it was tried.
    pub attempts: i32,
    /// When it is tried next, if it is due.
    pub due_at: Timestamp,
    /// What the relay said last.
    pub last_error: Option<String>,
    /// Since when it is owed.
    pub created_at: Timestamp,
    /// When it left or was given up.
    pub finished_at: Option<Timestamp>,
}

/// A mail in hand.
#[derive(Clone, Queryable, QueryableByName)]
#[diesel(table_name = outbox)]
pub(super) struct Claimed {
    pub id: Id,
    pub template: String,
    pub subject_id: Id,
    pub address: String,
    pub attempts: i32,
    /// The claim it was taken with.
    #[diesel(sql_type = Binary)]
    pub lease: Id,
}

impl std::fmt::Debug for Claimed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Claimed")
            .field("id", &self.id)
            .field("template", &self.template)
            .finish_non_exhaustive()
    }
}

/// What became of a mail in hand.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    /// The relay took it.
    Sent,
    /// Nobody is owed it any more.
    Dropped,
    /// Not begun; somebody else may at once.
    GivenBack,
    /// To be tried again.
    Deferred(String),
    /// Refused for good.
    Refused(String),
}

//! The audit trail: who did what, append-only and chained, so that a row that was changed or taken away is found.
//! Called by every slice inside the transaction of the act itself; knows no feature, and is never given what was
//! typed: a search text or an unknown address is a keyed hash here.
//!
//! An act: [`append`], last in its transaction. People's data read in a list: `Kernel::note_read`. The rest of it:
//! [`Trail`].

mod chain;
mod list;
mod queries;
mod reads;
mod retention;
mod trail;
mod verify;

use diesel::QueryResult;
use serde_json::Value;

pub use chain::{Entry, Head, Link};
pub use list::{EntryFilter, EntryView};
pub use reads::{Reader, Reads};
pub use retention::RetainError;
pub use trail::Trail;
pub use verify::{Fault, FaultKind, Verdict, VerifyError, verify};

use crate::{clock::Timestamp, id::Id, keys::Keys, store::Db};

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Somebody on the staff, by a session or by one of their tokens.
    Staff {
        /// The account.
        id: Id,
        /// The bearer token that was used, if one was.
        token: Option<Id>,
    },
    /// A supporter, by a link from a mail.
    Supporter(Id),
    /// A member group, by the link or token of its own.
    Group(Id),
    /// Somebody who is not known: a failed login.
    Unknown,
    /// Whoever runs commands on the machine.
    CommandLine,
    /// A worker: purge, retention.
    System,
}

/// What it was done to: the kind of thing (`supporter`, `group`, `staff`, …) and its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject(pub &'static str, pub Id);

/// One act.
#[derive(Clone, Debug)]
pub struct Act {
    /// Who did it.
    pub actor: Actor,
    /// What was done: `noun.verb`, e.g. `session.begin`, `supporter.edit`, `export.end`.
    pub action: &'static str,
    /// What it was done to, if it was one thing.
    pub subject: Option<Subject>,
    /// More of it, as a JSON object: counts, names of fields, keyed hashes. Never a value that names a person.
    pub details: Value,
}

impl Act {
    /// An act without a subject and details.
    #[must_use]
    pub fn new(actor: Actor, action: &'static str) -> Self {
        Self { actor, action, subject: None, details: Value::Object(serde_json::Map::new()) }
    }

    /// The act, done to `id`, a thing of this kind.
    #[must_use]
    pub fn on(self, kind: &'static str, id: Id) -> Self {
        Self { subject: Some(Subject(kind, id)), ..self }
    }

    /// The act with its details, a JSON object.
    #[must_use]
    pub fn with(self, details: Value) -> Self {
        Self { details, ..self }
    }
}

/// Appends `acts` to the trail. Call it last in the transaction of the act: it locks the head of the chain until the
/// commit, and whoever else appends waits for that.
///
/// # Errors
/// When a statement fails; the act must then not be committed either.
pub fn append(db: &mut Db, keys: &Keys, acts: &[Act], now: Timestamp) -> QueryResult<()> {
    if acts.is_empty() {
        return Ok(());
    }
    let mut head = queries::lock_head(db)?;
    let mut links = Vec::with_capacity(acts.len());
    for act in acts {
        let entry = Entry::of(act, head.number + 1, now);
        head = Head { number: entry.number, mac: entry.mac(keys, &head.mac) };
        links.push(Link { entry, mac: head.mac.clone() });
    }
    queries::insert(db, &links)?;
    queries::set_head(db, &head)
}

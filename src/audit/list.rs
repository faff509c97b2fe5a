//! Reading the trail: which entries are meant, and how one is shown. Called by the admin API and the command line.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Link, chain::hex};
use crate::{clock::Timestamp, id::Id};

/// Which entries are meant. Every given condition must hold.
#[derive(Clone, Debug, Default)]
pub struct EntryFilter {
    /// Who did it.
    pub actor: Option<Id>,
    /// What kind of somebody did it: `staff`, `supporter`, `group`, `unknown`, `command_line`, `system`.
    pub actor_kind: Option<String>,
    /// The beginning of the action's name: `export.`, `session.begin`.
    pub action: Option<String>,
    /// What it was done to.
    pub subject: Option<Id>,
    /// Then or later.
    pub from: Option<Timestamp>,
    /// Before then.
    pub to: Option<Timestamp>,
}

impl EntryFilter {
    /// Whether `text` may be the beginning of an action's name.
    #[must_use]
    pub fn is_action(text: &str) -> bool {
        text.len() <= 64
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.".contains(&b))
    }
}

/// An entry as it is shown and handed out.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryView {
    /// Counted from 1 without a gap.
    pub number: i64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// `staff`, `supporter`, `group`, `unknown`, `command_line` or `system`.
    pub actor_kind: String,
    /// Who, where that is known.
    #[schema(value_type = Option<String>)]
    pub actor_id: Option<Id>,
    /// The token that was used, if one was.
    #[schema(value_type = Option<String>)]
    pub token_id: Option<Id>,
    /// What was done: `noun.verb`.
    pub action: String,
    /// The kind of thing it was done to.
    pub subject_kind: Option<String>,
    /// Which one.
    #[schema(value_type = Option<String>)]
    pub subject_id: Option<Id>,
    /// Counts, names of fields, keyed hashes; never a value that names a person.
    #[schema(value_type = Object)]
    pub details: Value,
    /// The entry's link, in hexadecimal: with the number, what `audit verify --expect NUMBER:MAC` takes.
    pub mac: String,
}

impl From<Link> for EntryView {
    fn from(Link { entry, mac }: Link) -> Self {
        Self {
            number: entry.number,
            at: entry.at,
            actor_kind: entry.actor_kind,
            actor_id: entry.actor_id,
            token_id: entry.token_id,
            action: entry.action,
            subject_kind: entry.subject_kind,
            subject_id: entry.subject_id,
            // An entry that somebody damaged is shown all the same.
            details: serde_json::from_str(&entry.details).unwrap_or(Value::String(entry.details)),
            mac: hex(&mac),
        }
    }
}

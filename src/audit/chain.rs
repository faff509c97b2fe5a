//! The chain: an entry as bytes that cannot be read two ways, and its HMAC over those and the link before.
//! Pure; called by `mod.rs` when it appends, and by whoever verifies.

use super::{Act, Actor};
use crate::{clock::Timestamp, id::Id, keys::Keys};

/// An act as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns are documented on Act")]
pub struct Entry {
    /// Counted from 1 without a gap.
    pub number: i64,
    pub at: Timestamp,
    pub actor_kind: String,
    pub actor_id: Option<Id>,
    pub token_id: Option<Id>,
    pub action: String,
    pub subject_kind: Option<String>,
    pub subject_id: Option<Id>,
    /// JSON, to the letter as it was appended.
    pub details: String,
}

impl Entry {
    /// `act` as the entry with this number.
    pub(super) fn of(act: &Act, number: i64, at: Timestamp) -> Self {
        let (kind, actor_id, token_id) = match act.actor {
            Actor::Staff { id, token } => ("staff", Some(id), token),
            Actor::Supporter(id) => ("supporter", Some(id), None),
            Actor::Group(id) => ("group", Some(id), None),
            Actor::Unknown => ("unknown", None, None),
            Actor::CommandLine => ("command_line", None, None),
            Actor::System => ("system", None, None),
        };
        Self {
            number,
            at,
            actor_kind: kind.to_owned(),
            actor_id,
            token_id,
            action: act.action.to_owned(),
            subject_kind: act.subject.map(|subject| subject.0.to_owned()),
            subject_id: act.subject.map(|subject| subject.1),
            details: act.details.to_string(),
        }
    }

    /// The link of this entry after the link `previous`: HMAC-SHA-256 over both.
    #[must_use]
    pub fn mac(&self, keys: &Keys, previous: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        put(&mut bytes, Some(previous));
        put(&mut bytes, Some(&self.number.to_be_bytes()));
        put(&mut bytes, Some(&self.at.as_micros().to_be_bytes()));
        put(&mut bytes, Some(self.actor_kind.as_bytes()));
        put(&mut bytes, self.actor_id.as_ref().map(|id| id.as_bytes().as_slice()));
        put(&mut bytes, self.token_id.as_ref().map(|id| id.as_bytes().as_slice()));
        put(&mut bytes, Some(self.action.as_bytes()));
        put(&mut bytes, self.subject_kind.as_deref().map(str::as_bytes));
        put(&mut bytes, self.subject_id.as_ref().map(|id| id.as_bytes().as_slice()));
        put(&mut bytes, Some(self.details.as_bytes()));
        keys.audit_mac(&bytes)
    }
}

/// Length first, so that no two entries have the same bytes; nothing is not the same as empty.
fn put(bytes: &mut Vec<u8>, field: Option<&[u8]>) {
    let length = field.map_or(u64::MAX, |field| u64::try_from(field.len()).unwrap_or(u64::MAX - 1));
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(field.unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_and_the_link_before_change_the_mac() {
        let keys = Keys::new(&"s".to_owned().into(), &[], &"audit".to_owned().into());
        let entry = Entry {
            number: 7,
            at: Timestamp::from_seconds(1),
            actor_kind: "staff".to_owned(),
            actor_id: Some(Id::from_bytes([1; 16])),
            token_id: None,
            action: "session.begin".to_owned(),
            subject_kind: None,
            subject_id: None,
            details: "{}".to_owned(),
        };
        let mac = entry.mac(&keys, b"before");
        let changed = [
            Entry { number: 8, ..entry.clone() },
            Entry { at: Timestamp::from_seconds(2), ..entry.clone() },
            Entry { actor_kind: "system".to_owned(), ..entry.clone() },
            Entry { actor_id: None, ..entry.clone() },
            Entry { actor_id: None, token_id: entry.actor_id, ..entry.clone() },
            Entry { action: "session.end".to_owned(), ..entry.clone() },
            Entry { subject_kind: Some(String::new()), ..entry.clone() },
            Entry { subject_id: Some(Id::from_bytes([1; 16])), ..entry.clone() },
            Entry { details: "{ }".to_owned(), ..entry.clone() },
        ];
        for other in changed {
            assert_ne!(other.mac(&keys, b"before"), mac, "{other:?}");
        }
        assert_ne!(entry.mac(&keys, b"befor"), mac);
        assert_eq!(entry.mac(&keys, b"before"), mac);
    }
}

//! The chain: an entry as bytes that cannot be read two ways, and its HMAC over those and the link before.
//! Pure; called by `mod.rs` when it appends, and by whoever verifies.

use std::{fmt, str::FromStr};

use diesel::prelude::{Insertable, Queryable};

use super::{Act, Actor};
use crate::{clock::Timestamp, id::Id, keys::Keys, store::schema::audit_entries};

/// An act as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Insertable, Queryable)]
#[diesel(table_name = audit_entries, treat_none_as_default_value = false)]
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

/// An entry with its link.
#[derive(Clone, Debug, Insertable, Queryable)]
#[diesel(table_name = audit_entries, treat_none_as_default_value = false)]
pub struct Link {
    /// The entry.
    #[diesel(embed)]
    pub entry: Entry,
    /// HMAC over it and the link before.
    pub mac: Vec<u8>,
}

/// A place in the chain: the number of an entry, and its link. Written `NUMBER:MAC`, the MAC in hexadecimal. Whoever
/// keeps one elsewhere can show later that nothing up to there was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Of the newest entry; 0 before the first.
    pub number: i64,
    /// Its link; empty before the first.
    pub mac: Vec<u8>,
}

/// Bytes in lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, hex(&self.mac))
    }
}

impl FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fault = || "write NUMBER:MAC, as the log and `audit verify` show it".to_owned();
        let (number, mac) = text.trim().split_once(':').ok_or_else(fault)?;
        let number = number.parse().ok().filter(|number| *number > 0).ok_or_else(fault)?;
        if mac.len() != 64 || !mac.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(fault());
        }
        let byte = |at: usize| u8::from_str_radix(&mac[at..at + 2], 16).map_err(|_| fault());
        let mac = (0..mac.len()).step_by(2).map(byte).collect::<Result<_, _>>()?;
        Ok(Self { number, mac })
    }
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

/// The seal of a checkpoint at this place.
pub(super) fn seal(keys: &Keys, head: &Head, made_at: Timestamp) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(96);
    put(&mut bytes, Some(&head.number.to_be_bytes()));
    put(&mut bytes, Some(&head.mac));
    put(&mut bytes, Some(&made_at.as_micros().to_be_bytes()));
    keys.audit_seal(&bytes)
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
    fn a_head_is_read_as_it_is_written_and_nothing_else_is() {
        let head = Head { number: 7, mac: vec![0xa5; 32] };
        assert_eq!(head.to_string().parse(), Ok(head.clone()));
        let mac = hex(&head.mac);
        for text in
            ["", "7", "7:", ":", &mac, &format!("0:{mac}"), &format!("-1:{mac}"), &format!("7:{mac}0")]
        {
            assert!(text.parse::<Head>().is_err(), "{text}");
        }
        assert!(format!("7:{}", "é".repeat(32)).parse::<Head>().is_err());
        assert!(format!("7:{}", "+a".repeat(32)).parse::<Head>().is_err());
    }

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

//! [`Link`]: the one kind of token that travels in mails, pages and cookies.
//!
//! A link is derived, never stored: key id, subject, version, expiry and 160 bits of HMAC-SHA-256 under a key
//! made for its purpose, as 64 characters of base64url (RFC 4648, section 5). So nothing in the database can be
//! turned into a link, and a link made for one purpose opens nothing else.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::Mac;

use super::{Keys, SigningKey, derive, hmac};
use crate::{clock::Timestamp, id::Id};

/// What a link may be used for. Each purpose has its own key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Confirms the sign-up it names.
    Confirm,
    /// Says that whoever has the address it names, by its keyed hash, did not sign up.
    NotMe,
    /// The cookie of the browser that sent the sign-up it names.
    Joined,
    /// Unsubscribes the supporter it names; never expires.
    Unsubscribe,
    /// Shows a masked page from which the supporter can only take away.
    Preferences,
    /// Shows and changes everything of the supporter; lives an hour.
    FreshPreferences,
    /// Confirms the application of the organisation it names.
    GroupApplication,
    /// Answers what staff asked about the application it names.
    ApplicationAnswer,
    /// Makes the first owner's account.
    Setup,
    /// Lets somebody who was invited to the staff set their first password.
    StaffInvite,
    /// Lets somebody on the staff who has lost their password set another.
    StaffReset,
    /// The cookie of a browser in which somebody on the staff has logged in before.
    StaffBrowser,
}

impl Purpose {
    const fn label(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::NotMe => "not me",
            Self::Joined => "joined",
            Self::Unsubscribe => "unsubscribe",
            Self::Preferences => "preferences",
            Self::FreshPreferences => "fresh preferences",
            Self::GroupApplication => "group application",
            Self::ApplicationAnswer => "application answer",
            Self::Setup => "setup",
            Self::StaffInvite => "staff invite",
            Self::StaffReset => "staff reset",
            Self::StaffBrowser => "staff browser",
        }
    }
}

/// What a link says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whom or what it is about: a sign-up, an address, a supporter or the installation.
    pub subject: Id,
    /// The supporter's `link_version` when it was made; 0 where nothing is versioned.
    pub version: u32,
    /// Until when it is good, to the second; `None` for ever.
    pub expires_at: Option<Timestamp>,
}

/// Why a link was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Not made by us, made for something else, or damaged on the way.
    #[error("this link is not complete, or was not made here")]
    Invalid,
    /// Genuine, but past its time.
    #[error("this link has expired")]
    Expired,
}

const BODY: usize = 4 + 16 + 4 + 4;
const MAC: usize = 20;

impl Keys {
    /// The token for `link`, 64 characters of `[A-Za-z0-9_-]`.
    #[must_use]
    pub fn sign(&self, purpose: Purpose, link: &Link) -> String {
        let expiry = link.expires_at.map_or(0, |at| u32::try_from(at.as_seconds()).unwrap_or(u32::MAX));
        let mut bytes = Vec::with_capacity(BODY + MAC);
        bytes.extend_from_slice(&self.current.id);
        bytes.extend_from_slice(link.subject.as_bytes());
        bytes.extend_from_slice(&link.version.to_be_bytes());
        bytes.extend_from_slice(&expiry.to_be_bytes());
        let mac = mac(&self.current, purpose, &bytes).finalize().into_bytes();
        bytes.extend_from_slice(&mac[..MAC]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What `token` says, if it was made here for `purpose` and is still good at `now`.
    ///
    /// # Errors
    /// [`LinkError::Expired`] only for genuine tokens; everything else is [`LinkError::Invalid`].
    pub fn verify(&self, purpose: Purpose, token: &str, now: Timestamp) -> Result<Link, LinkError> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| LinkError::Invalid)?;
        let (body, tag) = bytes.split_at_checked(BODY).ok_or(LinkError::Invalid)?;
        if tag.len() != MAC {
            return Err(LinkError::Invalid);
        }
        let key = self.signing_key(&body[..4]).ok_or(LinkError::Invalid)?;
        mac(key, purpose, body).verify_truncated_left(tag).map_err(|_| LinkError::Invalid)?;
        let link = parse(body).ok_or(LinkError::Invalid)?;
        match link.expires_at {
            Some(at) if at <= now => Err(LinkError::Expired),
            _ => Ok(link),
        }
    }
}

fn mac(key: &SigningKey, purpose: Purpose, body: &[u8]) -> hmac::Hmac<sha2::Sha256> {
    hmac(&derive(&key.root, purpose.label())).chain_update(body)
}

fn parse(body: &[u8]) -> Option<Link> {
    let subject: [u8; 16] = body.get(4..20)?.try_into().ok()?;
    let version = u32::from_be_bytes(body.get(20..24)?.try_into().ok()?);
    let expiry = u32::from_be_bytes(body.get(24..28)?.try_into().ok()?);
    Some(Link {
        subject: Id::from_bytes(subject),
        version,
        expires_at: (expiry != 0).then(|| Timestamp::from_seconds(i64::from(expiry))),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(secret: &str, old: &[&str]) -> Keys {
        let old: Vec<_> = old.iter().map(|text| (*text).to_owned().into()).collect();
        Keys::new(&secret.to_owned().into(), &old, &"suppression".to_owned().into())
    }

    fn link(expires_at: Option<Timestamp>) -> Link {
        Link { subject: Id::new(), version: 7, expires_at }
    }

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const ALL: [Purpose; 12] = [
        Purpose::ApplicationAnswer,
        Purpose::GroupApplication,
        Purpose::Confirm,
        Purpose::NotMe,
        Purpose::Joined,
        Purpose::Unsubscribe,
        Purpose::Preferences,
        Purpose::FreshPreferences,
        Purpose::Setup,
        Purpose::StaffInvite,
        Purpose::StaffReset,
        Purpose::StaffBrowser,
    ];

    #[test]
    fn a_link_opens_only_what_it_was_made_for() {
        let keys = keys("one", &[]);
        let link = link(None);
        for made_for in ALL {
            let token = keys.sign(made_for, &link);
            for used_for in ALL {
                let expected = if made_for == used_for { Ok(link) } else { Err(LinkError::Invalid) };
                assert_eq!(keys.verify(used_for, &token, NOW), expected, "{made_for:?} as {used_for:?}");
            }
        }
    }

    #[test]
    fn a_link_is_good_until_its_second_and_not_at_it() {
        let keys = keys("one", &[]);
        let token = keys.sign(Purpose::Confirm, &link(Some(NOW)));
        assert!(keys.verify(Purpose::Confirm, &token, NOW.before(std::time::Duration::from_secs(1))).is_ok());
        assert_eq!(keys.verify(Purpose::Confirm, &token, NOW), Err(LinkError::Expired));
    }

    #[test]
    fn an_old_secret_verifies_until_it_is_removed() {
        let token = keys("old", &[]).sign(Purpose::Unsubscribe, &link(None));
        assert!(keys("new", &["older", "old"]).verify(Purpose::Unsubscribe, &token, NOW).is_ok());
        assert_eq!(keys("new", &[]).verify(Purpose::Unsubscribe, &token, NOW), Err(LinkError::Invalid));
    }

    proptest! {
        #[test]
        fn every_link_comes_back_as_it_was(bytes: [u8; 16], version: u32, expiry in 1_800_000_001u32..) {
            let keys = keys("one", &[]);
            let link = Link {
                subject: Id::from_bytes(bytes),
                version,
                expires_at: Some(Timestamp::from_seconds(i64::from(expiry))),
            };
            let token = keys.sign(Purpose::Preferences, &link);
            prop_assert_eq!(token.len(), 64);
            prop_assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)));
            prop_assert_eq!(keys.verify(Purpose::Preferences, &token, NOW), Ok(link));
        }

        #[test]
        fn one_changed_character_makes_a_link_invalid(at in 0usize..64, to in "[A-Za-z0-9_-]") {
            let keys = keys("one", &[]);
            let token = keys.sign(Purpose::Confirm, &link(None));
            let mut changed = token.clone();
            changed.replace_range(at..=at, &to);
            prop_assume!(changed != token);
            prop_assert_eq!(keys.verify(Purpose::Confirm, &changed, NOW), Err(LinkError::Invalid));
        }

        #[test]
        fn no_text_makes_verification_panic(text in ".*") {
            prop_assert!(keys("one", &[]).verify(Purpose::Confirm, &text, NOW).is_err());
        }
    }
}

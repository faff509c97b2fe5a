//! E-mail addresses: which are accepted, how one is mailed, and when two are the same person.
//!
//! Called by the join form and imports (parse), by supporters (the matching key), by triage (the limit
//! key), by mail (the parts) and by pages (the mask). Must not ask the network whether an address exists,
//! and must not fold more into the key than the design names.
//!
//! Four forms of one address:
//! - `as_str`: stored and mailed. NFC (RFC 6532, 3.1), case kept (RFC 5321, 2.4).
//! - `key`: for matching. ASCII letters lower-cased, the domain as lower-case A-labels, nothing else.
//! - `limit_key`: for rate limits only; folds all that a mailbox provider might fold.
//! - `masked`: for pages.
//!
//! **The Kelvin sign.** NFC turns three characters into ASCII: U+212A into `K`, U+1FEF into a grave accent
//! and U+037E into `;`. Normalising them would make `mi\u{212A}e@` the mailbox `mike@`, whose owner never
//! typed it. In a local part these three keep their own form, so the address is another mailbox and is
//! mailed as typed; only the limit key folds them. In a domain IDNA decides, and maps them before DNS is asked.

mod syntax;

use std::borrow::Cow;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use self::syntax::{MAX_ADDRESS, beginning_to_ascii, check_domain, check_local, compose, plain_at, screen};
use super::wire::{debug_hides_value, travels_as_text};

/// Longest input that is normalised at all, in octets: NFC shortens to a third at most.
const MAX_INPUT: usize = 1024;

/// An address that mail can be sent to: dot-atom local part (RFC 5322, 3.4.1, with the UTF-8 of RFC 6531,
/// 3.3), at most 64 octets; dotted domain, at most 253 octets; at most 254 octets together.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress {
    text: Box<str>,
    /// Where the `@` is in `text`.
    at: usize,
    /// The domain for DNS, where it is not simply `text`'s domain in lower case.
    a_label: Option<Box<str>>,
}

/// Why a text is not an [`EmailAddress`]. The sentences are for the person who typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Nothing but white space.
    #[error("Enter an e-mail address.")]
    Empty,
    /// Over a limit of RFC 5321, 4.5.3.1.
    #[error("Enter a shorter e-mail address: at most 64 bytes before the @ and 254 in all.")]
    TooLong,
    /// No `@`, or several.
    #[error("Enter an e-mail address with one @ in it, like name@example.org.")]
    AtSign,
    /// White space inside.
    #[error("Remove the spaces from the e-mail address.")]
    WhiteSpace,
    /// Control, invisible, reordering or private characters, or a combining mark without its letter.
    #[error("Type the e-mail address by hand: it contains characters that cannot be seen.")]
    Characters,
    /// The local part is not a dot-atom.
    #[error("Check the part before the @: letters, digits and single dots between them are safe.")]
    LocalPart,
    /// A quoted local part (RFC 5321, 4.1.2), which we do not accept.
    #[error("Enter an e-mail address without quotation marks.")]
    Quoted,
    /// Not a domain that could have a mail exchanger.
    #[error("Check the part after the @: it should be a domain like example.org.")]
    Domain,
    /// An address literal (RFC 5321, 4.1.3), which we do not accept.
    #[error("Enter an e-mail address with a domain like example.org, not with an IP address.")]
    IpLiteral,
}

impl EmailError {
    /// The stable code for `errors[].code` in a problem document.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "required",
            Self::TooLong => "too_long",
            Self::Characters => "control_characters",
            Self::AtSign | Self::WhiteSpace | Self::LocalPart | Self::Quoted => "invalid_email",
            Self::Domain | Self::IpLiteral => "invalid_email_domain",
        }
    }
}

impl EmailAddress {
    /// Reads an address, trimming ASCII white space around it.
    ///
    /// Plain ASCII costs one pass and one allocation; everything else, refusals included, takes the
    /// general way.
    ///
    /// # Errors
    /// The first rule that the text breaks.
    pub fn parse(input: &str) -> Result<Self, EmailError> {
        let trimmed = input.trim_ascii();
        match plain_at(trimmed.as_bytes()) {
            Some(at) => Ok(Self { text: trimmed.into(), at, a_label: None }),
            None => Self::parse_general(trimmed),
        }
    }

    fn parse_general(trimmed: &str) -> Result<Self, EmailError> {
        if trimmed.is_empty() {
            return Err(EmailError::Empty);
        }
        if trimmed.len() > MAX_INPUT {
            return Err(EmailError::TooLong);
        }
        if trimmed.starts_with('"') {
            return Err(EmailError::Quoted);
        }
        screen(trimmed)?;
        let (local, domain) = trimmed.split_once('@').ok_or(EmailError::AtSign)?;
        if domain.contains('@') {
            return Err(EmailError::AtSign);
        }
        let mut text = compose(local);
        check_local(&text)?;
        let at = text.len();
        let (spelling, a_label) = check_domain(domain)?;
        let octets = at.saturating_add(1).saturating_add(spelling.len().max(a_label.len()));
        if octets > MAX_ADDRESS {
            return Err(EmailError::TooLong);
        }
        text.push('@');
        text.push_str(&spelling);
        let a_label = (!spelling.eq_ignore_ascii_case(&a_label)).then(|| a_label.into());
        Ok(Self { text: text.into(), at, a_label })
    }

    /// The stored and mailed form: NFC, case kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the `@`, as stored. Not ASCII means that the relay must offer SMTPUTF8 (RFC 6531).
    #[must_use]
    pub fn local_part(&self) -> &str {
        &self.text[..self.at]
    }

    /// What stands after the `@`, as stored.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.text[self.at.saturating_add(1)..]
    }

    /// The domain as lower-case A-labels (RFC 5890, 2.3.2.1): for SMTP, DNS and comparisons.
    #[must_use]
    pub fn ascii_domain(&self) -> Cow<'_, str> {
        match &self.a_label {
            Some(a_label) => Cow::Borrowed(a_label),
            None if self.domain().bytes().any(|b| b.is_ascii_uppercase()) => {
                Cow::Owned(self.domain().to_ascii_lowercase())
            }
            None => Cow::Borrowed(self.domain()),
        }
    }

    /// The matching key: equal keys are one person. Itself an address, and its own key.
    #[must_use]
    pub fn key(&self) -> String {
        let mut key = self.local_key().into_owned();
        key.push('@');
        key.push_str(&self.ascii_domain());
        key
    }

    fn local_key(&self) -> Cow<'_, str> {
        Cow::Owned(lowered(self.local_part()))
    }

    /// What somebody types who looks for an address by its beginning, as matching keys begin. Without an `@` it begins a
    /// local part; behind one, see [`EmailAddress::domain_of_beginning`].
    #[must_use]
    pub fn key_of_beginning(typed: &str) -> String {
        match typed.split_once('@') {
            Some((local, domain)) => format!("{}@{}", lowered(local), Self::domain_of_beginning(domain)),
            None => lowered(typed),
        }
    }

    /// The same of a domain: A-labels as far as IDNA maps it, so that an international label is found when it is typed
    /// whole (the letters of a part of one are nowhere in its A-label). Never empty, unless nothing is typed.
    #[must_use]
    pub fn domain_of_beginning(typed: &str) -> String {
        beginning_to_ascii(typed).unwrap_or_else(|| typed.to_ascii_lowercase())
    }

    /// The folded form that rate limits count under; never for matching people and never mailed.
    ///
    /// Dots and a +tag are dropped, letters of every script lower-cased, and compatibility characters
    /// (full-width letters, the Kelvin sign) replaced as NFKC does.
    #[must_use]
    pub fn limit_key(&self) -> String {
        let key = self.local_key();
        let folded: String = if key.is_ascii() {
            key.into_owned()
        } else {
            key.nfkc().flat_map(char::to_lowercase).nfkc().collect()
        };
        let mailbox = folded.split('+').next().unwrap_or_default();
        let mut limit_key: String = mailbox.chars().filter(|&c| c != '.').collect();
        if limit_key.is_empty() {
            // `+tag@` has no mailbox name to fold to; strangers at one domain must not share a limit.
            limit_key = folded;
        }
        limit_key.push('@');
        limit_key.push_str(&self.ascii_domain());
        limit_key
    }

    /// Enough for its owner to recognise and for nobody else to learn: `m…e@e…e.org`.
    #[must_use]
    pub fn masked(&self) -> String {
        let (name, top) = self.domain().rsplit_once('.').unwrap_or((self.domain(), ""));
        format!("{}@{}.{top}", mask(self.local_part()), mask(name))
    }
}

impl FromStr for EmailAddress {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        Self::parse(text)
    }
}

travels_as_text!([] EmailAddress, "an e-mail address");
debug_hides_value!([] EmailAddress, "EmailAddress");

/// A local part, or a beginning of one, as matching keys have it.
fn lowered(local: &str) -> String {
    let lower = local.to_ascii_lowercase();
    // H with a line below has no composed form, h with one has: the letters' case must not show.
    if lower.is_ascii() { lower } else { compose(&lower) }
}

/// First and last letter, or only the first of a short word.
fn mask(word: &str) -> String {
    let mut letters = word.chars().filter(|&c| !is_combining_mark(c));
    let first = letters.next();
    let last = letters.next_back().filter(|_| letters.nth(1).is_some());
    first.into_iter().chain(['…']).chain(last).collect()
}

#[cfg(test)]
mod tests;

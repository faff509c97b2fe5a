//! The grammar of an address: its two parts, their characters and their lengths.
//!
//! Called by the parent module only. Must not know what an address is used for.

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::EmailError;
use crate::contact::chars;

/// Longest local part, in octets (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// Longest domain as A-labels, in octets (RFC 1035, 2.3.4, less the root's two).
const MAX_DOMAIN: usize = 253;
/// Longest label of a domain, in octets (RFC 1035, 2.3.4).
const MAX_LABEL: usize = 63;
/// Longest address, in octets: a path of 256 without its angle brackets (RFC 5321, 4.5.3.1.3).
pub(super) const MAX_ADDRESS: usize = 254;

/// Where the `@` is, if this is an address that needs neither normalising nor IDNA.
pub(super) fn plain_at(bytes: &[u8]) -> Option<usize> {
    let at = bytes.iter().position(|&b| b == b'@')?;
    let local = bytes.get(..at)?;
    let domain = bytes.get(at.checked_add(1)?..)?;
    let plain =
        bytes.len() <= MAX_ADDRESS && local.len() <= MAX_LOCAL && is_dot_atom(local) && is_plain(domain);
    plain.then_some(at)
}

fn is_dot_atom(local: &[u8]) -> bool {
    local.split(|&b| b == b'.').all(|atom| !atom.is_empty() && atom.iter().copied().all(is_atext))
}

/// `atext` of RFC 5322, 3.2.3.
fn is_atext(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b)
}

/// A dotted domain of letters, digits and single hyphens. Double ones may be A-labels: IDNA's business.
fn is_plain(domain: &[u8]) -> bool {
    let mut labels = 0_u32;
    let mut numeric = true;
    for label in domain.split(|&b| b == b'.') {
        labels = labels.saturating_add(1);
        numeric = label.iter().all(u8::is_ascii_digit);
        let edges = label.first() != Some(&b'-') && label.last() != Some(&b'-');
        let letters = label.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
        if label.is_empty()
            || label.len() > MAX_LABEL
            || !edges
            || !letters
            || label.windows(2).any(|w| w == b"--")
        {
            return false;
        }
    }
    labels >= 2 && !numeric && domain.len() <= MAX_DOMAIN
}

/// Refuses what cannot be seen, wherever it stands; the domain too, because IDNA would drop it in silence.
pub(super) fn screen(text: &str) -> Result<(), EmailError> {
    for c in text.chars() {
        if c.is_control() || chars::is_invisible(c) || chars::is_meaningless(c) {
            return Err(EmailError::Characters);
        }
        if c.is_whitespace() {
            return Err(EmailError::WhiteSpace);
        }
    }
    Ok(())
}

/// The characters that NFC would turn into ASCII; see the module's notes.
pub(super) fn turns_ascii(c: char) -> bool {
    matches!(c, '\u{212A}' | '\u{1FEF}' | '\u{37E}')
}

/// NFC, except that no character turns into an ASCII one.
pub(super) fn compose(local: &str) -> String {
    let mut composed = String::with_capacity(local.len());
    for piece in local.split_inclusive(turns_ascii) {
        match piece.char_indices().next_back() {
            Some((start, kept)) if turns_ascii(kept) => {
                composed.extend(piece[..start].nfc());
                composed.push(kept);
            }
            _ => composed.extend(piece.nfc()),
        }
    }
    composed
}

/// A dot-atom whose letters may be of any script (RFC 6531, 3.3).
pub(super) fn check_local(local: &str) -> Result<(), EmailError> {
    if local.len() > MAX_LOCAL {
        return Err(EmailError::TooLong);
    }
    for atom in local.split('.') {
        if atom.chars().next().is_some_and(is_combining_mark) {
            return Err(EmailError::Characters);
        }
        if atom.is_empty() || !atom.bytes().all(|b| !b.is_ascii() || is_atext(b)) {
            return Err(EmailError::LocalPart);
        }
    }
    Ok(())
}

/// The domain's stored spelling and its A-labels, by UTS #46 (non-transitional, STD3 rules, hyphens checked).
pub(super) fn check_domain(domain: &str) -> Result<(String, String), EmailError> {
    if domain.starts_with('[') {
        return Err(EmailError::IpLiteral);
    }
    let idna = Uts46::new();
    let a_label = idna
        .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify)
        .map_err(|_| EmailError::Domain)?;
    let (_, top) = a_label.rsplit_once('.').ok_or(EmailError::Domain)?;
    if top.is_empty() || top.bytes().all(|b| b.is_ascii_digit()) {
        return Err(EmailError::Domain);
    }
    if domain.is_ascii() {
        return Ok((domain.to_owned(), a_label.into_owned()));
    }
    // As typed if IDNA changed no more than the case; else as IDNA reads it, so that what staff see in a
    // list is where the mail goes (full-width letters, ideographic full stops).
    let (unicode, valid) = idna.to_unicode(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::Check);
    let typed: String = domain.nfc().collect();
    let spelling = if typed.to_lowercase() == unicode {
        typed
    } else if valid.is_ok() && screen(&unicode).is_ok() {
        unicode.into_owned()
    } else {
        a_label.clone().into_owned()
    };
    Ok((spelling, a_label.into_owned()))
}

/// The A-labels of an international domain of which only a beginning may be there; nothing for ASCII, and for what IDNA
/// refuses or maps to nothing (a beginning that is empty would be everybody's).
pub(super) fn beginning_to_ascii(typed: &str) -> Option<String> {
    if typed.is_ascii() {
        return None;
    }
    let mapped =
        Uts46::new().to_ascii(typed.as_bytes(), AsciiDenyList::STD3, Hyphens::Allow, DnsLength::Ignore);
    mapped.ok().map(|labels| labels.into_owned()).filter(|labels| !labels.is_empty())
}

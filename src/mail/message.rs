//! A finished message: from a sender's identity, a recipient and rendered content to the bytes a relay gets.
//! Called by the outbox when it sends; must not render templates nor know why a mail is owed.

use std::{borrow::Cow, net::Ipv4Addr, time::SystemTime};

use lettre::{
    Address,
    address::Envelope,
    message::{
        Body, Mailbox, Mailboxes,
        header::{self, ContentTransferEncoding, Header, Headers},
    },
};
use memchr::{memchr, memchr_iter};
use uuid::Uuid;

use super::transport::{Outgoing, SendError};

/// Longest unsubscribe link: with its header name and brackets it must fit one line of 998 bytes.
const LINK_MAX: usize = 900;

/// Longest line of a message, without its CRLF (RFC 5322).
const LINE_MAX: usize = 998;

/// Room for headers and boundaries.
const SPARE: usize = 1024;

/// Why a message could not be made. Texts hold no addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The sender is not `Name <local@domain>` or `local@domain`.
    #[error("the sender is not an address of the form \"Name <local@domain>\"")]
    From,
    /// The reply address is not an address.
    #[error("the reply address is not an address of the form \"Name <local@domain>\"")]
    ReplyTo,
    /// The recipient is not an address.
    #[error("the recipient is not an address")]
    To,
    /// The unsubscribe link is not an http(s) address in ASCII, or is too long.
    #[error("the unsubscribe link is not an http(s) address in ASCII of at most 900 characters")]
    Unsubscribe,
}

impl From<MessageError> for SendError {
    fn from(error: MessageError) -> Self {
        Self::Refused(error.to_string())
    }
}

/// Who our mail is from, parsed once from the configuration.
#[derive(Clone, Debug)]
pub struct Identity {
    from: Mailbox,
    /// The headers that are the same in every mail.
    head: String,
}

/// What a mail says, rendered. A visitor's words must not be in it (see the design: confirmation mails).
#[derive(Clone, Debug)]
pub struct Content {
    /// The subject; control characters become spaces.
    pub subject: String,
    /// The plain text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// The link for RFC 8058 one-click unsubscribing: every mail but confirmations has one.
    pub unsubscribe: Option<String>,
}

impl Identity {
    /// Parses `Name <local@domain>` or `local@domain`, for the sender and for replies (empty: none).
    ///
    /// # Errors
    /// When either is not such an address.
    pub fn parse(from: &str, reply_to: Option<&str>) -> Result<Self, MessageError> {
        let reply_to = reply_to.filter(|text| !text.trim().is_empty());
        let reply_to = reply_to.map(|text| mailbox(text).ok_or(MessageError::ReplyTo)).transpose()?;
        let from = mailbox(from).ok_or(MessageError::From)?;
        let mut head = print(header::From::from(Mailboxes::from(from.clone())));
        if let Some(reply_to) = reply_to {
            head += &print(header::ReplyTo::from(Mailboxes::from(reply_to)));
        }
        // Keeps vacation notices and mailing lists from answering (RFC 3834).
        head += "MIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\n";
        Ok(Self { from, head })
    }

    /// The domain of the sender's address, in A-labels: of Message-IDs, and a fair name to say hello with.
    pub fn domain(&self) -> &str {
        self.from.email.domain()
    }

    /// The whole message for one recipient. The same arguments make the same bytes.
    ///
    /// # Errors
    /// When `to` or the unsubscribe link cannot stand in a header.
    pub fn build(
        &self,
        id: Uuid,
        to: &str,
        content: &Content,
        now: SystemTime,
    ) -> Result<Outgoing, MessageError> {
        let to = address(to).ok_or(MessageError::To)?;
        let envelope =
            Envelope::new(Some(self.from.email.clone()), vec![to.clone()]).map_err(|_| MessageError::To)?;
        let mut bytes = Vec::with_capacity(SPARE + content.text.len() + content.html.len());
        let mut push = |head: &str| bytes.extend_from_slice(head.as_bytes());
        push(&print(header::Date::from(now)));
        push(&self.head);
        push(&to_header(to));
        push(&print(header::Subject::from(one_line(&content.subject))));
        if let Some(link) = &content.unsubscribe {
            if !is_link(link) {
                return Err(MessageError::Unsubscribe);
            }
            // As it stands: a link must not be folded or encoded.
            push("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
            push(&format!("List-Unsubscribe: <{link}>\r\n"));
        }
        // The boundary comes from the id, so that every try sends the same bytes.
        let boundary = format!("part-{}", id.simple());
        push(&format!("Message-ID: <{id}@{}>\r\n", self.domain()));
        push(&format!("Content-Type: multipart/alternative;\r\n boundary=\"{boundary}\"\r\n\r\n"));
        for (kind, text) in [("plain", &content.text), ("html", &content.html)] {
            push_part(&mut bytes, &boundary, kind, text);
        }
        for piece in ["--", &boundary, "--\r\n"] {
            bytes.extend_from_slice(piece.as_bytes());
        }
        Ok(Outgoing { id, envelope, bytes })
    }
}

fn to_header(to: Address) -> String {
    let plain: &str = to.as_ref();
    // As `print` would, in less time: nothing to encode, and no place to fold.
    if plain.is_ascii() {
        format!("To: {plain}\r\n")
    } else {
        print(header::To::from(Mailboxes::from(Mailbox::new(None, to))))
    }
}

/// A header's line or lines, encoded and folded as its value needs (RFC 2047, RFC 5322).
fn print(value: impl Header) -> String {
    let mut headers = Headers::with_capacity(1);
    headers.set(value);
    headers.to_string()
}

/// Appends a part of the text type `kind` (RFC 2046).
fn push_part(bytes: &mut Vec<u8>, boundary: &str, kind: &str, text: &str) {
    // A lone CR or LF may be read as the end of a line, or of the message, by one relay and not by the next.
    let text = if memchr(b'\r', text.as_bytes()).is_some() {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    };
    let start = bytes.len();
    push_part_head(bytes, boundary, kind, ContentTransferEncoding::SevenBit);
    if !push_as_it_is(bytes, &text) {
        let body = Body::new(text.replace('\n', "\r\n"));
        bytes.truncate(start);
        push_part_head(bytes, boundary, kind, body.encoding());
        bytes.extend_from_slice(&body.into_vec());
        bytes.extend_from_slice(b"\r\n");
    }
}

fn push_part_head(bytes: &mut Vec<u8>, boundary: &str, kind: &str, encoding: ContentTransferEncoding) {
    let head = format!(
        "--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    );
    bytes.extend_from_slice(head.as_bytes());
}

/// Appends `text`, if it may go out unencoded (RFC 2045, 2.7); what it appended otherwise is to be taken back.
fn push_as_it_is(bytes: &mut Vec<u8>, text: &str) -> bool {
    let text = text.as_bytes();
    if !text.is_ascii() || memchr(0, text).is_some() {
        return false;
    }
    let mut start = 0;
    for end in memchr_iter(b'\n', text).chain([text.len()]) {
        let line = &text[start..end];
        if line.len() > LINE_MAX {
            return false;
        }
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(b"\r\n");
        start = end + 1;
    }
    true
}

fn mailbox(text: &str) -> Option<Mailbox> {
    if text.chars().any(char::is_control) {
        return None;
    }
    let text = text.trim();
    let Some(rest) = text.strip_suffix('>') else { return Some(Mailbox::new(None, address(text)?)) };
    let (name, email) = rest.rsplit_once('<')?;
    let name = name.trim();
    let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
    Some(Mailbox::new((!name.is_empty()).then(|| name.to_owned()), address(email)?))
}

/// A dot-atom local part, and a domain in A-labels.
fn address(text: &str) -> Option<Address> {
    let (local, domain) = text.rsplit_once('@')?;
    let special = |c| matches!(c, '"' | '(' | ')' | '<' | '>' | '[' | ']' | ':' | ';' | ',' | '\\' | '@');
    let odd = |c: char| c.is_control() || c.is_whitespace() || special(c);
    if local.chars().any(odd) || domain.chars().any(odd) {
        return None;
    }
    let domain = if domain.is_ascii() {
        Cow::Borrowed(domain)
    } else {
        Cow::Owned(idna::domain_to_ascii_strict(domain).ok()?)
    };
    // After the mapping: full-width digits make an IP address too.
    if domain.parse::<Ipv4Addr>().is_ok() {
        return None;
    }
    Address::new(local, domain).ok()
}

fn is_link(link: &str) -> bool {
    link.len() <= LINK_MAX
        && (link.starts_with("https://") || link.starts_with("http://"))
        && link.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>,".contains(&byte))
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// A message to `to`, with a new id: for the tests of transports.
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
pub(crate) fn sample(to: &str) -> Outgoing {
    let content = Content {
        subject: "Größe".into(),
        text: "Guten Tag – hello".into(),
        html: "<p>Guten Tag – hello</p>".into(),
        unsubscribe: None,
    };
    let identity = Identity::parse("Coalition <hello@example.org>", None).unwrap();
    identity.build(Uuid::now_v7(), to, &content, SystemTime::now()).unwrap()
}

#[cfg(test)]
mod tests;

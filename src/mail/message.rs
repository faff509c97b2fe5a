//! A finished message: from a sender's identity, a recipient and rendered content to the bytes a relay gets.
//! Called by the outbox when it sends; must not render templates nor know why a mail is owed.

use std::{borrow::Cow, net::Ipv4Addr, time::SystemTime};

use lettre::{
    Address,
    address::Envelope,
    message::{
        Body, Mailbox, Message, MultiPart, SinglePart,
        header::{ContentTransferEncoding, HeaderName, HeaderValue},
    },
};
use uuid::Uuid;

use super::transport::{Outgoing, SendError};

/// Longest unsubscribe link: with its header name and brackets it must fit one line of 998 bytes.
const LINK_MAX: usize = 900;

/// Longest line of a message, without its CRLF (RFC 5322).
const LINE_MAX: usize = 998;

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
    /// The parts do not make a message.
    #[error("the parts do not make a message")]
    Parts,
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
    reply_to: Option<Mailbox>,
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
        Ok(Self { from: mailbox(from).ok_or(MessageError::From)?, reply_to })
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
        let mut message = Message::builder()
            .envelope(envelope.clone())
            .date(now)
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(one_line(&content.subject))
            .message_id(Some(format!("<{id}@{}>", self.domain())))
            // Keeps vacation notices and mailing lists from answering (RFC 3834).
            .raw_header(header("Auto-Submitted", "auto-generated".to_owned()));
        if let Some(reply_to) = &self.reply_to {
            message = message.reply_to(reply_to.clone());
        }
        if let Some(link) = &content.unsubscribe {
            if !is_link(link) {
                return Err(MessageError::Unsubscribe);
            }
            message = message
                .raw_header(header("List-Unsubscribe", format!("<{link}>")))
                .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
        }
        // The boundary comes from the id, so that every try sends the same bytes.
        let parts = MultiPart::alternative()
            .boundary(format!("part-{}", id.simple()))
            .singlepart(SinglePart::plain(body(&content.text)))
            .singlepart(SinglePart::html(body(&content.html)));
        let bytes = message.multipart(parts).map_err(|_| MessageError::Parts)?.formatted();
        Ok(Outgoing { id, envelope, bytes })
    }
}

/// As it stands: the values are checked, and a link must not be folded or encoded.
fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.clone(), value)
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
    let odd = |c: char| c.is_control() || c.is_whitespace() || "\"()<>[]:;,\\@".contains(c);
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

/// What may go out as it is does; lettre takes five times as long to find that out.
fn body(text: &str) -> Body {
    let text = lines(text);
    let fits =
        text.is_ascii() && !text.contains('\0') && text.split("\r\n").all(|line| line.len() <= LINE_MAX);
    if fits {
        Body::dangerous_pre_encoded(text.into_bytes(), ContentTransferEncoding::SevenBit)
    } else {
        Body::new(text)
    }
}

/// Every end of line as CRLF: a lone CR or LF may be read as the end of a line, or of the message, by one relay
/// and not by the next.
fn lines(text: &str) -> String {
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
    } else {
        text.replace('\n', "\r\n")
    }
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

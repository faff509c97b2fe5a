//! How a finished message leaves: over SMTP, into a local mailbox folder, or into memory for tests.
//! Called by the outbox senders, each of which owns one [`Sender`]; must not know what a mail says.

use std::{fmt, time::Duration};

use lettre::address::Envelope;
use uuid::Uuid;

pub mod mailbox;
pub mod memory;
pub mod smtp;

/// Why a try failed, as the outbox must treat it. Texts hold no addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The relay could not be reached or the dialogue broke: try again later.
    #[error("the mail relay could not be reached: {0}")]
    Unreachable(String),
    /// The relay said 4xx, or the fault is in our settings: try again later.
    #[error("the mail relay put the message off: {0}")]
    Deferred(String),
    /// The relay said 5xx, or the message cannot be sent at all: do not try again.
    #[error("the mail relay refused the message: {0}")]
    Refused(String),
}

/// A whole try, connecting included, takes at most this long (shorter than the outbox lease).
pub const TRY_LIMIT: Duration = Duration::from_secs(20);

/// One message as the relay gets it.
#[derive(Clone)]
pub struct Outgoing {
    /// The outbox row's id: the same for every try, so that a repeat is recognised as one.
    pub id: Uuid,
    /// Who it is from and to, as told to the relay.
    pub envelope: Envelope,
    /// The RFC 5322 message with its headers, every line ended by CRLF.
    pub bytes: Vec<u8>,
}

// By hand: a derived Debug would put the recipient and the links into logs.
impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("id", &self.id).field("bytes", &self.bytes.len()).finish()
    }
}

/// Where mail goes, as configured. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Transport {
    /// A relay, over SMTP.
    Smtp(smtp::Relay),
    /// A folder of `.eml` files (development).
    Mailbox(mailbox::Mailbox),
    /// A list in memory (tests).
    Memory(memory::Memory),
}

impl Transport {
    /// A sender for one task.
    pub fn sender(&self) -> Sender {
        match self {
            Self::Smtp(relay) => Sender::Smtp(relay.sender()),
            Self::Mailbox(mailbox) => Sender::Mailbox(mailbox.clone()),
            Self::Memory(memory) => Sender::Memory(memory.clone()),
        }
    }
}

/// Sends one message after another; belongs to one task and keeps its connection open between messages.
#[derive(Debug)]
pub enum Sender {
    /// Over SMTP.
    Smtp(smtp::SmtpSender),
    /// Into a folder.
    Mailbox(mailbox::Mailbox),
    /// Into memory.
    Memory(memory::Memory),
}

impl Sender {
    /// Hands one message over: `Ok` means that the other side answers for it from now on.
    ///
    /// Safe to cancel: a connection in doubt is dropped, never used again.
    ///
    /// # Errors
    /// What went wrong, as the outbox must treat it.
    pub async fn send(&mut self, mail: &Outgoing) -> Result<(), SendError> {
        match self {
            Self::Smtp(sender) => sender.send(mail).await,
            Self::Mailbox(mailbox) => mailbox.keep(mail).await,
            Self::Memory(memory) => memory.keep(mail),
        }
    }

    /// Says goodbye to the relay; takes at most a second.
    pub async fn close(self) {
        if let Self::Smtp(sender) = self {
            sender.close().await;
        }
    }
}

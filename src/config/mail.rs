//! `[mail]`: who mails come from and how they leave.

use std::path::PathBuf;

use serde::Deserialize;

use crate::mail::transport::smtp::SmtpSettings;

/// `[mail]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// Mailbox folder or relay.
    pub transport: TransportKind,
    /// Folder of the mailbox transport.
    pub mailbox_dir: PathBuf,
    /// `Name <address>` of the sender.
    pub from: String,
    /// Where replies go; empty for the sender.
    pub reply_to: String,
    /// Ends every mail; may be empty in development.
    pub postal_address: String,
    /// Messages in hand at once.
    pub senders: usize,
    /// `[mail.smtp]`
    pub smtp: SmtpSettings,
}

/// How mails leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransportKind {
    /// Files in a folder.
    Mailbox,
    /// A relay.
    Smtp,
}

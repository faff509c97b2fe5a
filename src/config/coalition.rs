//! `[groups]`: how recalls reach the member organisations.

use std::path::PathBuf;

use serde::Deserialize;

/// `[groups]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupsConfig {
    /// Days after which a recall that nobody acknowledged counts as overdue.
    pub recall_overdue_days: u16,
    /// Whether webhooks may lead into networks that are not public.
    pub webhook_allow_private: bool,
    /// Trust the certificates in this PEM file, and only these, when webhooks are called.
    #[serde(default)]
    pub webhook_ca_file: Option<PathBuf>,
}

//! The links that mails to supporters carry.

use std::time::Duration;

use crate::{
    clock::Timestamp,
    id::Id,
    kernel::Kernel,
    keys::{Link, Purpose},
};

/// How long a fresh link shows and changes everything.
const FRESH: Duration = Duration::from_secs(3600);

/// What every mail to a supporter ends with.
#[derive(Clone, Debug)]
pub struct Links {
    /// The page that can take away.
    pub preferences: String,
    /// The page (and one-click address) that unsubscribes.
    pub unsubscribe: String,
}

impl Links {
    /// The links of the supporter `id`.
    #[must_use]
    pub fn of(kernel: &Kernel, id: Id, link_version: i32) -> Self {
        Self {
            preferences: preferences_url(kernel, id, link_version),
            unsubscribe: unsubscribe_url(kernel, id),
        }
    }
}

/// Unsubscribes, for ever and nothing else; not versioned, since it can only take away.
#[must_use]
pub fn unsubscribe_url(kernel: &Kernel, id: Id) -> String {
    let link = Link { subject: id, version: 0, expires_at: None };
    kernel.url(&format!("/unsubscribe/{}", kernel.keys.sign(Purpose::Unsubscribe, &link)))
}

/// The masked preferences page.
#[must_use]
pub fn preferences_url(kernel: &Kernel, id: Id, link_version: i32) -> String {
    let link = Link { subject: id, version: version(link_version), expires_at: None };
    kernel.url(&format!("/preferences/{}", kernel.keys.sign(Purpose::Preferences, &link)))
}

/// The full preferences page, for an hour from `now`.
#[must_use]
pub fn fresh_preferences_url(kernel: &Kernel, id: Id, link_version: i32, now: Timestamp) -> String {
    let link = Link { subject: id, version: version(link_version), expires_at: Some(now.after(FRESH)) };
    kernel.url(&format!("/preferences/{}", kernel.keys.sign(Purpose::FreshPreferences, &link)))
}

fn version(link_version: i32) -> u32 {
    u32::try_from(link_version).unwrap_or(0)
}

//! `[staff]`: how long logins and mailed links of the staff hold.

use std::time::Duration;

use serde::Deserialize;

/// `[staff]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaffConfig {
    /// Minutes without a request after which a session ends.
    pub session_idle_minutes: u32,
    /// Hours after the login at which a session ends in any case.
    pub session_hours: u32,
    /// Days an invitation's link lives from its sending.
    pub invite_days: u16,
    /// Minutes the link to set a new password lives from its sending.
    pub reset_minutes: u16,
}

impl StaffConfig {
    /// How long a session may rest.
    #[must_use]
    pub fn idle(&self) -> Duration {
        Duration::from_secs(u64::from(self.session_idle_minutes) * 60)
    }

    /// How long a session may last.
    #[must_use]
    pub fn session(&self) -> Duration {
        Duration::from_secs(u64::from(self.session_hours) * 3600)
    }

    /// How long an invitation's link lives.
    #[must_use]
    pub fn invitation(&self) -> Duration {
        Duration::from_secs(u64::from(self.invite_days) * 86_400)
    }

    /// How long a link to set a new password lives.
    #[must_use]
    pub fn reset(&self) -> Duration {
        Duration::from_secs(u64::from(self.reset_minutes) * 60)
    }
}

//! What must hold before the server starts, reported all at once.

use secrecy::ExposeSecret;

use super::{Config, ConfigError, Mode, TransportKind};
use crate::mail::message::Identity;

impl Config {
    /// Checks what no single key can tell.
    ///
    /// # Errors
    /// [`ConfigError::Incomplete`] with a sentence for everything that is missing or contradictory.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        let mut demand = |holds: bool, sentence: &str| {
            if !holds {
                problems.push(sentence.to_owned());
            }
        };
        match self.mode {
            Mode::Development => demand(
                self.server.listen.ip().is_loopback(),
                "server.listen must be a loopback address in development; set mode = \"production\" to serve others",
            ),
            Mode::Production => self.check_production(&mut demand),
        }
        demand((1..=30).contains(&self.signups.link_days), "signups.link_days must be from 1 to 30");
        demand((1..=14).contains(&self.signups.purge_days), "signups.purge_days must be from 1 to 14");
        demand(
            self.signups.purge_days >= self.signups.link_days,
            "signups.purge_days must not be below signups.link_days, or links would outlive what they confirm",
        );
        demand(
            (1..=29).contains(&self.groups.recall_overdue_days),
            "groups.recall_overdue_days must be from 1 to 29",
        );
        demand(
            self.audit.retention_days == 0 || (30..=36_500).contains(&self.audit.retention_days),
            "audit.retention_days must be 0 (for ever) or from 30 to 36500",
        );
        demand(self.intake.queue_capacity > 0, "intake.queue_capacity must be at least 1");
        demand(
            (1..=4 << 30).contains(&self.imports.max_bytes),
            "imports.max_bytes must be from 1 to 4294967296 (4 GiB)",
        );
        demand(
            (1..=1_000_000).contains(&self.imports.invites_per_hour),
            "imports.invites_per_hour must be from 1 to 1000000",
        );
        demand((1..=64).contains(&self.mail.senders), "mail.senders must be from 1 to 64");
        demand(
            (1..=64).contains(&self.database.read_connections),
            "database.read_connections must be from 1 to 64",
        );
        demand(!self.campaign.name.trim().is_empty(), "campaign.name must not be empty");
        demand(
            jiff::tz::TimeZone::get(&self.campaign.timezone).is_ok(),
            "campaign.timezone must be an IANA time zone such as America/New_York",
        );
        demand(
            (5..=1440).contains(&self.staff.session_idle_minutes),
            "staff.session_idle_minutes must be from 5 to 1440",
        );
        demand((1..=168).contains(&self.staff.session_hours), "staff.session_hours must be from 1 to 168");
        demand((1..=30).contains(&self.staff.invite_days), "staff.invite_days must be from 1 to 30");
        demand(
            (10..=1440).contains(&self.staff.reset_minutes),
            "staff.reset_minutes must be from 10 to 1440",
        );
        demand(
            self.campaign.security_contact.is_empty() || self.campaign.security_contact_uri().is_some(),
            "campaign.security_contact must be empty, an e-mail address or a page that starts with https://",
        );
        demand(
            self.metrics.listen.is_empty() || self.metrics.listen.parse::<std::net::SocketAddr>().is_ok(),
            "metrics.listen must be empty or an address with a port such as 127.0.0.1:9100",
        );
        demand(
            tracing_subscriber::EnvFilter::try_new(&self.log.filter).is_ok(),
            "log.filter must be a level or a list such as \"openhearth=debug,info\"",
        );
        demand(
            self.mail.transport != TransportKind::Smtp || !self.mail.smtp.host.is_empty(),
            "mail.smtp.host must name the relay when mail.transport is \"smtp\"",
        );
        if problems.is_empty() { Ok(()) } else { Err(ConfigError::Incomplete(problems)) }
    }

    fn check_production(&self, demand: &mut impl FnMut(bool, &str)) {
        let long = |secret: &Option<secrecy::SecretString>| {
            secret.as_ref().is_some_and(|secret| secret.expose_secret().len() >= 32)
        };
        demand(self.server.base_url.starts_with("https://"), "server.base_url must start with https://");
        demand(long(&self.secret), "secret must be set, with at least 32 characters");
        demand(long(&self.suppression_key), "suppression_key must be set, with at least 32 characters");
        demand(self.mail.transport == TransportKind::Smtp, "mail.transport must be \"smtp\"");
        demand(!self.mail.smtp.host.is_empty(), "mail.smtp.host must name the relay");
        demand(!self.mail.postal_address.trim().is_empty(), "mail.postal_address must be set");
        let from = &self.mail.from;
        demand(
            Identity::parse(from, None).is_ok() && !from.contains("@example.org"),
            "mail.from must be an address of yours, as in \"Name <local@domain>\"",
        );
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_start_in_development() {
        Config::defaults().unwrap().check().unwrap();
    }

    #[test]
    fn production_names_everything_that_is_missing_at_once() {
        let mut config = Config::defaults().unwrap();
        config.mode = Mode::Production;
        let message = config.check().unwrap_err().to_string();
        for key in [
            "server.base_url",
            "secret",
            "suppression_key",
            "mail.transport",
            "mail.smtp.host",
            "mail.postal_address",
            "mail.from",
        ] {
            assert!(message.contains(key), "{key} is not named in:\n{message}");
        }
        config.mail.from = String::new();
        assert!(config.check().unwrap_err().to_string().contains("mail.from"));
    }

    #[test]
    fn development_refuses_to_listen_beyond_this_machine() {
        let mut config = Config::defaults().unwrap();
        config.server.listen = "0.0.0.0:8080".parse().unwrap();
        assert!(config.check().unwrap_err().to_string().contains("loopback"));
    }
}

//! What must hold before the server starts, reported all at once.

use secrecy::ExposeSecret;
use url::Url;

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
        // More makes Actix panic.
        demand(self.server.workers <= 512, "server.workers must be from 0 (one per core) to 512");
        demand(
            self.server.base_url.is_empty() || is_site(&self.server.base_url),
            "server.base_url must be empty (in development) or a URL such as https://join.example.org",
        );
        demand(
            self.server.allowed_origins.iter().all(|origin| is_origin(origin)),
            "server.allowed_origins must be origins such as https://campaign.example.org, without a path or a slash at \
             the end",
        );
        demand(
            (1..=1_000_000).contains(&self.intake.queue_capacity),
            "intake.queue_capacity must be from 1 to 1000000",
        );
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
        let needs_relay = self.mail.transport == TransportKind::Smtp || self.mode == Mode::Production;
        let relay = self.mail.smtp.host.trim();
        demand(
            !needs_relay || !relay.is_empty(),
            "mail.smtp.host must name the relay when mail.transport is \"smtp\"",
        );
        demand(
            !relay.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/'),
            "mail.smtp.host must be a host name or an IP address alone",
        );
        demand(self.mail.smtp.port > 0, "mail.smtp.port must be from 1 to 65535");
        let secrets =
            [&self.secret, &self.suppression_key].map(|key| key.as_ref().map(ExposeSecret::expose_secret));
        demand(
            secrets[0].is_none_or(str::is_empty) || secrets[0] != secrets[1],
            "suppression_key must not be the same as secret: one is changed now and then, the other never",
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
        demand(
            self.metrics.token.as_ref().is_none_or(|token| token.expose_secret().len() >= 16),
            "metrics.token must have at least 16 characters, or be left out",
        );
        demand(!self.mail.postal_address.trim().is_empty(), "mail.postal_address must be set");
        let from = &self.mail.from;
        demand(
            Identity::parse(from, None).is_ok() && !from.contains("@example.org"),
            "mail.from must be an address of yours, as in \"Name <local@domain>\"",
        );
    }
}

/// Whether a text is a web address that links can start with.
fn is_site(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none()
    })
}

/// Whether a text is what a browser sends as `Origin`, to the letter: it is compared so.
fn is_origin(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text
    })
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
    /// What is said when `change` was made to the defaults.
    fn said(change: impl FnOnce(&mut Config)) -> String {
        let mut config = Config::defaults().unwrap();
        change(&mut config);
        config.check().err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn numbers_that_a_library_would_panic_at_are_refused() {
        assert!(said(|config| config.server.workers = 513).contains("server.workers"));
        assert_eq!(said(|config| config.server.workers = 512), "");
        assert!(said(|config| config.intake.queue_capacity = usize::MAX).contains("intake.queue_capacity"));
        assert!(said(|config| config.mail.smtp.port = 0).contains("mail.smtp.port"));
    }

    #[test]
    fn origins_are_what_a_browser_sends() {
        for origin in
            ["https://a.example.org", "http://127.0.0.1:9000", "https://a.example.org:8443", "http://[::1]"]
        {
            assert_eq!(
                said(|config| config.server.allowed_origins = vec![origin.to_owned()]),
                "",
                "{origin}"
            );
        }
        for origin in [
            "*",
            "a.example.org",
            "https://a.example.org/",
            "https://a.example.org/path",
            "https://A.example.org",
            "https://a.example.org:443",
            "ftp://a.example.org",
            "https://oh@a.example.org",
            "",
        ] {
            let said = said(|config| config.server.allowed_origins = vec![origin.to_owned()]);
            assert!(said.contains("server.allowed_origins"), "{origin}: {said}");
        }
    }

    #[test]
    fn one_secret_for_two_purposes_is_refused_and_not_repeated() {
        let said = said(|config| {
            config.secret = Some("WRONGpw9".into());
            config.suppression_key = Some("WRONGpw9".into());
        });
        assert!(said.contains("suppression_key") && !said.contains("WRONG"), "{said}");
    }

    #[test]
    fn a_relay_is_a_name_and_is_missed_once() {
        for host in ["relay example.org", "smtp://relay.example.org", "a/b"] {
            assert!(
                said(|config| config.mail.smtp.host = host.to_owned()).contains("mail.smtp.host"),
                "{host}"
            );
        }
        let said = said(|config| {
            config.mode = Mode::Production;
            config.mail.transport = TransportKind::Smtp;
        });
        assert_eq!(said.matches("mail.smtp.host").count(), 1, "{said}");
    }

    #[test]
    fn a_token_that_is_soon_guessed_is_refused_in_production() {
        for token in ["", "short"] {
            let said = said(|config| {
                config.mode = Mode::Production;
                config.metrics.token = Some(token.into());
            });
            assert!(said.contains("metrics.token must"), "{said}");
        }
    }

    #[test]
    fn links_start_with_a_web_address() {
        for url in ["join.example.org", "https://", "https://join.example.org/?a=b", "mailto:a@example.org"] {
            assert!(
                said(|config| config.server.base_url = url.to_owned()).contains("server.base_url"),
                "{url}"
            );
        }
    }
}

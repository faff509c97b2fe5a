//! Configuration: compiled-in defaults, then `config/{OPENHEARTH_ENV}.toml`, then the environment.
//!
//! Read once at start by the command line and handed down; nothing else reads files or variables. Secrets are
//! [`SecretString`]s, which do not print.

mod accounts;
mod campaign;
mod coalition;
mod database;
mod faults;
mod logging;
mod mail;
mod postgres_url;
mod secrets;
mod server;
mod variables;

mod validate;

use std::{
    fs,
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use serde::Deserialize;

pub use accounts::StaffConfig;
pub use campaign::CampaignConfig;
pub use coalition::GroupsConfig;
pub use database::{DatabaseConfig, DatabaseUrl};
pub use logging::{LogConfig, LogFormat};
pub use mail::{MailConfig, TransportKind};
pub use secrets::random as random_secret;
pub use server::{MetricsConfig, Network, ServerConfig};

/// Keys whose variables hold several values, separated by commas.
const LISTS: [&str; 5] = [
    "old_secrets",
    "server.trusted_proxies",
    "server.allowed_origins",
    "campaign.about",
    "campaign.about_es",
];

const DEFAULTS: &str = include_str!("../../config/default.toml");

/// Whether guards for strangers' data are required or a laptop's conveniences are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Loopback only, local mailbox, made-up secrets.
    Development,
    /// Everything configured, or no start.
    Production,
}

/// The whole configuration; `config/default.toml` explains every key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Development or production.
    pub mode: Mode,
    /// Signs links and cookies.
    #[serde(default)]
    pub secret: Option<SecretString>,
    /// Former secrets that still verify.
    pub old_secrets: Vec<SecretString>,
    /// Hashes addresses; never rotated.
    #[serde(default)]
    pub suppression_key: Option<SecretString>,
    /// Where development keeps both.
    pub secret_file: PathBuf,
    /// `[server]`
    pub server: ServerConfig,
    /// `[database]`
    pub database: DatabaseConfig,
    /// `[intake]`
    pub intake: IntakeConfig,
    /// `[signups]`
    pub signups: SignupConfig,
    /// `[imports]`
    pub imports: ImportsConfig,
    /// `[mail]`
    pub mail: MailConfig,
    /// `[groups]`
    pub groups: GroupsConfig,
    /// `[campaign]`
    pub campaign: CampaignConfig,
    /// `[staff]`
    pub staff: StaffConfig,
    /// `[metrics]`
    pub metrics: MetricsConfig,
    /// `[audit]`
    pub audit: AuditConfig,
    /// `[log]`
    pub log: LogConfig,
}

/// `[intake]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntakeConfig {
    /// Sign-ups that may wait for a commit.
    pub queue_capacity: usize,
}

/// `[signups]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignupConfig {
    /// Days a confirmation link lives from its sending.
    pub link_days: u16,
    /// Days after its mail until an unconfirmed sign-up is erased.
    pub purge_days: u16,
}

/// `[audit]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditConfig {
    /// Days an entry of the audit trail is kept; 0: for ever.
    pub retention_days: u32,
}

/// `[imports]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportsConfig {
    /// Largest upload in bytes.
    pub max_bytes: u64,
    /// Confirmation mails that lists with the basis `invite` owe in an hour.
    pub invites_per_hour: u32,
}

/// Why the server does not start, as sentences that name the keys to change.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file or variable could not be read or does not fit.
    #[error("the configuration cannot be read: {0}")]
    Unreadable(String),
    /// Everything that is missing or contradictory, at once.
    #[error("the configuration is not complete:\n{}", list(.0))]
    Incomplete(Vec<String>),
}

fn list(problems: &[String]) -> String {
    problems.iter().map(|problem| format!("  - {problem}")).collect::<Vec<_>>().join("\n")
}

impl Config {
    /// Reads, checks and completes the configuration of this process.
    ///
    /// # Errors
    /// [`ConfigError`] with everything that is wrong.
    pub fn load() -> Result<Self, ConfigError> {
        let faults = variables::faults(std::env::vars_os());
        if !faults.is_empty() {
            return Err(ConfigError::Unreadable(faults.join("; ")));
        }
        let environment = std::env::var("OPENHEARTH_ENV").ok().filter(|name| !name.is_empty());
        let mut builder = config::Config::builder().add_source(defaults());
        if let Some(name) = environment {
            let file = format!("config/{name}.toml");
            // Here, since the library does not say which file it is.
            fs::read_to_string(&file)
                .map_err(|error| ConfigError::Unreadable(faults::unreadable(Path::new(&file), &error)))?;
            builder = builder.add_source(config::File::new(&file, config::FileFormat::Toml));
        }
        // Values stay the text they are until their key says what they mean: a password of digits is no number.
        builder = builder.add_source(
            config::Environment::with_prefix("OPENHEARTH").prefix_separator("__").separator("__"),
        );
        for key in LISTS {
            let variable = format!("OPENHEARTH__{}", key.replace('.', "__").to_uppercase());
            if let Ok(text) = std::env::var(variable) {
                let list: Vec<&str> =
                    text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
                builder = builder
                    .set_override(key, list)
                    .map_err(|error| ConfigError::Unreadable(faults::sentence(&error)))?;
            }
        }
        let mut config = Self::build(builder)?;
        config.database.complete()?;
        Ok(config)
    }

    /// The defaults alone, as tests and the benches start from.
    ///
    /// # Errors
    /// Never for the compiled-in file; the type is that of [`Config::load`].
    pub fn defaults() -> Result<Self, ConfigError> {
        Self::build(config::Config::builder().add_source(defaults()))
    }

    fn build(builder: config::ConfigBuilder<config::builder::DefaultState>) -> Result<Self, ConfigError> {
        let unreadable = |error: config::ConfigError| ConfigError::Unreadable(faults::sentence(&error));
        let config: Self = builder.build().map_err(unreadable)?.try_deserialize().map_err(unreadable)?;
        Ok(config)
    }

    /// The base URL that links start with, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        let configured = self.server.base_url.trim_end_matches('/');
        if configured.is_empty() { format!("http://{}", self.server.listen) } else { configured.to_owned() }
    }

    /// Whether mails can be read in the browser: on a developer's machine with the mailbox transport.
    #[must_use]
    pub fn has_dev_mailbox(&self) -> bool {
        self.is_development() && self.mail.transport == TransportKind::Mailbox
    }

    /// Whether this is a developer's machine.
    #[must_use]
    pub fn is_development(&self) -> bool {
        self.mode == Mode::Development
    }
}

fn defaults() -> config::File<config::FileSourceString, config::FileFormat> {
    config::File::from_str(DEFAULTS, config::FileFormat::Toml)
}

//! `[database]`: where the data lives.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;

/// `[database]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// Which database; see [`DatabaseUrl`].
    pub url: DatabaseUrl,
    /// Connections that read.
    pub read_connections: u32,
}

/// Where the data lives. A PostgreSQL URL may hold a password and is therefore a secret.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub enum DatabaseUrl {
    /// `sqlite://path`
    Sqlite(PathBuf),
    /// `postgres://…` or `postgresql://…`, passed to libpq as it is.
    Postgres(SecretString),
}

impl TryFrom<String> for DatabaseUrl {
    type Error = String;

    fn try_from(url: String) -> Result<Self, Self::Error> {
        if let Some(path) = url.strip_prefix("sqlite://").filter(|path| !path.is_empty()) {
            Ok(Self::Sqlite(PathBuf::from(path)))
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Ok(Self::Postgres(SecretString::from(url)))
        } else {
            Err("database.url must be \"sqlite://<path>\" or \"postgres://<user>@<host>/<name>\"".to_owned())
        }
    }
}

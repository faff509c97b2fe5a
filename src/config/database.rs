//! `[database]`: where the data lives.

use std::{fmt::Write, fs, path::PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::ConfigError;

/// libpq's own parameters where the URL says nothing: a server that is gone is noticed within seconds. In seconds,
/// but the last in milliseconds.
const NOTICE: [(&str, &str); 4] = [
    ("application_name", "openhearth"),
    ("connect_timeout", "5"),
    ("keepalives_idle", "10"),
    ("tcp_user_timeout", "10000"),
];

/// `[database]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// Which database; see [`DatabaseUrl`].
    pub url: DatabaseUrl,
    /// A file that holds PostgreSQL's password alone, for those who keep it out of the URL.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// Whether a pooler in transaction mode stands before PostgreSQL.
    pub pooler: bool,
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
    Postgres {
        /// The URL.
        url: SecretString,
        /// Whether a pooler lends a connection for one transaction at a time (PgBouncer in transaction mode).
        pooler: bool,
    },
}

impl TryFrom<String> for DatabaseUrl {
    type Error = String;

    fn try_from(url: String) -> Result<Self, Self::Error> {
        if let Some(path) = url.strip_prefix("sqlite://").filter(|path| !path.is_empty()) {
            Ok(Self::Sqlite(PathBuf::from(path)))
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Ok(Self::Postgres { url: SecretString::from(url), pooler: false })
        } else {
            Err("database.url must be \"sqlite://<path>\" or \"postgres://<user>@<host>/<name>\"".to_owned())
        }
    }
}

impl DatabaseConfig {
    /// A URL given by itself, with all that belongs to it.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`] as for a configured one.
    pub fn completed(url: DatabaseUrl, password_file: Option<PathBuf>) -> Result<DatabaseUrl, ConfigError> {
        let mut config = Self { url, password_file, pooler: false, read_connections: 1 };
        config.complete()?;
        Ok(config.url)
    }

    /// Adds to a PostgreSQL URL what belongs to it: the password of `password_file`, and how soon a server that is gone
    /// is noticed.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`] when the file cannot be read, or when there is nothing it belongs to.
    pub(super) fn complete(&mut self) -> Result<(), ConfigError> {
        let unreadable =
            |reason: String| ConfigError::Unreadable(format!("database.password_file: {reason}"));
        let DatabaseUrl::Postgres { url, .. } = &self.url else {
            return match self.password_file {
                Some(_) => Err(unreadable("only a postgres:// database has a password".to_owned())),
                None => Ok(()),
            };
        };
        let mut url = url.expose_secret().to_owned();
        if let Some(file) = &self.password_file {
            let text = fs::read_to_string(file)
                .map_err(|error| unreadable(format!("{}: {error}", file.display())))?;
            add(&mut url, "password", text.trim_end_matches(['\r', '\n']));
        }
        for (name, value) in NOTICE {
            if !url.contains(&format!("{name}=")) {
                add(&mut url, name, value);
            }
        }
        self.url = DatabaseUrl::Postgres { url: url.into(), pooler: self.pooler };
        Ok(())
    }
}

/// Adds a parameter, its value percent-encoded (RFC 3986, section 2.1).
fn add(url: &mut String, name: &str, value: &str) {
    url.push(if url.contains('?') { '&' } else { '?' });
    url.push_str(name);
    url.push('=');
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() {
            url.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(url, "%{byte:02X}");
        }
    }
}

impl DatabaseUrl {
    /// `message` as one line and without a password: libpq repeats the piece of the URL that it cannot read.
    #[must_use]
    pub fn without_password(&self, message: &str) -> String {
        let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        let Self::Postgres { url, .. } = self else { return message };
        let url = url.expose_secret();
        let rest = url.split_once("://").map_or("", |(_, rest)| rest);
        let user = rest.rsplit_once('@').map_or("", |(user, _)| user);
        let in_user = user.split_once(':').map(|(_, password)| password);
        let in_parameter = rest.split_once("password=").and_then(|(_, value)| value.split('&').next());
        let passwords = [in_user, in_parameter].into_iter().flatten().filter(|password| !password.is_empty());
        passwords.fold(message, |message, password| message.replace(password, "…"))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    fn config(url: &str) -> DatabaseConfig {
        let url = DatabaseUrl::try_from(url.to_owned()).unwrap();
        DatabaseConfig { url, password_file: None, pooler: false, read_connections: 1 }
    }

    fn text(config: &DatabaseConfig) -> &str {
        match &config.url {
            DatabaseUrl::Postgres { url, .. } => url.expose_secret(),
            DatabaseUrl::Sqlite(path) => path.to_str().unwrap(),
        }
    }

    #[test]
    fn a_password_comes_from_a_file_and_what_the_url_says_stays() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "gé heim&x=1\n").unwrap();
        let mut config = config("postgres://a@h/d?connect_timeout=2");
        config.password_file = Some(file.path().to_owned());
        config.complete().unwrap();
        assert_eq!(
            text(&config),
            "postgres://a@h/d?connect_timeout=2&password=g%C3%A9%20heim%26x%3D1&application_name=openhearth\
             &keepalives_idle=10&tcp_user_timeout=10000"
        );
    }

    #[test]
    fn a_password_file_that_is_missing_or_belongs_to_nothing_is_named() {
        for url in ["postgres://a@h/d", "sqlite://x.db"] {
            let mut config = config(url);
            config.password_file = Some("/nonexistent/password".into());
            let error = config.complete().unwrap_err().to_string();
            assert!(error.contains("database.password_file"), "{error}");
        }
    }

    #[test]
    fn no_message_repeats_a_password() {
        for url in ["postgres://a:ge heim@h/d", "postgres://a@h/d?password=ge heim&x=1"] {
            let message =
                config(url).url.without_password("unexpected spaces found in \"ge heim\",\n\tuse %20");
            assert_eq!(message, "unexpected spaces found in \"…\", use %20");
        }
    }
}

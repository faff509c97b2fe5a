//! `[database]`: where the data lives.

use std::{fmt::Write, fs, path::PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{ConfigError, postgres_url};

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
        /// The key or argument of the file that the password came from.
        password_from: Option<String>,
    },
}

impl TryFrom<String> for DatabaseUrl {
    type Error = String;

    fn try_from(url: String) -> Result<Self, Self::Error> {
        if let Some(path) = url.strip_prefix("sqlite://").filter(|path| !path.is_empty()) {
            // SQLite takes these for something else than the name of a file.
            if path.starts_with(':') || path.starts_with("file:") {
                return Err("database.url must name a file, as in \"sqlite://var/openhearth.db\"".to_owned());
            }
            Ok(Self::Sqlite(PathBuf::from(path)))
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Ok(Self::Postgres { url: SecretString::from(url), pooler: false, password_from: None })
        } else {
            Err("database.url must be \"sqlite://<path>\" or \"postgres://<user>@<host>/<name>\"".to_owned())
        }
    }
}

/// What the URL and the file with the password are called where they were given.
struct Names {
    url: &'static str,
    password_file: &'static str,
}

const CONFIGURED: Names = Names { url: "database.url", password_file: "database.password_file" };
const COPY_TARGET: Names = Names { url: "--to", password_file: "--to-password-file" };

impl DatabaseConfig {
    /// The URL that `openhearth copy --to` gives, with all that belongs to it.
    ///
    /// # Errors
    /// A sentence that names the argument, as for a configured one.
    pub fn copy_target(url: DatabaseUrl, password_file: Option<PathBuf>) -> Result<DatabaseUrl, String> {
        let mut config = Self { url, password_file, pooler: false, read_connections: 1 };
        config.add_what_belongs(&COPY_TARGET)?;
        Ok(config.url)
    }

    /// Adds to a PostgreSQL URL what belongs to it: the password of `password_file`, and how soon a server that is gone
    /// is noticed.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`] when the URL cannot be taken apart, when the file cannot be read, or when there is
    /// nothing it belongs to.
    pub(super) fn complete(&mut self) -> Result<(), ConfigError> {
        self.add_what_belongs(&CONFIGURED).map_err(ConfigError::Unreadable)
    }

    fn add_what_belongs(&mut self, names: &Names) -> Result<(), String> {
        let Names { url: name, password_file } = names;
        let DatabaseUrl::Postgres { url, .. } = &self.url else {
            return match self.password_file {
                Some(_) => Err(format!("{password_file}: only a postgres:// database has a password")),
                None => Ok(()),
            };
        };
        let mut url = url.expose_secret().to_owned();
        if let Some(fault) = postgres_url::fault(&url) {
            return Err(format!(
                "{name}: the URL cannot be taken apart ({fault}); percent-encode the password, or put it into a file \
                 and name that in {password_file}"
            ));
        }
        if let Some(file) = &self.password_file {
            let text = fs::read_to_string(file)
                .map_err(|error| format!("{password_file}: {}: {error}", file.display()))?;
            add(&mut url, "password", text.trim_end_matches(['\r', '\n']));
        }
        for (name, value) in NOTICE {
            if !url.contains(&format!("{name}=")) {
                add(&mut url, name, value);
            }
        }
        let password_from = self.password_file.as_ref().map(|_| (*password_file).to_owned());
        self.url = DatabaseUrl::Postgres { url: url.into(), pooler: self.pooler, password_from };
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
    /// libpq's `message` as one line, without a piece of a URL that it cannot read and without a password, and with the
    /// place of a password that is wrong.
    #[must_use]
    pub fn without_password(&self, message: &str) -> String {
        let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        let Self::Postgres { url, password_from, .. } = self else { return message };
        let message = postgres_url::told(&message);
        let url = url.expose_secret();
        let rest = url.split_once("://").map_or("", |(_, rest)| rest);
        let user = rest.rsplit_once('@').map_or("", |(user, _)| user);
        let in_user = user.split_once(':').map(|(_, password)| password);
        let in_parameter = rest.split_once("password=").and_then(|(_, value)| value.split('&').next());
        let passwords = [in_user, in_parameter].into_iter().flatten().filter(|password| !password.is_empty());
        let message = passwords.fold(message, |message, password| message.replace(password, "…"));
        match password_from {
            Some(name) if message.contains("authentication failed") => {
                format!("{message}; the password is that of {name}")
            }
            _ => message,
        }
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
        let on_the_way = |password| format!("connection to server failed: \"{password}\"\n\tis not it");
        for url in ["postgres://a:geheim@h/d", "postgres://a@h/d?password=geheim&x=1"] {
            let message = config(url).url.without_password(&on_the_way("geheim"));
            assert_eq!(message, "connection to server failed: \"…\" is not it");
        }
        let message =
            config("postgres://a@h/d").url.without_password("invalid percent-encoded token: \"WRONGpw9\"");
        assert!(!message.contains("WRONG"), "{message}");
    }

    #[test]
    fn a_url_that_cannot_be_taken_apart_is_not_repeated_and_what_to_do_is_said_where_it_was_given() {
        let url = "postgres://oh:WRONG@pw9@127.0.0.1/one";
        let said = config(url).complete().unwrap_err().to_string();
        assert!(said.contains("database.url: ") && said.contains("database.password_file"), "{said}");
        let target = DatabaseUrl::try_from(url.to_owned()).unwrap();
        let copying = DatabaseConfig::copy_target(target, None).unwrap_err();
        assert!(copying.starts_with("--to: ") && copying.contains("--to-password-file"), "{copying}");
        assert!(!said.contains("pw9") && !copying.contains("pw9"), "{said}\n{copying}");
    }

    #[test]
    fn a_password_that_is_wrong_is_told_by_the_place_it_came_from() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "geheim").unwrap();
        let message =
            "connection to server at \"h\" failed: FATAL: password authentication failed for user \"a\"";
        let mut config = config("postgres://a@h/d");
        config.password_file = Some(file.path().to_owned());
        config.complete().unwrap();
        assert!(config.url.without_password(message).ends_with("that of database.password_file"));
        let target = DatabaseUrl::try_from("postgres://a@h/d".to_owned()).unwrap();
        let target = DatabaseConfig::copy_target(target, Some(file.path().to_owned())).unwrap();
        assert!(target.without_password(message).ends_with("that of --to-password-file"));
        let error = DatabaseConfig::copy_target(target, Some("/nope".into())).unwrap_err();
        assert!(error.starts_with("--to-password-file: /nope: "), "{error}");
    }

    #[test]
    fn a_database_that_is_no_file_is_refused() {
        for url in ["sqlite://:memory:", "sqlite://file:x?mode=memory"] {
            assert!(DatabaseUrl::try_from(url.to_owned()).unwrap_err().contains("must name a file"), "{url}");
        }
    }
}

//! Secrets: taken from the configuration, or made once and kept in a file of mode 0600 (development only).

use std::{
    fs,
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::SecretString;

use super::{Config, ConfigError};
use crate::keys::Keys;

impl Config {
    /// The keys of this process.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`] when development's file can be neither read nor made.
    pub fn keys(&self) -> Result<Keys, ConfigError> {
        if let (Some(secret), Some(suppression)) = (&self.secret, &self.suppression_key) {
            return Ok(Keys::new(secret, &self.old_secrets, suppression));
        }
        let (secret, suppression) = read_or_make(&self.secret_file).map_err(|error| {
            ConfigError::Unreadable(format!("secret_file {}: {error}", self.secret_file.display()))
        })?;
        let secret = self.secret.as_ref().unwrap_or(&secret);
        let suppression = self.suppression_key.as_ref().unwrap_or(&suppression);
        Ok(Keys::new(secret, &self.old_secrets, suppression))
    }
}

/// The file's two lines: signing secret, suppression key. Made whole under another name and linked into
/// place, so that two processes starting at once agree on one file.
fn read_or_make(path: &Path) -> std::io::Result<(SecretString, SecretString)> {
    match fs::read_to_string(path) {
        Ok(text) => parse(&text),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                // The same folder holds the database and the mailbox.
                fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            }
            let draft = path.with_extension(format!("new-{}", std::process::id()));
            let mut file =
                fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
            writeln!(file, "{}\n{}", random()?, random()?)?;
            file.sync_all()?;
            let linked = fs::hard_link(&draft, path);
            fs::remove_file(&draft)?;
            match linked {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
                _ => parse(&fs::read_to_string(path)?),
            }
        }
        Err(error) => Err(error),
    }
}

fn parse(text: &str) -> std::io::Result<(SecretString, SecretString)> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    match (lines.next(), lines.next()) {
        (Some(secret), Some(suppression)) => Ok((secret.into(), suppression.into())),
        _ => Err(std::io::Error::new(
            ErrorKind::InvalidData,
            "expected two lines, the signing secret and the suppression key; restore it from a backup",
        )),
    }
}

/// 256 random bits as base64url text.
///
/// # Errors
/// When the operating system gives no random bytes.
pub fn random() -> std::io::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn development_secrets_are_made_once_for_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("var/secret");
        let (first, _) = read_or_make(&path).unwrap();
        let (second, suppression) = read_or_make(&path).unwrap();
        assert_eq!(first.expose_secret(), second.expose_secret());
        assert_ne!(first.expose_secret(), suppression.expose_secret());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
    }

    #[test]
    fn a_damaged_secret_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "only one line\n").unwrap();
        assert!(read_or_make(&path).unwrap_err().to_string().contains("backup"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "only one line\n");
    }
}

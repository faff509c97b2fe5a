//! What the command line does with accounts and tokens, as a second process beside the server.

use secrecy::SecretString;

use super::{AccountError, Role, Staff, queries};
use crate::{contact::EmailAddress, error::AppError};

impl Staff {
    /// Makes an account from the command line.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn create_by_command(
        &self,
        email: &str,
        password: SecretString,
        role: Role,
    ) -> Result<(), AccountError> {
        self.create(email, password, role, false).await.map(drop)
    }

    /// Makes a token for the account with this address and returns it.
    ///
    /// # Errors
    /// When there is no such account, or a scope does not hold.
    pub async fn token_by_command(
        &self,
        email: &str,
        name: &str,
        scopes: &[String],
    ) -> Result<String, AppError> {
        let unknown = || AppError::field("email", "unknown", "there is no account with this address");
        let key = EmailAddress::parse(email).map_err(|_| unknown())?.key();
        let found =
            self.kernel.store.read(move |db| Ok::<_, AppError>(queries::find_by_email(db, &key)?)).await?;
        let (account, _) = found.ok_or_else(unknown)?;
        let role: Role = account.role.parse().map_err(|error: String| AppError::internal(&error))?;
        self.create_token(account.id, role, name, scopes, None).await.map(|(token, _)| token)
    }
}

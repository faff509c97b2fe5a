//! What the command line does with accounts and tokens, as a second process beside the server.

use secrecy::SecretString;

use super::{
    AccountError, Role, Staff,
    accounts::{NewAccount, queries},
    tokens::{TokenOwner, TokenWish},
};
use crate::{
    audit::Actor,
    contact::EmailAddress,
    error::{AppError, FieldError},
};

impl Staff {
    /// Makes an account from the command line, without a group: a group manager then sees nobody.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn create_by_command(
        &self,
        email: &str,
        password: SecretString,
        role: Role,
    ) -> Result<(), AccountError> {
        let new = NewAccount { email: email.to_owned(), password, role, group: None };
        self.create(new, false).await.map(drop)
    }

    /// Makes an account from the command line; a group manager needs a group, and nobody else has one.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn create_in_group_by_command(&self, new: NewAccount) -> Result<(), AccountError> {
        if new.role == Role::GroupManager && new.group.is_none() {
            let fault =
                FieldError::new("group", "required", "a group manager works for a group; name its slug");
            return Err(AccountError::Invalid(vec![fault]));
        }
        self.create(new, false).await.map(drop)
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
        self.token_in_group_by_command(email, name, scopes, None).await
    }

    /// The same, bound to the group with the slug `group`.
    ///
    /// # Errors
    /// When there is no such account or group, or a scope does not hold.
    pub async fn token_in_group_by_command(
        &self,
        email: &str,
        name: &str,
        scopes: &[String],
        group: Option<String>,
    ) -> Result<String, AppError> {
        let unknown = || AppError::field("email", "unknown", "there is no account with this address");
        let key = EmailAddress::parse(email).map_err(|_| unknown())?.key();
        let found =
            self.kernel.store.read(move |db| Ok::<_, AppError>(queries::find_by_email(db, &key)?)).await?;
        let (account, _) = found.ok_or_else(unknown)?;
        let role: Role = account.role.parse().map_err(|error: String| AppError::internal(&error))?;
        let owner =
            TokenOwner { id: account.id, role, group_id: account.group_id, actor: Actor::CommandLine };
        let wish = TokenWish { name: name.to_owned(), scopes: scopes.to_vec(), expires_at: None, group };
        self.create_token(owner, wish).await.map(|(token, _)| token)
    }
}

//! What the command line does with accounts and tokens, as a second process beside the server.

use secrecy::SecretString;

use super::{
    AccountError, Role, Staff, StaffView,
    accounts::{MailedLink, NewAccount, StaffChange, queries},
    owed::{self, Notice},
    passwords, sessions,
    tokens::{self, TokenOwner, TokenWish},
};
use crate::{
    audit::{self, Act, Actor},
    error::{AppError, FieldError},
    store::Lane,
};

/// Accounts that are read at once.
const PAGE: u16 = 500;

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
        let account = self.find_by_address(email).await?;
        let role: Role = account.role.parse().map_err(|error: String| AppError::internal(&error))?;
        let (id, group_id) = (account.id, account.group_id);
        let owner = TokenOwner { id, role, group_id, actor: Actor::CommandLine, session: None };
        let wish = TokenWish { name: name.to_owned(), scopes: scopes.to_vec(), expires_at: None, group };
        self.create_token(owner, wish).await.map(|(token, _)| token)
    }

    /// Every account, in the order they were made.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_by_command(&self) -> Result<Vec<StaffView>, AppError> {
        let mut all: Vec<StaffView> = Vec::new();
        loop {
            let page = self.list_staff(all.last().map(|last| last.id), PAGE).await?;
            let is_last = page.len() <= usize::from(PAGE);
            all.extend(page.into_iter().take(usize::from(PAGE)));
            if is_last {
                return Ok(all);
            }
        }
    }

    /// Lets the account log in no more, or again.
    ///
    /// # Errors
    /// When there is no such account, or it is the last owner's.
    pub async fn disable_by_command(&self, email: &str, disabled: bool) -> Result<(), AppError> {
        let account = self.find_by_address(email).await?;
        let change = StaffChange { disabled: Some(disabled), ..StaffChange::default() };
        self.change_staff(Actor::CommandLine, account.id, change).await.map(drop)
    }

    /// A link that sets a new password once, for when mail does not work; made by whoever runs the machine.
    ///
    /// # Errors
    /// When there is no such account.
    pub async fn reset_link_by_command(&self, email: &str) -> Result<String, AppError> {
        let id = self.find_by_address(email).await?.id;
        let (now, keys) = (self.kernel.clock.now(), self.kernel.keys.clone());
        let account = self
            .kernel
            .store
            .write(Lane::Staff, move |db| {
                let act = Act::new(Actor::CommandLine, "staff.reset_request").on("staff", id);
                let account = queries::find_linked(db, id)?;
                audit::append(db, &keys, &[act], now)?;
                Ok::<_, AppError>(account)
            })
            .await?;
        let account = account
            .ok_or_else(|| AppError::Conflict("this account is disabled; enable it first".to_owned()))?;
        let until = now.after(self.kernel.config.staff.reset());
        let path = MailedLink::Reset.make(&self.kernel.keys, account.id, account.link_version, until);
        Ok(self.kernel.url(&path))
    }

    /// Sets the account's password; its sessions and tokens end.
    ///
    /// # Errors
    /// When there is no such account, or the password does not hold.
    pub async fn set_password_by_command(&self, email: &str, password: SecretString) -> Result<(), AppError> {
        let account = self.find_by_address(email).await?;
        if let Some((code, message)) = passwords::weakness(&password, &account.email) {
            return Err(AppError::field("password", code, message));
        }
        let hash = self.hasher.hash(password).await?;
        let (now, keys) = (self.kernel.clock.now(), self.kernel.keys.clone());
        self.kernel
            .store
            .write(Lane::Staff, move |db| {
                queries::force_password(db, account.id, &hash)?;
                sessions::queries::delete_all(db, account.id)?;
                let act = Act::new(Actor::CommandLine, "staff.password_set").on("staff", account.id);
                let acts = tokens::revoked_by(db, act, account.id, now)?;
                owed::notice(db, Notice::PasswordSet, account.id, account.email, now)?;
                Ok::<_, AppError>(audit::append(db, &keys, &acts, now)?)
            })
            .await
    }

    /// Switches the account's second factor off, if it has one.
    ///
    /// # Errors
    /// When there is no such account.
    pub async fn remove_totp_by_command(&self, email: &str) -> Result<(), AppError> {
        let account = self.find_by_address(email).await?;
        if account.totp { self.reset_totp(Actor::CommandLine, account.id).await } else { Ok(()) }
    }
}

//! Accounts and sessions: create, log in, log out.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::{Role, Staff, model::Account, password, queries};
use crate::{
    clock::Timestamp,
    config::random_secret,
    contact::EmailAddress,
    error::{AppError, FieldError},
    id::Id,
    keys::sha256,
    store::{
        Lane, StoreError,
        lock::{self, Once},
    },
};

/// A session ends this long after the login.
const SESSION: Duration = Duration::from_secs(12 * 3600);

/// Why an account was not made.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Address or password do not hold.
    #[error("{}", .0.iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldError>),
    /// There is one with this address.
    #[error("there is an account with this address already")]
    Exists,
    /// The first owner has been made; the link is used up.
    #[error("the owner's account has been made; log in instead")]
    NotFirst,
    /// Anything below.
    #[error(transparent)]
    Other(#[from] AppError),
}

impl From<StoreError> for AccountError {
    fn from(error: StoreError) -> Self {
        Self::Other(error.into())
    }
}

impl From<diesel::result::Error> for AccountError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Other(error.into())
    }
}

/// A session that has begun; the token is known to the client alone.
pub struct Session {
    /// The cookie's value.
    pub token: SecretString,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Staff {
    /// Makes an account; with `only_if_first`, only while there is none.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn create(
        &self,
        email: &str,
        password: SecretString,
        role: Role,
        only_if_first: bool,
    ) -> Result<Id, AccountError> {
        let mut faults = Vec::new();
        let address = EmailAddress::parse(email)
            .map_err(|error| faults.push(FieldError::new("email", error.code(), error.to_string())))
            .ok();
        if let Some((code, message)) = password::weakness(&password, email.trim()) {
            faults.push(FieldError::new("password", code, message));
        }
        let Some(address) = address.filter(|_| faults.is_empty()) else {
            return Err(AccountError::Invalid(faults));
        };
        let hash = self.hasher.hash(password).await?;
        let now = self.kernel.clock.now();
        let account = Account {
            id: Id::new(),
            email: address.as_str().to_owned(),
            role: role.as_str().to_owned(),
            group_id: None,
        };
        self.kernel
            .store
            .write(Lane::Staff, move |db| {
                lock::once(db, Once::Staff)?;
                if only_if_first && queries::count(db)? > 0 {
                    return Err(AccountError::NotFirst);
                }
                let key = address.key();
                if queries::exists(db, &key)? {
                    return Err(AccountError::Exists);
                }
                queries::insert(db, &account, &key, &hash, now)?;
                Ok(account.id)
            })
            .await
    }

    /// Whether nobody has an account yet.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_empty(&self) -> Result<bool, StoreError> {
        self.kernel.store.read(|db| Ok(queries::count(db)? == 0)).await
    }

    /// Begins a session. An unknown address and a wrong password get the same answer in the same time.
    ///
    /// # Errors
    /// [`AppError::Unauthorized`] for either, 503 when too many log in at once.
    pub async fn log_in(&self, email: &str, password: SecretString) -> Result<Session, AppError> {
        let key = EmailAddress::parse(email).map(|address| address.key()).unwrap_or_default();
        let found =
            self.kernel.store.read(move |db| Ok::<_, AppError>(queries::find_by_email(db, &key)?)).await?;
        let (account, hash) = found.map_or((None, None), |(account, hash)| (Some(account), Some(hash)));
        let is_right = self.hasher.verify(password, hash).await?;
        let Some(account) = account.filter(|_| is_right) else {
            tracing::info!("a login failed");
            return Err(AppError::Unauthorized("e-mail address or password is not right".to_owned()));
        };
        let token = random_secret().map_err(|error| AppError::internal(&error))?;
        let hash = sha256(&token);
        let now = self.kernel.clock.now();
        let expires_at = now.after(SESSION);
        self.kernel
            .store
            .write(Lane::Staff, move |db| {
                Ok::<_, AppError>(queries::insert_session(db, &hash, account.id, now, expires_at)?)
            })
            .await?;
        Ok(Session { token: token.into(), expires_at })
    }

    /// Ends the session with this hash.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn log_out(&self, hash: Vec<u8>) -> Result<(), AppError> {
        self.kernel
            .store
            .write(Lane::Staff, move |db| Ok::<_, AppError>(queries::delete_session(db, &hash)?))
            .await
    }
}

impl Session {
    /// The cookie's value, to be sent once.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.token.expose_secret()
    }
}

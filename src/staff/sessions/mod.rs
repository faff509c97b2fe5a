//! Sessions: log in, log out.

pub(super) mod queries;

use secrecy::{ExposeSecret, SecretString};

use super::{Staff, accounts};
use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    config::random_secret,
    contact::EmailAddress,
    error::AppError,
    id::Id,
    keys::sha256,
    store::Lane,
};

/// A session that has begun; the token is known to the client alone.
pub struct Session {
    /// The cookie's value.
    pub token: SecretString,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Staff {
    /// Begins a session. An unknown address and a wrong password get the same answer in the same time.
    ///
    /// # Errors
    /// [`AppError::Unauthorized`] for either, 503 when too many log in at once.
    pub async fn log_in(&self, email: &str, password: SecretString) -> Result<Session, AppError> {
        let key = EmailAddress::parse(email).map(|address| address.key()).unwrap_or_default();
        let found = self
            .kernel
            .store
            .read(move |db| Ok::<_, AppError>(accounts::queries::find_by_email(db, &key)?))
            .await?;
        let (account, hash) = found.map_or((None, None), |(account, hash)| (Some(account), Some(hash)));
        let is_right = self.hasher.verify(password, hash).await?;
        let Some(account) = account.filter(|_| is_right) else {
            tracing::info!("a login failed");
            return Err(AppError::Unauthorized("e-mail address or password is not right".to_owned()));
        };
        let token = random_secret().map_err(|error| AppError::internal(&error))?;
        let hash = sha256(&token);
        let (now, keys) = (self.kernel.clock.now(), self.kernel.keys.clone());
        let expires_at = now.after(self.kernel.config.staff.session());
        self.kernel
            .store
            .write(Lane::Staff, move |db| {
                let session = queries::NewSession {
                    token_hash: &hash,
                    id: Id::new(),
                    staff_id: account.id,
                    created_at: now,
                    last_seen_at: now,
                    expires_at,
                    browser: "",
                    renew: false,
                };
                queries::insert(db, &session)?;
                let act = Act::new(Actor::Staff { id: account.id, token: None }, "session.begin");
                audit::append(db, &keys, &[act.on("staff", account.id)], now)?;
                Ok::<_, AppError>(())
            })
            .await?;
        Ok(Session { token: token.into(), expires_at })
    }

    /// Ends the session with this hash.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn log_out(&self, staff_id: Id, hash: Vec<u8>) -> Result<(), AppError> {
        let (now, keys) = (self.kernel.clock.now(), self.kernel.keys.clone());
        self.kernel
            .store
            .write(Lane::Staff, move |db| {
                queries::delete(db, &hash)?;
                let act = Act::new(Actor::Staff { id: staff_id, token: None }, "session.end");
                Ok::<_, AppError>(audit::append(db, &keys, &[act.on("staff", staff_id)], now)?)
            })
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

//! One's own account: proving who one is once more, and changing the password.

use actix_web::http::StatusCode;
use secrecy::{ExposeSecret, SecretString};

use super::queries::{self, LoginAccount};
use crate::{
    audit::{self, Act, Actor},
    error::AppError,
    id::Id,
    staff::{
        Staff,
        owed::{self, Notice},
        passwords,
        sessions::{self, NewLogin, Session},
        throttle::{Counted, Outcome, Try},
        tokens,
        totp::{self, SecondFactor},
    },
    store::{Db, Lane},
};

/// Whether a second factor, where there is one, must be shown beside the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The password alone.
    Password,
    /// Both.
    Both,
}

/// Somebody in a session did not show what they must know.
fn refused(id: Id, field: &'static str) -> Act {
    let act = Act::new(Actor::Staff { id, token: None }, "session.proof_refused").on("staff", id);
    act.with(serde_json::json!({ "field": field }))
}

impl Staff {
    /// Makes sure that whoever has the session also has the password: a session that was left open must not be enough
    /// to take the account over. Tries count as logins do.
    ///
    /// # Errors
    /// 422 with `wrong` for `current_password` or `code`; 429.
    pub(in crate::staff) async fn prove(
        &self,
        id: Id,
        password: SecretString,
        code: Option<SecretString>,
        proof: Proof,
    ) -> Result<LoginAccount, AppError> {
        let turn = self.hasher.enter()?;
        let attempt = Try::default().and(&self.kernel.keys, Counted::Browser, &format!("own {id}"));
        let (clock, counted) = (self.kernel.clock.clone(), attempt.clone());
        let account = self
            .kernel
            .store
            .write(Lane::Staff, move |db| {
                counted.begin(db, &clock)?;
                queries::find_login_by_id(db, id)?.ok_or(AppError::Internal)
            })
            .await?;
        if !turn.verify(password, Some(account.password_hash.clone())).await? {
            self.kernel.trail().append(Lane::Staff, vec![refused(id, "current_password")]).await?;
            return Err(AppError::field("current_password", "wrong", "this is not your password"));
        }
        let (clock, keys, shown) =
            (self.kernel.clock.clone(), self.kernel.keys.clone(), account.account.clone());
        let factor = self
            .kernel
            .store
            .write(Lane::Staff, move |db| {
                let code = code.as_ref().map(ExposeSecret::expose_secret);
                let factor = match proof {
                    Proof::Password => SecondFactor::Right,
                    Proof::Both => totp::check(db, &keys, &shown, code, clock.now())?,
                };
                match factor {
                    SecondFactor::Right => attempt.end(db, &clock, Outcome::Right)?,
                    SecondFactor::Missing => attempt.end(db, &clock, Outcome::Neither)?,
                    SecondFactor::Wrong => audit::append(db, &keys, &[refused(id, "code")], clock.now())?,
                }
                Ok::<_, AppError>(factor)
            })
            .await?;
        let fault = |code, sentence: &str| Err(AppError::field("code", code, sentence));
        match factor {
            SecondFactor::Right => Ok(account),
            SecondFactor::Missing => {
                fault("required", "send the code that your authenticator app shows, too")
            }
            SecondFactor::Wrong => {
                fault("wrong", "the code is not right, or was used before; wait for the next one")
            }
        }
    }

    /// Sets one's own password to another. All sessions end, and one begins in place of the one that asks. Bearer tokens
    /// go on, unless `revoke_tokens`.
    ///
    /// # Errors
    /// What is wrong with either password.
    pub(in crate::staff) async fn change_password(
        &self,
        id: Id,
        current: SecretString,
        new: SecretString,
        revoke_tokens: bool,
        login: NewLogin,
    ) -> Result<Session, AppError> {
        let account = self.prove(id, current, None, Proof::Password).await?;
        if let Some((code, message)) = passwords::weakness(&new, &account.account.email) {
            return Err(AppError::field("new_password", code, message));
        }
        let hash = self.hasher.hash(new).await?;
        let (now, keys) = (self.kernel.clock.now(), self.kernel.keys.clone());
        let session = self
            .kernel
            .store
            .write(Lane::Staff, move |db: &mut Db| {
                if !queries::set_password(db, id, account.link_version, &hash)? {
                    let sentence =
                        "the password was changed elsewhere at the same moment; log in with that one";
                    return Err(AppError::refused(StatusCode::CONFLICT, "password_changed", sentence));
                }
                sessions::queries::delete_all(db, id)?;
                let session = login.store(db, id)?;
                let act = Act::new(Actor::Staff { id, token: None }, "staff.password_set").on("staff", id);
                let act = act.with(serde_json::json!({ "by": "change" }));
                let acts = if revoke_tokens { tokens::revoked_by(db, act, id, now)? } else { vec![act] };
                owed::notice(db, Notice::PasswordSet, id, account.account.email, now)?;
                audit::append(db, &keys, &acts, now)?;
                Ok(session)
            })
            .await?;
        self.kernel.outbox.wake();
        Ok(session)
    }
}

//! Setting a password by a mailed link: the first one (an invitation) and another one (a reset). A link is void once
//! the password has changed: it carries the account's `link_version`, which every change raises.

use actix_web::http::StatusCode;
use secrecy::SecretString;

use super::queries::{self, LinkedAccount};
use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    error::AppError,
    id::Id,
    keys::{Keys, Link, LinkError, Purpose},
    staff::{
        Staff,
        owed::{self, Notice},
        passwords, sessions, tokens,
    },
    store::Lane,
};

/// Which mail a link came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailedLink {
    /// The invitation.
    Invite,
    /// The reset of a lost password.
    Reset,
}

impl MailedLink {
    const fn purpose(self) -> Purpose {
        match self {
            Self::Invite => Purpose::StaffInvite,
            Self::Reset => Purpose::StaffReset,
        }
    }

    /// Where its page is.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Invite => "/invite",
            Self::Reset => "/reset",
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Invite => "invitation",
            Self::Reset => "reset",
        }
    }

    /// The link for this account as it is now, as a path.
    pub fn make(self, keys: &Keys, staff_id: Id, version: i32, expires_at: Timestamp) -> String {
        let version = u32::try_from(version).unwrap_or(0);
        let link = Link { subject: staff_id, version, expires_at: Some(expires_at) };
        format!("{}/{}", self.path(), keys.sign(self.purpose(), &link))
    }
}

/// Used up, replaced, or of an account that may not log in.
fn void() -> AppError {
    let sentence = "this link was used already, or has been replaced; ask for a new password at /reset";
    AppError::refused(StatusCode::GONE, "link_void", sentence)
}

impl Staff {
    /// Whose password `token` may set.
    pub(in crate::staff) async fn linked(
        &self,
        kind: MailedLink,
        token: &str,
    ) -> Result<LinkedAccount, AppError> {
        let link = self.kernel.keys.verify(kind.purpose(), token, self.kernel.clock.now());
        let link = link.map_err(|error| match error {
            LinkError::Invalid => AppError::refused(
                StatusCode::NOT_FOUND,
                "link_invalid",
                "this link is not complete; copy it whole from the mail",
            ),
            LinkError::Expired => AppError::refused(
                StatusCode::GONE,
                "link_expired",
                "this link has expired; ask for a new one at /reset",
            ),
        })?;
        let found = self
            .kernel
            .store
            .read(move |db| Ok::<_, AppError>(queries::find_linked(db, link.subject)?))
            .await?;
        found.filter(|account| u32::try_from(account.link_version) == Ok(link.version)).ok_or_else(void)
    }

    /// Sets the password of whoever has `token`, and ends every session they have; after a reset, every bearer token
    /// too. Returns the account.
    ///
    /// # Errors
    /// `link_invalid`, `link_expired`, `link_void`, or what is wrong with the password.
    pub(in crate::staff) async fn set_password_by_link(
        &self,
        kind: MailedLink,
        token: &str,
        password: SecretString,
    ) -> Result<LinkedAccount, AppError> {
        let account = self.linked(kind, token).await?;
        if let Some((code, message)) = passwords::weakness(&password, &account.email) {
            return Err(AppError::field("password", code, message));
        }
        let hash = self.hasher.hash(password).await?;
        let (now, keys) = (self.kernel.clock.now(), self.kernel.keys.clone());
        let account = self
            .kernel
            .store
            .write(Lane::Visitor, move |db| {
                // Of two clicks at once, one finds the version raised.
                if !queries::set_password(db, account.id, account.link_version, &hash)? {
                    return Err(void());
                }
                sessions::queries::delete_all(db, account.id)?;
                let actor = Actor::Staff { id: account.id, token: None };
                let act = Act::new(actor, "staff.password_set").on("staff", account.id);
                let act = act.with(serde_json::json!({ "by": kind.as_str() }));
                let acts = match kind {
                    MailedLink::Invite => vec![act],
                    // Whoever has lost a password may have lost more: what was given out by it ends.
                    MailedLink::Reset => {
                        owed::notice(db, Notice::PasswordSet, account.id, account.email.clone(), now)?;
                        tokens::revoked_by(db, act, account.id, now)?
                    }
                };
                audit::append(db, &keys, &acts, now)?;
                Ok(account)
            })
            .await?;
        self.kernel.outbox.wake();
        Ok(account)
    }
}

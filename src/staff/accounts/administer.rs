//! What an owner does with others' accounts: list, invite, change, disable, take back. The last owner who can log in
//! cannot be lost: what changes accounts happens one after the other, and counts owners before it commits.

use actix_web::http::StatusCode;
use diesel::QueryResult;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{AccountError, Invitation, find_group, invite, queries};
use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    contact::EmailAddress,
    error::{AppError, FieldError},
    id::Id,
    outbox::{self, NewMail},
    staff::{
        Role, Staff,
        owed::{self, Notice},
        sessions, tokens, totp,
    },
    store::{
        Db, Lane,
        lock::{self, Once},
    },
};

/// An account as owners see it.
#[derive(Clone, Serialize, ToSchema)]
pub struct StaffView {
    /// Names the account.
    #[schema(value_type = String)]
    pub id: Id,
    /// Its address.
    pub email: String,
    /// What it may do.
    pub role: String,
    /// The one group of a group manager.
    #[schema(value_type = Option<String>)]
    pub group_id: Option<Id>,
    /// `invited` (no password yet), `active` or `disabled`.
    pub status: &'static str,
    /// Whether it logs in with a second factor.
    pub totp: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When somebody last logged in with it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_login_at: Option<Timestamp>,
}

/// What is to become of an account; what is not named stays.
#[derive(Clone, Debug, Default)]
pub struct StaffChange {
    /// Another role.
    pub role: Option<Role>,
    /// Slug of another group, for a group manager.
    pub group: Option<String>,
    /// Whether it may no longer log in.
    pub disabled: Option<bool>,
}

fn no_such() -> AppError {
    AppError::NotFound("there is no such account".to_owned())
}

fn conflict(code: &'static str, sentence: &str) -> AppError {
    AppError::refused(StatusCode::CONFLICT, code, sentence)
}

impl From<AccountError> for AppError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Invalid(faults) => Self::Invalid(faults),
            AccountError::Exists => conflict("account_exists", &AccountError::Exists.to_string()),
            AccountError::NotFirst => conflict("not_first", &AccountError::NotFirst.to_string()),
            AccountError::Other(error) => error,
        }
    }
}

impl Staff {
    /// Accounts in the order they were made, after `after`; one more than `limit`.
    pub(in crate::staff) async fn list_staff(
        &self,
        after: Option<Id>,
        limit: u16,
    ) -> Result<Vec<StaffView>, AppError> {
        let list = move |db: &mut Db| Ok::<_, AppError>(queries::list(db, after, i64::from(limit) + 1)?);
        Ok(self.kernel.store.read(list).await?.into_iter().map(queries::Row::view).collect())
    }

    /// Invites somebody by mail.
    pub(in crate::staff) async fn invite_staff(
        &self,
        actor: Actor,
        email: &str,
        role: Role,
        group: Option<String>,
    ) -> Result<StaffView, AppError> {
        let email = EmailAddress::parse(email)
            .map_err(|error| AppError::field("email", error.code(), error.to_string()))?;
        if role == Role::GroupManager && group.is_none() {
            return Err(group_required());
        }
        let (now, keys) = (self.kernel.clock.now(), self.kernel.keys.clone());
        let made = self
            .kernel
            .store
            .write(Lane::Staff, move |db| {
                let group_id = match &group {
                    Some(slug) => Some(find_group(db, role, slug)?),
                    None => None,
                };
                let key = email.key();
                let Some(invited) = invite(db, actor, &Invitation { email, role, group_id }, now)? else {
                    return Err(match queries::has_password(db, &key)? {
                        true => conflict("account_exists", "there is an account with this address already"),
                        false => conflict(
                            "already_invited",
                            "this address was invited already; send the mail again instead",
                        ),
                    });
                };
                audit::append(db, &keys, &[invited.act], now)?;
                Ok(queries::find(db, invited.staff_id)?.ok_or_else(no_such)?.view())
            })
            .await?;
        self.kernel.outbox.wake();
        Ok(made)
    }

    /// Changes role, group, or whether the account may log in. Acts on the next request of whoever it is about.
    ///
    /// # Errors
    /// 404; 409 with `last_owner`; what is wrong with the group.
    pub(in crate::staff) async fn change_staff(
        &self,
        actor: Actor,
        id: Id,
        change: StaffChange,
    ) -> Result<StaffView, AppError> {
        let (now, keys) = (self.kernel.clock.now(), self.kernel.keys.clone());
        self.kernel
            .store
            .write(Lane::Staff, move |db| {
                lock::once(db, Once::Staff)?;
                let before = queries::find(db, id)?.ok_or_else(no_such)?;
                let after = changed(db, before.clone(), &change, now)?;
                if before.is_able_owner() && !after.is_able_owner() && queries::count_able_owners(db)? < 2 {
                    let sentence = "this is the last owner who can log in; make somebody else an owner first";
                    return Err(conflict("last_owner", sentence));
                }
                // First, so that a login or a new token at the same moment has either ended or finds it changed.
                queries::update(db, &after)?;
                let mut acts = Vec::new();
                if (&before.role, before.group_id) != (&after.role, after.group_id) {
                    sessions::queries::renew_all(db, id)?;
                    let details = json!({ "from": before.role, "to": after.role, "group": after.group_id });
                    acts.push(Act::new(actor, "staff.role_change").on("staff", id).with(details));
                }
                match (before.disabled_at.is_some(), after.disabled_at.is_some()) {
                    (false, true) => {
                        // Enabled again, it begins anew: nothing that was given out before opens anything.
                        queries::raise_link_version(db, id)?;
                        sessions::queries::delete_all(db, id)?;
                        let act = Act::new(actor, "staff.disable").on("staff", id);
                        acts.extend(tokens::revoked_by(db, act, id, now)?);
                    }
                    (true, false) => acts.push(Act::new(actor, "staff.enable").on("staff", id)),
                    _ => {}
                }
                audit::append(db, &keys, &acts, now)?;
                Ok(after.view())
            })
            .await
    }

    /// Takes an invitation back, as long as nobody has used it.
    ///
    /// # Errors
    /// 404; 409 with `not_invited` when the account has a password.
    pub(in crate::staff) async fn take_back_invitation(&self, actor: Actor, id: Id) -> Result<(), AppError> {
        self.act_on(actor, id, "staff.uninvite", |db, account, _| {
            if !account.is_invited {
                return Err(conflict("not_invited", "this account is in use; disable it instead"));
            }
            Ok(queries::delete(db, account.id)?)
        })
        .await
    }

    /// Owes the invitation once more; links of the mails before are void.
    ///
    /// # Errors
    /// 404; 409 with `not_invited` when the account has a password.
    pub(in crate::staff) async fn invite_again(&self, actor: Actor, id: Id) -> Result<(), AppError> {
        self.act_on(actor, id, "staff.invite", |db, account, now| {
            if !account.is_invited {
                return Err(conflict(
                    "not_invited",
                    "this account has a password; send a link to reset it instead",
                ));
            }
            queries::raise_link_version(db, account.id)?;
            let mail = NewMail { template: owed::INVITE, subject_id: account.id, address: account.email };
            Ok(outbox::enqueue(db, &[mail], now)?)
        })
        .await
    }

    /// Owes the mail with the link to set a new password.
    pub(in crate::staff) async fn send_reset(&self, actor: Actor, id: Id) -> Result<(), AppError> {
        self.act_on(actor, id, "staff.reset_request", |db, account, now| {
            let mail = NewMail { template: owed::RESET, subject_id: account.id, address: account.email };
            Ok(outbox::enqueue(db, &[mail], now)?)
        })
        .await
    }

    /// Switches somebody's second factor off, who has lost it. Their sessions end.
    ///
    /// # Errors
    /// 404; 409 with `totp_off` when there is none, with `own_account` for one's own: for that the password and a code are
    /// asked for.
    pub(in crate::staff) async fn reset_totp(&self, actor: Actor, id: Id) -> Result<(), AppError> {
        if matches!(actor, Actor::Staff { id: own, .. } if own == id) {
            let sentence = "switch your own second factor off at DELETE /api/v1/admin/me/totp";
            return Err(conflict("own_account", sentence));
        }
        self.act_on(actor, id, "totp.reset", |db, account, now| {
            if !totp::queries::disable(db, account.id)? {
                return Err(conflict("totp_off", "this account has no second factor"));
            }
            owed::notice(db, Notice::TotpOff, account.id, account.email, now)?;
            Ok(sessions::queries::delete_all(db, account.id).map(drop)?)
        })
        .await
    }

    /// One act on one account, in one transaction.
    async fn act_on(
        &self,
        actor: Actor,
        id: Id,
        action: &'static str,
        act: impl FnOnce(&mut Db, queries::Row, Timestamp) -> Result<(), AppError> + Send + 'static,
    ) -> Result<(), AppError> {
        let (now, keys) = (self.kernel.clock.now(), self.kernel.keys.clone());
        self.kernel
            .store
            .write(Lane::Staff, move |db| {
                lock::once(db, Once::Staff)?;
                let account = queries::find(db, id)?.ok_or_else(no_such)?;
                act(db, account, now)?;
                Ok::<_, AppError>(audit::append(db, &keys, &[Act::new(actor, action).on("staff", id)], now)?)
            })
            .await?;
        self.kernel.outbox.wake();
        Ok(())
    }

    /// The account with this address, for the command line.
    pub(in crate::staff) async fn find_by_address(&self, email: &str) -> Result<StaffView, AppError> {
        let unknown = || AppError::field("email", "unknown", "there is no account with this address");
        let key = EmailAddress::parse(email).map_err(|_| unknown())?.key();
        let find = move |db: &mut Db| -> QueryResult<Option<queries::Row>> { queries::find_by_key(db, &key) };
        let found = self.kernel.store.read(move |db| Ok::<_, AppError>(find(db)?)).await?;
        found.map(queries::Row::view).ok_or_else(unknown)
    }
}

fn group_required() -> AppError {
    AppError::Invalid(vec![FieldError::new(
        "group",
        "required",
        "a group manager works for a group; name its slug",
    )])
}

/// The account as it will be.
fn changed(
    db: &mut Db,
    mut account: queries::Row,
    change: &StaffChange,
    now: Timestamp,
) -> Result<queries::Row, AppError> {
    let role = match change.role {
        Some(role) => role,
        None => account.role.parse().map_err(|error: String| AppError::internal(&error))?,
    };
    role.as_str().clone_into(&mut account.role);
    account.group_id = match &change.group {
        Some(slug) => Some(find_group(db, role, slug)?),
        None if role == Role::GroupManager => Some(account.group_id.ok_or_else(group_required)?),
        None => None,
    };
    match change.disabled {
        Some(true) => account.disabled_at = account.disabled_at.or(Some(now)),
        Some(false) => account.disabled_at = None,
        None => {}
    }
    Ok(account)
}

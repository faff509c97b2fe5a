//! Accounts: how they come to be. What becomes of them later is in the files beside this one.

mod administer;
mod invite;
mod links;
mod own;
pub(super) mod queries;
mod reset;

use secrecy::SecretString;

pub(super) use administer::StaffChange;
pub use administer::StaffView;
pub use invite::{Invitation, Invited, invite};
pub(super) use links::MailedLink;
pub(super) use own::Proof;

use super::{Role, Staff, model::Account, passwords};
use crate::{
    audit::{self, Act, Actor},
    contact::EmailAddress,
    error::{AppError, FieldError},
    id::Id,
    store::{
        Db, Lane, StoreError,
        lock::{self, Once},
    },
};

/// Why an account was not made.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Address, password or group do not hold.
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

/// An account that is made with its password, without an invitation.
pub struct NewAccount {
    /// Its address.
    pub email: String,
    /// Its password.
    pub password: SecretString,
    /// Its role.
    pub role: Role,
    /// Slug of the one group of a group manager.
    pub group: Option<String>,
}

impl Staff {
    /// The first owner's account, as long as there is none.
    pub(super) async fn create_first(&self, email: &str, password: SecretString) -> Result<Id, AccountError> {
        let new = NewAccount { email: email.to_owned(), password, role: Role::Owner, group: None };
        self.create(new, true).await
    }

    /// Makes an account; with `only_if_first`, only while there is none.
    pub(super) async fn create(&self, new: NewAccount, only_if_first: bool) -> Result<Id, AccountError> {
        let mut faults = Vec::new();
        let address = EmailAddress::parse(&new.email)
            .map_err(|error| faults.push(FieldError::new("email", error.code(), error.to_string())))
            .ok();
        if let Some((code, message)) = passwords::weakness(&new.password, new.email.trim()) {
            faults.push(FieldError::new("password", code, message));
        }
        let Some(address) = address.filter(|_| faults.is_empty()) else {
            return Err(AccountError::Invalid(faults));
        };
        let hash = self.hasher.hash(new.password).await?;
        let now = self.kernel.clock.now();
        let (role, group, keys) = (new.role, new.group, self.kernel.keys.clone());
        self.kernel
            .store
            .write(Lane::Staff, move |db| {
                lock::once(db, Once::Staff)?;
                if only_if_first && queries::count(db)? > 0 {
                    return Err(AccountError::NotFirst);
                }
                let group_id = match &group {
                    Some(slug) => Some(find_group(db, role, slug)?),
                    None => None,
                };
                let key = address.key();
                if queries::exists(db, &key)? {
                    return Err(AccountError::Exists);
                }
                let account = Account {
                    id: Id::new(),
                    email: address.as_str().to_owned(),
                    role: role.as_str().to_owned(),
                    group_id,
                    totp_nonce: None,
                };
                queries::insert(db, &account, &key, &hash, now)?;
                let actor = if only_if_first {
                    Actor::Staff { id: account.id, token: None }
                } else {
                    Actor::CommandLine
                };
                let act = Act::new(actor, "staff.create").on("staff", account.id);
                audit::append(db, &keys, &[act.with(described(role, group_id))], now)?;
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
}

/// The group with this slug, for somebody with this role.
pub(super) fn find_group(db: &mut Db, role: Role, slug: &str) -> Result<Id, AccountError> {
    let fault = |code: &str, sentence: &str| {
        Err(AccountError::Invalid(vec![FieldError::new("group", code, sentence)]))
    };
    if role != Role::GroupManager {
        return fault("not_for_this_role", "only a group manager has a group");
    }
    match queries::find_group(db, slug)? {
        Some(id) => Ok(id),
        None => fault("unknown_group", "there is no member group with this slug"),
    }
}

/// A role, and the group it is for, as the audit trail names them.
fn described(role: Role, group: Option<Id>) -> serde_json::Value {
    match group {
        Some(group) => serde_json::json!({ "role": role.as_str(), "group": group }),
        None => serde_json::json!({ "role": role.as_str() }),
    }
}

//! Second factors: an authenticator app (TOTP), and ten codes for whoever has lost it.
//!
//! The app's secret is in no table: it is derived from a random value in the account's row and the installation's key
//! that is never rotated. Whoever has the database alone can make no code; whoever loses the key loses the second
//! factors, and `openhearth admin reset-password --remove-totp` lets people in again.

pub mod domain;
mod enrol;
mod qr;
pub(super) mod queries;

use actix_web::http::StatusCode;
use diesel::QueryResult;

use super::{Staff, model::Account};
use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    error::AppError,
    id::Id,
    keys::Keys,
    store::{Db, Lane, settings},
};

/// The setting's name.
const REQUIRED: &str = "staff.totp_required";

/// Whether everybody must log in with a second factor.
pub(super) fn is_required(db: &mut Db) -> QueryResult<bool> {
    Ok(settings::find(db, REQUIRED)?.is_some_and(|value| value == "true"))
}

impl Staff {
    /// Whether everybody must log in with a second factor.
    pub(super) async fn is_totp_required(&self) -> Result<bool, AppError> {
        self.kernel.store.read(|db| Ok(is_required(db)?)).await
    }

    /// Recovery codes of `id` that have not been used.
    pub(super) async fn recovery_codes_left(&self, id: Id) -> Result<i64, AppError> {
        self.kernel.store.read(move |db| Ok(queries::count_recovery_codes(db, id)?)).await
    }

    /// Requires a second factor of everybody, or no longer. Whoever has none can then do nothing but set one up, from
    /// their next request on.
    ///
    /// # Errors
    /// 409 with `totp_first` for an owner who has none.
    pub(super) async fn require_totp(
        &self,
        actor: Actor,
        required: bool,
        has_own: bool,
    ) -> Result<(), AppError> {
        if required && !has_own {
            let sentence = "set up your own second factor before you require one of everybody";
            return Err(AppError::refused(StatusCode::CONFLICT, "totp_first", sentence));
        }
        let (now, keys) = (self.kernel.clock.now(), self.kernel.keys.clone());
        self.kernel
            .store
            .write(Lane::Staff, move |db| {
                let value = if required { "true" } else { "false" };
                settings::store(db, REQUIRED, value, now)?;
                let act = Act::new(actor, "settings.change");
                let act = act.with(serde_json::json!({ "totp_required": required }));
                Ok(audit::append(db, &keys, &[act], now)?)
            })
            .await
    }
}

/// What a login shows beside the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SecondFactor {
    /// Right, and used up; or none is asked for.
    Right,
    /// None was sent.
    Missing,
    /// Not right, or used before.
    Wrong,
}

/// Checks `code`, an app's or a recovery code, and uses it up: in the transaction that acts on it, so that of two
/// logins with one code only one succeeds.
pub(super) fn check(
    db: &mut Db,
    keys: &Keys,
    account: &Account,
    code: Option<&str>,
    now: Timestamp,
) -> QueryResult<SecondFactor> {
    let Some(nonce) = &account.totp_nonce else { return Ok(SecondFactor::Right) };
    let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) else {
        return Ok(SecondFactor::Missing);
    };
    let secret = keys.totp_secret(account.id, nonce);
    let is_right = match domain::matching_step(&secret, code, now.as_seconds()) {
        Some(step) => queries::use_step(db, account.id, step)?,
        None => {
            let hash = keys.recovery_hash(account.id, &domain::folded_recovery_code(code));
            queries::use_recovery_code(db, account.id, hash)?
        }
    };
    Ok(if is_right { SecondFactor::Right } else { SecondFactor::Wrong })
}

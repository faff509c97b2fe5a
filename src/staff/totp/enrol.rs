//! Setting a second factor up, replacing it, and switching it off.

use actix_web::http::StatusCode;
use secrecy::{ExposeSecret, SecretString};

use super::{domain, is_required, qr, queries};
use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    error::AppError,
    id::Id,
    keys::Keys,
    staff::{
        Staff,
        owed::{self, Notice},
        sessions::{self, NewLogin, Session},
    },
    store::{Db, Lane},
};

/// Recovery codes of one account.
const CODES: usize = 10;

/// A secret to be put into an app, and to be confirmed by a code of it.
pub struct Enrolment {
    /// For typing.
    pub secret: String,
    /// For apps on the same device.
    pub uri: String,
    /// For a camera.
    pub qr_svg: String,
}

impl Staff {
    /// Begins to set a second factor up. Nothing is asked for at login until it is confirmed.
    pub(in crate::staff) async fn begin_totp(&self, id: Id, email: &str) -> Result<Enrolment, AppError> {
        let nonce = random::<16>()?;
        self.kernel
            .store
            .write(Lane::Staff, move |db| Ok::<_, AppError>(queries::set_pending(db, id, &nonce)?))
            .await?;
        let secret = self.kernel.keys.totp_secret(id, &nonce);
        let uri = domain::key_uri(&self.kernel.config.campaign.name, email, &secret);
        Ok(Enrolment { secret: domain::base32(&secret), qr_svg: qr::svg(&uri)?, uri })
    }

    /// Turns it on, when `code` shows that the app has the secret. All sessions end, and a new one begins: the account
    /// can do no more than before, but whoever was in it without the second factor is out.
    pub(in crate::staff) async fn confirm_totp(
        &self,
        id: Id,
        email: String,
        code: SecretString,
        login: NewLogin,
    ) -> Result<(Session, Vec<String>), AppError> {
        let (now, keys, codes) = (self.kernel.clock.now(), self.kernel.keys.clone(), recovery_codes()?);
        let session = self
            .kernel
            .store
            .write(Lane::Staff, {
                let codes = codes.clone();
                move |db| {
                    let pending = queries::find_pending(db, id)?.ok_or_else(not_begun)?;
                    let secret = keys.totp_secret(id, &pending);
                    let step = domain::matching_step(&secret, code.expose_secret(), now.as_seconds());
                    let step = step.ok_or_else(|| {
                        AppError::field(
                            "code",
                            "wrong",
                            "this is not the code your app shows now; try the next one",
                        )
                    })?;
                    queries::enable(db, id, &pending, step)?;
                    store_codes(db, &keys, id, &codes)?;
                    sessions::queries::delete_all(db, id)?;
                    let session = login.store(db, id)?;
                    owed::notice(db, Notice::TotpOn, id, email, now)?;
                    note(db, &keys, id, "totp.enable", now)?;
                    Ok::<_, AppError>(session)
                }
            })
            .await?;
        self.kernel.outbox.wake();
        Ok((session, codes))
    }

    /// New recovery codes in place of the old ones.
    pub(in crate::staff) async fn renew_recovery_codes(
        &self,
        id: Id,
        email: String,
    ) -> Result<Vec<String>, AppError> {
        let (now, keys, codes) = (self.kernel.clock.now(), self.kernel.keys.clone(), recovery_codes()?);
        let stored = codes.clone();
        self.kernel
            .store
            .write(Lane::Staff, move |db| {
                store_codes(db, &keys, id, &stored)?;
                owed::notice(db, Notice::RecoveryCodes, id, email, now)?;
                note(db, &keys, id, "totp.recovery_codes", now)?;
                Ok::<_, AppError>(())
            })
            .await?;
        self.kernel.outbox.wake();
        Ok(codes)
    }

    /// Switches one's own second factor off, unless everybody must have one.
    pub(in crate::staff) async fn remove_own_totp(&self, id: Id, email: String) -> Result<(), AppError> {
        let (now, keys) = (self.kernel.clock.now(), self.kernel.keys.clone());
        self.kernel
            .store
            .write(Lane::Staff, move |db| {
                if is_required(db)? {
                    let sentence = "an owner requires a second factor of everybody; you can replace yours";
                    return Err(AppError::refused(StatusCode::CONFLICT, "totp_required", sentence));
                }
                if queries::disable(db, id)? {
                    owed::notice(db, Notice::TotpOff, id, email, now)?;
                    note(db, &keys, id, "totp.reset", now)?;
                }
                Ok(())
            })
            .await?;
        self.kernel.outbox.wake();
        Ok(())
    }
}

fn not_begun() -> AppError {
    let sentence = "begin with POST /api/v1/admin/me/totp; it gives the secret for your app";
    AppError::refused(StatusCode::CONFLICT, "totp_not_begun", sentence)
}

fn note(db: &mut Db, keys: &Keys, id: Id, action: &'static str, now: Timestamp) -> diesel::QueryResult<()> {
    let act = Act::new(Actor::Staff { id, token: None }, action).on("staff", id);
    audit::append(db, keys, &[act], now)
}

fn store_codes(db: &mut Db, keys: &Keys, id: Id, codes: &[String]) -> diesel::QueryResult<()> {
    let hash = |code: &String| keys.recovery_hash(id, &domain::folded_recovery_code(code));
    queries::replace_recovery_codes(db, id, &codes.iter().map(hash).collect::<Vec<_>>())
}

/// Ten times 60 bits, as three groups of four characters.
fn recovery_codes() -> Result<Vec<String>, AppError> {
    (0..CODES)
        .map(|_| {
            let letters = domain::base32(&random::<8>()?).to_lowercase();
            Ok(format!("{}-{}-{}", &letters[..4], &letters[4..8], &letters[8..12]))
        })
        .collect()
}

fn random<const N: usize>() -> Result<[u8; N], AppError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| AppError::internal(&error))?;
    Ok(bytes)
}

//! Logging in: count the try, check the password and the second factor, begin a session. An unknown address, a wrong
//! password and an account that may not log in get the same answer for the same work.

use std::net::IpAddr;

use actix_web::http::StatusCode;
use secrecy::{ExposeSecret, SecretString};

use super::{NewLogin, Session, queries};
use crate::{
    audit::{self, Act, Actor},
    clock::Clock,
    contact::EmailAddress,
    error::AppError,
    id::Id,
    keys::{AddressHash, Keys},
    staff::{
        Staff,
        accounts::{self, queries::LoginAccount},
        throttle::{Counted, Outcome, Try},
        totp::{self, SecondFactor},
    },
    store::{Db, Lane},
};

/// What somebody sends to log in.
pub struct Login {
    /// Address of the account, as it was typed.
    pub email: String,
    /// Its password.
    pub password: SecretString,
    /// The app's code, or a recovery code.
    pub code: Option<SecretString>,
    /// Where the request came from.
    pub client: IpAddr,
    /// Whose browser it is, if it is known.
    pub known_browser: Option<(Id, u32)>,
    /// The kind of browser or program.
    pub browser: &'static str,
    /// The session the browser has so far; it ends.
    pub session: Option<Vec<u8>>,
}

/// A session that has begun.
pub struct Begun {
    /// The session.
    pub session: Session,
    /// Whose it is.
    pub staff_id: Id,
    /// Whether they must set up a second factor before anything else.
    pub must_enrol: bool,
}

impl Staff {
    /// Begins a session.
    ///
    /// # Errors
    /// 401 with `login_failed`, `totp_needed` or `totp_wrong`; 429 when there were too many failures; 503 when too many
    /// log in at once.
    pub(in crate::staff) async fn log_in(&self, login: Login) -> Result<Begun, AppError> {
        let turn = self.hasher.enter()?;
        let typed = login.email.trim().to_lowercase();
        let key = EmailAddress::parse(&login.email).map_or(typed, |address| address.key());
        let address = self.kernel.keys.attempt_hash(Counted::Account.as_str(), &key);
        let found = {
            let key = key.clone();
            let find = move |db: &mut Db| Ok::<_, AppError>(accounts::queries::find_login(db, &key)?);
            self.kernel.store.read(find).await?
        };
        let attempt = self.counted(&login, found.as_ref(), &key);
        let (clock, counted) = (self.kernel.clock.clone(), attempt.clone());
        self.kernel.store.write(Lane::Staff, move |db| counted.begin(db, &clock)).await?;

        let hash = found.as_ref().filter(|found| found.may_log_in()).map(|found| found.password_hash.clone());
        let is_right = turn.verify(login.password, hash).await?;
        let conclusion = Conclusion {
            known: found.as_ref().map(|found| found.account.id),
            found: found.filter(|_| is_right),
            attempt,
            address,
            code: login.code,
            old_session: login.session,
            new: self.new_login(login.browser)?,
            keys: self.kernel.keys.clone(),
        };
        let clock = self.kernel.clock.clone();
        let outcome = self
            .kernel
            .store
            .write(Lane::Staff, move |db| Ok::<_, AppError>(conclusion.conclude(db, &clock)?))
            .await?;
        outcome.map_err(|refusal| {
            tracing::info!(reason = refusal, "a login failed");
            refused(refusal)
        })
    }

    /// A browser that is known for this account counts for itself; every other for the account and its own address.
    fn counted(&self, login: &Login, found: Option<&LoginAccount>, key: &str) -> Try {
        let keys = &self.kernel.keys;
        let known = login.known_browser.zip(found).filter(|((whose, _), found)| *whose == found.account.id);
        match known {
            Some(((whose, number), _)) => {
                Try::default().and(keys, Counted::Browser, &format!("{whose} {number}"))
            }
            None => Try::default().and(keys, Counted::Account, key).and(
                keys,
                Counted::Client,
                &keys.client_hash(login.client).to_string(),
            ),
        }
    }
}

/// All that the last transaction of a login needs.
struct Conclusion {
    /// The account at the address, whatever becomes of the login.
    known: Option<Id>,
    /// The same, if the password is right.
    found: Option<LoginAccount>,
    attempt: Try,
    address: AddressHash,
    code: Option<SecretString>,
    old_session: Option<Vec<u8>>,
    new: NewLogin,
    keys: Keys,
}

impl Conclusion {
    /// Begins the session, or says why not; either is in the audit trail.
    fn conclude(self, db: &mut Db, clock: &Clock) -> diesel::QueryResult<Result<Begun, &'static str>> {
        let now = clock.now();
        let code = self.code.as_ref().map(ExposeSecret::expose_secret);
        let factor = match &self.found {
            None => None,
            Some(found) => Some(totp::check(db, &self.keys, &found.account, code, now)?),
        };
        let refusal = match (self.found, factor) {
            (Some(found), Some(SecondFactor::Right)) => {
                let id = found.account.id;
                let must_enrol = found.account.totp_nonce.is_none() && totp::is_required(db)?;
                // The password may have changed, or the account have been disabled, while this one was checked.
                if accounts::queries::begin_login(db, id, found.link_version, now)? {
                    self.attempt.end(db, clock, Outcome::Right)?;
                    if let Some(old) = self.old_session {
                        queries::delete(db, &old)?;
                    }
                    let session = self.new.store(db, id)?;
                    let act = Act::new(Actor::Staff { id, token: None }, "session.begin").on("staff", id);
                    audit::append(db, &self.keys, &[act], now)?;
                    return Ok(Ok(Begun { session, staff_id: id, must_enrol }));
                }
                "login_failed"
            }
            (_, Some(SecondFactor::Missing)) => {
                self.attempt.end(db, clock, Outcome::Neither)?;
                "totp_needed"
            }
            (_, Some(SecondFactor::Wrong)) => "totp_wrong",
            _ => "login_failed",
        };
        let act = Act::new(Actor::Unknown, "session.refused");
        let act = match self.known {
            Some(id) => act.on("staff", id).with(serde_json::json!({ "code": refusal })),
            None => act.with(serde_json::json!({ "code": refusal, "address": self.address.to_string() })),
        };
        audit::append(db, &self.keys, &[act], now)?;
        Ok(Err(refusal))
    }
}

fn refused(code: &'static str) -> AppError {
    let sentence = match code {
        "totp_needed" => "send the code that your authenticator app shows as \"code\", too",
        "totp_wrong" => "the code is not right, or was used before; wait for the next one",
        _ => "e-mail address or password is not right",
    };
    AppError::refused(StatusCode::UNAUTHORIZED, code, sentence)
}

//! Sessions: opaque, stored by hash, ended by rest, by age, by logging out, and by whatever takes their ground away.

pub(super) mod cookies;
mod login;
pub(super) mod queries;
mod renew;

use std::time::Duration;

use diesel::QueryResult;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use utoipa::ToSchema;

pub(super) use login::Login;
pub(super) use renew::Renewal;
pub use renew::renew_sessions;

use super::Staff;
use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    config::random_secret,
    error::AppError,
    id::Id,
    keys::sha256,
    store::{Db, Lane},
};

/// How exactly it is noted when a session was last used.
const NOTED: Duration = Duration::from_secs(60);

/// A session that has begun; the token is known to the client alone.
pub struct Session {
    /// The cookie's value.
    pub token: SecretString,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

/// A session about to begin: its token is made before the transaction that stores it.
pub struct NewLogin {
    token: SecretString,
    now: Timestamp,
    expires_at: Timestamp,
    browser: &'static str,
}

/// One of one's own sessions.
#[derive(Serialize, ToSchema)]
pub struct OwnSessionView {
    /// Names the session; it is not its cookie.
    #[schema(value_type = String)]
    pub id: Id,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last used, to the minute or so.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// The kind of browser or program.
    pub browser: String,
    /// Whether it is the one that asks.
    pub is_current: bool,
}

impl Session {
    /// The cookie's value, to be sent once.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.token.expose_secret()
    }
}

impl NewLogin {
    /// Stores the session of `staff_id`.
    pub fn store(self, db: &mut Db, staff_id: Id) -> QueryResult<Session> {
        let row = queries::Row {
            token_hash: sha256(self.token.expose_secret()),
            id: Id::new(),
            staff_id,
            created_at: self.now,
            last_seen_at: self.now,
            expires_at: self.expires_at,
            browser: self.browser.to_owned(),
            renew: false,
        };
        queries::insert(db, &row)?;
        Ok(Session { token: self.token, expires_at: self.expires_at })
    }
}

impl Staff {
    /// A session about to begin, with the whole of its time before it.
    pub(super) fn new_login(&self, browser: &'static str) -> Result<NewLogin, AppError> {
        let token = random_secret().map_err(|error| AppError::internal(&error))?;
        let now = self.kernel.clock.now();
        let expires_at = now.after(self.kernel.config.staff.session());
        Ok(NewLogin { token: token.into(), now, expires_at, browser })
    }

    /// Sessions that were not used since then have ended.
    pub(super) fn rested(&self, now: Timestamp) -> Timestamp {
        now.before(self.kernel.config.staff.idle())
    }

    /// Notes, apart from the request, that a session was used; at most once a minute, so that reads stay reads.
    pub(super) fn note_seen(&self, session: &queries::Row, now: Timestamp) {
        let before = now.before(NOTED);
        if session.last_seen_at >= before {
            return;
        }
        let (store, hash) = (self.kernel.store.clone(), session.token_hash.clone());
        tokio::spawn(async move {
            let touch = move |db: &mut Db| Ok::<_, AppError>(queries::touch(db, &hash, now, before)?);
            // The next request tries again.
            let _ = store.write(Lane::Staff, touch).await;
        });
    }

    /// The sessions of `staff_id`; `current` is the hash of the one that asks.
    pub(super) async fn own_sessions(
        &self,
        staff_id: Id,
        current: Vec<u8>,
    ) -> Result<Vec<OwnSessionView>, AppError> {
        let now = self.kernel.clock.now();
        let rested = self.rested(now);
        let list = move |db: &mut Db| Ok::<_, AppError>(queries::list(db, staff_id, now, rested)?);
        let mut rows = self.kernel.store.read(list).await?;
        let current = rows.iter().find(|row| row.token_hash == current).map(|row| row.id);
        // A session that was renewed this moment has two cookies.
        rows.dedup_by_key(|row| row.id);
        let view = |row: queries::Row| OwnSessionView {
            id: row.id,
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
            expires_at: row.expires_at,
            browser: row.browser,
            is_current: Some(row.id) == current,
        };
        Ok(rows.into_iter().map(view).collect())
    }

    /// Ends one session of `staff_id`.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when they have no such session.
    pub(super) async fn end_session(&self, staff_id: Id, id: Id) -> Result<(), AppError> {
        self.end(staff_id, move |db| {
            if queries::delete_one(db, staff_id, id)? {
                Ok(())
            } else {
                Err(AppError::NotFound("you have no such session".to_owned()))
            }
        })
        .await
    }

    /// Ends the session with this hash.
    pub(super) async fn log_out(&self, staff_id: Id, hash: Vec<u8>) -> Result<(), AppError> {
        self.end(staff_id, move |db| Ok(queries::delete(db, &hash).map(drop)?)).await
    }

    async fn end(
        &self,
        staff_id: Id,
        delete: impl FnOnce(&mut Db) -> Result<(), AppError> + Send + 'static,
    ) -> Result<(), AppError> {
        let (now, keys) = (self.kernel.clock.now(), self.kernel.keys.clone());
        self.kernel
            .store
            .write(Lane::Staff, move |db| {
                delete(db)?;
                let act = Act::new(Actor::Staff { id: staff_id, token: None }, "session.end");
                Ok::<_, AppError>(audit::append(db, &keys, &[act.on("staff", staff_id)], now)?)
            })
            .await
    }
}

/// The kind of browser or program, coarsely: enough to know one's own again, and nothing to track anybody by.
pub(super) fn browser_kind(user_agent: &str) -> &'static str {
    let has = |word: &str| user_agent.contains(word);
    let is_phone = has("Mobile") || has("Android");
    match () {
        () if has("Firefox/") && is_phone => "Firefox on a phone",
        () if has("Firefox/") => "Firefox",
        () if has("Edg/") || has("EdgA/") => "Edge",
        () if has("OPR/") => "Opera",
        () if (has("Chrome/") || has("CriOS/")) && is_phone => "Chrome on a phone",
        () if has("Chrome/") => "Chrome",
        () if has("Safari/") && is_phone => "Safari on a phone",
        () if has("Safari/") => "Safari",
        () if has("curl/") => "curl",
        () => "another program",
    }
}

//! Bearer tokens: made with a name and scopes, shown once, stored as SHA-256. They end by themselves, by being revoked
//! (by whose they are, or by an owner), and with their account: when it is disabled, and when its password is set by
//! somebody who has not shown the one before. A change of password by whoever has it leaves them, unless they say so.

pub(super) mod queries;

use std::time::Duration;

use diesel::QueryResult;
use serde_json::json;

use super::{
    Role, Scope, Staff, accounts,
    model::{Token, TokenView},
    owed::{self, Notice},
    sessions,
};
use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    config::random_secret,
    contact::LineText,
    error::{AppError, FieldError},
    id::Id,
    keys::sha256,
    store::{Db, Lane},
};

/// How exactly it is noted when a token was last used.
const NOTED: Duration = Duration::from_secs(60);

/// Whose token it will be. It can never do more than they.
pub(super) struct TokenOwner {
    pub id: Id,
    pub role: Role,
    /// The one group of a group manager.
    pub group_id: Option<Id>,
    /// Who makes it.
    pub actor: Actor,
    /// The session that asks, if one does; it must not have ended meanwhile.
    pub session: Option<Vec<u8>>,
}

/// A token that is asked for.
pub(super) struct TokenWish {
    pub name: String,
    pub scopes: Vec<String>,
    pub expires_at: Option<Timestamp>,
    /// Slug of the one group whose people it may see.
    pub group: Option<String>,
}

impl Staff {
    /// Makes a token; returns it with its view.
    ///
    /// # Errors
    /// The fields that do not hold.
    pub(super) async fn create_token(
        &self,
        owner: TokenOwner,
        wish: TokenWish,
    ) -> Result<(String, TokenView), AppError> {
        let now = self.kernel.clock.now();
        let name = check(&owner, &wish, now)?;
        let token = format!("oh_{}", random_secret().map_err(|error| AppError::internal(&error))?);
        let hash = sha256(&token);
        let mut view = TokenView {
            id: Id::new(),
            name,
            scopes: wish.scopes.join(","),
            created_at: now,
            expires_at: wish.expires_at,
            group_id: owner.group_id,
            last_used_at: None,
        };
        let keys = self.kernel.keys.clone();
        let view = self
            .kernel
            .store
            .write(Lane::Staff, move |db| {
                if let Some(slug) = &wish.group {
                    let fault = |code, sentence: &str| AppError::field("group", code, sentence);
                    let found = accounts::queries::find_group(db, slug)?;
                    let id = found
                        .ok_or_else(|| fault("unknown_group", "there is no member group with this slug"))?;
                    if owner.group_id.is_some_and(|own| own != id) {
                        return Err(fault("beyond_role", "you work for another group"));
                    }
                    view.group_id = Some(id);
                }
                let account = accounts::queries::lock(db, owner.id)?;
                let is_over = match &owner.session {
                    Some(session) => !sessions::queries::is_there(db, owner.id, session)?,
                    None => false,
                };
                if is_over {
                    return Err(AppError::Unauthorized("this session has ended; log in again".to_owned()));
                }
                let Some(address) = account else {
                    return Err(AppError::Conflict("this account is disabled; enable it first".to_owned()));
                };
                if owner.session.is_some() {
                    owed::notice(db, Notice::TokenMade, owner.id, address, now)?;
                }
                queries::insert(db, owner.id, &hash, &view)?;
                let act = Act::new(owner.actor, "token.create").on("token", view.id);
                let details = json!({
                    "staff": owner.id, "scopes": view.scopes, "group": view.group_id,
                    "expires_at": view.expires_at,
                });
                audit::append(db, &keys, &[act.with(details)], now)?;
                Ok::<_, AppError>(view)
            })
            .await?;
        self.kernel.outbox.wake();
        Ok((token, view))
    }

    /// Notes, apart from the request, that a token was used; at most once a minute, so that reads stay reads.
    pub(super) fn note_use(&self, token: &Token, now: Timestamp) {
        let before = now.before(NOTED);
        if token.last_used_at.is_some_and(|at| at >= before) {
            return;
        }
        let (store, id) = (self.kernel.store.clone(), token.id);
        tokio::spawn(async move {
            let noted =
                store.write(Lane::Staff, move |db| Ok::<_, AppError>(queries::touch(db, id, now, before)?));
            // Only a date for people to look at: a busy database goes without it.
            let _ = noted.await;
        });
    }

    /// The tokens of `staff_id` that are not revoked.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tokens(&self, staff_id: Id) -> Result<Vec<TokenView>, AppError> {
        self.kernel.store.read(move |db| Ok::<_, AppError>(queries::list(db, staff_id)?)).await
    }

    /// The tokens of somebody else that are not revoked.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there is no such account.
    pub(super) async fn tokens_of(&self, staff_id: Id) -> Result<Vec<TokenView>, AppError> {
        let list = move |db: &mut Db| match accounts::queries::find(db, staff_id)? {
            Some(_) => Ok(queries::list(db, staff_id)?),
            None => Err(AppError::NotFound("there is no such account".to_owned())),
        };
        self.kernel.store.read(list).await
    }

    /// Ends a token of `staff_id`.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when they have no such token.
    pub(super) async fn revoke_token(&self, actor: Actor, staff_id: Id, id: Id) -> Result<(), AppError> {
        let (now, keys) = (self.kernel.clock.now(), self.kernel.keys.clone());
        self.kernel
            .store
            .write(Lane::Staff, move |db| {
                if !queries::revoke(db, staff_id, id, now)? {
                    return Err(AppError::NotFound("there is no such token".to_owned()));
                }
                let act = Act::new(actor, "token.revoke").on("token", id);
                Ok(audit::append(db, &keys, &[act.with(json!({ "staff": staff_id }))], now)?)
            })
            .await
    }
}

/// Ends every token of the account, as part of `act`; returns that act, and one for each token.
pub(super) fn revoked_by(db: &mut Db, act: Act, staff_id: Id, now: Timestamp) -> QueryResult<Vec<Act>> {
    let (actor, why) = (act.actor, act.action);
    let ids = queries::revoke_all(db, staff_id, now)?;
    let revoked = ids.into_iter().map(|id| {
        Act::new(actor, "token.revoke").on("token", id).with(json!({ "staff": staff_id, "by": why }))
    });
    Ok(std::iter::once(act).chain(revoked).collect())
}

/// The name, if everything that needs no database holds.
fn check(owner: &TokenOwner, wish: &TokenWish, now: Timestamp) -> Result<String, AppError> {
    let mut faults = Vec::new();
    let name = LineText::<100>::parse(&wish.name).unwrap_or_else(|error| {
        faults.push(FieldError::new("name", error.code(), error.to_string()));
        None
    });
    if name.is_none() && faults.is_empty() {
        faults.push(FieldError::new("name", "required", "say what the token is for"));
    }
    if wish.scopes.is_empty() {
        faults.push(FieldError::new("scopes", "required", "choose at least one scope"));
    }
    if wish.scopes.len() > Scope::COUNT {
        faults.push(FieldError::new("scopes", "too_many", "name each scope once"));
    }
    for (at, scope) in wish.scopes.iter().enumerate() {
        let fault = match scope.parse::<Scope>() {
            Err(message) => Some(("unknown_scope", message)),
            Ok(scope) if !owner.role.may(scope) => {
                Some(("beyond_role", "your role does not have this scope".to_owned()))
            }
            Ok(_) => None,
        };
        faults.extend(fault.map(|(code, message)| FieldError::new(format!("scopes[{at}]"), code, message)));
    }
    if wish.expires_at.is_some_and(|at| at <= now) {
        faults.push(FieldError::new("expires_at", "in_the_past", "choose a time that is still to come"));
    }
    match name {
        Some(name) if faults.is_empty() => Ok(name.as_str().to_owned()),
        _ => Err(AppError::Invalid(faults)),
    }
}

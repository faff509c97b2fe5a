//! Bearer tokens: made with a name and scopes, shown once, stored as SHA-256.

use super::{Role, Scope, Staff, model::TokenView, queries};
use crate::{
    clock::Timestamp,
    config::random_secret,
    contact::LineText,
    error::{AppError, FieldError},
    id::Id,
    keys::sha256,
    store::Lane,
};

impl Staff {
    /// Makes a token for `staff_id`, who has `role`; returns it with its view. It can never do more than its
    /// owner.
    ///
    /// # Errors
    /// The fields that do not hold.
    pub async fn create_token(
        &self,
        staff_id: Id,
        role: Role,
        name: &str,
        scopes: &[String],
        expires_at: Option<Timestamp>,
    ) -> Result<(String, TokenView), AppError> {
        let now = self.kernel.clock.now();
        let mut faults = Vec::new();
        let name = LineText::<100>::parse(name).unwrap_or_else(|error| {
            faults.push(FieldError::new("name", error.code(), error.to_string()));
            None
        });
        if name.is_none() && faults.is_empty() {
            faults.push(FieldError::new("name", "required", "say what the token is for"));
        }
        if scopes.is_empty() {
            faults.push(FieldError::new("scopes", "required", "choose at least one scope"));
        }
        for (at, scope) in scopes.iter().enumerate() {
            let fault = match scope.parse::<Scope>() {
                Err(message) => Some(("unknown_scope", message)),
                Ok(scope) if !role.may(scope) => {
                    Some(("beyond_role", "your role does not have this scope".to_owned()))
                }
                Ok(_) => None,
            };
            faults
                .extend(fault.map(|(code, message)| FieldError::new(format!("scopes[{at}]"), code, message)));
        }
        if expires_at.is_some_and(|at| at <= now) {
            faults.push(FieldError::new("expires_at", "in_the_past", "choose a time that is still to come"));
        }
        let Some(name) = name.filter(|_| faults.is_empty()) else { return Err(AppError::Invalid(faults)) };
        let token = format!("oh_{}", random_secret().map_err(|error| AppError::internal(&error))?);
        let hash = sha256(&token);
        let view = TokenView {
            id: Id::new(),
            name: name.as_str().to_owned(),
            scopes: scopes.join(","),
            created_at: now,
            expires_at,
        };
        let view = self
            .kernel
            .store
            .write(Lane::Staff, move |db| {
                queries::insert_token(db, staff_id, &hash, &view)?;
                Ok::<_, AppError>(view)
            })
            .await?;
        Ok((token, view))
    }

    /// The tokens of `staff_id` that are not revoked.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tokens(&self, staff_id: Id) -> Result<Vec<TokenView>, AppError> {
        self.kernel.store.read(move |db| Ok::<_, AppError>(queries::list_tokens(db, staff_id)?)).await
    }

    /// Ends a token of `staff_id`.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when they have no such token.
    pub async fn revoke_token(&self, staff_id: Id, id: Id) -> Result<(), AppError> {
        let now = self.kernel.clock.now();
        let revoked = self
            .kernel
            .store
            .write(Lane::Staff, move |db| Ok::<_, AppError>(queries::revoke_token(db, staff_id, id, now)?))
            .await?;
        if revoked { Ok(()) } else { Err(AppError::NotFound("you have no such token".to_owned())) }
    }
}

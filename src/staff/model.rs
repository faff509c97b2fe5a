//! Rows and views of staff, sessions and tokens.

use diesel::prelude::Queryable;
use serde::Serialize;
use utoipa::ToSchema;

use super::Scope;
use crate::{clock::Timestamp, id::Id, store::schema::staff};

/// Somebody on the staff, as authorisation needs them.
#[derive(Clone, Queryable)]
pub struct Account {
    pub id: Id,
    pub email: String,
    pub role: String,
    pub group_id: Option<Id>,
    /// There is one when a second factor is on.
    pub totp_nonce: Option<Vec<u8>>,
}

/// The columns of [`Account`].
pub const ACCOUNT: (staff::id, staff::email, staff::role, staff::group_id, staff::totp_nonce) =
    (staff::id, staff::email, staff::role, staff::group_id, staff::totp_nonce);

/// A bearer token, as authorisation needs it.
#[derive(Clone, Queryable)]
pub struct Token {
    pub id: Id,
    pub scopes: String,
    pub group_id: Option<Id>,
    pub last_used_at: Option<Timestamp>,
}

impl Token {
    /// Whether it has this scope.
    pub fn has(&self, scope: Scope) -> bool {
        self.scopes.split(',').any(|name| name == scope.as_str())
    }
}

/// A bearer token as its owner sees it; the token itself is shown once, when it is made.
#[derive(Queryable, Serialize, ToSchema)]
pub struct TokenView {
    /// Names the token.
    #[schema(value_type = String)]
    pub id: Id,
    /// What its owner calls it.
    pub name: String,
    /// What it may do, separated by commas.
    pub scopes: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it ends by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// The one group whose people it sees, if it is bound to one.
    #[schema(value_type = Option<String>)]
    pub group_id: Option<Id>,
    /// When it was last used, to the minute or so.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
}

//! [`Office`]: somebody on the staff with a session, and the tokens they make.

use openhearth::staff::Role;
use serde_json::json;

use super::{Client, TestApp};

/// The password of everybody on the staff.
pub const PASSWORD: &str = "correct horse battery staple";

/// Somebody who is logged in.
pub struct Office {
    /// Holds the session's cookie.
    pub session: Client,
    program: Client,
}

impl TestApp {
    /// The owner, logged in.
    pub async fn owner(&self) -> Office {
        self.staff("owner@example.org", Role::Owner).await
    }

    /// Somebody with a role, logged in.
    pub async fn staff(&self, email: &str, role: Role) -> Office {
        self.app().staff.create_by_command(email, PASSWORD.into(), role).await.unwrap();
        let session = self.browser();
        session.login(email, PASSWORD).await.expect(200);
        Office { session, program: self.client().clone() }
    }

    /// A program that may read and export everything.
    pub async fn reader(&self) -> Client {
        self.owner().await.token(&["supporters:read", "exports"]).await
    }
}

impl Office {
    /// A program with a new token of these scopes.
    pub async fn token(&self, scopes: &[&str]) -> Client {
        let body = json!({ "name": "a script", "scopes": scopes });
        let made = self.session.post_json("/api/v1/admin/tokens", &body).await.expect(201).json();
        self.with(made["token"].as_str().unwrap())
    }

    /// A program that sends `token`.
    pub fn with(&self, token: &str) -> Client {
        self.program.with_token(token)
    }
}

//! [`Office`]: somebody on the staff with a session, and the tokens they make.

use openhearth::staff::{Role, Staff};

use super::{Client, TestApp};

/// The password of everybody on the staff.
pub const PASSWORD: &str = "correct horse battery staple";

/// Somebody who is logged in.
pub struct Office {
    /// Holds the session's cookie.
    pub session: Client,
    program: Client,
    email: String,
    staff: Staff,
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
        let (program, staff) = (self.client().clone(), self.app().staff.clone());
        Office { session, program, email: email.to_owned(), staff }
    }

    /// A program that may read and export everything.
    pub async fn reader(&self) -> Client {
        self.owner().await.token(&["supporters:read", "exports"]).await
    }
}

impl Office {
    /// A program with a new token of these scopes, made on the machine: so nobody is mailed about it.
    pub async fn token(&self, scopes: &[&str]) -> Client {
        let scopes: Vec<_> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.with(&self.staff.token_by_command(&self.email, "a script", &scopes).await.unwrap())
    }

    /// A program that sends `token`.
    pub fn with(&self, token: &str) -> Client {
        self.program.with_token(token)
    }
}

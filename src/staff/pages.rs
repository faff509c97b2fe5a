//! The pages of the staff: create the owner, what to type next, choose a password.
//! Called by this slice's routes; must never show a password again, right or wrong.

use askama::Template;

use crate::site::{FieldError, Site};

/// The one-time page that creates the owner. Posts `email` and `password`.
#[derive(Debug, Clone, Template)]
#[template(path = "staff/setup.html")]
pub struct SetupPage {
    /// The frame.
    pub site: Site,
    /// Where the form posts.
    pub action: String,
    /// The address typed so far.
    pub email: String,
    /// What is wrong.
    pub errors: Vec<FieldError>,
}

impl SetupPage {
    /// The first error for the field named `field`.
    #[must_use]
    pub fn error_for(&self, field: &str) -> Option<&str> {
        FieldError::find(&self.errors, field)
    }

    /// The errors with, for each, whether the summary may link to its field.
    #[must_use]
    pub fn summary(&self) -> Vec<(&FieldError, bool)> {
        self.errors
            .iter()
            .map(|error| (error, matches!(error.field.as_str(), "email" | "password")))
            .collect()
    }
}

/// The owner exists; here are the commands to go on with.
#[derive(Debug, Clone, Template)]
#[template(path = "staff/setup_done.html")]
pub struct SetupDonePage {
    /// The frame; its `base_url` stands in the commands.
    pub site: Site,
    /// The owner's address, for the command that logs in.
    pub email: String,
}

impl SetupDonePage {
    /// The log-in body as one word for a shell.
    fn login_body(&self) -> String {
        let body = serde_json::json!({ "email": self.email, "password": "YOUR PASSWORD" });
        shell_word(&body.to_string())
    }

    /// The address `path` of this server as one word for a shell.
    fn url(&self, path: &str) -> String {
        shell_word(&format!("{}{path}", self.site.base_url))
    }
}

/// Sets the password of the account a mailed link is about. Posts `password`.
#[derive(Debug, Clone, Template)]
#[template(path = "staff/password.html")]
pub struct PasswordPage {
    /// The frame.
    pub site: Site,
    /// Where the form posts.
    pub action: String,
    /// Whose password it is.
    pub email: String,
    /// What is wrong.
    pub errors: Vec<FieldError>,
}

impl PasswordPage {
    /// The first error for the field named `field`.
    #[must_use]
    pub fn error_for(&self, field: &str) -> Option<&str> {
        FieldError::find(&self.errors, field)
    }

    /// The errors with, for each, whether the summary may link to its field.
    #[must_use]
    pub fn summary(&self) -> Vec<(&FieldError, bool)> {
        self.errors.iter().map(|error| (error, error.field == "password")).collect()
    }
}

/// Asks for the mail with the link to set a new password. Posts `email`.
#[derive(Debug, Clone, Template)]
#[template(path = "staff/lost_password.html")]
pub struct LostPasswordPage {
    /// The frame.
    pub site: Site,
    /// Where the form posts.
    pub action: String,
    /// The address typed so far.
    pub email: String,
    /// What is wrong.
    pub errors: Vec<FieldError>,
}

impl LostPasswordPage {
    /// The first error for the field named `field`.
    #[must_use]
    pub fn error_for(&self, field: &str) -> Option<&str> {
        FieldError::find(&self.errors, field)
    }

    /// The errors with, for each, whether the summary may link to its field.
    #[must_use]
    pub fn summary(&self) -> Vec<(&FieldError, bool)> {
        self.errors.iter().map(|error| (error, error.field == "email")).collect()
    }
}

/// Quotes `text` so that a POSIX shell takes it as it is.
fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::soundness::{check, sample_site as site};

    #[test]
    fn pages_are_sound() -> askama::Result<()> {
        let page =
            SetupPage { site: site(), action: "/setup/abc".into(), email: String::new(), errors: Vec::new() };
        check("setup", &page)?;
        let errors = vec![FieldError::new("password", "Choose a password of at least 12 characters.")];
        check("setup_errors", &SetupPage { email: "owner@example.org".into(), errors, ..page })?;
        let errors = vec![FieldError::new("password", "Choose a password of at least 12 characters.")];
        let page = PasswordPage {
            site: site(),
            action: "/invite/abc".into(),
            email: "ada@example.org".into(),
            errors: Vec::new(),
        };
        check("password_errors", &PasswordPage { errors, ..page.clone() })?;
        check("password", &page)?;
        let page = LostPasswordPage {
            site: site(),
            action: "/reset".into(),
            email: "ada".into(),
            errors: vec![FieldError::new("email", "Enter an e-mail address with one @ in it.")],
        };
        check("lost_password", &page)?;
        check("setup_done", &SetupDonePage { site: site(), email: "owner@example.org".into() })
    }

    #[test]
    fn an_address_cannot_leave_its_quotes() {
        let page = SetupDonePage { site: site(), email: "o'hara@example.org".into() };
        let expected = r#"'{"email":"o'\''hara@example.org","password":"YOUR PASSWORD"}'"#;
        assert_eq!(page.login_body(), expected);
    }
}

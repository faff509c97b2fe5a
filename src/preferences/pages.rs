//! The pages of a supporter: leaving with one click, and the preferences, masked or whole.
//! Called by this slice's routes; must not look anything up. Only [`DetailsPage`] shows personal data.

use askama::Template;

use crate::{
    forms::ConsentReceipt,
    site::{FieldError, Site},
};

/// `GET /unsubscribe/{token}`: one button.
#[derive(Debug, Clone, Template)]
#[template(path = "preferences/unsubscribe.html")]
pub struct UnsubscribePage {
    /// The frame.
    pub site: Site,
    /// Where the button posts.
    pub action: String,
}

/// `POST /unsubscribe/{token}`, the first time and every later one.
#[derive(Debug, Clone, Template)]
#[template(path = "preferences/unsubscribed.html")]
pub struct UnsubscribedPage {
    /// The frame.
    pub site: Site,
    /// The form, for a change of mind.
    pub form_url: String,
}

/// `GET /preferences/{token}` with the link that every mail has: it can only take away.
#[derive(Debug, Clone, Template)]
#[template(path = "preferences/preferences.html")]
pub struct PreferencesPage {
    /// The frame.
    pub site: Site,
    /// The address with most of it hidden.
    pub masked_email: String,
    /// Said on top after a change.
    pub banner: Option<String>,
    /// Where the button "e-mail me a fresh link" posts.
    pub fresh_link_action: String,
    /// Where the button "leave" posts.
    pub leave_action: String,
}

/// `GET /preferences/{token}` with a fresh link: everything that is stored, and what can be done about it.
#[derive(Debug, Clone, Template)]
#[template(path = "preferences/details.html")]
pub struct DetailsPage {
    /// The frame.
    pub site: Site,
    /// Said on top after a change.
    pub banner: Option<String>,
    /// What is stored, field by field, for people to read.
    pub stored: Vec<StoredField>,
    /// What stands in the form: what is stored, or what was typed when it comes back with errors.
    pub values: DetailsValues,
    /// What is wrong with the form, or with the box that erasing needs (`erase_confirm`).
    pub errors: Vec<FieldError>,
    /// The receipt; `None` for people whom staff imported.
    pub receipt: Option<ConsentReceipt>,
    /// Where the form posts `given_name`, `family_name`, `postal_code`.
    pub edit_action: String,
    /// Where everything stored is downloaded as JSON.
    pub download_url: String,
    /// Where the button "leave" posts.
    pub leave_action: String,
    /// Where the button "erase" posts `erase_confirm=yes`.
    pub erase_action: String,
}

impl DetailsPage {
    /// The first error for the field named `field`.
    #[must_use]
    pub fn error_for(&self, field: &str) -> Option<&str> {
        FieldError::find(&self.errors, field)
    }

    /// The errors with, for each, whether the summary may link to its field.
    #[must_use]
    pub fn summary(&self) -> Vec<(&FieldError, bool)> {
        let shown = ["given_name", "family_name", "postal_code", "erase_confirm"];
        self.errors.iter().map(|error| (error, shown.contains(&error.field.as_str()))).collect()
    }
}

/// One stored field.
#[derive(Debug, Clone, Default)]
pub struct StoredField {
    /// What it is called.
    pub label: String,
    /// What is stored; empty: nothing is.
    pub value: String,
}

/// The fields a supporter can change by themselves.
#[derive(Debug, Clone, Default)]
pub struct DetailsValues {
    /// `given_name`
    pub given_name: String,
    /// `family_name`
    pub family_name: String,
    /// `postal_code`
    pub postal_code: String,
}

/// After "e-mail me a fresh link".
#[derive(Debug, Clone, Template)]
#[template(path = "preferences/fresh_link_sent.html")]
pub struct FreshLinkSentPage {
    /// The frame.
    pub site: Site,
    /// The address with most of it hidden.
    pub masked_email: String,
    /// Development: mails stay in the mailbox at `/dev/mailbox`, and the page links to it.
    pub dev_mailbox: bool,
}

/// After leaving from the preferences.
#[derive(Debug, Clone, Template)]
#[template(path = "preferences/left.html")]
pub struct LeftPage {
    /// The frame.
    pub site: Site,
    /// The form, for a change of mind.
    pub form_url: String,
}

/// After erasing.
#[derive(Debug, Clone, Template)]
#[template(path = "preferences/erased.html")]
pub struct ErasedPage {
    /// The frame.
    pub site: Site,
}

/// `GET /not-me/{token}`: one button.
#[derive(Debug, Clone, Template)]
#[template(path = "preferences/not_me.html")]
pub struct NotMePage {
    /// The frame.
    pub site: Site,
    /// Where the button posts.
    pub action: String,
}

/// `POST /not-me/{token}`.
#[derive(Debug, Clone, Template)]
#[template(path = "preferences/not_me_done.html")]
pub struct NotMeDonePage {
    /// The frame.
    pub site: Site,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::soundness::{check, sample_site as site};

    fn details() -> DetailsPage {
        let stored = [
            ("E-mail address", "ada@example.org"),
            ("First name", "Ada"),
            ("Last name", ""),
            ("ZIP or postal code", "15104"),
            ("Signed up", "1 March 2026, 14:02 UTC"),
            ("Confirmed", "1 March 2026, 14:05 UTC"),
        ];
        let stored =
            stored.map(|(label, value)| StoredField { label: label.into(), value: value.into() }).to_vec();
        DetailsPage {
            site: site(),
            banner: Some("Saved. Your details have changed.".into()),
            stored,
            values: DetailsValues {
                given_name: "Ada".into(),
                family_name: String::new(),
                postal_code: "15104".into(),
            },
            errors: Vec::new(),
            receipt: Some(ConsentReceipt {
                wording: "The Good Steel Coalition may e-mail me news and ways to take part.".into(),
                sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
                at: "1 March 2026, 14:05 UTC".into(),
                language: "English".into(),
            }),
            edit_action: "/preferences/k1.abc".into(),
            download_url: "/preferences/k1.abc/data.json".into(),
            leave_action: "/preferences/k1.abc/leave".into(),
            erase_action: "/preferences/k1.abc/erase".into(),
        }
    }

    #[test]
    fn pages_are_sound() -> askama::Result<()> {
        check("unsubscribe", &UnsubscribePage { site: site(), action: "/unsubscribe/k1.abc".into() })?;
        check("unsubscribed", &UnsubscribedPage { site: site(), form_url: "/join".into() })?;
        let masked_email = "a…@e….org".to_owned();
        let page = PreferencesPage {
            site: site(),
            masked_email: masked_email.clone(),
            banner: None,
            fresh_link_action: "/preferences/k1.abc/link".into(),
            leave_action: "/preferences/k1.abc/leave".into(),
        };
        check("preferences", &page)?;
        check("details", &details())?;
        let errors = vec![
            FieldError::new("postal_code", "Enter a ZIP code such as 15104, or leave it empty."),
            FieldError::new("erase_confirm", "Tick the box to say that you want everything erased."),
        ];
        check("details_errors", &DetailsPage { banner: None, receipt: None, errors, ..details() })?;
        check("fresh_link_sent", &FreshLinkSentPage { site: site(), masked_email, dev_mailbox: true })?;
        check("left", &LeftPage { site: site(), form_url: "/join".into() })?;
        check("erased", &ErasedPage { site: site() })
    }

    #[test]
    fn what_is_stored_is_escaped() -> askama::Result<()> {
        let mut page = details();
        page.values.given_name = "\"><script>alert(1)</script>".into();
        page.stored.push(StoredField { label: "Source".into(), value: "<script>alert(2)</script>".into() });
        page.banner = Some("<script>alert(3)</script>".into());
        assert!(!page.render()?.contains("<script"));
        Ok(())
    }
}

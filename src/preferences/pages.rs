//! The pages of a supporter: leaving with one click, and the preferences, masked or whole, in the supporter's language.
//! Called by this slice's routes; must not look anything up. Only [`DetailsPage`] shows personal data.

use askama::Template;

use super::words::{ChoiceWords, DetailWords, LeaveWords};
use crate::{
    forms::ConsentReceipt,
    site::{FieldError, Site},
    speech::Speech,
};

/// `GET /unsubscribe/{token}`: one button.
#[derive(Debug, Clone, Template)]
#[template(path = "preferences/unsubscribe.html")]
pub struct UnsubscribePage {
    /// The frame.
    pub site: Site,
    /// What it says.
    pub w: &'static LeaveWords,
    /// Where the button posts.
    pub action: String,
}

/// After leaving, by whichever way.
#[derive(Debug, Clone, Template)]
#[template(path = "preferences/unsubscribed.html")]
pub struct LeftPage {
    /// The frame.
    pub site: Site,
    /// What it says.
    pub w: &'static LeaveWords,
    /// The form, for a change of mind.
    pub form_url: String,
}

/// `GET /preferences/{token}` with the link that every mail has: it can only take away.
#[derive(Debug, Clone, Template)]
#[template(path = "preferences/preferences.html")]
pub struct PreferencesPage {
    /// The frame.
    pub site: Site,
    /// What it says.
    pub w: &'static ChoiceWords,
    /// The address with most of it hidden.
    pub masked_email: String,
    /// Said on top after a change.
    pub banner: Option<String>,
    /// Groups that may have the contact.
    pub groups: Vec<SharedGroup>,
    /// Where the button "e-mail me a fresh link" posts.
    pub fresh_link_action: String,
    /// Where a button posts `group=slug` to stop sharing with it.
    pub withdraw_action: String,
    /// The pause.
    pub pause: PauseView,
    /// Where the button "leave" posts.
    pub leave_action: String,
}

/// A group that may have the contact.
#[derive(Debug, Clone, Default)]
pub struct SharedGroup {
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Since when.
    pub since: String,
}

/// The pause, and what may be done about it.
#[derive(Debug, Clone, Default)]
pub struct PauseView {
    /// Until when, if there is one.
    pub until: Option<String>,
    /// Where a pause begins.
    pub pause_action: String,
    /// Where it ends; only with a fresh link.
    pub resume_action: Option<String>,
}

/// `GET /preferences/{token}` with a fresh link: everything that is stored, and what can be done about it.
#[derive(Debug, Clone, Template)]
#[template(path = "preferences/details.html")]
pub struct DetailsPage {
    /// The frame.
    pub site: Site,
    /// What it says about taking away.
    pub w: &'static ChoiceWords,
    /// What else it says.
    pub d: &'static DetailWords,
    /// Said on top after a change.
    pub banner: Option<String>,
    /// What is stored, field by field, for people to read.
    pub stored: Vec<StoredField>,
    /// Member groups, those first that may have the contact.
    pub offered: Vec<OfferedGroup>,
    /// What ticking one agrees to, to the letter.
    pub share_wording: String,
    /// Where the form posts `share=slug` for every group that may have the contact.
    pub share_action: String,
    /// Groups that have not yet said that they forgot.
    pub recalled: Vec<String>,
    /// Shares that ended.
    pub history: Vec<String>,
    /// Lists that had the person in them.
    pub exports: Vec<String>,
    /// What stands in the form: what is stored, or what was typed when it comes back with errors.
    pub values: DetailsValues,
    /// What is wrong with the form, or with the box that erasing needs (`erase_confirm`).
    pub errors: Vec<FieldError>,
    /// What was agreed to, the campaign's first; none for people whom staff imported.
    pub receipts: Vec<PageReceipt>,
    /// Where the form posts `given_name`, `family_name`, `postal_code`, `language`.
    pub edit_action: String,
    /// Where everything stored is downloaded as JSON.
    pub download_url: String,
    /// The pause.
    pub pause: PauseView,
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
        let shown = ["given_name", "family_name", "postal_code", "language", "erase_confirm"];
        self.errors.iter().map(|error| (error, shown.contains(&error.field.as_str()))).collect()
    }

    /// Languages to choose from: tag, name, whether it is chosen.
    #[must_use]
    pub fn languages(&self) -> Vec<(&'static str, &'static str, bool)> {
        let chosen = Speech::of(&self.values.language);
        Speech::ALL.map(|speech| (speech.tag(), speech.name(), speech == chosen)).to_vec()
    }
}

/// A group that may be chosen.
#[derive(Debug, Clone, Default)]
pub struct OfferedGroup {
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Since when it may have the contact, if it may.
    pub since: Option<String>,
}

/// A receipt, and the group it is for.
#[derive(Debug, Clone, Default)]
pub struct PageReceipt {
    /// The group; none: the campaign itself.
    pub group: Option<String>,
    /// What was agreed to.
    pub consent: ConsentReceipt,
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
    /// `language`
    pub language: String,
}

/// After "e-mail me a fresh link".
#[derive(Debug, Clone, Template)]
#[template(path = "preferences/fresh_link_sent.html")]
pub struct FreshLinkSentPage {
    /// The frame.
    pub site: Site,
    /// What it says.
    pub w: &'static ChoiceWords,
    /// The address with most of it hidden.
    pub masked_email: String,
    /// Development: mails stay in the mailbox at `/dev/mailbox`, and the page links to it.
    pub dev_mailbox: bool,
}

/// After erasing.
#[derive(Debug, Clone, Template)]
#[template(path = "preferences/erased.html")]
pub struct ErasedPage {
    /// The frame.
    pub site: Site,
    /// What it says.
    pub w: &'static DetailWords,
}

/// `GET /not-me/{token}`: one button.
#[derive(Debug, Clone, Template)]
#[template(path = "preferences/not_me.html")]
pub struct NotMePage {
    /// The frame.
    pub site: Site,
    /// What it says.
    pub w: &'static LeaveWords,
    /// Where the button posts.
    pub action: String,
}

/// `POST /not-me/{token}`.
#[derive(Debug, Clone, Template)]
#[template(path = "preferences/not_me_done.html")]
pub struct NotMeDonePage {
    /// The frame.
    pub site: Site,
    /// What it says.
    pub w: &'static LeaveWords,
}

#[cfg(test)]
mod tests;

//! The pages of a sign-up: the form, "look at your inbox", and where the mailed links lead.
//! Called by this slice's routes; must not look anything up, and must not show what a stranger typed to anybody else.

use askama::Template;

use super::{
    confirmation::NamedGroup,
    page_words::{ConfirmPageWords, InboxWords},
};
use crate::site::{JoinFormView, Site};

/// `/join`: the form alone, also when it comes back with errors.
#[derive(Debug, Clone, Template)]
#[template(path = "signups/join.html")]
pub struct JoinPage {
    /// The frame.
    pub site: Site,
    /// The form.
    pub form: JoinFormView,
}

/// `/join/check-inbox`: the same for everybody, whoever the address belongs to.
#[derive(Debug, Clone, Template)]
#[template(path = "signups/check_inbox.html")]
pub struct CheckInboxPage {
    /// The frame.
    pub site: Site,
    /// What it says.
    pub w: &'static InboxWords,
    /// The address our mail comes from.
    pub mail_from: String,
    /// Development: mails stay in the mailbox at `/dev/mailbox`, and the page links to it.
    pub dev_mailbox: bool,
    /// Days until the link in the mail runs out.
    pub link_days: u16,
}

impl CheckInboxPage {
    fn link_life(&self) -> String {
        days(self.link_days, self.w.one_day, self.w.days)
    }
}

/// The sentence for so many days.
fn days(count: u16, one: &str, more: &str) -> String {
    if count == 1 { one.to_owned() } else { more.replace("{days}", &count.to_string()) }
}

/// `GET /confirm/{token}`: what the click will do, and one button. Showing it changes nothing.
#[derive(Debug, Clone, Template)]
#[template(path = "signups/confirm.html")]
pub struct ConfirmPage {
    /// The frame.
    pub site: Site,
    /// What it says.
    pub w: &'static ConfirmPageWords,
    /// What is joined.
    pub campaign: String,
    /// The consent wording the person ticked.
    pub notice_text: String,
    /// The language it was shown in.
    pub notice_language: String,
    /// Where the button posts.
    pub action: String,
    /// Groups that were ticked, each with a box that is ticked as it was.
    pub groups: Vec<NamedGroup>,
    /// Names of groups that were ticked and are no longer members.
    pub dropped: Vec<String>,
    /// For somebody who never signed up.
    pub not_me_url: String,
    /// In the browser that signed up: a script presses the button.
    pub self_submit: bool,
}

/// `POST /confirm/{token}`, the first time and every later one.
#[derive(Debug, Clone, Template)]
#[template(path = "signups/confirmed.html")]
pub struct ConfirmedPage {
    /// The frame.
    pub site: Site,
    /// What it says.
    pub w: &'static ConfirmPageWords,
    /// What was joined.
    pub campaign: String,
    /// Names of the groups that may have the contact now.
    pub groups: Vec<String>,
    /// Names of groups that were ticked and get nothing, since they are no longer members.
    pub dropped: Vec<String>,
}

/// A link that is too old, or that somebody has voided since.
#[derive(Debug, Clone, Template)]
#[template(path = "signups/expired.html")]
pub struct ExpiredPage {
    /// The frame.
    pub site: Site,
    /// What it says.
    pub w: &'static ConfirmPageWords,
    /// The form, to start again.
    pub form_url: String,
    /// Days that a link lives.
    pub link_days: u16,
}

impl ExpiredPage {
    fn link_life(&self) -> String {
        days(self.link_days, self.w.over_one_day, self.w.over_days)
    }
}

#[cfg(test)]
#[path = "pages_tests.rs"]
mod tests;

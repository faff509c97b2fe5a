//! The pages of groups: the application and where its link leads, the directory, a page per member.
//! Called by this slice's routes; must not look anything up. What an organisation says is shown as text, never as HTML.

use askama::Template;

use super::{
    model::Member,
    page_words::{DirectoryWords, label},
    post::{ApplyValues, region_names},
};
use crate::{
    site::{FieldError, NoticeView, Site},
    speech::Speech,
};

/// `/groups/apply`: the form, also when it comes back with errors.
#[derive(Debug, Clone, Template)]
#[template(path = "groups/apply.html")]
pub struct ApplyPage {
    /// The frame.
    pub site: Site,
    /// What was typed so far.
    pub values: ApplyValues,
    /// The data terms in force.
    pub terms: NoticeView,
    /// What is wrong; empty on a first showing.
    pub errors: Vec<FieldError>,
}

/// Fields that the form shows; each is also the id of its control.
const SHOWN: [&str; 9] =
    ["name", "kind", "website", "regions", "sectors", "about", "contact_name", "contact_email", "agree"];

impl ApplyPage {
    /// The first error for the field named `field`.
    #[must_use]
    pub fn error_for(&self, field: &str) -> Option<&str> {
        FieldError::find(&self.errors, field)
    }

    /// The errors with, for each, whether the summary may link to its field.
    #[must_use]
    pub fn summary(&self) -> Vec<(&FieldError, bool)> {
        self.errors.iter().map(|error| (error, SHOWN.contains(&error.field.as_str()))).collect()
    }
}

/// `/groups/apply/sent`: the same for everybody, whoever the address belongs to.
#[derive(Debug, Clone, Template)]
#[template(path = "groups/applied.html")]
pub struct AppliedPage {
    /// The frame.
    pub site: Site,
    /// The address our mail comes from.
    pub mail_from: String,
    /// Development: mails stay in the mailbox at `/dev/mailbox`, and the page links to it.
    pub dev_mailbox: bool,
    /// Days until the link in the mail runs out.
    pub link_days: u16,
}

/// What an application says, for its contact to read before the click.
#[derive(Debug, Clone, Default)]
pub struct ApplicationView {
    /// Name of the organisation.
    pub name: String,
    /// What kind it is.
    pub kind: &'static str,
    /// Its website.
    pub website: String,
    /// States it serves.
    pub regions: String,
    /// Industries it works on.
    pub sectors: String,
    /// What it does.
    pub about: String,
    /// Whom to talk to.
    pub contact_name: String,
    /// Whether the directory may show it.
    pub is_listed: bool,
}

/// `GET /groups/confirm/{token}`: the application, and one button. Showing it changes nothing.
#[derive(Debug, Clone, Template)]
#[template(path = "groups/confirm.html")]
pub struct ConfirmApplicationPage {
    /// The frame.
    pub site: Site,
    /// What was typed.
    pub application: ApplicationView,
    /// The data terms that were agreed to.
    pub terms: String,
    /// Where the button posts.
    pub action: String,
    /// For somebody who never applied.
    pub not_me_url: Option<String>,
}

/// `POST /groups/confirm/{token}`, the first time and every later one.
#[derive(Debug, Clone, Template)]
#[template(path = "groups/confirmed.html")]
pub struct ApplicationConfirmedPage {
    /// The frame.
    pub site: Site,
}

/// `/groups/answer/{token}`: what staff asked, and what the contact answers.
#[derive(Debug, Clone, Template)]
#[template(path = "groups/answer.html")]
pub struct AnswerPage {
    /// The frame.
    pub site: Site,
    /// The organisation.
    pub group_name: String,
    /// What staff asked.
    pub question: String,
    /// What was typed, or answered before.
    pub answer: String,
    /// What is wrong with it.
    pub error: Option<String>,
    /// Where the button posts.
    pub action: String,
}

/// A choice of a filter.
#[derive(Debug, Clone)]
pub struct FilterChoice {
    /// What is sent.
    pub value: &'static str,
    /// What is read.
    pub label: String,
    /// Whether it is the one in force.
    pub is_chosen: bool,
}

/// A member as a page shows it.
#[derive(Debug, Clone)]
pub struct MemberCard {
    /// Its name.
    pub name: String,
    /// What kind it is.
    pub kind: String,
    /// Its page.
    pub path: String,
    /// Its website.
    pub website: String,
    /// States it serves, by name.
    pub regions: String,
    /// Industries it works on.
    pub sectors: String,
    /// What it does.
    pub about: String,
    /// The join form that offers it first.
    pub join_path: String,
    /// Its logo.
    pub logo_path: Option<String>,
}

impl MemberCard {
    /// The member on a page in this language.
    pub(super) fn of(member: &Member, speech: Speech) -> Self {
        let sectors = member.sectors.iter().map(|sector| label(speech, sector.label()));
        let regions =
            member.regions.iter().map(|code| label(speech, &region_names(std::slice::from_ref(code))));
        Self {
            name: member.name.clone(),
            kind: label(speech, member.kind.label()),
            path: member.page_path(),
            website: member.website.clone(),
            regions: regions.collect::<Vec<_>>().join(", "),
            sectors: sectors.collect::<Vec<_>>().join(", "),
            about: member.about.clone(),
            join_path: format!("/join?group={}", member.slug),
            logo_path: member.logo_path(),
        }
    }
}

/// `/groups`: the directory.
#[derive(Debug, Clone, Template)]
#[template(path = "groups/directory.html")]
pub struct DirectoryPage {
    /// The frame.
    pub site: Site,
    /// What it says.
    pub w: &'static DirectoryWords,
    /// What was searched for.
    pub q: String,
    /// Regions to choose from.
    pub regions: Vec<FilterChoice>,
    /// Sectors to choose from.
    pub sectors: Vec<FilterChoice>,
    /// Kinds to choose from.
    pub kinds: Vec<FilterChoice>,
    /// The members that match.
    pub members: Vec<MemberCard>,
    /// The next page, if there is one.
    pub next: Option<String>,
}

/// `/groups/{slug}`: one member.
#[derive(Debug, Clone, Template)]
#[template(path = "groups/member.html")]
pub struct MemberPage {
    /// The frame.
    pub site: Site,
    /// What it says.
    pub w: &'static DirectoryWords,
    /// The member.
    pub member: MemberCard,
}

#[cfg(test)]
#[path = "pages_tests.rs"]
mod tests;

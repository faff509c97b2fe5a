//! The join form as it is shown: on the home page, on its own page, and again with what was typed and what is wrong.
//! Built by the sign-ups slice; must not validate, and must never tick a consent box by itself.

use super::layout::FieldError;

/// The HTML names of the fields the form shows; each is also the id of its control.
const SHOWN: [&str; 9] = [
    "email",
    "given_name",
    "family_name",
    "postal_code",
    "phone",
    "involvement",
    "share_with",
    "consent_email",
    "consent_phone",
];

/// The join form: where it goes, what is in it, what is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct JoinFormView {
    /// Which form this is; part of the HTML id.
    pub slug: String,
    /// Its heading.
    pub title: String,
    /// Where it is posted.
    pub action: String,
    /// What was typed so far.
    pub values: JoinValues,
    /// Groups that may be named, each with a box of its own; none: the question is not shown.
    pub groups: Vec<GroupChoice>,
    /// The consent wording in force.
    pub notice: NoticeView,
    /// What is wrong; empty on a first showing.
    pub errors: Vec<FieldError>,
}

impl JoinFormView {
    /// The first error for the field named `field`.
    #[must_use]
    pub fn error_for(&self, field: &str) -> Option<&str> {
        FieldError::find(&self.errors, field)
    }

    /// Whether the form shows a control of this name, so that the summary can link to it.
    fn shows(&self, field: &str) -> bool {
        let is_there = match field {
            "involvement" => !self.values.involvement.is_empty(),
            "share_with" => !self.groups.is_empty(),
            _ => true,
        };
        is_there && SHOWN.contains(&field)
    }

    /// The errors with, for each, whether the summary may link to its field.
    #[must_use]
    pub fn summary(&self) -> Vec<(&FieldError, bool)> {
        self.errors.iter().map(|error| (error, self.shows(&error.field))).collect()
    }
}

/// What was typed, kept as it was.
#[derive(Debug, Clone, Default)]
pub struct JoinValues {
    /// `email`
    pub email: String,
    /// `given_name`
    pub given_name: String,
    /// `family_name`
    pub family_name: String,
    /// `postal_code`
    pub postal_code: String,
    /// `phone`
    pub phone: String,
    /// `involvement`, one box each; none: the question is not shown.
    pub involvement: Vec<InvolvementChoice>,
    /// `consent_email`: true only when this visitor has ticked it.
    pub consent_email: bool,
    /// `consent_phone`: true only when this visitor has ticked it.
    pub consent_phone: bool,
    /// Fields passed along unseen: where the sign-up came from.
    pub hidden: Vec<HiddenField>,
}

/// One box of the question how somebody is involved.
#[derive(Debug, Clone, Default)]
pub struct InvolvementChoice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
    /// Whether this visitor ticked it.
    pub checked: bool,
}

/// A group that may have the contact, if the visitor names it.
#[derive(Debug, Clone, Default)]
pub struct GroupChoice {
    /// What is sent.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its page, if the directory shows it.
    pub path: Option<String>,
    /// True only when this visitor has ticked it.
    pub checked: bool,
}

/// A hidden field.
#[derive(Debug, Clone, Default)]
pub struct HiddenField {
    /// Its HTML name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// The consent wording shown beside the box.
#[derive(Debug, Clone, Default)]
pub struct NoticeView {
    /// The notice's id, sent along as `notice`.
    pub id: String,
    /// The exact wording.
    pub text: String,
}

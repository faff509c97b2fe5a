//! What a form offers, for the check of a sign-up and for the pages: the notice in force, and the groups by name.
//! Reads no table.

use super::{Signups, domain::Offer, post::JoinPost};
use crate::{
    contact::{Country, PostalCode, Region},
    error::FieldError,
    forms::{Forms, JOIN},
    groups::{self, Groups},
    id::Id,
    site::GroupChoice,
};

/// What is offered now.
pub(super) struct Offers<'a> {
    pub forms: &'a Forms,
    pub groups: &'a Groups,
}

impl Offer for Offers<'_> {
    fn notice(&self, form: &str, notice: Option<Id>) -> Result<Id, FieldError> {
        if !self.forms.has_form(form) {
            return Err(FieldError::new("form", "unknown_form", "there is no such form"));
        }
        let found = match notice {
            None => self.forms.current_notice(form),
            Some(id) => self.forms.notice(id).filter(|notice| notice.form == form),
        };
        let message = "this wording is not one of this form; load the form again and read it";
        found
            .map(|notice| notice.id)
            .ok_or_else(|| FieldError::new("consent.notice", "unknown_notice", message))
    }

    fn group(&self, slug: &str) -> Option<Id> {
        self.groups.members().by_slug(slug).map(|member| member.id)
    }
}

impl Signups {
    /// The groups to offer beside `post`, ticked where its visitor ticked them.
    pub(super) fn choices(&self, post: &JoinPost) -> Vec<GroupChoice> {
        let region = region(post.place());
        let members = self.groups.members();
        let first = Some(post.referring_group()).filter(|slug| !slug.is_empty());
        groups::offered(&members, JOIN, region.as_deref(), first)
            .into_iter()
            .map(|member| GroupChoice {
                slug: member.slug.clone(),
                name: member.name.clone(),
                path: member.is_listed.then(|| member.page_path()),
                checked: post.shares_with(&member.slug),
            })
            .collect()
    }
}

/// The region of what was typed: country, region, postal code.
fn region((country, region, postal_code): (&str, &str, &str)) -> Option<String> {
    let typed = |text: &str| !text.trim().is_empty();
    let country = if typed(country) { Country::parse(country).ok()? } else { Country::US };
    let found = if typed(region) {
        Region::parse(region).ok()
    } else {
        PostalCode::parse(postal_code, country).ok().and_then(|code| Region::of_address(country, &code))
    };
    found.map(|region| region.as_str().to_owned())
}

//! What a form offers, for the check of a sign-up and for the pages: the notice in force, and the groups by name.
//! Reads no table.

use super::{Signups, domain::Offer, post::JoinPost};
use crate::{
    contact::{Country, PostalCode, Region},
    error::FieldError,
    forms::{Forms, JOIN},
    groups::{self, Groups},
    id::Id,
    site::{CustomField, FieldControl, GroupChoice},
    speech::Speech,
    supporters::FieldKind,
};

/// What is offered now.
pub(super) struct Offers<'a> {
    pub forms: &'a Forms,
    pub groups: &'a Groups,
}

impl Offer for Offers<'_> {
    fn notice(&self, form: &str, notice: Option<Id>, speech: Speech) -> Result<Id, FieldError> {
        if !self.forms.has_form(form) {
            return Err(FieldError::new("form", "unknown_form", "there is no such form"));
        }
        let found = match notice {
            None => self.forms.current_notice_in(form, speech),
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

impl Signups {
    /// The fields that staff chose for the form, with what was typed into them.
    pub(super) fn custom_fields(&self, post: &JoinPost) -> Vec<CustomField> {
        let control = |kind, choices| match kind {
            FieldKind::Text => FieldControl::Text,
            FieldKind::Number => FieldControl::Number,
            FieldKind::Date => FieldControl::Date,
            FieldKind::Choice => FieldControl::Choice(choices),
            FieldKind::YesNo => FieldControl::Tick,
        };
        let shown = self.fields.on_form(JOIN).into_iter().map(|field| CustomField {
            value: post.custom(&field.slug).to_owned(),
            slug: field.slug,
            label: field.label,
            control: control(field.kind, field.choices),
        });
        shown.collect()
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

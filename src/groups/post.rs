//! The HTML application as it is posted: flat names and text, turned into an [`ApplicationForm`] and back into what was
//! typed.

use serde::Deserialize;

use super::{
    domain::ApplicationForm,
    model::NATIONWIDE,
    words::{Kind, Sector},
};
use crate::{contact::Region, error::FieldError, site, speech::Speech};

/// A posted application. Empty fields count as left out.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApplyPost {
    name: String,
    kind: String,
    website: String,
    regions: Vec<String>,
    sectors: Vec<String>,
    about: String,
    contact_name: String,
    contact_email: String,
    agree: String,
    is_listed: String,
    terms: String,
}

/// One box or choice of the form.
#[derive(Debug, Clone)]
pub struct Choice {
    /// What is sent.
    pub value: &'static str,
    /// What is read.
    pub label: &'static str,
    /// Whether this visitor chose it.
    pub is_chosen: bool,
}

/// What was typed, kept as it was.
#[derive(Debug, Clone, Default)]
pub struct ApplyValues {
    pub name: String,
    pub kinds: Vec<Choice>,
    pub website: String,
    pub regions: Vec<Choice>,
    pub sectors: Vec<Choice>,
    pub about: String,
    pub contact_name: String,
    pub contact_email: String,
    pub agree: bool,
    pub is_listed: bool,
}

impl ApplyPost {
    /// The application that was meant.
    ///
    /// # Errors
    /// Terms that cannot be recognised.
    pub fn into_form(self) -> Result<ApplicationForm, Vec<FieldError>> {
        let terms = Some(self.terms.trim()).filter(|id| !id.is_empty()).map(str::parse).transpose();
        let message = "the terms could not be recognised; please load the form again";
        Ok(ApplicationForm {
            name: self.name,
            kind: self.kind,
            website: self.website,
            regions: self.regions,
            sectors: self.sectors,
            about: self.about,
            contact_name: self.contact_name,
            contact_email: self.contact_email,
            agree: !self.agree.is_empty(),
            is_listed: Some(!self.is_listed.is_empty()),
            terms: terms.map_err(|_| vec![FieldError::new("terms", "unknown_notice", message)])?,
        })
    }

    /// What was typed, to be shown again.
    pub fn values(&self) -> ApplyValues {
        let has = |list: &[String], value: &str| list.iter().any(|one| one == value);
        let nationwide = Choice {
            value: NATIONWIDE,
            label: "All of the United States",
            is_chosen: has(&self.regions, NATIONWIDE),
        };
        let states = Region::all().map(|region| Choice {
            value: region.as_str(),
            label: region.name(),
            is_chosen: has(&self.regions, region.as_str()),
        });
        ApplyValues {
            name: self.name.clone(),
            kinds: Kind::ALL
                .iter()
                .map(|kind| Choice {
                    value: kind.as_str(),
                    label: kind.label(),
                    is_chosen: self.kind == kind.as_str(),
                })
                .collect(),
            website: self.website.clone(),
            regions: std::iter::once(nationwide).chain(states).collect(),
            sectors: Sector::ALL
                .iter()
                .map(|sector| Choice {
                    value: sector.as_str(),
                    label: sector.label(),
                    is_chosen: has(&self.sectors, sector.as_str()),
                })
                .collect(),
            about: self.about.clone(),
            contact_name: self.contact_name.clone(),
            contact_email: self.contact_email.clone(),
            agree: !self.agree.is_empty(),
            is_listed: !self.is_listed.is_empty(),
        }
    }
}

/// Faults under the names the HTML form uses.
pub fn shown(faults: Vec<FieldError>) -> Vec<site::FieldError> {
    let faults = faults.into_iter().map(|fault| {
        let field = fault.field.split('[').next().unwrap_or_default();
        site::FieldError::new(field, site::faults::said(Speech::English, &[], &fault.message))
    });
    faults.collect()
}

/// Regions by name.
pub fn region_names(codes: &[String]) -> String {
    let name = |code: &String| match code.as_str() {
        NATIONWIDE => "All of the United States".to_owned(),
        code => Region::parse(code).map_or_else(|_| code.to_owned(), |region| region.name().to_owned()),
    };
    codes.iter().map(name).collect::<Vec<_>>().join(", ")
}

//! The HTML join form as it is posted: flat names and text, turned into a [`JoinForm`] and back into what was
//! typed.

use serde::Deserialize;

use super::domain::{Consent, JoinForm, Source};
use crate::{
    contact::Involvement,
    error::FieldError,
    site::{self, HiddenField, InvolvementChoice, JoinValues},
};

/// A posted join form. Empty fields count as left out.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JoinPost {
    email: String,
    given_name: String,
    family_name: String,
    postal_code: String,
    country: String,
    region: String,
    phone: String,
    language: String,
    involvement: Vec<String>,
    share_with: Vec<String>,
    consent_email: String,
    consent_phone: String,
    notice: String,
    source_code: String,
    source_group: String,
    source_page: String,
    utm_source: String,
    utm_medium: String,
    utm_campaign: String,
    utm_term: String,
    utm_content: String,
}

/// What a link to the form may say of where its visitors come from; anything else in it is ignored, since
/// other sites add parameters of their own.
#[derive(Default)]
pub struct Prefill(Vec<(String, String)>);

impl Prefill {
    /// From the query string of the page.
    pub fn from_query(query: &str) -> Self {
        let pairs: Vec<(String, String)> = serde_html_form::from_str(query).unwrap_or_default();
        // Anything longer is not a code of ours, and must not make the form refuse an innocent visitor.
        Self(pairs.into_iter().filter(|(_, value)| value.chars().count() <= 200).collect())
    }

    fn take(&mut self, name: &str) -> String {
        let at = self.0.iter().position(|(key, _)| key == name);
        at.map(|at| self.0.swap_remove(at).1).unwrap_or_default()
    }
}

impl JoinPost {
    /// An empty form that knows where its visitor came from.
    pub fn prefilled(mut link: Prefill) -> Self {
        Self {
            // With the postal code, groups of the region are offered.
            postal_code: link.take("zip"),
            source_code: link.take("source"),
            source_group: link.take("group"),
            utm_source: link.take("utm_source"),
            utm_medium: link.take("utm_medium"),
            utm_campaign: link.take("utm_campaign"),
            utm_term: link.take("utm_term"),
            utm_content: link.take("utm_content"),
            ..Self::default()
        }
    }

    /// The sign-up that was meant.
    ///
    /// # Errors
    /// Choices that do not exist.
    pub fn into_form(self) -> Result<JoinForm, Vec<FieldError>> {
        let mut faults = Vec::new();
        let mut involvement = Vec::new();
        for choice in &self.involvement {
            match Involvement::parse(choice) {
                Ok(choice) => involvement.push(choice),
                Err(error) => faults.push(FieldError::new("involvement", error.code(), error.to_string())),
            }
        }
        let notice = given(self.notice).map(|id| id.parse()).transpose();
        let notice = notice.unwrap_or_else(|_| {
            let message = "the wording could not be recognised; please load the form again";
            faults.push(FieldError::new("notice", "unknown_notice", message));
            None
        });
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(JoinForm {
            email: given(self.email),
            given_name: given(self.given_name),
            family_name: given(self.family_name),
            postal_code: given(self.postal_code),
            country: given(self.country),
            phone: given(self.phone),
            language: given(self.language),
            involvement,
            region: given(self.region),
            form: None,
            share_with: self.share_with,
            fields: serde_json::Map::new(),
            consent: Some(Consent {
                email: !self.consent_email.is_empty(),
                phone: !self.consent_phone.is_empty(),
                notice,
            }),
            source: Source {
                code: given(self.source_code),
                group: given(self.source_group),
                utm_source: given(self.utm_source),
                utm_medium: given(self.utm_medium),
                utm_campaign: given(self.utm_campaign),
                utm_term: given(self.utm_term),
                utm_content: given(self.utm_content),
                page: given(self.source_page),
            },
            proof: None,
        })
    }

    /// Slug of the group by whose link the visitor came.
    pub fn referring_group(&self) -> &str {
        &self.source_group
    }

    /// Country, region and postal code as typed.
    pub fn place(&self) -> (&str, &str, &str) {
        (&self.country, &self.region, &self.postal_code)
    }

    /// Whether this group's box was ticked.
    pub fn shares_with(&self, slug: &str) -> bool {
        self.share_with.iter().any(|one| one == slug)
    }

    /// What was typed, to be shown again.
    pub fn values(&self) -> JoinValues {
        let hidden = [
            ("country", &self.country),
            ("region", &self.region),
            ("language", &self.language),
            ("source_code", &self.source_code),
            ("source_group", &self.source_group),
            ("source_page", &self.source_page),
            ("utm_source", &self.utm_source),
            ("utm_medium", &self.utm_medium),
            ("utm_campaign", &self.utm_campaign),
            ("utm_term", &self.utm_term),
            ("utm_content", &self.utm_content),
        ];
        JoinValues {
            email: self.email.clone(),
            given_name: self.given_name.clone(),
            family_name: self.family_name.clone(),
            postal_code: self.postal_code.clone(),
            phone: self.phone.clone(),
            involvement: Involvement::ALL
                .iter()
                .map(|choice| InvolvementChoice {
                    value: choice.as_str().to_owned(),
                    label: choice.label().to_owned(),
                    checked: self.involvement.iter().any(|chosen| chosen == choice.as_str()),
                })
                .collect(),
            consent_email: !self.consent_email.is_empty(),
            consent_phone: !self.consent_phone.is_empty(),
            hidden: hidden
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| HiddenField { name: name.to_owned(), value: value.clone() })
                .collect(),
        }
    }
}

fn given(text: String) -> Option<String> {
    Some(text).filter(|text| !text.trim().is_empty())
}

/// Faults under the names the HTML form uses.
pub fn shown(faults: Vec<FieldError>) -> Vec<site::FieldError> {
    let name = |field: &str| match field {
        "consent" | "consent.email" => "consent_email".to_owned(),
        "consent.notice" => "notice".to_owned(),
        field if field.starts_with("share_with") => "share_with".to_owned(),
        other => other.to_owned(),
    };
    faults
        .into_iter()
        .map(|fault| site::FieldError::new(name(&fault.field), sentence(&fault.message)))
        .collect()
}

/// A message as a sentence of a page.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

//! The HTML join form as it is posted: flat names and text, turned into a [`JoinForm`] and back into what was
//! typed.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error};

use super::{
    domain::{Consent, JoinForm, Source},
    page_words::{FAULTS, InvolvementWords},
};
use crate::{
    contact::Involvement,
    error::FieldError,
    site::{self, HiddenField, InvolvementChoice, JoinValues},
    speech::Speech,
};

/// What the HTML names of fields that staff defined begin with.
const CUSTOM: &str = "fields.";

/// A posted join form.
#[derive(Clone, Default)]
pub struct JoinPost {
    typed: Typed,
    /// What was typed into fields that staff defined, by slug.
    custom: BTreeMap<String, String>,
}

impl<'de> Deserialize<'de> for JoinPost {
    fn deserialize<D: Deserializer<'de>>(sent: D) -> Result<Self, D::Error> {
        let (mut custom, mut others) = (BTreeMap::new(), Vec::new());
        for (name, value) in Vec::<(String, String)>::deserialize(sent)? {
            match name.strip_prefix(CUSTOM) {
                Some(slug) if custom.contains_key(slug) => {
                    return Err(D::Error::custom(format!("duplicate field `{name}`")));
                }
                Some(slug) => drop(custom.insert(slug.to_owned(), value)),
                None => others.push((name, value)),
            }
        }
        let others = serde_html_form::to_string(&others).map_err(D::Error::custom)?;
        let typed = serde_html_form::from_str(&others).map_err(D::Error::custom)?;
        Ok(Self { typed, custom })
    }
}

/// The fields that every form has. Empty ones count as left out.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Typed {
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
        let typed = Typed {
            // With the postal code, groups of the region are offered.
            postal_code: link.take("zip"),
            source_code: link.take("source"),
            source_group: link.take("group"),
            utm_source: link.take("utm_source"),
            utm_medium: link.take("utm_medium"),
            utm_campaign: link.take("utm_campaign"),
            utm_term: link.take("utm_term"),
            utm_content: link.take("utm_content"),
            ..Typed::default()
        };
        Self { typed, custom: BTreeMap::new() }
    }

    /// What a link to an empty form must say so that it knows as much.
    pub fn link_query(&self) -> String {
        let Typed { postal_code, source_code, source_group, .. } = &self.typed;
        let Typed { utm_source, utm_medium, utm_campaign, utm_term, utm_content, .. } = &self.typed;
        let pairs = [
            ("zip", postal_code),
            ("source", source_code),
            ("group", source_group),
            ("utm_source", utm_source),
            ("utm_medium", utm_medium),
            ("utm_campaign", utm_campaign),
            ("utm_term", utm_term),
            ("utm_content", utm_content),
        ];
        let said: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        serde_html_form::to_string(said).unwrap_or_default()
    }

    /// The language that the form was filled in.
    pub fn speech(&self) -> Option<Speech> {
        Some(self.typed.language.trim()).filter(|tag| !tag.is_empty()).map(Speech::of)
    }

    /// What was typed into the field that staff defined under this slug.
    pub fn custom(&self, slug: &str) -> &str {
        self.custom.get(slug).map_or("", String::as_str)
    }

    /// The sign-up that was meant.
    ///
    /// # Errors
    /// Choices that do not exist.
    pub fn into_form(self) -> Result<JoinForm, Vec<FieldError>> {
        let Self { typed, custom } = self;
        let mut faults = Vec::new();
        let mut involvement = Vec::new();
        for choice in &typed.involvement {
            match Involvement::parse(choice) {
                Ok(choice) => involvement.push(choice),
                Err(error) => faults.push(FieldError::new("involvement", error.code(), error.to_string())),
            }
        }
        let notice = given(typed.notice).map(|id| id.parse()).transpose();
        let notice = notice.unwrap_or_else(|_| {
            let message = "the wording could not be recognised; please load the form again";
            faults.push(FieldError::new("notice", "unknown_notice", message));
            None
        });
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(JoinForm {
            email: given(typed.email),
            given_name: given(typed.given_name),
            family_name: given(typed.family_name),
            postal_code: given(typed.postal_code),
            country: given(typed.country),
            phone: given(typed.phone),
            language: given(typed.language),
            involvement,
            region: given(typed.region),
            form: None,
            share_with: typed.share_with,
            fields: custom.into_iter().map(|(slug, text)| (slug, text.into())).collect(),
            consent: Some(Consent {
                email: !typed.consent_email.is_empty(),
                phone: !typed.consent_phone.is_empty(),
                notice,
            }),
            source: Source {
                code: given(typed.source_code),
                group: given(typed.source_group),
                utm_source: given(typed.utm_source),
                utm_medium: given(typed.utm_medium),
                utm_campaign: given(typed.utm_campaign),
                utm_term: given(typed.utm_term),
                utm_content: given(typed.utm_content),
                page: given(typed.source_page),
            },
            proof: None,
        })
    }

    /// Slug of the group by whose link the visitor came.
    pub fn referring_group(&self) -> &str {
        &self.typed.source_group
    }

    /// Country, region and postal code as typed.
    pub fn place(&self) -> (&str, &str, &str) {
        (&self.typed.country, &self.typed.region, &self.typed.postal_code)
    }

    /// Whether this group's box was ticked.
    pub fn shares_with(&self, slug: &str) -> bool {
        self.typed.share_with.iter().any(|one| one == slug)
    }

    /// What was typed, to be shown again on a page in this language; whoever sends it keeps it.
    pub fn values(&self, speech: Speech) -> JoinValues {
        let typed = &self.typed;
        let language = if typed.language.is_empty() { speech.tag() } else { &typed.language }.to_owned();
        let hidden = [
            ("country", &typed.country),
            ("region", &typed.region),
            ("language", &language),
            ("source_code", &typed.source_code),
            ("source_group", &typed.source_group),
            ("source_page", &typed.source_page),
            ("utm_source", &typed.utm_source),
            ("utm_medium", &typed.utm_medium),
            ("utm_campaign", &typed.utm_campaign),
            ("utm_term", &typed.utm_term),
            ("utm_content", &typed.utm_content),
        ];
        JoinValues {
            email: typed.email.clone(),
            given_name: typed.given_name.clone(),
            family_name: typed.family_name.clone(),
            postal_code: typed.postal_code.clone(),
            phone: typed.phone.clone(),
            involvement: Involvement::ALL
                .iter()
                .map(|choice| InvolvementChoice {
                    value: choice.as_str().to_owned(),
                    label: label(*choice, speech).to_owned(),
                    checked: typed.involvement.iter().any(|chosen| chosen == choice.as_str()),
                })
                .collect(),
            consent_email: !typed.consent_email.is_empty(),
            consent_phone: !typed.consent_phone.is_empty(),
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

/// What is read beside the box of an answer.
const fn label(choice: Involvement, speech: Speech) -> &'static str {
    let w = InvolvementWords::of(speech);
    match choice {
        Involvement::Frontline => w.frontline,
        Involvement::Worker => w.worker,
        Involvement::Advocate => w.advocate,
        Involvement::Faith => w.faith,
        Involvement::Researcher => w.researcher,
        Involvement::Other => w.other,
    }
}

/// Faults under the names the HTML form uses, in the language of the page.
pub fn shown(faults: Vec<FieldError>, speech: Speech) -> Vec<site::FieldError> {
    let name = |field: &str| match field {
        "consent" | "consent.email" => "consent_email".to_owned(),
        "consent.notice" => "notice".to_owned(),
        field if field.starts_with("share_with") => "share_with".to_owned(),
        other => other.to_owned(),
    };
    let said = |fault: &FieldError| site::faults::said(speech, FAULTS, &fault.message);
    faults.into_iter().map(|fault| site::FieldError::new(name(&fault.field), said(&fault))).collect()
}

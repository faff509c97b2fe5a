//! What a visitor may send and what it must hold: [`JoinForm`] in, [`Signup`] out. Pure; both the JSON route
//! and the HTML form come through here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError, ValidationErrors};

use crate::{
    contact::{Country, EmailAddress, Involvement, Language, LineText, Phone, PostalCode, Region},
    error::FieldError,
    groups::MOST_OFFERED,
    id::Id,
    object,
    speech::Speech,
};

/// A sign-up as it is sent.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct JoinForm {
    /// The address to confirm; at most 254 octets.
    #[schema(required, max_length = 254, example = "ada@example.org")]
    #[validate(required(message = "an e-mail address is required"))]
    pub email: Option<String>,
    /// At most 100 characters.
    #[schema(max_length = 100)]
    pub given_name: Option<String>,
    /// At most 100 characters.
    #[schema(max_length = 100)]
    pub family_name: Option<String>,
    /// A ZIP code (12345 or 12345-6789) or another country's postal code.
    #[schema(max_length = 12, example = "44035")]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2; US when nothing is said.
    #[schema(max_length = 2, example = "US")]
    pub country: Option<String>,
    /// Any usual notation; kept as E.164.
    #[schema(max_length = 32)]
    pub phone: Option<String>,
    /// BCP 47, e.g. `en` or `es-MX`.
    #[schema(max_length = 12)]
    pub language: Option<String>,
    /// How the person is involved.
    #[serde(default)]
    #[schema(max_items = 6)]
    #[validate(length(max = 6, message = "choose each at most once"))]
    pub involvement: Vec<Involvement>,
    /// State or region; derived from a US ZIP code when nothing is said. At most 64 characters.
    #[schema(max_length = 64)]
    pub region: Option<String>,
    /// Slug of the form; `join` when nothing is said.
    #[schema(max_length = 64)]
    pub form: Option<String>,
    /// Slugs of member groups that may have the contact, once the sign-up is confirmed; at most five.
    #[serde(default)]
    #[schema(max_items = 5)]
    pub share_with: Vec<String>,
    /// Values of custom fields by slug.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub fields: serde_json::Map<String, serde_json::Value>,
    /// What was agreed to.
    #[validate(required(message = "your agreement is required to join"))]
    #[serde(default, deserialize_with = "object::optional")]
    #[schema(required)]
    pub consent: Option<Consent>,
    /// Where the sign-up came from.
    #[serde(default, deserialize_with = "object::object")]
    pub source: Source,
    /// An answer to a proof-of-work challenge; none is asked for yet, and it is not kept.
    #[schema(max_length = 1024)]
    #[validate(length(max = 1024, message = "this is too long"))]
    pub proof: Option<String>,
}

/// What was agreed to.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Mail may be sent; must be true.
    #[serde(default)]
    #[schema(required)]
    pub email: bool,
    /// Calls and texts may be made to `phone`.
    #[serde(default)]
    pub phone: bool,
    /// Id of the notice that was shown; the form's current one in `language` when nothing is said.
    #[schema(value_type = Option<String>)]
    pub notice: Option<Id>,
}

/// Where a sign-up came from; each at most 200 characters, the page at most 500.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Source code of a leaflet, event or ad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub code: Option<String>,
    /// Slug of the group whose link was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub group: Option<String>,
    /// UTM source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub utm_source: Option<String>,
    /// UTM medium.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub utm_medium: Option<String>,
    /// UTM campaign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub utm_campaign: Option<String>,
    /// UTM term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub utm_term: Option<String>,
    /// UTM content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub utm_content: Option<String>,
    /// Address of the page with the form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub page: Option<String>,
}

/// A sign-up whose every value holds.
#[derive(Clone, Debug)]
pub struct Signup {
    /// The address.
    pub email: EmailAddress,
    /// Slug of the form.
    pub form: String,
    /// What was agreed to.
    pub notice_id: Id,
    /// Language of the person.
    pub language: Language,
    /// The rest of what was typed.
    pub details: Details,
}

/// What was typed beside the address; kept as JSON until confirmation or purge.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Given name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Family name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// State or region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Phone in E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Whether the phone may be used.
    #[serde(default, skip_serializing_if = "is_false")]
    pub phone_consent: bool,
    /// How the person is involved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub involvement: Vec<Involvement>,
    /// Groups that may have the contact; after the click, those that have it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub share_with: Vec<Id>,
    /// Groups that were to have it and were no longer members at the click.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<Id>,
    /// Where the sign-up came from.
    #[serde(default)]
    pub source: Source,
    /// Tags that its list gives, for once they confirm; a form gives none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Values of custom fields by slug, checked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl std::fmt::Debug for Details {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Details(…)")
    }
}

/// What a form offers, as [`JoinForm::check`] needs it.
pub trait Offer {
    /// The notice a sign-up on `form` agreed to, if the form and the notice exist and belong together; where none is
    /// said, the one that somebody of this language is shown.
    fn notice(&self, form: &str, notice: Option<Id>, speech: Speech) -> Result<Id, FieldError>;

    /// The member group with this slug.
    fn group(&self, slug: &str) -> Option<Id>;
}

impl JoinForm {
    /// Checks everything and collects every fault, so that a person mends them in one go.
    ///
    /// # Errors
    /// One [`FieldError`] for each field that does not hold.
    pub fn check(self, offer: &impl Offer) -> Result<Signup, Vec<FieldError>> {
        let mut faults = Faults::default();
        if let Err(errors) = self.validate() {
            faults.add_validator(&errors);
        }
        let consent = self.consent.clone().unwrap_or_default();
        if self.consent.is_some() && !consent.email {
            faults.add("consent.email", "required", "your agreement is required to join");
        }
        let email = self
            .email
            .as_deref()
            .and_then(|text| faults.take("email", EmailAddress::parse(text), |e| e.code()));
        let country = self
            .country
            .as_deref()
            .filter(|text| !text.trim().is_empty())
            .map_or(Some(Country::US), |text| faults.take("country", Country::parse(text), |e| e.code()));
        let postal_code = given(self.postal_code.as_deref()).zip(country).and_then(|(text, country)| {
            faults.take("postal_code", PostalCode::parse(text, country), |e| e.code())
        });
        let phone = given(self.phone.as_deref())
            .zip(country)
            .and_then(|(text, country)| faults.take("phone", Phone::parse(text, country), |e| e.code()));
        let language = given(self.language.as_deref()).map_or_else(
            || Language::parse(Speech::English.tag()).ok(),
            |text| faults.take("language", Language::parse(text), |e| e.code()),
        );
        let region = faults.region(self.region.as_deref(), country, postal_code.as_ref());
        let share_with = faults.groups(&self.share_with, offer);
        let form = given(self.form.as_deref()).unwrap_or(crate::forms::JOIN).to_owned();
        let speech = language.as_ref().map(|language| Speech::of(language.as_str())).unwrap_or_default();
        let notice_id = match offer.notice(&form, consent.notice, speech) {
            Ok(id) => Some(id),
            Err(fault) => {
                faults.0.push(fault);
                None
            }
        };
        let details = Details {
            given_name: faults.text::<100>("given_name", self.given_name.as_deref()),
            family_name: faults.text::<100>("family_name", self.family_name.as_deref()),
            // A country says something only beside an address; nobody typed the default.
            country: self
                .country
                .as_deref()
                .and(country)
                .or(postal_code.as_ref().and(country))
                .map(|c| c.as_str().to_owned()),
            region,
            postal_code: postal_code.map(|code| code.as_str().to_owned()),
            phone_consent: consent.phone && phone.is_some(),
            phone: phone.map(|phone| phone.as_str().to_owned()),
            involvement: distinct(self.involvement),
            share_with,
            dropped: Vec::new(),
            source: faults.source(self.source),
            tags: Vec::new(),
            fields: BTreeMap::new(),
        };
        match (faults.0.is_empty(), email, language, notice_id) {
            (true, Some(email), Some(language), Some(notice_id)) => {
                Ok(Signup { email, form, notice_id, language, details })
            }
            _ => Err(faults.0),
        }
    }
}

/// What was typed, unless it is blank: an empty form field is one that was left out.
fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}

fn distinct(mut chosen: Vec<Involvement>) -> Vec<Involvement> {
    let mut seen = Vec::new();
    chosen.retain(|one| {
        !seen.contains(one) && {
            seen.push(*one);
            true
        }
    });
    chosen
}

#[derive(Default)]
struct Faults(Vec<FieldError>);

impl Faults {
    fn add(&mut self, field: impl Into<String>, code: &str, message: &str) {
        self.0.push(FieldError::new(field, code, message));
    }

    fn take<T, E: std::fmt::Display>(
        &mut self,
        field: &str,
        parsed: Result<T, E>,
        code: impl Fn(E) -> &'static str,
    ) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(error) => {
                let message = error.to_string();
                self.add(field, code(error), &message);
                None
            }
        }
    }

    fn text<const MAX: usize>(&mut self, field: &str, text: Option<&str>) -> Option<String> {
        let text = text?;
        self.take(field, LineText::<MAX>::parse(text), |e| e.code())
            .flatten()
            .map(|text| text.as_str().to_owned())
    }

    fn region(
        &mut self,
        typed: Option<&str>,
        country: Option<Country>,
        zip: Option<&PostalCode>,
    ) -> Option<String> {
        let country = country?;
        match given(typed) {
            Some(text) if country.has_zip_codes() => self
                .take("region", Region::parse(text), |e| e.code())
                .map(|region| region.as_str().to_owned()),
            Some(text) => self.text::<64>("region", Some(text)),
            None => zip
                .and_then(|code| Region::of_address(country, code))
                .map(|region| region.as_str().to_owned()),
        }
    }

    /// Each once; a fault names its place in the list.
    fn groups(&mut self, slugs: &[String], offer: &impl Offer) -> Vec<Id> {
        if slugs.len() > MOST_OFFERED {
            self.add("share_with", "too_many", "choose at most five groups");
            return Vec::new();
        }
        let mut found = Vec::new();
        for (at, slug) in slugs.iter().enumerate() {
            match offer.group(slug) {
                Some(id) if !found.contains(&id) => found.push(id),
                Some(_) => {}
                None => self.add(
                    format!("share_with[{at}]"),
                    "unknown_group",
                    "there is no such member group; leave it out",
                ),
            }
        }
        found
    }

    fn source(&mut self, source: Source) -> Source {
        let mut short =
            |field: &str, text: Option<String>| self.text::<200>(&format!("source.{field}"), text.as_deref());
        Source {
            code: short("code", source.code),
            group: short("group", source.group),
            utm_source: short("utm_source", source.utm_source),
            utm_medium: short("utm_medium", source.utm_medium),
            utm_campaign: short("utm_campaign", source.utm_campaign),
            utm_term: short("utm_term", source.utm_term),
            utm_content: short("utm_content", source.utm_content),
            page: self.text::<500>("source.page", source.page.as_deref()),
        }
    }

    fn add_validator(&mut self, errors: &ValidationErrors) {
        for (field, found) in errors.field_errors() {
            for error in found {
                let ValidationError { code, message, .. } = error;
                let message = message.as_deref().unwrap_or("this does not hold; please look again");
                self.add(field.to_string(), if code == "length" { "too_long" } else { code }, message);
            }
        }
    }
}

//! What an organisation may send of itself and what it must hold: [`ApplicationForm`] in, [`Application`] out, and
//! [`GroupEdit`] for later. Pure; the JSON routes and the HTML form come through here.

use serde::Deserialize;
use url::Url;
use utoipa::ToSchema;

use super::{
    model::NATIONWIDE,
    words::{Kind, Sector},
};
use crate::{
    contact::{EmailAddress, LineText, Region},
    error::FieldError,
    id::Id,
};

/// Characters of what a group says of itself.
const ABOUT: usize = 2000;
/// Characters of a website's address.
const WEBSITE: usize = 200;

/// An application as it is sent.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApplicationForm {
    /// Name of the organisation, at most 120 characters; its slug is made from it.
    #[schema(required, max_length = 120, example = "Valley Clean Air")]
    pub name: String,
    /// `frontline_community`, `labor_union`, `advocacy`, `faith`, `business`, `research` or `other`.
    #[schema(required, example = "frontline_community")]
    pub kind: String,
    /// Its website, http or https; at most 200 characters.
    #[schema(required, max_length = 200, example = "https://valley.example.org/")]
    pub website: String,
    /// States it serves by their two letters, or `US` for all of the country.
    #[schema(required, max_items = 60, example = json!(["OH", "PA"]))]
    pub regions: Vec<String>,
    /// Industries it works on: `steel`, `cement`, `aluminum`, `metallurgical_coke`, `other`.
    #[schema(required, max_items = 5, example = json!(["steel"]))]
    pub sectors: Vec<String>,
    /// What it does, at most 2000 characters; may have several lines.
    #[schema(required, max_length = 2000)]
    pub about: String,
    /// Whom to talk to, at most 100 characters.
    #[schema(required, max_length = 100)]
    pub contact_name: String,
    /// Their address; the application counts once its link is clicked.
    #[schema(required, max_length = 254, example = "grace@example.org")]
    pub contact_email: String,
    /// Agreement to the coalition's data terms; must be true.
    #[schema(required)]
    pub agree: bool,
    /// Id of the terms that were shown; the current ones when nothing is said.
    #[schema(value_type = Option<String>)]
    pub terms: Option<Id>,
    /// Whether the public directory may show it; yes when nothing is said.
    pub is_listed: Option<bool>,
}

/// A change of an organisation's entry. What is left out stays.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GroupEdit {
    /// Staff alone; the slug stays.
    #[schema(max_length = 120)]
    pub name: Option<String>,
    /// Staff alone.
    pub kind: Option<String>,
    /// http or https.
    #[schema(max_length = 200)]
    pub website: Option<String>,
    /// Two-letter codes, or `US`.
    #[schema(max_items = 60)]
    pub regions: Option<Vec<String>>,
    /// Industries.
    #[schema(max_items = 5)]
    pub sectors: Option<Vec<String>>,
    /// At most 2000 characters.
    #[schema(max_length = 2000)]
    pub about: Option<String>,
    /// Staff alone.
    #[schema(max_length = 100)]
    pub contact_name: Option<String>,
    /// Staff alone.
    #[schema(max_length = 254)]
    pub contact_email: Option<String>,
    /// Whether the public directory shows it.
    pub is_listed: Option<bool>,
}

/// An application whose every value holds.
#[derive(Clone)]
pub struct Application {
    /// Name of the organisation.
    pub name: String,
    /// What kind it is.
    pub kind: Kind,
    /// Its website.
    pub website: String,
    /// Codes, or `US`.
    pub regions: Vec<String>,
    /// Industries.
    pub sectors: Vec<Sector>,
    /// What it does.
    pub about: String,
    /// Whom to talk to.
    pub contact_name: String,
    /// Their address.
    pub contact_email: EmailAddress,
    /// The terms that were shown, where that was said.
    pub terms: Option<Id>,
    /// Whether the directory may show it.
    pub is_listed: bool,
}

/// A change whose every value holds.
#[derive(Clone, Default)]
pub struct GroupChange {
    pub name: Option<String>,
    pub kind: Option<Kind>,
    pub website: Option<String>,
    pub regions: Option<Vec<String>>,
    pub sectors: Option<Vec<Sector>>,
    pub about: Option<String>,
    pub contact_name: Option<String>,
    pub contact_email: Option<EmailAddress>,
    pub is_listed: Option<bool>,
    pub terms: Option<Id>,
}

impl From<Application> for GroupChange {
    fn from(application: Application) -> Self {
        Self {
            name: Some(application.name),
            kind: Some(application.kind),
            website: Some(application.website),
            regions: Some(application.regions),
            sectors: Some(application.sectors),
            about: Some(application.about),
            contact_name: Some(application.contact_name),
            contact_email: Some(application.contact_email),
            is_listed: Some(application.is_listed),
            terms: application.terms,
        }
    }
}

impl ApplicationForm {
    /// Checks everything and collects every fault, so that a person mends them in one go.
    ///
    /// # Errors
    /// One [`FieldError`] for each field that does not hold.
    pub fn check(self) -> Result<Application, Vec<FieldError>> {
        let mut faults = Vec::new();
        let name = line::<120>(&mut faults, "name", &self.name);
        let kind = kind(&mut faults, &self.kind);
        let website = website(&mut faults, &self.website);
        let regions = regions(&mut faults, &self.regions);
        let sectors = sectors(&mut faults, &self.sectors);
        let about = about(&mut faults, &self.about);
        let contact_name = line::<100>(&mut faults, "contact_name", &self.contact_name);
        let contact_email = email(&mut faults, &self.contact_email);
        if !self.agree {
            let message = "agreement to the data terms is required to become a member";
            faults.push(FieldError::new("agree", "required", message));
        }
        let checked = (|| {
            Some(Application {
                name: name?,
                kind: kind?,
                website: website?,
                regions: regions?,
                sectors: sectors?,
                about: about?,
                contact_name: contact_name?,
                contact_email: contact_email?,
                terms: self.terms,
                is_listed: self.is_listed.unwrap_or(true),
            })
        })();
        checked.filter(|_| faults.is_empty()).ok_or(faults)
    }
}

impl GroupEdit {
    /// Whether it changes what only staff may: who the organisation is, and whom to talk to.
    #[must_use]
    pub const fn is_for_staff(&self) -> bool {
        self.name.is_some()
            || self.kind.is_some()
            || self.contact_name.is_some()
            || self.contact_email.is_some()
    }

    /// Names of the fields that are given.
    #[must_use]
    pub fn fields(&self) -> Vec<&'static str> {
        [
            ("name", self.name.is_some()),
            ("kind", self.kind.is_some()),
            ("website", self.website.is_some()),
            ("regions", self.regions.is_some()),
            ("sectors", self.sectors.is_some()),
            ("about", self.about.is_some()),
            ("contact_name", self.contact_name.is_some()),
            ("contact_email", self.contact_email.is_some()),
            ("is_listed", self.is_listed.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, is_given)| is_given.then_some(name))
        .collect()
    }

    /// Checks what is given.
    ///
    /// # Errors
    /// One [`FieldError`] for each field that does not hold.
    pub fn check(self) -> Result<GroupChange, Vec<FieldError>> {
        let mut faults = Vec::new();
        let change = GroupChange {
            name: self.name.and_then(|text| line::<120>(&mut faults, "name", &text)),
            kind: self.kind.and_then(|text| kind(&mut faults, &text)),
            website: self.website.and_then(|text| website(&mut faults, &text)),
            regions: self.regions.and_then(|list| regions(&mut faults, &list)),
            sectors: self.sectors.and_then(|list| sectors(&mut faults, &list)),
            about: self.about.and_then(|text| about(&mut faults, &text)),
            contact_name: self.contact_name.and_then(|text| line::<100>(&mut faults, "contact_name", &text)),
            contact_email: self.contact_email.and_then(|text| email(&mut faults, &text)),
            is_listed: self.is_listed,
            terms: None,
        };
        if faults.is_empty() { Ok(change) } else { Err(faults) }
    }
}

/// A text of staff that is mailed: a reason, a question. At most 2000 characters, never empty.
///
/// # Errors
/// The fault, for the field `field`.
pub fn letter(field: &str, text: &str) -> Result<String, FieldError> {
    prose(text).map_err(|(code, message)| FieldError::new(field, code, message))
}

fn line<const MAX: usize>(faults: &mut Vec<FieldError>, field: &str, text: &str) -> Option<String> {
    match text.parse::<LineText<MAX>>() {
        Ok(line) => Some(line.as_str().to_owned()),
        Err(error) => {
            faults.push(FieldError::new(field, error.code(), error.to_string()));
            None
        }
    }
}

fn kind(faults: &mut Vec<FieldError>, word: &str) -> Option<Kind> {
    let found = Kind::parse(word);
    if found.is_none() {
        let code = if word.is_empty() { "required" } else { "unknown_value" };
        let words: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        faults.push(FieldError::new("kind", code, format!("choose one of: {}", words.join(", "))));
    }
    found
}

/// Each at most once, at least one; a fault names its place in the list.
fn list<T: PartialEq>(
    faults: &mut Vec<FieldError>,
    field: &str,
    words: &[String],
    read: impl Fn(&str) -> Option<T>,
    advice: &str,
) -> Option<Vec<T>> {
    if words.is_empty() {
        faults.push(FieldError::new(field, "required", "choose at least one"));
        return None;
    }
    if words.len() > 60 {
        faults.push(FieldError::new(field, "too_many", "choose each at most once"));
        return None;
    }
    let mut found = Vec::new();
    let before = faults.len();
    for (at, word) in words.iter().enumerate() {
        match read(word) {
            Some(value) if !found.contains(&value) => found.push(value),
            Some(_) => {}
            None => faults.push(FieldError::new(format!("{field}[{at}]"), "unknown_value", advice)),
        }
    }
    (faults.len() == before).then_some(found)
}

fn regions(faults: &mut Vec<FieldError>, words: &[String]) -> Option<Vec<String>> {
    let read = |word: &str| match word.trim() {
        NATIONWIDE => Some(NATIONWIDE.to_owned()),
        code => Region::parse(code).ok().map(|region| region.as_str().to_owned()),
    };
    list(faults, "regions", words, read, "give a state by its two letters, like PA, or US for all of them")
}

fn sectors(faults: &mut Vec<FieldError>, words: &[String]) -> Option<Vec<Sector>> {
    let advice = "choose from steel, cement, aluminum, metallurgical_coke, other";
    list(faults, "sectors", words, Sector::parse, advice)
}

fn email(faults: &mut Vec<FieldError>, text: &str) -> Option<EmailAddress> {
    match EmailAddress::parse(text) {
        Ok(address) => Some(address),
        Err(error) => {
            faults.push(FieldError::new("contact_email", error.code(), error.to_string()));
            None
        }
    }
}

/// A link for everybody to follow: http or https, to a name with a dot, nothing secret in it.
fn website(faults: &mut Vec<FieldError>, text: &str) -> Option<String> {
    let text = text.trim();
    let mut refuse = |code: &str, message: &str| {
        faults.push(FieldError::new("website", code, message));
        None
    };
    if text.is_empty() {
        return refuse("required", "give the address of the website, like https://example.org/");
    }
    let url = Url::parse(text).ok().filter(|_| !text.chars().any(|c| c.is_control() || c.is_whitespace()));
    let Some(url) = url else {
        return refuse("invalid_url", "give the whole address of the website, like https://example.org/");
    };
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_name = matches!(
        url.host(), Some(url::Host::Domain(name)) if name.contains('.') && name.split('.').all(word)
    );
    if !matches!(url.scheme(), "http" | "https") {
        return refuse("invalid_scheme", "the address of a website begins with https:// or http://");
    }
    if !is_name || !url.username().is_empty() || url.password().is_some() {
        return refuse("invalid_url", "give an address that everybody can open, like https://example.org/");
    }
    if url.as_str().chars().count() > WEBSITE {
        return refuse("too_long", "shorten this to at most 200 characters");
    }
    Some(url.into())
}

fn about(faults: &mut Vec<FieldError>, text: &str) -> Option<String> {
    match prose(text) {
        Ok(text) => Some(text),
        Err((code, message)) => {
            faults.push(FieldError::new("about", code, message));
            None
        }
    }
}

/// Several lines of text; each holds what a line must, and blank ones at both ends are left out.
fn prose(text: &str) -> Result<String, (&'static str, String)> {
    let too_long = || ("too_long", format!("shorten this to at most {ABOUT} characters"));
    if text.len() > ABOUT * 8 {
        return Err(too_long());
    }
    let mut lines = Vec::new();
    for line in text.replace("\r\n", "\n").split('\n') {
        let line = LineText::<ABOUT>::parse(&line.replace('\t', " "))
            .map_err(|error| (error.code(), error.to_string()))?;
        lines.push(line.map(|line| line.as_str().to_owned()).unwrap_or_default());
    }
    let whole = lines.join("\n").trim().to_owned();
    if whole.is_empty() {
        return Err(("required", "fill in this field".to_owned()));
    }
    if whole.chars().count() > ABOUT { Err(too_long()) } else { Ok(whole) }
}

#[cfg(test)]
#[path = "domain_tests.rs"]
mod tests;

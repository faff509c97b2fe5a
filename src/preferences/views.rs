//! What a person sees of themselves, and may send to change it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::choices::Power;
use crate::{
    clock::Timestamp,
    contact::{Country, EmailAddress, LineText, PostalCode, Region},
    error::FieldError,
    forms::ConsentReceipt,
    supporters::{Profile, Status, Supporter, SupporterView},
};

/// What a preferences link shows.
#[derive(Serialize, ToSchema)]
pub struct PreferencesView {
    /// The address, masked unless the link is fresh.
    pub email: String,
    /// Whether the person is in.
    pub status: Status,
    /// Whether this link shows and changes everything.
    pub is_fresh: bool,
    /// Everything that is stored; only with a fresh link.
    pub data: Option<DataExport>,
}

/// Everything that is stored of a person.
#[derive(Serialize, ToSchema)]
pub struct DataExport {
    /// The person.
    pub supporter: SupporterView,
    /// What they agreed to.
    pub consent: Option<ConsentView>,
}

/// A consent receipt.
#[derive(Serialize, ToSchema)]
pub struct ConsentView {
    /// The exact wording.
    pub wording: String,
    /// SHA-256 of the wording.
    pub sha256: String,
    /// When it was confirmed.
    #[schema(value_type = String, format = DateTime)]
    pub confirmed_at: Timestamp,
    /// The language it was shown in.
    pub language: String,
}

/// A change by the person. Fields that are left out stay; an empty text removes what is stored.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PreferencesChange {
    /// At most 100 characters.
    #[schema(max_length = 100)]
    pub given_name: Option<String>,
    /// At most 100 characters.
    #[schema(max_length = 100)]
    pub family_name: Option<String>,
    /// A ZIP or postal code; the region follows it.
    #[schema(max_length = 12)]
    pub postal_code: Option<String>,
    /// `unsubscribed` to leave; any link may.
    pub status: Option<Leave>,
}

/// The one status a person may set; back is only by a new sign-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Leave {
    /// Leave.
    Unsubscribed,
}

impl PreferencesChange {
    /// Whether anything but leaving is asked.
    #[must_use]
    pub fn edits(&self) -> bool {
        self.given_name.is_some() || self.family_name.is_some() || self.postal_code.is_some()
    }

    /// The profile after the change.
    ///
    /// # Errors
    /// The fields that do not hold.
    pub fn apply(&self, supporter: &Supporter) -> Result<Profile, Vec<FieldError>> {
        let mut faults = Vec::new();
        let mut name = |field: &str, typed: &Option<String>, stored: &Option<String>| match typed {
            None => stored.clone(),
            Some(text) => LineText::<100>::parse(text).map_or_else(
                |error| {
                    faults.push(FieldError::new(field, error.code(), error.to_string()));
                    None
                },
                |text| text.map(|text| text.as_str().to_owned()),
            ),
        };
        let given_name = name("given_name", &self.given_name, &supporter.given_name);
        let family_name = name("family_name", &self.family_name, &supporter.family_name);
        let country =
            supporter.country.as_deref().and_then(|code| Country::parse(code).ok()).unwrap_or(Country::US);
        let (postal_code, region) = match self.postal_code.as_deref().map(str::trim) {
            None => (supporter.postal_code.clone(), supporter.region.clone()),
            Some("") => (None, None),
            Some(text) => match PostalCode::parse(text, country) {
                Ok(code) => {
                    let region = Region::of_address(country, &code).map(|region| region.as_str().to_owned());
                    (Some(code.as_str().to_owned()), region)
                }
                Err(error) => {
                    faults.push(FieldError::new("postal_code", error.code(), error.to_string()));
                    (None, None)
                }
            },
        };
        let profile = Profile { given_name, family_name, postal_code, region };
        if faults.is_empty() { Ok(profile) } else { Err(faults) }
    }
}

/// Everything that is stored of `supporter`.
pub(super) fn data_export(supporter: Supporter, receipt: Option<ConsentReceipt>) -> DataExport {
    let confirmed_at = supporter.confirmed_at;
    let consent = receipt.map(|receipt| ConsentView {
        wording: receipt.wording,
        sha256: receipt.sha256,
        confirmed_at,
        language: receipt.language,
    });
    DataExport { supporter: SupporterView::from(supporter), consent }
}

/// What a link of this power shows.
pub(super) fn view(supporter: Supporter, power: Power, receipt: Option<ConsentReceipt>) -> PreferencesView {
    let is_fresh = power == Power::Everything;
    PreferencesView {
        email: if is_fresh { supporter.email.clone() } else { masked(&supporter.email) },
        status: supporter.status,
        is_fresh,
        data: is_fresh.then(|| data_export(supporter, receipt)),
    }
}

/// The address as a page may show it to whoever holds a forwarded mail.
pub(super) fn masked(email: &str) -> String {
    EmailAddress::parse(email).map(|email| email.masked()).unwrap_or_default()
}

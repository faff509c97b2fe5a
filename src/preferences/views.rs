//! What a person sees of themselves, and may send to change it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{choices::Power, holdings::Holdings};
use crate::{
    clock::Timestamp,
    contact::{Country, EmailAddress, LineText, PostalCode, Region},
    error::FieldError,
    speech::Speech,
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
    /// The language they are written to in.
    pub language: String,
    /// Groups that may have their contact.
    pub shares: Vec<ActiveShareView>,
    /// Until when they pause, if they do.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub paused_until: Option<Timestamp>,
    /// Everything that is stored; only with a fresh link.
    pub data: Option<DataExport>,
}

/// A group that may have somebody's contact.
#[derive(Serialize, ToSchema)]
pub struct ActiveShareView {
    /// The group's slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub given_at: Timestamp,
}

/// Everything that is stored of a person.
#[derive(Serialize, ToSchema)]
pub struct DataExport {
    /// The person.
    pub supporter: SupporterView,
    /// What they agreed to.
    pub consent: Option<ConsentView>,
    /// Until when they pause, if they do.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub paused_until: Option<Timestamp>,
    /// What the other tables hold.
    #[serde(flatten)]
    pub holdings: Holdings,
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
    /// `en` or `es`.
    pub language: Option<String>,
    /// Slugs of member groups to share with from now on, besides those shared with already; needs a fresh link.
    pub share_with: Option<Vec<String>>,
    /// Slugs of groups to share with no longer; any link may.
    pub withdraw: Option<Vec<String>>,
    /// `true` to be in no list for 30 days, which any link may; `false` to end that, with a fresh link.
    pub pause: Option<bool>,
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
    /// Whether it asks for something that only a fresh link may.
    #[must_use]
    pub fn adds(&self) -> bool {
        self.edits() || self.language.is_some() || self.share_with.is_some() || self.pause == Some(false)
    }

    /// Whether it changes details.
    #[must_use]
    pub const fn edits(&self) -> bool {
        self.given_name.is_some() || self.family_name.is_some() || self.postal_code.is_some()
    }

    /// The language asked for, one of ours.
    ///
    /// # Errors
    /// When it is another.
    pub fn speech(&self) -> Result<Option<Speech>, FieldError> {
        let Some(tag) = &self.language else { return Ok(None) };
        let found = Speech::ALL.into_iter().find(|speech| speech.tag() == tag);
        found.map(Some).ok_or_else(|| FieldError::new("language", "invalid_language", "choose en or es"))
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
pub(super) fn data_export(supporter: Supporter, holdings: Holdings) -> DataExport {
    let confirmed_at = supporter.confirmed_at;
    let consent = holdings.receipt(supporter.notice_id, confirmed_at).map(|receipt| ConsentView {
        wording: receipt.wording,
        sha256: receipt.sha256,
        confirmed_at,
        language: receipt.language,
    });
    let paused_until = supporter.paused_until;
    DataExport { supporter: SupporterView::from(supporter), consent, paused_until, holdings }
}

/// What a link of this power shows.
pub(super) fn view(supporter: Supporter, power: Power, holdings: Holdings) -> PreferencesView {
    let is_fresh = power == Power::Everything;
    let share = |share: &super::holdings::ShareRecord| ActiveShareView {
        slug: share.slug.clone(),
        name: share.name.clone(),
        given_at: share.given_at,
    };
    PreferencesView {
        email: if is_fresh { supporter.email.clone() } else { masked(&supporter.email) },
        status: supporter.status,
        is_fresh,
        language: supporter.language.clone(),
        shares: holdings.active_shares().map(share).collect(),
        paused_until: supporter.paused_until,
        data: is_fresh.then(|| data_export(supporter, holdings)),
    }
}

/// The address as a page may show it to whoever holds a forwarded mail.
pub(super) fn masked(email: &str) -> String {
    EmailAddress::parse(email).map(|email| email.masked()).unwrap_or_default()
}

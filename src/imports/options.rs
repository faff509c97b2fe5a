//! What is wished of an import: the basis of its consent above all, and what all rows get. Checked here, kept as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    clock::Timestamp,
    contact::{Country, LineText, Slug},
    error::FieldError,
    object,
};

/// Longest wording that a notice keeps, in characters.
const MOST_WORDING: usize = 4000;
/// Most tags that all rows get.
const MOST_TAGS: usize = 20;

/// Why people on a list may be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportBasis)]
pub enum Basis {
    /// They consented already, to a wording that is kept as a notice.
    Already,
    /// They are asked: each is owed a confirmation mail.
    Invite,
}

/// The basis, stated by whoever brings the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListConsent {
    /// Why people on the list may be written to.
    pub basis: Basis,
    /// What they agreed to, to the letter; for `already`. At most 4000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 4000)]
    pub wording: Option<String>,
    /// The day they did, or the latest of these days, e.g. 2026-05-01; for `already`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Whether the wording covers calls and texts.
    #[serde(default)]
    pub phone: bool,
}

/// What is wished of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportOptions {
    /// The basis of the consent; needed before the start.
    #[serde(default, deserialize_with = "object::optional", skip_serializing_if = "Option::is_none")]
    pub consent: Option<ListConsent>,
    /// Tags that all people get, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub tags: Vec<String>,
    /// Let the list win over what is stored; otherwise it only fills what is empty.
    #[serde(default)]
    pub overwrite: bool,
    /// Country of rows that name none; US when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2)]
    pub country: Option<String>,
    /// Source code of rows that name none; at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub source: Option<String>,
}

impl ImportOptions {
    /// Collects every fault.
    ///
    /// # Errors
    /// The fields that do not hold.
    pub fn check(&self, timezone: &str, now: Timestamp) -> Result<(), Vec<FieldError>> {
        let mut faults = Vec::new();
        if let Some(consent) = &self.consent {
            consent.check(timezone, now, &mut faults);
        }
        if self.tags.len() > MOST_TAGS {
            faults.push(FieldError::new("tags", "too_many", "give at most 20 tags"));
        }
        for (at, tag) in self.tags.iter().enumerate() {
            if let Err(error) = Slug::parse(tag) {
                faults.push(FieldError::new(format!("tags[{at}]"), error.code(), error.to_string()));
            }
        }
        if let Some(Err(error)) = self.country.as_deref().map(Country::parse) {
            faults.push(FieldError::new("country", error.code(), error.to_string()));
        }
        if let Some(Err(error)) = self.source.as_deref().map(LineText::<200>::parse) {
            faults.push(FieldError::new("source", error.code(), error.to_string()));
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Whether each is asked first.
    #[must_use]
    pub fn invites(&self) -> bool {
        self.consent.as_ref().is_some_and(|consent| consent.basis == Basis::Invite)
    }

    /// The wording and since when it was agreed to, where people consented already.
    #[must_use]
    pub fn agreed(&self, timezone: &str) -> Option<(String, Timestamp)> {
        let consent = self.consent.as_ref().filter(|consent| consent.basis == Basis::Already)?;
        Some((consent.wording()?.to_owned(), day(consent.date.as_deref()?, timezone)?))
    }
}

impl ListConsent {
    fn wording(&self) -> Option<&str> {
        self.wording.as_deref().map(str::trim).filter(|wording| !wording.is_empty())
    }

    fn check(&self, timezone: &str, now: Timestamp, faults: &mut Vec<FieldError>) {
        let mut add = |field: &str, code: &str, message: &str| {
            faults.push(FieldError::new(format!("consent.{field}"), code, message));
        };
        if self.basis == Basis::Invite {
            if self.wording.is_some() || self.date.is_some() || self.phone {
                add(
                    "basis",
                    "contradiction",
                    "those who are asked agree to the wording of the form they see",
                );
            }
            return;
        }
        match self.wording() {
            None => add("wording", "required", "give the wording that people agreed to; it is kept"),
            Some(text) if text.chars().count() > MOST_WORDING => {
                add("wording", "too_long", "give at most 4000 characters");
            }
            Some(text) if text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) => {
                add("wording", "control_characters", "this must not hold control characters");
            }
            Some(_) => {}
        }
        match self.date.as_deref().map(|date| day(date, timezone)) {
            None => add("date", "required", "give the day on which people agreed, like 2026-05-01"),
            Some(None) => add("date", "invalid_date", "give a day like 2026-05-01"),
            Some(Some(at)) if at > now => add("date", "in_the_future", "give a day that has come"),
            Some(Some(_)) => {}
        }
    }
}

/// The begin of a day in the campaign's time zone.
fn day(text: &str, timezone: &str) -> Option<Timestamp> {
    let date: jiff::civil::Date = text.trim().parse().ok()?;
    let zone = jiff::tz::TimeZone::get(timezone).ok()?;
    let at = date.to_zoned_datetime(zone).ok()?.timestamp();
    (at.as_second() > 0).then(|| Timestamp::from_seconds(at.as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn faults(options: &serde_json::Value) -> Vec<String> {
        let Ok(options) = serde_json::from_value::<ImportOptions>(options.clone()) else {
            return vec!["not options".to_owned()];
        };
        let faults = options.check("America/New_York", NOW).err().unwrap_or_default();
        faults.into_iter().map(|fault| format!("{}: {}", fault.field, fault.code)).collect()
    }

    #[test]
    fn a_basis_is_whole_or_refused() {
        let consent = |consent: serde_json::Value| faults(&serde_json::json!({ "consent": consent }));
        let good = serde_json::json!({"basis": "already", "wording": "Write to me.", "date": "2026-05-01"});
        assert!(consent(good).is_empty());
        assert!(consent(serde_json::json!({"basis": "invite"})).is_empty());
        assert_eq!(
            consent(serde_json::json!({"basis": "already", "wording": " "})),
            ["consent.wording: required", "consent.date: required"]
        );
        assert_eq!(
            consent(serde_json::json!({"basis": "already", "wording": "x", "date": "2099-01-01"})),
            ["consent.date: in_the_future"]
        );
        assert_eq!(
            consent(serde_json::json!({"basis": "invite", "wording": "x"})),
            ["consent.basis: contradiction"]
        );
        assert_eq!(consent(serde_json::json!({"basis": "hearsay"})), ["not options"]);
    }

    #[test]
    fn every_other_option_is_checked() {
        let options = serde_json::json!({"tags": ["steel", "Not A Slug"], "country": "XX", "source": "a\nb"});
        assert_eq!(
            faults(&options),
            ["tags[1]: invalid_slug", "country: invalid_country", "source: control_characters"]
        );
    }
}

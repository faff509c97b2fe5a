//! [`Target`]: what a column of a list may hold: something that every supporter may have, or a field that staff defined.
//! Pure.

use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::ToSchema;

use super::presets::Field;
use crate::{contact::Slug, supporters::Field as OwnField};

/// What stands before the slug of a field that staff defined.
const OWN: &str = "field.";

/// What a column may hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = ImportTarget)]
pub enum Target {
    /// Something that every supporter may have.
    Known(Field),
    /// A field that staff defined, as `field.<slug>`.
    #[schema(example = "field.local")]
    Own(String),
}

impl Target {
    /// What is named so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let is_own = name.strip_prefix(OWN).is_some_and(|slug| Slug::parse(slug).is_ok());
        if is_own { Some(Self::Own(name.to_owned())) } else { Field::named(name).map(Self::Known) }
    }

    /// Its name in the API and on the command line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(field) => field.as_str(),
            Self::Own(name) => name,
        }
    }

    /// The field that staff defined, under this name.
    #[must_use]
    pub fn of(field: &OwnField) -> Self {
        Self::Own(format!("{OWN}{}", field.slug))
    }

    /// Whether there is such a thing, given the fields that staff defined.
    #[must_use]
    pub fn is_there(&self, own: &[OwnField]) -> bool {
        matches!(self, Self::Known(_)) || own.iter().any(|field| Self::of(field) == *self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| de::Error::unknown_variant(&name, &["email", "…", "field.<slug>"]))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_written_as_it_is_named() {
        for name in ["email", "attributes", "field.local", "field.union-hall-2"] {
            let target = Target::named(name).unwrap();
            let json = serde_json::to_string(&target).unwrap();
            assert_eq!(json, format!("\"{name}\""));
            assert_eq!(serde_json::from_str::<Target>(&json).unwrap(), target);
        }
        for name in ["", "field.", "field.No Slug", "shoe"] {
            assert_eq!(Target::named(name), None, "{name}");
        }
    }
}

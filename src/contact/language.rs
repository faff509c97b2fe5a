//! The language a person wants to be written to in.
//!
//! Called by sign-ups, forms and mail (which template to use). Must not say which languages a campaign
//! offers: it knows the shape of a tag only.

use std::str::FromStr;

use super::wire::travels_as_text;

/// Longest tag, in characters: `yue-Hant-HK` with a numeric region.
const MAX_TAG: usize = 12;

/// A language tag of BCP 47 (RFC 5646, 2.1): language, optional script, optional region, at most 12
/// characters, in the case that 2.1.1 recommends (`en`, `es-MX`, `zh-Hant-TW`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Language(Box<str>);

/// The text is not such a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Choose a language, or enter its code, like en or es-MX.")]
pub struct LanguageError;

impl LanguageError {
    /// The stable code for `errors[].code` in a problem document.
    #[must_use]
    pub fn code(self) -> &'static str {
        "invalid_language"
    }
}

impl Language {
    /// Reads a tag in any case, trimming white space around it; `en_US` is read as `en-US`.
    ///
    /// # Errors
    /// For anything else, longer tags with variants or extensions included.
    pub fn parse(input: &str) -> Result<Self, LanguageError> {
        let input = input.trim();
        if input.len() > MAX_TAG || !input.is_ascii() {
            return Err(LanguageError);
        }
        let mut parts = input.split(['-', '_']).peekable();
        let mut tag = parts.next().filter(|p| letters(p, 2..=3)).ok_or(LanguageError)?.to_ascii_lowercase();
        if let Some(script) = parts.next_if(|p| letters(p, 4..=4)) {
            let (initial, rest) = script.split_at(1);
            tag.push('-');
            tag.push_str(&initial.to_ascii_uppercase());
            tag.push_str(&rest.to_ascii_lowercase());
        }
        let digits = |p: &str| p.len() == 3 && p.bytes().all(|b| b.is_ascii_digit());
        if let Some(region) = parts.next_if(|p| letters(p, 2..=2) || digits(p)) {
            tag.push('-');
            tag.push_str(&region.to_ascii_uppercase());
        }
        if parts.next().is_some() { Err(LanguageError) } else { Ok(Self(tag.into())) }
    }

    /// The tag in its usual case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language without script or region, to fall back to: `es` of `es-MX`.
    #[must_use]
    pub fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }
}

fn letters(part: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic())
}

impl FromStr for Language {
    type Err = LanguageError;

    fn from_str(text: &str) -> Result<Self, LanguageError> {
        Self::parse(text)
    }
}

travels_as_text!([] Language, "a language tag");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_is_normalised() {
        for (text, tag) in [
            ("en", "en"),
            (" EN ", "en"),
            ("es-mx", "es-MX"),
            ("ES_419", "es-419"),
            ("zh-hANT-tw", "zh-Hant-TW"),
            ("sr-latn", "sr-Latn"),
            ("yue-Hant-001", "yue-Hant-001"),
        ] {
            assert_eq!(Language::parse(text).as_ref().map(Language::as_str), Ok(tag));
        }
        assert_eq!(Language::parse("es-MX").as_ref().map(Language::primary), Ok("es"));
    }

    #[test]
    fn other_shapes_are_refused() {
        for text in [
            "",
            "e",
            "english",
            "en-",
            "-en",
            "en-USA",
            "en-US-x",
            "e1",
            "en--US",
            "é-MX",
            "de-1996",
            "en-US-Latn",
        ] {
            assert_eq!(Language::parse(text), Err(LanguageError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn parse_never_panics_and_is_stable(text in prop_oneof![any::<String>(), "[a-zA-Z]{2,3}([-_][a-zA-Z0-9]{2,4}){0,2}"]) {
            if let Ok(language) = Language::parse(&text) {
                prop_assert_eq!(Language::parse(language.as_str()), Ok(language));
            }
        }
    }
}

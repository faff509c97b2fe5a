//! Short human text on one line, and slugs.
//!
//! Called by every slice that stores a name, a title or a word from a form. Must not judge what people
//! are called: it refuses only what breaks lines, hides or reorders what stands beside it.

use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;

use super::chars;
use super::wire::{debug_hides_value, travels_as_text};

/// Most code points that compose into one (Unicode Standard, UAX #15) times the octets of each.
const MAX_OCTETS_PER_CHARACTER: usize = 16;

/// One line of what a person typed: trimmed, NFC, never empty, at most `MAX` characters (code points).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LineText<const MAX: usize>(Box<str>);

/// Why a text is not a [`LineText`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space, where a text is required.
    #[error("Fill in this field.")]
    Empty,
    /// More than `max` characters.
    #[error("Shorten this to at most {max} characters.")]
    TooLong {
        /// The limit, in characters.
        max: usize,
    },
    /// Line breaks, control characters, or characters that reorder text (UAX #9).
    #[error("Type this on one line by hand: it contains line breaks or characters that cannot be seen.")]
    Characters,
}

impl TextError {
    /// The stable code for `errors[].code` in a problem document.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "required",
            Self::TooLong { .. } => "too_long",
            Self::Characters => "control_characters",
        }
    }
}

impl<const MAX: usize> LineText<MAX> {
    /// Reads a text; one that shows nothing is `None`.
    ///
    /// # Errors
    /// Over `MAX` characters once normalised, or with characters that no line of text has.
    pub fn parse(input: &str) -> Result<Option<Self>, TextError> {
        let trimmed = input.trim();
        if trimmed.len() > MAX.saturating_mul(MAX_OCTETS_PER_CHARACTER) {
            return Err(TextError::TooLong { max: MAX });
        }
        if trimmed.chars().any(breaks_a_line) {
            return Err(TextError::Characters);
        }
        if trimmed.chars().all(|c| c.is_whitespace() || chars::is_invisible(c)) {
            return Ok(None);
        }
        let text: Box<str> = if trimmed.is_ascii() { trimmed.into() } else { trimmed.nfc().collect() };
        if text.chars().count() > MAX {
            return Err(TextError::TooLong { max: MAX });
        }
        Ok(Some(Self(text)))
    }

    /// The text: trimmed and NFC.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Here an empty text is an error, because a value is asked for.
impl<const MAX: usize> FromStr for LineText<MAX> {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        Self::parse(text)?.ok_or(TextError::Empty)
    }
}

travels_as_text!([const MAX: usize] LineText<MAX>, "one line of text");
debug_hides_value!([const MAX: usize] LineText<MAX>, "LineText");

fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || chars::reorders_text(c)
}

/// Longest slug, in characters; our own limit, DNS label sized.
const MAX_SLUG: usize = 64;

/// A name for addresses and columns: `[a-z0-9]+(-[a-z0-9]+)*`, 1 to 64 characters. Not personal data.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slug(Box<str>);

/// Why a text is not a [`Slug`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlugError {
    /// Nothing at all.
    #[error("Enter a short name of letters, digits and dashes.")]
    Empty,
    /// More than 64 characters.
    #[error("Shorten this to at most 64 characters.")]
    TooLong,
    /// Other characters, or a dash at an end or beside another.
    #[error("Use lower-case letters a to z and digits, with single dashes between them.")]
    Characters,
}

impl SlugError {
    /// The stable code for `errors[].code` in a problem document.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "required",
            Self::TooLong => "too_long",
            Self::Characters => "invalid_slug",
        }
    }
}

impl Slug {
    /// Reads a slug exactly as it stands: slugs are part of addresses, so nothing is trimmed or folded.
    ///
    /// # Errors
    /// The rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, SlugError> {
        if text.is_empty() {
            return Err(SlugError::Empty);
        }
        if text.len() > MAX_SLUG {
            return Err(SlugError::TooLong);
        }
        let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if text.split('-').all(word) { Ok(Self(text.into())) } else { Err(SlugError::Characters) }
    }

    /// The slug.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Slug {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Slug {
    type Err = SlugError;

    fn from_str(text: &str) -> Result<Self, SlugError> {
        Self::parse(text)
    }
}

travels_as_text!([] Slug, "a slug");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Name = LineText<8>;

    fn line(text: &str) -> Result<Option<String>, TextError> {
        Name::parse(text).map(|name| name.map(|name| name.as_str().to_owned()))
    }

    #[test]
    fn trims_normalises_and_counts_characters() {
        assert_eq!(line(" \tAda\u{2003}\n"), Ok(Some("Ada".into())));
        assert_eq!(line("Zoe\u{308}"), Ok(Some("Zo\u{eb}".into())));
        assert_eq!(line("éééééééé"), Ok(Some("éééééééé".into())));
        assert_eq!(line(&"e\u{301}".repeat(8)), Ok(Some("é".repeat(8))));
        assert_eq!(line("ééééééééé"), Err(TextError::TooLong { max: 8 }));
        assert_eq!(line(&"x".repeat(10_000)), Err(TextError::TooLong { max: 8 }));
    }

    #[test]
    fn what_shows_nothing_is_nothing() {
        for text in ["", "  ", "\n", "\u{A0}", "\u{200B}", "\u{2060}\u{FEFF}"] {
            assert_eq!(line(text), Ok(None), "{text:?}");
        }
        assert_eq!("".parse::<Name>(), Err(TextError::Empty));
    }

    #[test]
    fn refuses_what_breaks_or_reorders_a_line() {
        for c in [
            '\0', '\t', '\r', '\n', '\u{1B}', '\u{7F}', '\u{85}', '\u{2028}', '\u{2029}', '\u{202A}',
            '\u{202E}', '\u{2066}', '\u{2069}',
        ] {
            assert_eq!(line(&format!("a{c}b")), Err(TextError::Characters), "U+{:04X}", u32::from(c));
        }
        assert_eq!(line("می\u{200C}روم"), Ok(Some("می\u{200C}روم".into())), "joiners spell words");
    }

    #[test]
    fn slugs() {
        for text in ["join", "a", "7", "steel-workers-2", &"a".repeat(64)] {
            assert_eq!(Slug::parse(text).as_ref().map(Slug::as_str), Ok(text));
        }
        assert_eq!(Slug::parse(""), Err(SlugError::Empty));
        assert_eq!(Slug::parse(&"a".repeat(65)), Err(SlugError::TooLong));
        for text in ["Join", "-a", "a-", "a--b", "a_b", " a", "é", "a/b"] {
            assert_eq!(Slug::parse(text), Err(SlugError::Characters), "{text:?}");
        }
    }

    #[test]
    fn debug_hides_personal_text() {
        assert_eq!(format!("{:?}", Name::parse("Ada")), "Ok(Some(LineText(…)))");
    }

    proptest! {
        #[test]
        fn parse_never_panics_and_is_stable(text in any::<String>()) {
            let _ = Slug::parse(&text);
            if let Ok(Some(line)) = LineText::<40>::parse(&text) {
                prop_assert_eq!(LineText::parse(line.as_str()), Ok(Some(line.clone())));
                prop_assert!(line.as_str().chars().count() <= 40);
                prop_assert!(!line.as_str().chars().any(breaks_a_line));
            }
        }
    }
}

//! Postal codes: ZIP codes where the US Postal Service delivers, a plain shape elsewhere.
//!
//! Called by sign-ups, imports and the region rule. Must not look a code up: a new one is always somewhere.

use std::str::FromStr;

use super::country::Country;
use super::wire::{debug_hides_value, travels_as_text};

/// Shortest and longest code, in characters, outside the United States; our own limits.
const LENGTHS: std::ops::RangeInclusive<usize> = 2..=12;

/// A postal code: `12345` or `12345-6789` in the United States; elsewhere 2 to 12 upper-case letters,
/// digits, spaces and dashes.
///
/// `FromStr` and `Deserialize` know no country and apply the rule for elsewhere, which every ZIP code
/// meets: they are for reading back what was stored. What a person typed goes through [`PostalCode::parse`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PostalCode(Box<str>);

/// Why a text is not a [`PostalCode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostalCodeError {
    /// Nothing but white space.
    #[error("Enter a postal code.")]
    Empty,
    /// Not a ZIP code, in a country that has them.
    #[error("Enter a ZIP code of five digits, like 12345, or nine, like 12345-6789.")]
    Zip,
    /// Not 2 to 12 letters, digits, spaces and dashes.
    #[error("Enter a postal code of 2 to 12 letters, digits, spaces and dashes.")]
    Shape,
}

impl PostalCodeError {
    /// The stable code for `errors[].code` in a problem document.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "required",
            Self::Zip => "invalid_zip_code",
            Self::Shape => "invalid_postal_code",
        }
    }
}

impl PostalCode {
    /// Reads a code as `country` writes it; white space around it is trimmed and letters upper-cased.
    ///
    /// # Errors
    /// The rule of that country that the text breaks.
    pub fn parse(input: &str, country: Country) -> Result<Self, PostalCodeError> {
        let text = input.trim();
        if text.is_empty() {
            return Err(PostalCodeError::Empty);
        }
        if country.has_zip_codes() { parse_zip(text) } else { parse_elsewhere(text) }
    }

    /// The code in its stored form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The five digits of a ZIP code, if the code has the shape of one.
    #[must_use]
    pub fn zip5(&self) -> Option<&str> {
        let (zip, four) = self.0.split_once('-').unwrap_or((&self.0, "0000"));
        (digits(zip, 5) && digits(four, 4)).then_some(zip)
    }
}

fn parse_zip(text: &str) -> Result<PostalCode, PostalCodeError> {
    if digits(text, 9) {
        let (zip, four) = text.split_at(5);
        return Ok(PostalCode(format!("{zip}-{four}").into()));
    }
    let code = PostalCode(text.into());
    if code.zip5().is_some() { Ok(code) } else { Err(PostalCodeError::Zip) }
}

fn parse_elsewhere(text: &str) -> Result<PostalCode, PostalCodeError> {
    let wrong = |b: u8| !(b.is_ascii_alphanumeric() || b == b' ' || b == b'-');
    let edges = text.starts_with('-') || text.ends_with('-');
    if !LENGTHS.contains(&text.len()) || text.bytes().any(wrong) || edges {
        return Err(PostalCodeError::Shape);
    }
    Ok(PostalCode(text.to_ascii_uppercase().into()))
}

fn digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|b| b.is_ascii_digit())
}

impl FromStr for PostalCode {
    type Err = PostalCodeError;

    fn from_str(text: &str) -> Result<Self, PostalCodeError> {
        match text.trim() {
            "" => Err(PostalCodeError::Empty),
            text => parse_elsewhere(text),
        }
    }
}

travels_as_text!([] PostalCode, "a postal code");
debug_hides_value!([] PostalCode, "PostalCode");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str, country: &str) -> Result<String, PostalCodeError> {
        let country = Country::parse(country).unwrap_or(Country::US);
        PostalCode::parse(text, country).map(|code| code.as_str().to_owned())
    }

    #[test]
    fn zip_codes() {
        assert_eq!(parse(" 15104 ", "US"), Ok("15104".into()));
        assert_eq!(parse("15104-1234", "US"), Ok("15104-1234".into()));
        assert_eq!(parse("151041234", "US"), Ok("15104-1234".into()));
        assert_eq!(parse("00901", "PR"), Ok("00901".into()));
        assert_eq!(parse("", "US"), Err(PostalCodeError::Empty));
        for text in ["1510", "151041", "15104-", "15104-12", "15104 1234", "1510A", "１５１０４", "K1A 0B1"]
        {
            assert_eq!(parse(text, "US"), Err(PostalCodeError::Zip), "{text:?}");
        }
    }

    #[test]
    fn elsewhere() {
        assert_eq!(parse("k1a 0b1", "CA"), Ok("K1A 0B1".into()));
        assert_eq!(parse("123456789", "IR"), Ok("123456789".into()));
        assert_eq!(parse("00-950", "PL"), Ok("00-950".into()));
        assert_eq!(parse("\n", "CA"), Err(PostalCodeError::Empty));
        for text in ["1", "1234567890123", "é123", "12\t34", "12_34", "--", "-12"] {
            assert_eq!(parse(text, "CA"), Err(PostalCodeError::Shape), "{text:?}");
        }
    }

    #[test]
    fn stored_codes_read_back_and_stay_out_of_debug() {
        for (text, country) in [("15104-1234", "US"), ("K1A 0B1", "CA")] {
            assert_eq!(text.parse::<PostalCode>().map(|code| code.as_str().to_owned()), parse(text, country));
        }
        assert_eq!(format!("{:?}", "15104".parse::<PostalCode>()), "Ok(PostalCode(…))");
    }

    proptest! {
        #[test]
        fn parse_never_panics_and_is_stable(text in prop_oneof![any::<String>(), "[a-z0-9 -]{1,13}"]) {
            for country in [Country::US, Country::CA] {
                if let Ok(code) = PostalCode::parse(&text, country) {
                    prop_assert_eq!(PostalCode::parse(code.as_str(), country), Ok(code.clone()));
                    prop_assert_eq!(code.as_str().parse::<PostalCode>(), Ok(code));
                }
            }
        }
    }
}

//! Phone numbers in the international form.
//!
//! Called by sign-ups and imports. Must not guess a country code where the country is unknown, and must
//! not say whether a number may be called: that is its own consent.

use std::str::FromStr;

use super::country::Country;
use super::wire::{debug_hides_value, travels_as_text};

/// Fewest and most digits with the country code (most: ITU-T E.164, 6.2.1; fewest: our own limit).
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;
/// Longest text that is read at all, in octets: 15 digits with generous punctuation.
const MAX_INPUT: usize = 64;

/// A number of ITU-T E.164: `+`, country code, 8 to 15 digits in all.
///
/// `FromStr` and `Deserialize` know no country and want the `+`; what a person typed goes through
/// [`Phone::parse`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Phone(Box<str>);

/// Why a text is not a [`Phone`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// No digits at all.
    #[error("Enter a phone number.")]
    Empty,
    /// Something other than digits and the usual punctuation.
    #[error("Enter the phone number in digits, without letters or an extension.")]
    Characters,
    /// Too few or too many digits.
    #[error("Check the phone number: it should have 8 to 15 digits with its country code.")]
    Length,
    /// Not a number of the North American Numbering Plan.
    #[error("Check the phone number: it should have ten digits with its area code, like 212-555-0123.")]
    NorthAmerican,
    /// Neither `+` nor a country that we know the plan of.
    #[error("Start the phone number with + and the country code.")]
    CountryCode,
}

impl PhoneError {
    /// The stable code for `errors[].code` in a problem document.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "required",
            Self::CountryCode => "missing_country_code",
            Self::Characters | Self::Length | Self::NorthAmerican => "invalid_phone",
        }
    }
}

impl Phone {
    /// Reads a number as people in `country` write it: with `+` and country code, or, in the North
    /// American Numbering Plan, with ten digits or 1 and ten. Spaces, dots, dashes, slashes and brackets
    /// are dropped, and so is the `(0)` of `+44 (0)20 …`.
    ///
    /// # Errors
    /// The first rule that the text breaks.
    pub fn parse(input: &str, country: Country) -> Result<Self, PhoneError> {
        Self::read(input, country.in_north_american_plan())
    }

    fn read(input: &str, north_american: bool) -> Result<Self, PhoneError> {
        let text = input.trim();
        if text.len() > MAX_INPUT {
            return Err(PhoneError::Length);
        }
        let start = text.trim_start_matches(is_punctuation);
        let (digits, international) = match start.strip_prefix('+') {
            Some(rest) => (digits(&rest.replacen("(0)", "", 1))?, true),
            None => (digits(start)?, false),
        };
        match (international, north_american) {
            _ if digits.is_empty() => Err(PhoneError::Empty),
            (true, _) if digits.starts_with('1') => north_american_number(&digits),
            (true, _) if digits.starts_with('0') => Err(PhoneError::CountryCode),
            (true, _) if !DIGITS.contains(&digits.len()) => Err(PhoneError::Length),
            (true, _) => Ok(Self(format!("+{digits}").into())),
            (false, true) => north_american_number(&digits),
            (false, false) => Err(PhoneError::CountryCode),
        }
    }

    /// The number: `+` and digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn digits(text: &str) -> Result<String, PhoneError> {
    let kept: String = text.chars().filter(|&c| !is_punctuation(c)).collect();
    if kept.bytes().all(|b| b.is_ascii_digit()) { Ok(kept) } else { Err(PhoneError::Characters) }
}

/// What people put between digits, the dashes and spaces of word processors included.
fn is_punctuation(c: char) -> bool {
    matches!(c, ' ' | '-' | '.' | '/' | '(' | ')' | '\u{A0}' | '\u{2010}'..='\u{2013}' | '\u{202F}')
}

/// Area code and exchange, of three digits each, begin with 2 to 9 (North American Numbering Plan).
fn north_american_number(digits: &str) -> Result<Phone, PhoneError> {
    let number = match digits.len() {
        10 => Some(digits),
        11 => digits.strip_prefix('1'),
        _ => None,
    };
    let starts = |number: &str, at: usize| matches!(number.as_bytes().get(at), Some(b'2'..=b'9'));
    match number.filter(|number| starts(number, 0) && starts(number, 3)) {
        Some(number) => Ok(Phone(format!("+1{number}").into())),
        None => Err(PhoneError::NorthAmerican),
    }
}

impl FromStr for Phone {
    type Err = PhoneError;

    fn from_str(text: &str) -> Result<Self, PhoneError> {
        Self::read(text, false)
    }
}

travels_as_text!([] Phone, "a phone number with its country code");
debug_hides_value!([] Phone, "Phone");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str, country: &str) -> Result<String, PhoneError> {
        let country = Country::parse(country).unwrap_or(Country::US);
        Phone::parse(text, country).map(|phone| phone.as_str().to_owned())
    }

    #[test]
    fn national_numbers_in_north_america() {
        for text in [
            "2125550123",
            "(212) 555-0123",
            "212.555.0123",
            "1-212-555-0123",
            "+1 212 555 0123",
            "212–555–0123",
        ] {
            assert_eq!(parse(text, "US"), Ok("+12125550123".into()), "{text:?}");
        }
        assert_eq!(parse("416 555 0123", "CA"), Ok("+14165550123".into()));
        assert_eq!(parse("787-555-0123", "PR"), Ok("+17875550123".into()));
        for text in [
            "1125550123",
            "0125550123",
            "2121550123",
            "212555012",
            "22125550123",
            "+1 112 555 0123",
            "+1212555",
        ] {
            assert_eq!(parse(text, "US"), Err(PhoneError::NorthAmerican), "{text:?}");
        }
    }

    #[test]
    fn international_numbers() {
        assert_eq!(parse("+49 30 901820", "US"), Ok("+4930901820".into()));
        assert_eq!(parse("+44 (0)20 7946 0958", "GB"), Ok("+442079460958".into()));
        assert_eq!(parse("(+33) 1 99 00 12 34", "FR"), Ok("+33199001234".into()));
        assert_eq!(parse("+12345678", "DE"), Err(PhoneError::NorthAmerican));
        assert_eq!(parse("020 7946 0958", "GB"), Err(PhoneError::CountryCode));
        assert_eq!(parse("2125550123", "DE"), Err(PhoneError::CountryCode));
        assert_eq!(parse("+0 20 7946 0958", "GB"), Err(PhoneError::CountryCode));
        assert_eq!(parse("+491234", "DE"), Err(PhoneError::Length));
        assert_eq!(parse("+4912345678901234", "DE"), Err(PhoneError::Length));
        assert_eq!(parse("+491234567890123", "DE"), Ok("+491234567890123".into()));
    }

    #[test]
    fn other_text() {
        for text in ["", "  ", "+", "()"] {
            assert_eq!(parse(text, "US"), Err(PhoneError::Empty), "{text:?}");
        }
        for text in ["212-555-0123 x4", "call me", "212+5550123", "++12125550123", "２125550123"] {
            assert_eq!(parse(text, "US"), Err(PhoneError::Characters), "{text:?}");
        }
        assert_eq!(parse(&"2".repeat(100), "US"), Err(PhoneError::Length));
        assert_eq!(format!("{:?}", "+12125550123".parse::<Phone>()), "Ok(Phone(…))");
        assert_eq!("2125550123".parse::<Phone>(), Err(PhoneError::CountryCode));
    }

    proptest! {
        #[test]
        fn parse_never_panics_and_is_stable(text in prop_oneof![any::<String>(), "[+]?[0-9 ().-]{7,18}"]) {
            for country in Country::all().filter(|country| matches!(country.as_str(), "US" | "DE")) {
                if let Ok(phone) = Phone::parse(&text, country) {
                    prop_assert!(DIGITS.contains(&(phone.as_str().len() - 1)));
                    prop_assert_eq!(Phone::parse(phone.as_str(), country), Ok(phone.clone()));
                    prop_assert_eq!(phone.as_str().parse::<Phone>(), Ok(phone));
                }
            }
        }
    }
}

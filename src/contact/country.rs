//! Countries by their ISO 3166-1 alpha-2 code.
//!
//! Called by sign-ups and imports, and by the postal code, region and phone rules that depend on it. Must
//! not hold names: pages translate those.

use std::str::FromStr;

use super::wire::travels_as_text;

/// The codes officially assigned in ISO 3166-1, sorted.
const CODES: [&str; 249] = [
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ", "BA",
    "BB", "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BV",
    "BW", "BY", "BZ", "CA", "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU",
    "CV", "CW", "CX", "CY", "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES",
    "ET", "FI", "FJ", "FK", "FM", "FO", "FR", "GA", "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM",
    "GN", "GP", "GQ", "GR", "GS", "GT", "GU", "GW", "GY", "HK", "HM", "HN", "HR", "HT", "HU", "ID", "IE",
    "IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT", "JE", "JM", "JO", "JP", "KE", "KG", "KH", "KI", "KM",
    "KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC", "LI", "LK", "LR", "LS", "LT", "LU", "LV", "LY",
    "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS", "MT",
    "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE", "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU",
    "NZ", "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM", "PN", "PR", "PS", "PT", "PW", "PY", "QA",
    "RE", "RO", "RS", "RU", "RW", "SA", "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM",
    "SN", "SO", "SR", "SS", "ST", "SV", "SX", "SY", "SZ", "TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL",
    "TM", "TN", "TO", "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE",
    "VG", "VI", "VN", "VU", "WF", "WS", "YE", "YT", "ZA", "ZM", "ZW",
];

/// A country or territory: two upper-case letters of ISO 3166-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country(&'static str);

/// The text is not a code of ISO 3166-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Choose a country, or enter its two-letter code, like US.")]
pub struct CountryError;

impl CountryError {
    /// The stable code for `errors[].code` in a problem document.
    #[must_use]
    pub fn code(self) -> &'static str {
        "invalid_country"
    }
}

impl Country {
    /// The United States.
    pub const US: Self = Self("US");
    /// Canada.
    pub const CA: Self = Self("CA");

    /// Reads a code in either case, trimming white space around it.
    ///
    /// # Errors
    /// For anything that is not an assigned code.
    pub fn parse(input: &str) -> Result<Self, CountryError> {
        let code = input.trim();
        if code.len() != 2 {
            return Err(CountryError);
        }
        let code = code.to_ascii_uppercase();
        let index = CODES.binary_search(&code.as_str()).map_err(|_| CountryError)?;
        CODES.get(index).map(|code| Self(code)).ok_or(CountryError)
    }

    /// Every country, in the order of the codes.
    pub fn all() -> impl Iterator<Item = Self> {
        CODES.into_iter().map(Self)
    }

    /// The upper-case code.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.0
    }

    /// Whether its addresses have ZIP codes: the United States, its territories and the freely associated
    /// states that the US Postal Service serves.
    #[must_use]
    pub fn has_zip_codes(self) -> bool {
        matches!(self.0, "US" | "AS" | "FM" | "GU" | "MH" | "MP" | "PR" | "PW" | "UM" | "VI")
    }

    /// Whether its phone numbers belong to the North American Numbering Plan (country code 1).
    #[must_use]
    pub fn in_north_american_plan(self) -> bool {
        matches!(
            self.0,
            "US" | "CA"
                | "AG"
                | "AI"
                | "AS"
                | "BB"
                | "BM"
                | "BS"
                | "DM"
                | "DO"
                | "GD"
                | "GU"
                | "JM"
                | "KN"
                | "KY"
                | "LC"
                | "MP"
                | "MS"
                | "PR"
                | "SX"
                | "TC"
                | "TT"
                | "VC"
                | "VG"
                | "VI"
        )
    }
}

impl FromStr for Country {
    type Err = CountryError;

    fn from_str(text: &str) -> Result<Self, CountryError> {
        Self::parse(text)
    }
}

travels_as_text!([] Country, "a two-letter country code");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_table_is_sorted_and_round_trips() {
        assert!(CODES.is_sorted_by(|a, b| a < b));
        for country in Country::all() {
            assert_eq!(Country::parse(country.as_str()), Ok(country));
        }
    }

    #[test]
    fn either_case_and_nothing_unassigned() {
        assert_eq!(Country::parse(" us "), Ok(Country::US));
        assert_eq!(Country::parse("Ca"), Ok(Country::CA));
        for text in ["", "U", "USA", "UK", "XX", "ZZ", "ÜS", "é"] {
            assert_eq!(Country::parse(text), Err(CountryError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn parse_never_panics(text in any::<String>()) {
            let _ = Country::parse(&text);
        }
    }
}

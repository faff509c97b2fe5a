//! States and territories of the United States, and which one a ZIP code belongs to.
//!
//! Called by sign-ups, imports and the region filter. Must not cover the rest of the world: there, a
//! region is a `LineText<64>` as the person wrote it.

use std::str::FromStr;

use super::country::Country;
use super::postal::PostalCode;
use super::wire::travels_as_text;

/// The codes and names of USPS Publication 28, appendix B, sorted; without the freely associated states.
const REGIONS: [(&str, &str); 59] = [
    ("AA", "Armed Forces Americas"),
    ("AE", "Armed Forces Europe"),
    ("AK", "Alaska"),
    ("AL", "Alabama"),
    ("AP", "Armed Forces Pacific"),
    ("AR", "Arkansas"),
    ("AS", "American Samoa"),
    ("AZ", "Arizona"),
    ("CA", "California"),
    ("CO", "Colorado"),
    ("CT", "Connecticut"),
    ("DC", "District of Columbia"),
    ("DE", "Delaware"),
    ("FL", "Florida"),
    ("GA", "Georgia"),
    ("GU", "Guam"),
    ("HI", "Hawaii"),
    ("IA", "Iowa"),
    ("ID", "Idaho"),
    ("IL", "Illinois"),
    ("IN", "Indiana"),
    ("KS", "Kansas"),
    ("KY", "Kentucky"),
    ("LA", "Louisiana"),
    ("MA", "Massachusetts"),
    ("MD", "Maryland"),
    ("ME", "Maine"),
    ("MI", "Michigan"),
    ("MN", "Minnesota"),
    ("MO", "Missouri"),
    ("MP", "Northern Mariana Islands"),
    ("MS", "Mississippi"),
    ("MT", "Montana"),
    ("NC", "North Carolina"),
    ("ND", "North Dakota"),
    ("NE", "Nebraska"),
    ("NH", "New Hampshire"),
    ("NJ", "New Jersey"),
    ("NM", "New Mexico"),
    ("NV", "Nevada"),
    ("NY", "New York"),
    ("OH", "Ohio"),
    ("OK", "Oklahoma"),
    ("OR", "Oregon"),
    ("PA", "Pennsylvania"),
    ("PR", "Puerto Rico"),
    ("RI", "Rhode Island"),
    ("SC", "South Carolina"),
    ("SD", "South Dakota"),
    ("TN", "Tennessee"),
    ("TX", "Texas"),
    ("UT", "Utah"),
    ("VA", "Virginia"),
    ("VI", "U.S. Virgin Islands"),
    ("VT", "Vermont"),
    ("WA", "Washington"),
    ("WI", "Wisconsin"),
    ("WV", "West Virginia"),
    ("WY", "Wyoming"),
];

/// First three digits, from and to, and the state that has most of the deliveries there. Sorted. A prefix
/// not in use inside a state's block reads as that state, because that is who would get it.
const PREFIXES: [(u16, u16, &str); 68] = [
    (5, 5, "NY"),
    (6, 7, "PR"),
    (8, 8, "VI"),
    (9, 9, "PR"),
    (10, 27, "MA"),
    (28, 29, "RI"),
    (30, 38, "NH"),
    (39, 49, "ME"),
    (50, 54, "VT"),
    (55, 55, "MA"),
    (56, 59, "VT"),
    (60, 69, "CT"),
    (70, 89, "NJ"),
    (90, 98, "AE"),
    (100, 149, "NY"),
    (150, 196, "PA"),
    (197, 199, "DE"),
    (200, 200, "DC"),
    (201, 201, "VA"),
    (202, 205, "DC"),
    (206, 219, "MD"),
    (220, 246, "VA"),
    (247, 268, "WV"),
    (270, 289, "NC"),
    (290, 299, "SC"),
    (300, 319, "GA"),
    (320, 339, "FL"),
    (340, 340, "AA"),
    (341, 349, "FL"),
    (350, 369, "AL"),
    (370, 385, "TN"),
    (386, 397, "MS"),
    (398, 399, "GA"),
    (400, 427, "KY"),
    (430, 459, "OH"),
    (460, 479, "IN"),
    (480, 499, "MI"),
    (500, 528, "IA"),
    (530, 549, "WI"),
    (550, 567, "MN"),
    (569, 569, "DC"),
    (570, 577, "SD"),
    (580, 588, "ND"),
    (590, 599, "MT"),
    (600, 629, "IL"),
    (630, 658, "MO"),
    (660, 679, "KS"),
    (680, 693, "NE"),
    (700, 714, "LA"),
    (716, 729, "AR"),
    (730, 732, "OK"),
    (733, 733, "TX"),
    (734, 749, "OK"),
    (750, 799, "TX"),
    (800, 816, "CO"),
    (820, 831, "WY"),
    (832, 838, "ID"),
    (840, 847, "UT"),
    (850, 865, "AZ"),
    (870, 884, "NM"),
    (885, 885, "TX"),
    (889, 898, "NV"),
    (900, 961, "CA"),
    (962, 966, "AP"),
    (967, 968, "HI"),
    (970, 979, "OR"),
    (980, 994, "WA"),
    (995, 999, "AK"),
];

/// Five digits, from and to, where a prefix is shared across an ocean. Looked at first.
const EXCEPTIONS: [(u32, u32, &str); 4] =
    [(6390, 6390, "NY"), (96_799, 96_799, "AS"), (96_910, 96_932, "GU"), (96_950, 96_952, "MP")];

/// A state, the District of Columbia, a territory or the armed forces: two upper-case letters of USPS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(&'static str);

/// The text is not a USPS code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Choose a state, or enter its two-letter code, like PA.")]
pub struct RegionError;

impl RegionError {
    /// The stable code for `errors[].code` in a problem document.
    #[must_use]
    pub fn code(self) -> &'static str {
        "invalid_region"
    }
}

impl Region {
    /// Reads a code in either case, trimming white space around it.
    ///
    /// # Errors
    /// For anything that is not one of the codes.
    pub fn parse(input: &str) -> Result<Self, RegionError> {
        let code = input.trim();
        if code.len() != 2 {
            return Err(RegionError);
        }
        let code = code.to_ascii_uppercase();
        let index =
            REGIONS.binary_search_by_key(&code.as_str(), |&(code, _)| code).map_err(|_| RegionError)?;
        REGIONS.get(index).map(|&(code, _)| Self(code)).ok_or(RegionError)
    }

    /// A region as it is kept and looked for: where there are states, and when nothing is said of the country, a state's
    /// code in capitals; else the text, without white space around it.
    #[must_use]
    pub fn as_kept(text: &str, country: Option<Country>) -> String {
        match Self::parse(text) {
            Ok(region) if country.is_none_or(Country::has_zip_codes) => region.as_str().to_owned(),
            _ => text.trim().to_owned(),
        }
    }

    /// The region of a ZIP code, by its first three digits; `None` where no prefix is assigned, and for
    /// codes of another shape. A five-digit code of another country looks like a ZIP code: use
    /// [`Region::of_address`] unless the country is known.
    #[must_use]
    pub fn from_zip(code: &PostalCode) -> Option<Self> {
        let zip = code.zip5()?.parse::<u32>().ok()?;
        if let Some((_, _, code)) = EXCEPTIONS.into_iter().find(|&(from, to, _)| (from..=to).contains(&zip)) {
            return Some(Self(code));
        }
        let prefix = u16::try_from(zip / 100).ok()?;
        let after = PREFIXES.partition_point(|&(from, _, _)| from <= prefix);
        let &(_, to, code) = PREFIXES.get(after.checked_sub(1)?)?;
        (prefix <= to).then_some(Self(code))
    }

    /// The region of an address, where its country has ZIP codes.
    #[must_use]
    pub fn of_address(country: Country, code: &PostalCode) -> Option<Self> {
        if country.has_zip_codes() { Self::from_zip(code) } else { None }
    }

    /// Every region, in the order of the codes.
    pub fn all() -> impl Iterator<Item = Self> {
        REGIONS.into_iter().map(|(code, _)| Self(code))
    }

    /// The upper-case code.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.0
    }

    /// The English name, for lists to choose from.
    #[must_use]
    pub fn name(self) -> &'static str {
        REGIONS.into_iter().find(|&(code, _)| code == self.0).map_or(self.0, |(_, name)| name)
    }
}

impl FromStr for Region {
    type Err = RegionError;

    fn from_str(text: &str) -> Result<Self, RegionError> {
        Self::parse(text)
    }
}

travels_as_text!([] Region, "a two-letter state code");

#[cfg(test)]
mod tests;

//! How people say they are involved: the answers that the join form offers.
//!
//! Called by sign-ups, supporters, filters and exports. Must not be stored by position: the words are the
//! contract, in the API, the database and exported files.

use std::str::FromStr;

use super::wire::travels_as_text;

/// One of the answers; a person may give several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, utoipa::ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum Involvement {
    /// Lives where an industry's harm is felt first.
    Frontline,
    /// Works in the industry, or organises those who do.
    Worker,
    /// Speaks for the cause, alone or for an organisation.
    Advocate,
    /// Belongs to a faith community that takes part.
    Faith,
    /// Studies or teaches the subject.
    Researcher,
    /// None of these.
    Other,
}

/// The text is none of the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Choose from: frontline, worker, advocate, faith, researcher, other.")]
pub struct InvolvementError;

impl InvolvementError {
    /// The stable code for `errors[].code` in a problem document.
    #[must_use]
    pub fn code(self) -> &'static str {
        "invalid_involvement"
    }
}

impl Involvement {
    /// Every answer, in the order that forms show.
    pub const ALL: [Self; 6] =
        [Self::Frontline, Self::Worker, Self::Advocate, Self::Faith, Self::Researcher, Self::Other];

    /// Reads the word of the contract, exactly as [`Involvement::as_str`] gives it.
    ///
    /// # Errors
    /// For any other text.
    pub fn parse(text: &str) -> Result<Self, InvolvementError> {
        Self::ALL.into_iter().find(|answer| answer.as_str() == text).ok_or(InvolvementError)
    }

    /// The word in the API, the database and exports: snake_case.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Frontline => "frontline",
            Self::Worker => "worker",
            Self::Advocate => "advocate",
            Self::Faith => "faith",
            Self::Researcher => "researcher",
            Self::Other => "other",
        }
    }
}

impl FromStr for Involvement {
    type Err = InvolvementError;

    fn from_str(text: &str) -> Result<Self, InvolvementError> {
        Self::parse(text)
    }
}

travels_as_text!([] Involvement, "a kind of involvement");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_round_trip_and_the_error_lists_them() {
        for answer in Involvement::ALL {
            assert_eq!(Involvement::parse(answer.as_str()), Ok(answer));
            assert!(InvolvementError.to_string().contains(answer.as_str()));
        }
        assert_eq!(
            serde_json::to_string(&Involvement::ALL[..2]).ok().as_deref(),
            Some(r#"["frontline","worker"]"#)
        );
        assert_eq!(
            serde_json::from_str::<Vec<Involvement>>(r#"["faith"]"#).ok(),
            Some(vec![Involvement::Faith])
        );
        for text in ["", "Worker", "boss", " worker"] {
            assert_eq!(Involvement::parse(text), Err(InvolvementError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn parse_never_panics(text in any::<String>()) {
            let _ = Involvement::parse(&text);
        }
    }
}

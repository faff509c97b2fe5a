//! [`Etag`] and [`IfMatch`]: whoever changes something says which version of it they know (RFC 9110, section 13.1.1), so
//! that two people at work on one record do not undo each other.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header};
use serde::Serialize;

use crate::{error::AppError, keys::sha256_hex};

/// The version of something: the SHA-256 of what is shown of it, so that no writer can forget to raise it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Etag(String);

impl Etag {
    /// The version of `shown`.
    ///
    /// # Errors
    /// When it cannot be shown at all.
    pub fn of(shown: &impl Serialize) -> Result<Self, AppError> {
        let text = serde_json::to_string(shown).map_err(|error| AppError::internal(&error))?;
        let hash = sha256_hex(&text);
        Ok(Self(format!("\"{}\"", hash.get(..32).unwrap_or(&hash))))
    }

    /// For the header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The versions that the client knows. Taken from every request, so that who asks is judged before what is missing.
#[derive(Clone, Debug)]
pub struct IfMatch(Option<String>);

impl IfMatch {
    /// Goes on only when `current` is among them.
    ///
    /// # Errors
    /// [`AppError::PreconditionFailed`], and [`AppError::PreconditionRequired`] when no version was named.
    pub fn check(&self, current: &Etag) -> Result<(), AppError> {
        let Some(known) = &self.0 else {
            let sentence = "say in If-Match which version you change: the ETag that GET answered with";
            return Err(AppError::PreconditionRequired(sentence.to_owned()));
        };
        let mut known = known.split(',').map(str::trim);
        if known.any(|tag| tag == "*" || tag == current.as_str()) {
            return Ok(());
        }
        let sentence = "this was changed since you read it; read it again and repeat your change";
        Err(AppError::PreconditionFailed(sentence.to_owned()))
    }
}

impl FromRequest for IfMatch {
    type Error = AppError;
    type Future = Ready<Result<Self, AppError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let given = request.headers().get(header::IF_MATCH).and_then(|value| value.to_str().ok());
        ready(Ok(Self(given.map(str::to_owned))))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_known_by_its_tag_or_by_a_star() {
        let tag = Etag::of(&[1, 2]).unwrap();
        assert!(IfMatch(Some(format!("\"x\", {}", tag.as_str()))).check(&tag).is_ok());
        assert!(IfMatch(Some("*".to_owned())).check(&tag).is_ok());
        assert!(matches!(IfMatch(None).check(&tag), Err(AppError::PreconditionRequired(_))));
        let old = Etag::of(&[1]).unwrap();
        assert!(matches!(
            IfMatch(Some(old.as_str().to_owned())).check(&tag),
            Err(AppError::PreconditionFailed(_))
        ));
    }
}

//! [`Json`]: a JSON body of at most 64 KiB; whatever does not fit is refused with the field it is about.

use std::{future::Future, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    web::{Bytes, BytesMut},
};
use futures_util::StreamExt;
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use super::media_type;
use crate::{
    error::{AppError, FieldError},
    object::Object,
};

/// Largest body in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// A body that was sent as `application/json` and fits `T`.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = AppError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, AppError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = media_type(request) == "application/json";
        let mut payload = payload.take();
        Box::pin(async move {
            if !is_json {
                return Err(AppError::UnsupportedMediaType("application/json"));
            }
            parse(&read_body(&mut payload).await?).map(Self)
        })
    }
}

/// The same, or no body at all, of whatever type.
pub struct MaybeJson<T>(pub Option<T>);

impl<T: DeserializeOwned + 'static> FromRequest for MaybeJson<T> {
    type Error = AppError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, AppError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = media_type(request) == "application/json";
        let mut payload = payload.take();
        Box::pin(async move {
            let body = read_body(&mut payload).await?;
            if body.is_empty() {
                Ok(Self(None))
            } else if is_json {
                parse(&body).map(|value| Self(Some(value)))
            } else {
                Err(AppError::UnsupportedMediaType("application/json"))
            }
        })
    }
}

/// Reads a body of at most [`BODY_LIMIT`] bytes; the usual body comes in one piece and is not copied.
pub(super) async fn read_body(payload: &mut Payload) -> Result<Bytes, AppError> {
    let cut_off = || AppError::BadRequest("the body did not arrive whole; please send it again".to_owned());
    let Some(first) = payload.next().await else { return Ok(Bytes::new()) };
    let first = first.map_err(|_| cut_off())?;
    let mut whole: Option<BytesMut> = None;
    let mut length = first.len();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|_| cut_off())?;
        length += piece.len();
        if length > BODY_LIMIT {
            break;
        }
        whole.get_or_insert_with(|| BytesMut::from(&first[..])).extend_from_slice(&piece);
    }
    if length > BODY_LIMIT {
        return Err(AppError::TooLarge(BODY_LIMIT));
    }
    Ok(whole.map_or(first, BytesMut::freeze))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, AppError> {
    // Serde would also read an array as a struct, by position; nobody means that.
    if body.trim_ascii_start().first() != Some(&b'{') {
        let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
        let wrong = || FieldError::new("", "wrong_type", "send a JSON object");
        return Err(if is_json { AppError::Invalid(vec![wrong()]) } else { malformed() });
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    // The plain parser first: it is faster, and only a failure needs the path.
    let plain = Object::<T>::deserialize(&mut reader).and_then(|value| reader.end().map(|()| value.0));
    plain.map_err(|error| match error.classify() {
        // A body that is broken further on is broken, whatever else is wrong with it.
        serde_json::error::Category::Data if serde_json::from_slice::<IgnoredAny>(body).is_ok() => {
            let mut reader = serde_json::Deserializer::from_slice(body);
            match serde_path_to_error::deserialize::<_, Object<T>>(&mut reader) {
                Err(error) => AppError::Invalid(vec![field_error(&error.path().to_string(), error.inner())]),
                Ok(_) => malformed(),
            }
        }
        _ => malformed(),
    })
}

fn malformed() -> AppError {
    AppError::BadRequest("the body is not well-formed JSON".to_owned())
}

/// Turns serde's message into a field, a code and a sentence, without echoing what was sent.
pub(super) fn field_error(path: &str, error: &dyn std::fmt::Display) -> FieldError {
    let text = error.to_string();
    let quoted = || text.split('`').nth(1).unwrap_or("").chars().take(64).collect::<String>();
    let path = path.trim_matches('.');
    let inside = |name: String| {
        let parent = path.strip_suffix(name.as_str()).map_or(path, |rest| rest.trim_end_matches('.'));
        if parent.is_empty() || parent == "?" { name } else { format!("{parent}.{name}") }
    };
    if text.starts_with("unknown field") {
        FieldError::new(inside(quoted()), "unknown_field", "there is no such field here; check its spelling")
    } else if text.starts_with("missing field") {
        FieldError::new(inside(quoted()), "required", "this field is required")
    } else if text.starts_with("duplicate field") {
        FieldError::new(inside(quoted()), "duplicate_field", "this field is given twice")
    } else if text.starts_with("unknown variant") {
        FieldError::new(path, "unknown_value", "this is not one of the values that can be chosen here")
    } else {
        FieldError::new(path, "wrong_type", "this value has the wrong type or form")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only its type matters")]
        inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only its type matters")]
        count: u8,
    }

    fn errors(body: &str) -> Vec<(String, String)> {
        match parse::<Outer>(body.as_bytes()).unwrap_err() {
            AppError::Invalid(errors) => errors.into_iter().map(|error| (error.field, error.code)).collect(),
            other => vec![(String::new(), other.to_string())],
        }
    }

    #[test]
    fn errors_name_the_field_by_its_path() {
        assert_eq!(errors(r#"{"inner":{"count":"x"}}"#), [("inner.count".into(), "wrong_type".into())]);
        assert_eq!(errors(r#"{"inner":{"cuont":1}}"#), [("inner.cuont".into(), "unknown_field".into())]);
        assert_eq!(errors(r#"{"outer":1}"#), [("outer".into(), "unknown_field".into())]);
        assert_eq!(errors(r"{}"), [("inner".into(), "required".into())]);
        assert_eq!(
            errors(r#"{"inner":{"count":1,"count":2}}"#),
            [("inner.count".into(), "duplicate_field".into())]
        );
    }

    #[test]
    fn an_array_is_not_read_as_an_object() {
        assert_eq!(errors("[[1]]"), [(String::new(), "wrong_type".into())]);
    }

    #[test]
    fn broken_json_is_a_bad_request() {
        for body in ["", "{", "nul", "[1", "{\"inner\":{\"count\":1}} x", "\u{0}"] {
            assert!(matches!(parse::<Outer>(body.as_bytes()), Err(AppError::BadRequest(_))), "{body:?}");
        }
    }
}

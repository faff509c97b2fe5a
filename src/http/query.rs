//! [`Query`]: the query string as a type; unknown parameters are refused, so that a misspelt filter does not
//! silently give everybody.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::de::DeserializeOwned;

use super::json::field_error;
use crate::error::AppError;

/// A query string that fits `T`.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = AppError;
    type Future = Ready<Result<Self, AppError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parsed = serde_html_form::from_str(request.query_string())
            .map(Self)
            .map_err(|error| AppError::Invalid(vec![field_error("query", &error)]));
        ready(parsed)
    }
}

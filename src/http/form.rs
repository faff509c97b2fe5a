//! [`Form`]: the body of an HTML form, at most 64 KiB; a field may come several times.

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::de::DeserializeOwned;

use super::{
    json::{field_error, read_body},
    media_type,
};
use crate::error::AppError;

/// A body that was sent as `application/x-www-form-urlencoded` and fits `T`.
pub struct Form<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = AppError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, AppError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_form = media_type(request) == "application/x-www-form-urlencoded";
        let mut payload = payload.take();
        Box::pin(async move {
            if !is_form {
                return Err(AppError::UnsupportedMediaType("application/x-www-form-urlencoded"));
            }
            let body = read_body(&mut payload).await?;
            serde_html_form::from_bytes(&body)
                .map(Self)
                .map_err(|error| AppError::Invalid(vec![field_error("", &error)]))
        })
    }
}

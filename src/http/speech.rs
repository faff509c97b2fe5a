//! [`Speech`] as an extractor: what `?lang=` asks for, or what the browser likes best. Every page of ours is chosen so, unless
//! it belongs to somebody whose language we know.

use std::{convert::Infallible, future::Ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header};

use crate::speech::Speech;

/// The language that the address asks for by `?lang=`.
#[must_use]
pub fn asked_speech(request: &HttpRequest) -> Option<Speech> {
    request.query_string().split('&').find_map(|pair| pair.strip_prefix("lang=")).map(Speech::of)
}

/// The language that the browser likes best.
#[must_use]
pub fn liked_speech(request: &HttpRequest) -> Speech {
    let accept = request.headers().get(header::ACCEPT_LANGUAGE);
    accept.and_then(|value| value.to_str().ok()).map_or(Speech::English, Speech::accepted)
}

impl FromRequest for Speech {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Ok(asked_speech(request).unwrap_or_else(|| liked_speech(request))))
    }
}

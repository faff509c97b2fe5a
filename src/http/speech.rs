//! [`Speech`] as an extractor: what `?lang=` asks for, or what the browser likes best.

use std::{convert::Infallible, future::Ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header};

use crate::speech::Speech;

impl FromRequest for Speech {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let asked = request.query_string().split('&').find_map(|pair| pair.strip_prefix("lang="));
        let speech = asked.map(Self::of).unwrap_or_else(|| {
            let accept = request.headers().get(header::ACCEPT_LANGUAGE);
            accept.and_then(|value| value.to_str().ok()).map_or(Self::English, Self::accepted)
        });
        std::future::ready(Ok(speech))
    }
}

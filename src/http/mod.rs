//! HTTP for every slice: extractors that refuse bad input with a clear problem, endpoints that know their
//! methods, pages, security headers. Knows no feature.

mod client;
mod cors;
mod endpoint;
mod form;
mod headers;
mod json;
mod origin;
mod page;
mod paging;
mod precondition;
mod query;
mod speech;

pub use client::{ClientAddress, TrustedProxies};
pub use cors::cors;
pub use endpoint::{Endpoint, not_found};
pub use form::Form;
pub use headers::{Https, security_headers};
pub use json::{BODY_LIMIT, Json, MaybeJson};
pub use origin::{OwnUrl, guard_origin, require_same_origin};
pub use page::{ErrorPage, Page, error_pages};
pub use paging::{Cursor, PageQuery, Slice, page_size};
pub use precondition::{Etag, IfMatch};
pub use query::{Query, QueryOf, read_query};
pub use speech::{asked_speech, liked_speech};

use actix_web::{HttpRequest, http::header};

/// The media type of the body, in lower case, without parameters.
fn media_type(request: &HttpRequest) -> String {
    let value =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    value.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

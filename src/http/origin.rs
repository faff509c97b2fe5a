//! Same-origin checks: what a cookie authorises, another site's page must not trigger (OWASP CSRF cheat sheet,
//! Fetch Metadata).

use std::sync::Arc;

use actix_web::{
    Error, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header,
    middleware::Next,
    web::Data,
};

use crate::error::AppError;

/// How people reach this server; registered by it.
pub struct OwnUrl(pub Arc<str>);

/// Where a cookie gives authority.
const BY_COOKIE: [&str; 3] = ["/api/v1/admin/", "/api/v1/groups/", "/admin/"];

/// Middleware that refuses what another site's page sends to where a cookie gives authority, whatever its content type
/// and before anything of it is read. A bearer token is no ambient authority, so it is let through.
///
/// # Errors
/// [`AppError::Forbidden`], and those of the inner service.
pub async fn guard_origin<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let by_cookie = BY_COOKIE.iter().any(|prefix| request.path().starts_with(prefix));
    let is_unsafe = !request.method().is_safe();
    if is_unsafe && by_cookie && !request.headers().contains_key(header::AUTHORIZATION) {
        let own = request.app_data::<Data<OwnUrl>>().map_or("", |own| &own.0);
        require_same_origin(request.request(), own)?;
    }
    next.call(request).await
}

/// Refuses a request that a browser sent on behalf of another site. Requests without these headers come from
/// programs, which carry no ambient cookies of a person.
///
/// # Errors
/// [`AppError::Forbidden`].
pub fn require_same_origin(request: &HttpRequest, base_url: &str) -> Result<(), AppError> {
    let refused =
        || AppError::Forbidden("this request came from another site; use this site's own page".to_owned());
    let value = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or(""));
    match value("sec-fetch-site") {
        Some("same-origin" | "none") => return Ok(()),
        Some(_) => return Err(refused()),
        None => {}
    }
    let Some(origin) = value(header::ORIGIN.as_str()) else { return Ok(()) };
    // A page may be opened under the listen address as well as under the base URL.
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
    let same_host = origin.split_once("://").is_some_and(|(_, rest)| !host.is_empty() && rest == host);
    if origin == origin_of(base_url) || same_host { Ok(()) } else { Err(refused()) }
}

/// Scheme, host and port of a URL without its path.
fn origin_of(url: &str) -> &str {
    let path = url.find("://").and_then(|at| url[at + 3..].find('/').map(|slash| at + 3 + slash));
    path.map_or(url, |end| &url[..end])
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn allowed(headers: &[(&'static str, &str)]) -> bool {
        let request = headers.iter().fold(TestRequest::default(), |r, header| r.insert_header(*header));
        require_same_origin(&request.to_http_request(), "https://join.example.org/base").is_ok()
    }

    #[test]
    fn only_this_site_and_programs_may_act() {
        assert!(allowed(&[]));
        assert!(allowed(&[("sec-fetch-site", "same-origin")]));
        assert!(allowed(&[("origin", "https://join.example.org")]));
        assert!(allowed(&[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")]));
        assert!(!allowed(&[("sec-fetch-site", "cross-site")]));
        assert!(!allowed(&[("sec-fetch-site", "same-site")]));
        assert!(!allowed(&[("origin", "https://evil.example.org")]));
        assert!(!allowed(&[("origin", "null")]));
    }
}

//! `/metrics`: figures for Prometheus, for whoever may see them.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Data},
};
use secrecy::{ExposeSecret, SecretString};

use super::Ops;
use crate::{error::AppError, http::Endpoint, keys::sha256};

/// Who may see the figures on this address.
#[derive(Clone)]
pub enum MetricsAccess {
    /// Everybody who reaches it: an address of its own, or a developer's machine.
    Open,
    /// Whoever sends this bearer token.
    Token(SecretString),
    /// Nobody here.
    Closed,
}

async fn metrics(
    request: HttpRequest,
    ops: Data<Ops>,
    access: Data<MetricsAccess>,
) -> Result<HttpResponse, AppError> {
    match access.get_ref() {
        MetricsAccess::Open => {}
        MetricsAccess::Closed => {
            return Err(AppError::NotFound("there is nothing at this address".to_owned()));
        }
        MetricsAccess::Token(expected) => {
            let sent = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            let sent = sent.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or("");
            // Digests are compared, so that time tells nothing about the token.
            if sha256(sent) != sha256(expected.expose_secret()) {
                return Err(AppError::Unauthorized("send the metrics token as bearer token".to_owned()));
            }
        }
    }
    let text =
        ops.kernel.metrics.render(ops.signups.waiting()).map_err(|error| AppError::internal(&error))?;
    Ok(HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(text))
}

/// Mounts the route.
pub fn routes(config: &mut web::ServiceConfig) {
    Endpoint::at("/metrics").get(metrics).mount(config);
}

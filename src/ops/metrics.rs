//! `/metrics`: figures for Prometheus, for whoever may see them.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Data},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use super::{Ops, health::ANSWER_WITHIN};
use crate::{
    clock::Timestamp, error::AppError, http::Endpoint, keys::sha256, metrics::Backlog, outbox, signups,
    store::StoreError,
};

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
    let backlog = timeout(ANSWER_WITHIN, backlog(&ops)).await.ok().and_then(Result::ok);
    // The other figures are wanted all the more when the database is away.
    let backlog = backlog.unwrap_or(Backlog { signups: f64::NAN, mails: f64::NAN });
    let text = ops.kernel.metrics.render(ops.signups.waiting(), backlog);
    let text = text.map_err(|error| AppError::internal(&error))?;
    Ok(HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(text))
}

async fn backlog(ops: &Ops) -> Result<Backlog, StoreError> {
    let now = ops.kernel.clock.now();
    let read =
        move |db: &mut _| Ok::<_, StoreError>((signups::oldest_new(db)?, outbox::oldest_due(db, now)?));
    let (new, due) = ops.kernel.store.read(read).await?;
    let age = |since: Option<Timestamp>| {
        let micros = since.map_or(0, |since| now.as_micros() - since.as_micros());
        Duration::from_micros(u64::try_from(micros).unwrap_or(0)).as_secs_f64()
    };
    Ok(Backlog { signups: age(new), mails: age(due) })
}

/// Mounts the route.
pub fn routes(config: &mut web::ServiceConfig) {
    Endpoint::at("/metrics").get(metrics).mount(config);
}

//! Operations: health, figures, the API document, the outbox as staff see it and, in development, the local mailbox.

mod api_docs;
mod health;
pub mod linkify;
mod mailbox;
mod metrics;
pub mod openapi;
pub(crate) mod outbox;
pub mod pages;
mod security_txt;

pub use health::Probe;
pub use mailbox::routes as mailbox_routes;
pub use metrics::{MetricsAccess, routes as metrics_routes};

use std::sync::Arc;

use actix_web::web::ServiceConfig;

use crate::{kernel::Kernel, outbox::Mailer, signups::Signups};

/// What operations look at.
#[derive(Clone)]
pub struct Ops {
    /// The kernel.
    pub kernel: Kernel,
    /// For the length of the intake queue.
    pub signups: Signups,
    /// The mail worker, where this process runs one.
    pub mailer: Option<Arc<Mailer>>,
    /// The last verdict on the store.
    pub probe: Arc<Probe>,
}

/// Mounts figures and health alone: on an address of their own, which a worker has, too.
pub fn watch_routes(config: &mut ServiceConfig) {
    health::routes(config);
    metrics::routes(config);
}

/// Mounts health and API document.
pub fn routes(config: &mut ServiceConfig) {
    health::routes(config);
    api_docs::routes(config);
    security_txt::routes(config);
    outbox::routes(config);
}

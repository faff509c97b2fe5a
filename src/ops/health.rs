//! `/healthz` (the process answers) and `/readyz` (the store answers and the mail worker turns).

use actix_web::{
    HttpResponse,
    web::{self, Data},
};
use serde::Serialize;

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::Ops;
use crate::{
    http::Endpoint,
    store::{Lane, Store, StoreError, dialect},
};

/// How long the store may take to answer.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// How long a verdict holds: whoever asks more often costs the disk nothing.
const HOLDS: Duration = Duration::from_secs(1);

/// The last verdict on the store. One look at a time.
#[derive(Default)]
pub struct Probe(Mutex<Option<(Instant, bool)>>);

impl Probe {
    /// Whether the store reads and writes: a full disk reads well.
    async fn look(&self, store: &Store) -> bool {
        let mut last = self.0.lock().await;
        if let Some((at, verdict)) = *last
            && at.elapsed() < HOLDS
        {
            return verdict;
        }
        let work = async {
            store.read(probe).await?;
            store.write(Lane::Visitor, |db| Ok::<_, StoreError>(dialect::touch(db)?)).await
        };
        let verdict = matches!(tokio::time::timeout(ANSWER_WITHIN, work).await, Ok(Ok(())));
        *last = Some((Instant::now(), verdict));
        verdict
    }
}

#[derive(Serialize)]
struct Ready {
    store: &'static str,
    mail: &'static str,
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}

async fn readyz(ops: Data<Ops>) -> HttpResponse {
    let store = ops.probe.look(&ops.kernel.store).await;
    let mail = ops.mailer.as_ref().map(|mailer| mailer.is_turning());
    let word = |good| if good { "ok" } else { "failing" };
    let is_ready = store && mail.unwrap_or(true);
    let mut response = if is_ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(Ready { store: word(store), mail: mail.map_or("elsewhere", word) })
}

pub(super) fn probe(db: &mut crate::store::Db) -> Result<(), StoreError> {
    use diesel::connection::SimpleConnection;
    Ok(db.batch_execute("SELECT 1")?)
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    Endpoint::at("/healthz").get(healthz).mount(config);
    Endpoint::at("/readyz").get(readyz).mount(config);
}

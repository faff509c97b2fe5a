//! `/api/v1/admin/exports/supporters.csv`.

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, Data},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::stream;
use crate::{
    contact::LineText,
    disclosures::{self, Begun, Outcome},
    error::{AppError, Problem},
    http::{Endpoint, QueryOf},
    id::Id,
    kernel::Kernel,
    staff::{Access, ExportSupporters, Sight},
    store::Lane,
    supporters::SupporterQuery,
};

/// Why supporters are taken out, and how; beside the filter.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// Why the list is taken out; recorded. At most 200 characters.
    #[param(required, max_length = 200)]
    pub purpose: Option<String>,
    /// Leave cells that a spreadsheet would run as a formula as they are; for programs.
    #[serde(default)]
    pub raw: bool,
}

impl ExportQuery {
    fn purpose(&self) -> Result<String, AppError> {
        let required =
            || AppError::field("purpose", "required", "say why this list is taken out; it is recorded");
        let text = self.purpose.as_deref().ok_or_else(required)?;
        let parsed = LineText::<200>::parse(text);
        let text = parsed.map_err(|error| AppError::field("purpose", error.code(), error.to_string()))?;
        text.map(|text| text.as_str().to_owned()).ok_or_else(required)
    }
}

/// Downloads the matching supporters as CSV, streamed; who, why and how many is recorded.
#[utoipa::path(
    get, path = "/api/v1/admin/exports/supporters.csv", tag = "exports", params(ExportQuery, SupporterQuery),
    security(("token" = ["exports"]), ("session" = [])),
    responses(
        (status = 200, description = "The list", body = String, content_type = "text/csv"),
        (status = 401, description = "No session or token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No purpose, or a filter that does not hold", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn export_csv(
    access: Access<ExportSupporters>,
    kernel: Data<Kernel>,
    QueryOf(asked, query): QueryOf<SupporterQuery, ExportQuery>,
) -> Result<HttpResponse, AppError> {
    let purpose = query.purpose()?;
    let filter = asked.filter(&kernel, access.sight()).await?;
    let now = kernel.clock.now();
    let export = Begun {
        id: Id::new(),
        staff_id: Some(access.staff_id),
        taken_by: access.role.as_str().to_owned(),
        group_id: match access.sight() {
            Sight::Everybody => None,
            Sight::Group(group) => Some(group),
        },
        format: "csv".to_owned(),
        preset: "default".to_owned(),
        purpose,
        filter: asked.recorded(&kernel.keys),
        started_at: now,
    };
    let id = export.id;
    kernel.store.write(Lane::Staff, move |db| Ok::<_, AppError>(disclosures::begin(db, &export)?)).await?;

    let (pieces, body) = stream::channel();
    let (ended, end) = tokio::sync::oneshot::channel();
    let raw = query.raw;
    kernel.store.read_long(move |db| {
        let _ = ended.send(stream::write_csv(db, &filter, raw, &pieces));
    });
    actix_web::rt::spawn(record_end(kernel.get_ref().clone(), id, end));
    let day = jiff::Timestamp::from_second(now.as_seconds())
        .map_or(String::new(), |at| at.strftime("%Y-%m-%d").to_string());
    let disposition = format!("attachment; filename=\"supporters-{day}.csv\"");
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .streaming(futures_util::StreamExt::map(body, |piece| piece.map_err(AppError::from))))
}

async fn record_end(kernel: Kernel, id: Id, end: tokio::sync::oneshot::Receiver<stream::Ended>) {
    let Ok(ended) = end.await else { return };
    let now = kernel.clock.now();
    let recorded = kernel
        .store
        .write(Lane::Staff, move |db| {
            let outcome = if ended.complete { Outcome::Complete } else { Outcome::CutOff };
            Ok::<_, AppError>(disclosures::end(db, id, ended.rows, outcome, now)?)
        })
        .await;
    if recorded.is_err() {
        tracing::error!(export = %id, "the end of an export could not be recorded");
    }
}

/// Mounts the routes.
pub fn api(config: &mut web::ServiceConfig) {
    Endpoint::at("/api/v1/admin/exports/supporters.csv").get(export_csv).mount(config);
}

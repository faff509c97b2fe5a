//! `/api/v1/admin/exports`: the lists as files, and the lists that were taken out.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, header},
    web::{self, Data},
};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Format, Order, Preset, Taker, columns, file_name, purpose, take};
use crate::{
    clock::Timestamp,
    disclosures,
    error::{AppError, Problem},
    http::{Cursor, Endpoint, Query, QueryOf, Slice, page_size},
    id::Id,
    kernel::Kernel,
    staff::{Access, ExportSupporters, ReadExports},
    supporters::SupporterQuery,
};

/// Why a list is taken out, and how it is written.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// Why the list is taken out; recorded. At most 200 characters.
    #[param(required, max_length = 200)]
    pub purpose: Option<String>,
    /// Columns made for a tool.
    pub preset: Option<Preset>,
    /// Columns by name, separated by commas, as the default export has them, custom fields as `field.<slug>`; instead of
    /// a preset.
    #[param(example = "email,given_name,tags,field.local")]
    pub columns: Option<String>,
    /// CSV: leave cells that a spreadsheet would run as a formula as they are; for programs.
    #[serde(default)]
    pub raw: bool,
    /// As a file packed with gzip. Without it, what `Accept-Encoding` allows is packed on the way only.
    #[serde(default)]
    pub gzip: bool,
}

/// Declares a route of one format: they differ in nothing else.
macro_rules! export_route {
    ($(#[$doc:meta])* $name:ident, $path:literal, $type:literal, $format:expr) => {
        $(#[$doc])*
        #[utoipa::path(
            get, path = $path, tag = "exports", params(ExportQuery, SupporterQuery),
            security(("token" = ["exports"]), ("session" = [])),
            responses(
                (status = 200, description = "The list", body = String, content_type = $type),
                (status = 401, description = "No session or token", body = Problem, content_type = "application/problem+json"),
                (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
                (status = 422, description = "No purpose, or a filter or column that does not hold", body = Problem, content_type = "application/problem+json"),
            )
        )]
        pub(crate) async fn $name(
            access: Access<ExportSupporters>,
            kernel: Data<Kernel>,
            request: HttpRequest,
            QueryOf(query, asked): QueryOf<ExportQuery, SupporterQuery>,
        ) -> Result<HttpResponse, AppError> {
            export(&access, &kernel, &request, $format, query, asked).await
        }
    };
}
export_route!(
    /// Downloads the matching supporters as CSV, streamed; who, why and how many is recorded.
    export_csv, "/api/v1/admin/exports/supporters.csv", "text/csv", Format::Csv
);
export_route!(
    /// Downloads the matching supporters as a JSON object a line, streamed; recorded likewise.
    export_ndjson, "/api/v1/admin/exports/supporters.ndjson", "application/x-ndjson", Format::Ndjson
);
export_route!(
    /// Downloads the matching supporters as a workbook, streamed; recorded likewise. More rows than a sheet takes go on
    /// further sheets.
    export_xlsx, "/api/v1/admin/exports/supporters.xlsx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Format::Xlsx
);

async fn export(
    access: &Access<ExportSupporters>,
    kernel: &Kernel,
    request: &HttpRequest,
    format: Format,
    query: ExportQuery,
    asked: SupporterQuery,
) -> Result<HttpResponse, AppError> {
    let purpose = purpose(query.purpose.as_deref())?;
    let columns = columns(kernel, query.preset, query.columns.as_deref(), access.sight()).await?;
    let filter = asked.filter(kernel, access.sight()).await?;
    // A workbook is packed already.
    let on_the_way = !query.gzip && format != Format::Xlsx && takes_gzip(request);
    let mut answer = HttpResponse::Ok();
    let media_type = if query.gzip { "application/gzip" } else { format.media_type() };
    let name = file_name(kernel, format, query.gzip);
    answer
        .insert_header((header::CONTENT_TYPE, media_type))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .insert_header((header::VARY, "Accept-Encoding"));
    if on_the_way {
        answer.insert_header((header::CONTENT_ENCODING, "gzip"));
    }
    if request.method() == Method::HEAD {
        // Nothing is taken out, so there is nothing to record.
        return Ok(answer.finish());
    }
    let taker = Taker { actor: access.actor(), staff_id: Some(access.staff_id), role: access.role.as_str() };
    let recorded = asked.recorded(&kernel.keys);
    let gzip = query.gzip || on_the_way;
    let order = Order { taker, filter, recorded, purpose, format, columns, raw: query.raw, gzip };
    let (body, _) = take(kernel, order).await?;
    Ok(answer.streaming(body.map(|piece| piece.map_err(AppError::from))))
}

/// Whether the client says that it unpacks gzip.
fn takes_gzip(request: &HttpRequest) -> bool {
    let values = request.headers().get_all(header::ACCEPT_ENCODING);
    let codings = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    codings.into_iter().any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().trim_start_matches("q=").parse::<f32>();
        name.trim().eq_ignore_ascii_case("gzip") && weight.map_or(true, |weight| weight > 0.0)
    })
}

/// Paging of the list of exports.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportsQuery {
    /// Rows of a page, 50 by default.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
}

/// A list that was taken out.
#[derive(Serialize, ToSchema)]
pub struct ExportView {
    /// Names the export.
    #[schema(value_type = String)]
    pub id: Id,
    /// Address of the account that took it; null where the command line did, or the account is gone.
    pub staff: Option<String>,
    /// The role at that time, or `command_line`.
    pub taken_by: String,
    /// The group it was for.
    #[schema(value_type = Option<String>)]
    pub group_id: Option<Id>,
    /// `csv`, `ndjson` or `xlsx`.
    pub format: String,
    /// A preset, or `columns:` and their names.
    pub columns: String,
    /// Why.
    pub purpose: String,
    /// The filter; a search text is a keyed hash.
    #[schema(value_type = Object)]
    pub filter: serde_json::Value,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
    /// Rows that were handed over.
    pub rows: Option<i64>,
    /// `complete` or `cut_off`; null while it is under way, or if the process ended first.
    pub outcome: Option<String>,
}

impl From<disclosures::Export> for ExportView {
    fn from(row: disclosures::Export) -> Self {
        Self {
            id: row.id,
            staff: row.staff_email,
            taken_by: row.taken_by,
            group_id: row.group_id,
            format: row.format,
            columns: row.preset,
            purpose: row.purpose,
            filter: serde_json::from_str(&row.filter).unwrap_or_default(),
            started_at: row.started_at,
            finished_at: row.finished_at,
            rows: row.row_count,
            outcome: row.outcome,
        }
    }
}

/// Lists who took which list, newest first.
#[utoipa::path(
    get, path = "/api/v1/admin/exports", tag = "exports", params(ExportsQuery),
    security(("token" = ["exports"]), ("session" = [])),
    responses(
        (status = 200, description = "One page", body = Slice<ExportView>),
        (status = 401, description = "No session or token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A cursor of another list", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_exports(
    _: Access<ReadExports>,
    kernel: Data<Kernel>,
    Query(query): Query<ExportsQuery>,
) -> Result<web::Json<Slice<ExportView>>, AppError> {
    let limit = page_size(query.limit)?;
    let before = match query.cursor.map(|cursor| cursor.bytes::<16>().map(Id::from_bytes)) {
        Some(None) => {
            return Err(AppError::field("cursor", "invalid_cursor", "this cursor is of another list"));
        }
        other => other.flatten(),
    };
    let rows = kernel.store.read(move |db| Ok::<_, AppError>(disclosures::list(db, before, limit)?)).await?;
    let page = Slice::cut(rows, limit, |row: &disclosures::Export| Cursor::at(row.id.as_bytes()));
    Ok(web::Json(Slice {
        data: page.data.into_iter().map(ExportView::from).collect(),
        next_cursor: page.next_cursor,
    }))
}

/// Mounts the routes.
pub fn api(config: &mut web::ServiceConfig) {
    Endpoint::at("/api/v1/admin/exports").get(list_exports).mount(config);
    Endpoint::at("/api/v1/admin/exports/supporters.csv").get(export_csv).mount(config);
    Endpoint::at("/api/v1/admin/exports/supporters.ndjson").get(export_ndjson).mount(config);
    Endpoint::at("/api/v1/admin/exports/supporters.xlsx").get(export_xlsx).mount(config);
}

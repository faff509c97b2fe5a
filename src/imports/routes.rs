//! `/api/v1/admin/imports`: upload, look, map, start, cancel, and fetch what was refused.

use actix_multipart::{Field as Part, Multipart, MultipartError};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Bytes, Data, Payload},
};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use utoipa::{IntoParams, IntoResponses, ToSchema};

use super::{
    Imports,
    model::ImportView,
    options::ImportOptions,
    refusals,
    target::Target,
    upload::{PIECE, Passing},
};
use crate::{
    error::{AppError, Problem},
    http::{BODY_LIMIT, Cursor, Endpoint, Json, MaybeJson, Query, Slice, page_size},
    id::Id,
    staff::{Access, ImportSupporters},
    store::StoreError,
};

/// Pieces of an answer under way.
const PIECES: usize = 4;

/// A list as a form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes the body, which is read as it arrives")]
pub struct ImportForm {
    /// CSV or XLSX, at most `imports.max_bytes`.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// What is wished, as JSON; the basis of consent may also be stated at the start.
    options: Option<ImportOptions>,
}

/// Names what was made.
#[derive(Serialize, ToSchema)]
pub struct ImportMade {
    /// Names it in the API.
    #[schema(value_type = String)]
    pub id: Id,
}

/// What a column holds.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnWish {
    /// Counted from 0.
    pub column: usize,
    /// What it holds.
    pub field: Target,
}

/// What the columns hold; those that are not named are not taken.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingWish {
    /// At most one for each field.
    #[schema(max_items = 67)]
    pub columns: Vec<ColumnWish>,
}

/// The list's paging.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// Rows of a page, 50 by default.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
}

/// Which rows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RefusedQuery {
    /// Those that went in without a value that did not hold, rather than those that did not go in.
    #[serde(default)]
    pub left_out: bool,
}

/// What is answered to those who may not see an import, or name one that there is not.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers, which are made of AppError")]
enum Unseen {
    #[response(status = 401, description = "No session or token", content_type = "application/problem+json")]
    NoLogin(Problem),
    #[response(status = 403, description = "Not allowed", content_type = "application/problem+json")]
    NotAllowed(Problem),
    #[response(status = 404, description = "No such import", content_type = "application/problem+json")]
    NotThere(Problem),
}

/// Uploads a contact list, stored as it arrives; its preview is made by a worker.
#[utoipa::path(
    post, path = "/api/v1/admin/imports", tag = "imports",
    request_body(content = ImportForm, content_type = "multipart/form-data"),
    security(("token" = ["imports"]), ("session" = [])),
    responses(
        (status = 202, description = "Stored", body = ImportMade),
        (status = 400, description = "The form is not whole", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No session or token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too large", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not a form", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Neither CSV nor XLSX, or options that do not hold", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn upload_import(
    access: Access<ImportSupporters>,
    imports: Data<Imports>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, AppError> {
    let is_form = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !is_form.is_some_and(|kind| kind.to_ascii_lowercase().starts_with("multipart/form-data")) {
        return Err(AppError::UnsupportedMediaType("multipart/form-data"));
    }
    let mut form = Multipart::new(request.headers(), payload);
    let mut receiving = Receiving { imports: imports.get_ref().clone(), stored: None, options: None };
    match receiving.all(&mut form, access.staff_id).await {
        Ok(id) => Ok(HttpResponse::Accepted().json(ImportMade { id })),
        Err(error) => {
            if let Some((id, _)) = receiving.stored {
                imports.discard(id).await;
            }
            Err(error)
        }
    }
}

/// A form that is being received.
struct Receiving {
    imports: Imports,
    stored: Option<(Id, Option<Passing>)>,
    options: Option<ImportOptions>,
}

impl Receiving {
    async fn all(&mut self, form: &mut Multipart, staff: Id) -> Result<Id, AppError> {
        while let Some(part) = form.next().await {
            let mut part = part.map_err(|error| not_whole(&error))?;
            match part.name().unwrap_or_default() {
                "file" if self.stored.is_none() => self.file(&mut part, staff).await?,
                "options" if self.options.is_none() => {
                    self.options = Some(self.read_options(&mut part).await?)
                }
                name @ ("file" | "options") => {
                    return Err(AppError::field(name, "repeated", "send this once"));
                }
                _ => return Err(AppError::field("form", "unknown_field", "send only file and options")),
            }
        }
        let (id, passing) = match &mut self.stored {
            Some((id, passing)) => (*id, passing.take()),
            None => return Err(AppError::field("file", "required", "send the list as the part \"file\"")),
        };
        let options = self.options.take().unwrap_or_default();
        self.imports.finish(id, passing.ok_or(AppError::Internal)?, &options).await?;
        Ok(id)
    }

    async fn file(&mut self, part: &mut Part, staff: Id) -> Result<(), AppError> {
        let most = self.imports.kernel.config.imports.max_bytes;
        let name = part.content_disposition().and_then(|given| given.get_filename()).unwrap_or_default();
        let id = self.imports.begin(staff, name).await?;
        let mut passing = Passing::new(&self.imports.kernel.keys);
        self.stored = Some((id, None));
        let (mut piece, mut number) = (Vec::with_capacity(PIECE), 0);
        while let Some(bytes) = part.next().await {
            let bytes = bytes.map_err(|error| not_whole(&error))?;
            passing.update(&bytes);
            if passing.bytes() > most {
                return Err(AppError::TooLarge(usize::try_from(most).unwrap_or(usize::MAX)));
            }
            let mut rest = bytes.as_ref();
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(PIECE - piece.len()));
                piece.extend_from_slice(now);
                rest = later;
                if piece.len() == PIECE {
                    let full = std::mem::replace(&mut piece, Vec::with_capacity(PIECE));
                    self.imports.store_piece(id, number, full).await?;
                    number += 1;
                }
            }
        }
        if !piece.is_empty() {
            self.imports.store_piece(id, number, piece).await?;
        }
        self.stored = Some((id, Some(passing)));
        Ok(())
    }

    async fn read_options(&self, part: &mut Part) -> Result<ImportOptions, AppError> {
        let mut text = Vec::new();
        while let Some(bytes) = part.next().await {
            text.extend_from_slice(&bytes.map_err(|error| not_whole(&error))?);
            if text.len() > BODY_LIMIT {
                return Err(AppError::field("options", "too_long", "options have at most 64 KiB"));
            }
        }
        let options: ImportOptions = serde_json::from_slice(&text)
            .map_err(|error| AppError::field("options", "invalid", error.to_string()))?;
        let kernel = &self.imports.kernel;
        options.check(&kernel.config.campaign.timezone, kernel.clock.now()).map_err(AppError::Invalid)?;
        Ok(options)
    }
}

/// What a program says of a form that is not one does not matter to whoever sent it.
fn not_whole(_: &MultipartError) -> AppError {
    AppError::BadRequest("the form did not arrive whole, or is not one; please send it again".to_owned())
}

/// Lists imports, newest first.
#[utoipa::path(
    get, path = "/api/v1/admin/imports", tag = "imports", params(ImportQuery),
    security(("token" = ["imports"]), ("session" = [])),
    responses(
        (status = 200, description = "One page", body = Slice<ImportView>),
        (status = 401, description = "No session or token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A parameter that does not hold", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_imports(
    _access: Access<ImportSupporters>,
    imports: Data<Imports>,
    Query(query): Query<ImportQuery>,
) -> Result<web::Json<Slice<ImportView>>, AppError> {
    imports.list(query.cursor, page_size(query.limit)?).await.map(web::Json)
}

/// Shows an import: its state, what would happen, how far it is.
#[utoipa::path(
    get, path = "/api/v1/admin/imports/{id}", tag = "imports", params(("id" = String, Path)),
    security(("token" = ["imports"]), ("session" = [])),
    responses(
        (status = 200, description = "The import", body = ImportView),
        Unseen,
    )
)]
pub(crate) async fn show_import(
    access: Access<ImportSupporters>,
    imports: Data<Imports>,
    path: web::Path<String>,
) -> Result<web::Json<ImportView>, AppError> {
    let import = imports.find(id(&path)?).await?;
    if let Some(preview) = &import.preview {
        imports.kernel.note_read(&access.reader(), "import.show", preview.rows.len()).await?;
    }
    Ok(web::Json(import))
}

/// Says what columns hold; the preview is made again.
#[utoipa::path(
    patch, path = "/api/v1/admin/imports/{id}/mapping", tag = "imports", params(("id" = String, Path)),
    request_body = MappingWish,
    security(("token" = ["imports"]), ("session" = [])),
    responses(
        (status = 200, description = "The import", body = ImportView),
        Unseen,
        (status = 409, description = "Not previewed, or started already", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Columns that do not hold", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn map_import(
    _access: Access<ImportSupporters>,
    imports: Data<Imports>,
    path: web::Path<String>,
    Json(wish): Json<MappingWish>,
) -> Result<web::Json<ImportView>, AppError> {
    let columns: Vec<_> = wish.columns.into_iter().map(|wish| (wish.column, wish.field)).collect();
    imports.set_mapping(id(&path)?, &columns).await.map(web::Json)
}

/// Begins to take the rows in. The body states options anew; without one, or with an empty object, those of the upload
/// hold. The basis of consent must have been stated.
#[utoipa::path(
    post, path = "/api/v1/admin/imports/{id}/start", tag = "imports", params(("id" = String, Path)),
    request_body = ImportOptions,
    security(("token" = ["imports"]), ("session" = [])),
    responses(
        (status = 202, description = "It works", body = ImportView),
        Unseen,
        (status = 409, description = "Not previewed, or started already", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No basis of consent, or no column of addresses", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn start_import(
    access: Access<ImportSupporters>,
    imports: Data<Imports>,
    path: web::Path<String>,
    MaybeJson(options): MaybeJson<ImportOptions>,
) -> Result<HttpResponse, AppError> {
    let options = options.filter(|options| *options != ImportOptions::default());
    let import = imports.start(id(&path)?, options, access.actor()).await?;
    Ok(HttpResponse::Accepted().json(import))
}

/// Ends an import; what is in by then stays in.
#[utoipa::path(
    post, path = "/api/v1/admin/imports/{id}/cancel", tag = "imports", params(("id" = String, Path)),
    security(("token" = ["imports"]), ("session" = [])),
    responses(
        (status = 200, description = "The import", body = ImportView),
        Unseen,
        (status = 409, description = "It has ended", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn cancel_import(
    access: Access<ImportSupporters>,
    imports: Data<Imports>,
    path: web::Path<String>,
) -> Result<web::Json<ImportView>, AppError> {
    imports.cancel(id(&path)?, access.actor()).await.map(web::Json)
}

/// Downloads the refused rows, each with its line (`sheet!line` on a workbook's further sheets) and why.
#[utoipa::path(
    get, path = "/api/v1/admin/imports/{id}/refused.csv", tag = "imports",
    params(("id" = String, Path), RefusedQuery),
    security(("token" = ["imports"]), ("session" = [])),
    responses(
        (status = 200, description = "The rows", body = String, content_type = "text/csv"),
        Unseen,
        (status = 410, description = "Erased after seven days", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn refused_rows(
    access: Access<ImportSupporters>,
    imports: Data<Imports>,
    path: web::Path<String>,
    Query(query): Query<RefusedQuery>,
) -> Result<HttpResponse, AppError> {
    let import = imports.stored(id(&path)?).await?;
    if import.erased_at.is_some() {
        return Err(AppError::Gone("the refused rows were erased seven days after the upload".to_owned()));
    }
    let rows = if query.left_out { import.left_out } else { import.refused };
    let rows = usize::try_from(rows).unwrap_or(0);
    imports.kernel.note_read(&access.reader(), "import.refused", rows).await?;
    let (sender, receiver) = mpsc::channel::<Result<Bytes, StoreError>>(PIECES);
    imports.kernel.store.read_long(move |db| {
        let take = |bytes| sender.blocking_send(Ok(Bytes::from(bytes))).is_ok();
        if let Err(error) = db.and_then(|db| refusals::write(db, &import, !query.left_out, take)) {
            let _ = sender.blocking_send(Err(error));
        }
    });
    let body = stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|piece| (piece.map_err(AppError::from), receiver))
    });
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"refused.csv\""))
        .streaming(body))
}

fn id(text: &str) -> Result<Id, AppError> {
    text.parse().map_err(|_| AppError::NotFound("there is no such import".to_owned()))
}

/// Mounts the routes.
pub fn api(config: &mut web::ServiceConfig) {
    Endpoint::at("/api/v1/admin/imports").get(list_imports).post(upload_import).mount(config);
    Endpoint::at("/api/v1/admin/imports/{id}").get(show_import).mount(config);
    Endpoint::at("/api/v1/admin/imports/{id}/mapping").patch(map_import).mount(config);
    Endpoint::at("/api/v1/admin/imports/{id}/start").post(start_import).mount(config);
    Endpoint::at("/api/v1/admin/imports/{id}/cancel").post(cancel_import).mount(config);
    Endpoint::at("/api/v1/admin/imports/{id}/refused.csv").get(refused_rows).mount(config);
}

//! `/api/v1/admin/supporters/{id}`: one record, and what staff do with it.

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, Data, Path},
};

use super::{MergeForm, NoteForm, NoteView, RecordChange, RecordView, change, erase, merge, notes};
use crate::{
    error::{AppError, Problem},
    http::{Endpoint, Etag, IfMatch, Json},
    id::Id,
    kernel::Kernel,
    staff::{Access, ReadSupporters, WriteSupporters},
};

fn id(text: &str, what: &str) -> Result<Id, AppError> {
    text.parse().map_err(|_| AppError::NotFound(format!("there is no such {what}")))
}

fn versioned((record, etag): (RecordView, Etag)) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::ETAG, etag.as_str())).json(record)
}

/// Shows everything that is known of a supporter: where it came from, what they agreed to, who has it. The ETag names the
/// version, for changes.
#[utoipa::path(
    get, path = "/api/v1/admin/supporters/{id}", tag = "supporters",
    security(("token" = ["supporters:read"]), ("session" = [])),
    params(("id" = String, Path, description = "Id of the supporter")),
    responses(
        (status = 200, description = "The record", body = RecordView),
        (status = 404, description = "No such supporter", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show_supporter(
    _: Access<ReadSupporters>,
    kernel: Data<Kernel>,
    supporter: Path<String>,
) -> Result<HttpResponse, AppError> {
    super::show(&kernel, id(&supporter, "supporter")?).await.map(versioned)
}

/// Changes a record, if it is still the version named in If-Match. Another address must be free; links that were mailed
/// to the old one are then void.
#[utoipa::path(
    patch, path = "/api/v1/admin/supporters/{id}", tag = "supporters", request_body = RecordChange,
    security(("token" = ["supporters:write"]), ("session" = [])),
    params(
        ("id" = String, Path, description = "Id of the supporter"),
        ("If-Match" = String, Header, description = "The ETag that GET answered with"),
    ),
    responses(
        (status = 200, description = "The record as it is now", body = RecordView),
        (status = 404, description = "No such supporter", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The address is another supporter's, or must be left alone", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "Changed since", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Fields that do not hold", body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "No If-Match", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn change_supporter(
    access: Access<WriteSupporters>,
    kernel: Data<Kernel>,
    supporter: Path<String>,
    known: IfMatch,
    Json(wanted): Json<RecordChange>,
) -> Result<HttpResponse, AppError> {
    let supporter = id(&supporter, "supporter")?;
    change::change(&kernel, supporter, known, wanted, access.actor()).await.map(versioned)
}

/// Erases a person from every table; a keyed hash of their address stays, so that no import brings them back.
#[utoipa::path(
    delete, path = "/api/v1/admin/supporters/{id}", tag = "supporters",
    security(("token" = ["supporters:write"]), ("session" = [])),
    params(
        ("id" = String, Path, description = "Id of the supporter"),
        ("If-Match" = String, Header, description = "The ETag that GET answered with"),
    ),
    responses(
        (status = 204, description = "Erased"),
        (status = 404, description = "No such supporter", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "Changed since", body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "No If-Match", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn erase_supporter(
    access: Access<WriteSupporters>,
    kernel: Data<Kernel>,
    supporter: Path<String>,
    known: IfMatch,
) -> Result<HttpResponse, AppError> {
    erase::by_staff(&kernel, id(&supporter, "supporter")?, known, access.actor()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Leaves a person alone for good: nothing is mailed to them, whatever they sign up for.
#[utoipa::path(
    post, path = "/api/v1/admin/supporters/{id}/suppress", tag = "supporters",
    security(("token" = ["supporters:write"]), ("session" = [])),
    params(
        ("id" = String, Path, description = "Id of the supporter"),
        ("If-Match" = String, Header, description = "The ETag that GET answered with"),
    ),
    responses(
        (status = 204, description = "Suppressed"),
        (status = 404, description = "No such supporter", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "Changed since", body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "No If-Match", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn suppress_supporter(
    access: Access<WriteSupporters>,
    kernel: Data<Kernel>,
    supporter: Path<String>,
    known: IfMatch,
) -> Result<HttpResponse, AppError> {
    erase::suppress(&kernel, id(&supporter, "supporter")?, known, access.actor()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Merges another record into this one, which keeps its address; the more restrictive status wins.
#[utoipa::path(
    post, path = "/api/v1/admin/supporters/{id}/merge", tag = "supporters", request_body = MergeForm,
    security(("token" = ["supporters:write"]), ("session" = [])),
    params(
        ("id" = String, Path, description = "Id of the record that stays"),
        ("If-Match" = String, Header, description = "The ETag that GET answered with"),
    ),
    responses(
        (status = 200, description = "The record as it is now", body = RecordView),
        (status = 404, description = "No such supporter", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "Changed since", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No other record", body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "No If-Match", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn merge_supporters(
    access: Access<WriteSupporters>,
    kernel: Data<Kernel>,
    supporter: Path<String>,
    known: IfMatch,
    Json(form): Json<MergeForm>,
) -> Result<HttpResponse, AppError> {
    let supporter = id(&supporter, "supporter")?;
    merge::merge(&kernel, supporter, known, form, access.actor()).await.map(versioned)
}

/// Lists what staff wrote down about a supporter.
#[utoipa::path(
    get, path = "/api/v1/admin/supporters/{id}/notes", tag = "supporters",
    security(("token" = ["supporters:read"]), ("session" = [])),
    params(("id" = String, Path, description = "Id of the supporter")),
    responses(
        (status = 200, description = "Newest first", body = Vec<NoteView>),
        (status = 404, description = "No such supporter", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_notes(
    _: Access<ReadSupporters>,
    kernel: Data<Kernel>,
    supporter: Path<String>,
) -> Result<web::Json<Vec<NoteView>>, AppError> {
    notes::list_of(&kernel, id(&supporter, "supporter")?).await.map(web::Json)
}

/// Writes something down about a supporter.
#[utoipa::path(
    post, path = "/api/v1/admin/supporters/{id}/notes", tag = "supporters", request_body = NoteForm,
    security(("token" = ["supporters:write"]), ("session" = [])),
    params(("id" = String, Path, description = "Id of the supporter")),
    responses(
        (status = 201, description = "Written down", body = NoteView),
        (status = 404, description = "No such supporter", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No text", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn add_note(
    access: Access<WriteSupporters>,
    kernel: Data<Kernel>,
    supporter: Path<String>,
    Json(form): Json<NoteForm>,
) -> Result<HttpResponse, AppError> {
    let supporter = id(&supporter, "supporter")?;
    let (actor, author) = (access.actor(), (access.staff_id, access.email));
    let note = notes::add(&kernel, supporter, &form, author, actor).await?;
    Ok(HttpResponse::Created().json(note))
}

/// Deletes a note.
#[utoipa::path(
    delete, path = "/api/v1/admin/supporters/{id}/notes/{note}", tag = "supporters",
    security(("token" = ["supporters:write"]), ("session" = [])),
    params(
        ("id" = String, Path, description = "Id of the supporter"),
        ("note" = String, Path, description = "Id of the note"),
    ),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "No such note", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete_note(
    access: Access<WriteSupporters>,
    kernel: Data<Kernel>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, AppError> {
    let (supporter, note) = path.into_inner();
    notes::remove(&kernel, id(&supporter, "supporter")?, id(&note, "note")?, access.actor()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Mounts the routes.
pub fn api(config: &mut web::ServiceConfig) {
    Endpoint::at("/api/v1/admin/supporters/{id}")
        .get(show_supporter)
        .patch(change_supporter)
        .delete(erase_supporter)
        .mount(config);
    Endpoint::at("/api/v1/admin/supporters/{id}/suppress").post(suppress_supporter).mount(config);
    Endpoint::at("/api/v1/admin/supporters/{id}/merge").post(merge_supporters).mount(config);
    Endpoint::at("/api/v1/admin/supporters/{id}/notes").get(list_notes).post(add_note).mount(config);
    Endpoint::at("/api/v1/admin/supporters/{id}/notes/{note}").delete(delete_note).mount(config);
}

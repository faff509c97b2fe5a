//! `/api/v1/admin/fields`.

use actix_web::{
    HttpResponse,
    web::{self, Data, Path},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Field, FieldKind, Fields, list_fields};
use crate::{
    error::{AppError, Problem},
    http::{Endpoint, Json},
    kernel::Kernel,
    staff::{Access, EditForms, ReadSupporters},
};

/// A new field.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldForm {
    /// Its name in forms, filters (`field.<slug>`) and columns.
    #[schema(max_length = 64)]
    pub slug: String,
    /// Its name for people, at most 100 characters.
    #[schema(max_length = 100)]
    pub label: String,
    /// What its values are; never changed.
    pub kind: FieldKind,
    /// What can be chosen, where it is a choice.
    #[serde(default)]
    pub choices: Vec<String>,
}

/// A change of a field.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldChange {
    /// Its name for people.
    #[schema(max_length = 100)]
    pub label: Option<String>,
    /// What can be chosen; none that somebody has may go.
    pub choices: Option<Vec<String>>,
}

/// A field.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldView {
    /// Its name in forms, filters and columns.
    pub slug: String,
    /// Its name for people.
    pub label: String,
    /// What its values are.
    pub kind: FieldKind,
    /// What can be chosen.
    pub choices: Vec<String>,
}

impl From<Field> for FieldView {
    fn from(field: Field) -> Self {
        Self { slug: field.slug, label: field.label, kind: field.kind, choices: field.choices }
    }
}

/// Lists the fields that staff defined.
#[utoipa::path(
    get, path = "/api/v1/admin/fields", tag = "fields",
    security(("token" = ["supporters:read"]), ("session" = [])),
    responses((status = 200, description = "All of them", body = Vec<FieldView>))
)]
pub(crate) async fn list_all_fields(
    _: Access<ReadSupporters>,
    kernel: Data<Kernel>,
) -> Result<web::Json<Vec<FieldView>>, AppError> {
    let fields = kernel.store.read(|db| Ok::<_, AppError>(list_fields(db)?)).await?;
    Ok(web::Json(fields.into_iter().map(FieldView::from).collect()))
}

/// Defines a field.
#[utoipa::path(
    post, path = "/api/v1/admin/fields", tag = "fields", request_body = FieldForm,
    security(("token" = ["forms"]), ("session" = [])),
    responses(
        (status = 201, description = "Made", body = FieldView),
        (status = 409, description = "There is one of that name", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Fields that do not hold", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create_field(
    access: Access<EditForms>,
    fields: Data<Fields>,
    Json(form): Json<FieldForm>,
) -> Result<HttpResponse, AppError> {
    let field = super::create(&fields, form, access.actor()).await?;
    Ok(HttpResponse::Created().json(FieldView::from(field)))
}

/// Renames a field for people, or says anew what can be chosen.
#[utoipa::path(
    patch, path = "/api/v1/admin/fields/{slug}", tag = "fields", request_body = FieldChange,
    security(("token" = ["forms"]), ("session" = [])),
    params(("slug" = String, Path, description = "Slug of the field")),
    responses(
        (status = 200, description = "Changed", body = FieldView),
        (status = 404, description = "No such field", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Fields that do not hold", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn change_field(
    access: Access<EditForms>,
    fields: Data<Fields>,
    slug: Path<String>,
    Json(form): Json<FieldChange>,
) -> Result<web::Json<FieldView>, AppError> {
    let field = super::change(&fields, slug.into_inner(), form, access.actor()).await?;
    Ok(web::Json(field.into()))
}

/// Deletes a field with everybody's value of it, unless a segment names it.
#[utoipa::path(
    delete, path = "/api/v1/admin/fields/{slug}", tag = "fields",
    security(("token" = ["forms"]), ("session" = [])),
    params(("slug" = String, Path, description = "Slug of the field")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "No such field", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Segments name it; says which", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete_field(
    access: Access<EditForms>,
    fields: Data<Fields>,
    slug: Path<String>,
) -> Result<HttpResponse, AppError> {
    super::remove(&fields, slug.into_inner(), access.actor()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Mounts the routes.
pub fn api(config: &mut web::ServiceConfig) {
    Endpoint::at("/api/v1/admin/fields").get(list_all_fields).post(create_field).mount(config);
    Endpoint::at("/api/v1/admin/fields/{slug}").patch(change_field).delete(delete_field).mount(config);
}

//! `/api/v1/admin/forms`: what each form offers.

use actix_web::web::{self, Data, Path};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Forms;
use crate::{
    error::{AppError, Problem},
    groups::Groups,
    http::{Endpoint, Json},
    staff::{Access, EditForms},
    supporters::Fields,
};

/// A form as staff see it.
#[derive(Serialize, ToSchema)]
pub(crate) struct FormView {
    /// Names it.
    pub slug: String,
    /// Slugs of the groups that it offers, in this order; each visitor sees at most five.
    pub offered_groups: Vec<String>,
    /// Slugs of the fields that it shows, in this order.
    pub fields: Vec<String>,
}

/// A change of a form. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FormEdit {
    /// Slugs of member groups to offer, at most 50, in this order; none to offer none.
    #[schema(max_items = 50)]
    pub offered_groups: Option<Vec<String>>,
    /// Slugs of fields to show on its page, at most 20, in this order. A program may send values of any field.
    #[schema(max_items = 20)]
    pub fields: Option<Vec<String>>,
}

fn view(groups: &Groups, fields: &Fields, slug: &str) -> FormView {
    let members = groups.members();
    let offered_groups = members.set_for(slug).map(|member| member.slug.clone()).collect();
    let fields = fields.on_form(slug).into_iter().map(|field| field.slug).collect();
    FormView { slug: slug.to_owned(), offered_groups, fields }
}

fn known(forms: &Forms, slug: &str) -> Result<(), AppError> {
    let missing = || AppError::NotFound("there is no such form".to_owned());
    if forms.has_form(slug) { Ok(()) } else { Err(missing()) }
}

/// Shows a form.
#[utoipa::path(
    get, path = "/api/v1/admin/forms/{slug}", tag = "forms",
    params(("slug" = String, Path, description = "Slug of the form")),
    security(("token" = ["forms"]), ("session" = [])),
    responses(
        (status = 200, description = "The form", body = FormView),
        (status = 404, description = "No such form", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show_form(
    _access: Access<EditForms>,
    forms: Data<Forms>,
    groups: Data<Groups>,
    fields: Data<Fields>,
    slug: Path<String>,
) -> Result<web::Json<FormView>, AppError> {
    known(&forms, &slug)?;
    groups.fresh_members().await?;
    Ok(web::Json(view(&groups, &fields, &slug)))
}

/// Changes a form.
#[utoipa::path(
    patch, path = "/api/v1/admin/forms/{slug}", tag = "forms", request_body = FormEdit,
    params(("slug" = String, Path, description = "Slug of the form")),
    security(("token" = ["forms"]), ("session" = [])),
    responses(
        (status = 200, description = "As it is now", body = FormView),
        (status = 404, description = "No such form", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A group that is no member, or a field that there is not", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn change_form(
    access: Access<EditForms>,
    forms: Data<Forms>,
    groups: Data<Groups>,
    fields: Data<Fields>,
    slug: Path<String>,
    Json(edit): Json<FormEdit>,
) -> Result<web::Json<FormView>, AppError> {
    known(&forms, &slug)?;
    if let Some(offered) = edit.offered_groups {
        groups.set_offered(access.actor(), &slug, offered).await?;
    }
    if let Some(shown) = edit.fields {
        fields.set_on_form(access.actor(), &slug, shown).await?;
    }
    Ok(web::Json(view(&groups, &fields, &slug)))
}

/// Mounts the routes.
pub fn api(config: &mut web::ServiceConfig) {
    Endpoint::at("/api/v1/admin/forms/{slug}").get(show_form).patch(change_form).mount(config);
}

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
};

/// A form as staff see it.
#[derive(Serialize, ToSchema)]
pub(crate) struct FormView {
    /// Names it.
    pub slug: String,
    /// Slugs of the groups that it offers, in this order; each visitor sees at most five.
    pub offered_groups: Vec<String>,
}

/// A change of a form. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FormEdit {
    /// Slugs of member groups to offer, at most 50, in this order; none to offer none.
    #[schema(max_items = 50)]
    pub offered_groups: Option<Vec<String>>,
}

fn view(groups: &Groups, slug: &str) -> FormView {
    let members = groups.members();
    let offered_groups = members.set_for(slug).map(|member| member.slug.clone()).collect();
    FormView { slug: slug.to_owned(), offered_groups }
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
    slug: Path<String>,
) -> Result<web::Json<FormView>, AppError> {
    known(&forms, &slug)?;
    groups.fresh_members().await?;
    Ok(web::Json(view(&groups, &slug)))
}

/// Changes a form.
#[utoipa::path(
    patch, path = "/api/v1/admin/forms/{slug}", tag = "forms", request_body = FormEdit,
    params(("slug" = String, Path, description = "Slug of the form")),
    security(("token" = ["forms"]), ("session" = [])),
    responses(
        (status = 200, description = "As it is now", body = FormView),
        (status = 404, description = "No such form", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A group that is no member", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn change_form(
    access: Access<EditForms>,
    forms: Data<Forms>,
    groups: Data<Groups>,
    slug: Path<String>,
    Json(edit): Json<FormEdit>,
) -> Result<web::Json<FormView>, AppError> {
    known(&forms, &slug)?;
    if let Some(offered) = edit.offered_groups {
        groups.set_offered(access.actor(), &slug, offered).await?;
    }
    Ok(web::Json(view(&groups, &slug)))
}

/// Mounts the routes.
pub fn api(config: &mut web::ServiceConfig) {
    Endpoint::at("/api/v1/admin/forms/{slug}").get(show_form).patch(change_form).mount(config);
}

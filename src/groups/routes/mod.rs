//! The routes of groups: for everybody, for review by staff, and logos.

pub(crate) mod logo;
pub(crate) mod public;
pub(crate) mod review;

use actix_web::web::ServiceConfig;

use crate::{
    error::AppError,
    http::{Endpoint, cors},
    id::Id,
};

/// The id in a path; what is none names no group.
fn id(text: &str) -> Result<Id, AppError> {
    text.parse().map_err(|_| AppError::NotFound("there is no such group".to_owned()))
}

/// Mounts the routes; `origins` may send applications and read the directory from pages of their own.
pub fn api(origins: &[String]) -> impl FnOnce(&mut ServiceConfig) {
    let origins = origins.to_vec();
    move |config| {
        let all = Endpoint::at("/api/v1/groups").get(public::list_directory).post(public::create_application);
        config.service(all.resource().wrap(cors(&origins)));
        let one = Endpoint::at("/api/v1/groups/{slug}").get(public::show_member);
        config.service(one.resource().wrap(cors(&origins)));
        Endpoint::at("/api/v1/admin/groups").get(review::list_groups).mount(config);
        Endpoint::at("/api/v1/admin/groups/{id}")
            .get(review::show_group)
            .patch(review::change_group)
            .mount(config);
        Endpoint::at("/api/v1/admin/groups/{id}/approve").post(review::approve_group).mount(config);
        Endpoint::at("/api/v1/admin/groups/{id}/decline").post(review::decline_group).mount(config);
        Endpoint::at("/api/v1/admin/groups/{id}/ask").post(review::ask_group).mount(config);
        Endpoint::at("/api/v1/admin/groups/{id}/leave").post(review::leave_group).mount(config);
        Endpoint::at("/api/v1/admin/groups/{id}/logo")
            .put(logo::put_logo)
            .delete(logo::delete_logo)
            .mount(config);
    }
}

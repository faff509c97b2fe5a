//! `/.well-known/security.txt` (RFC 9116): where to report a security problem. Without a contact there is none.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, Data},
};

use super::Ops;
use crate::{clock::Timestamp, error::AppError, http::Endpoint};

/// The file is good for so long; RFC 9116, section 2.5.5, wants less than a year.
const GOOD_FOR: Duration = Duration::from_secs(180 * 86_400);

async fn security_txt(ops: Data<Ops>) -> Result<HttpResponse, AppError> {
    let kernel = &ops.kernel;
    let contact = kernel.config.campaign.security_contact_uri();
    let contact = contact.ok_or_else(|| AppError::NotFound("there is nothing at this address".to_owned()))?;
    // By the day: whoever asks twice gets the same file.
    let day = kernel.clock.now().after(GOOD_FOR).as_seconds().div_euclid(86_400) * 86_400;
    let text = format!(
        "Contact: {contact}\nExpires: {}\nPreferred-Languages: en\nCanonical: {}\n",
        Timestamp::from_seconds(day),
        kernel.url("/.well-known/security.txt"),
    );
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8")).body(text))
}

/// Mounts it.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    Endpoint::at("/.well-known/security.txt").get(security_txt).mount(config);
}

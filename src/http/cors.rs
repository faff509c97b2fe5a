//! CORS for the routes that pages of other sites may call (Fetch standard, section 3.3). Without cookies.

use actix_cors::Cors;
use actix_web::http::{Method, header};

/// Answers preflights and marks answers for `origins`; nobody else's pages may read them.
pub fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods([Method::POST])
        .allowed_header(header::CONTENT_TYPE)
        .expose_headers([header::RETRY_AFTER])
        // A page that is not listed gets no mark, which is all that CORS needs; the request itself may come
        // from a program.
        .block_on_origin_mismatch(false)
        .max_age(3600);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

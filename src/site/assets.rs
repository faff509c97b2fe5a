//! `/static/…`: the stylesheet and the icon, compiled into the binary.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Path},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rust_embed::RustEmbed;

use crate::{error::AppError, http::Endpoint};

#[derive(RustEmbed)]
#[folder = "static/"]
struct Assets;

async fn asset(request: HttpRequest, path: Path<String>) -> Result<HttpResponse, AppError> {
    let missing = || AppError::NotFound("there is no such file".to_owned());
    let file = Assets::get(&path).ok_or_else(missing)?;
    let kind = match path.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => return Err(missing()),
    };
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(file.metadata.sha256_hash()));
    let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|value| value == tag.as_str());
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, tag)).insert_header((header::CACHE_CONTROL, "public, max-age=300"));
    if known {
        return Ok(response.finish());
    }
    Ok(response.insert_header((header::CONTENT_TYPE, kind)).body(file.data.into_owned()))
}

/// Mounts the files.
pub fn routes(config: &mut web::ServiceConfig) {
    Endpoint::at("/static/{path:.*}").get(asset).mount(config);
}

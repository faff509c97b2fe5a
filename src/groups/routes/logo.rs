//! Logos: taken from staff and who works for the group, served to everybody.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{BytesMut, Data, Path, Payload},
};
use futures_util::StreamExt;

use super::{
    super::{Groups, picture::MOST_BYTES},
    id,
};
use crate::{
    error::{AppError, Problem},
    staff::{Access, OwnGroup},
};

/// Takes a logo: PNG, JPEG or WebP by its content, at most 1 MiB and 4096 pixels a side. What is served is written anew,
/// as a PNG of at most 400 pixels a side, without metadata.
#[utoipa::path(
    put, path = "/api/v1/admin/groups/{id}/logo", tag = "groups",
    params(("id" = String, Path, description = "Id of the group")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file's bytes, whatever media type is said"),
    security(("token" = ["groups"]), ("session" = [])),
    responses(
        (status = 204, description = "Taken"),
        (status = 404, description = "No such group", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Over 1 MiB", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not an image that is taken", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn put_logo(
    access: Access<OwnGroup>,
    groups: Data<Groups>,
    path: Path<String>,
    mut body: Payload,
) -> Result<HttpResponse, AppError> {
    let group = id(&path)?;
    let cut_off = || AppError::BadRequest("the body did not arrive whole; please send it again".to_owned());
    let mut file = BytesMut::new();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|_| cut_off())?;
        if file.len() + piece.len() > MOST_BYTES {
            return Err(AppError::TooLarge(MOST_BYTES));
        }
        file.extend_from_slice(&piece);
    }
    groups.set_logo((access.actor(), access.sight()), group, file.to_vec()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Takes a logo away.
#[utoipa::path(
    delete, path = "/api/v1/admin/groups/{id}/logo", tag = "groups",
    params(("id" = String, Path, description = "Id of the group")),
    security(("token" = ["groups"]), ("session" = [])),
    responses(
        (status = 204, description = "It has none now"),
        (status = 404, description = "No such group", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete_logo(
    access: Access<OwnGroup>,
    groups: Data<Groups>,
    path: Path<String>,
) -> Result<HttpResponse, AppError> {
    groups.delete_logo((access.actor(), access.sight()), id(&path)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The logo as a file of its own. Under the address with its version it never changes.
pub(crate) async fn show(
    groups: Data<Groups>,
    request: HttpRequest,
    slug: Path<String>,
) -> Result<HttpResponse, AppError> {
    let missing = || AppError::NotFound("this group has no logo".to_owned());
    let logo = groups.logo(slug.into_inner()).await?.ok_or_else(missing)?;
    let tag = format!("\"{}\"", logo.sha256);
    let version = request.query_string().strip_prefix("v=").unwrap_or_default();
    let is_versioned = version.len() >= 16 && logo.sha256.starts_with(version);
    let caching = if is_versioned { "public, max-age=31536000, immutable" } else { "public, max-age=300" };
    let policy = "default-src 'none'; sandbox; frame-ancestors 'none'";
    let is_known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|value| value == tag.as_str());
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::ETAG, tag))
        .insert_header((header::CACHE_CONTROL, caching))
        .insert_header((header::CONTENT_SECURITY_POLICY, policy));
    if is_known {
        return Ok(response.finish());
    }
    Ok(response.insert_header((header::CONTENT_TYPE, "image/png")).body(logo.png))
}

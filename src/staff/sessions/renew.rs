//! Another cookie for a session whose account's rights have changed (OWASP session management: renew the id at every
//! change of privilege). The session's next request, whatever it asks, is answered with it. Mounted by the server.

use std::time::Duration;

use actix_web::{
    Error, HttpMessage,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};
use secrecy::ExposeSecret;

use super::{cookies, queries};
use crate::{config::random_secret, error::AppError, keys::sha256, staff::Staff, store::Lane};

/// Requests that a browser sent with the old cookie at the same moment are still let in. Both are the same session: what
/// ends it ends both.
const OVERLAP: Duration = Duration::from_secs(30);

/// Left by authorisation with the request: its session, with this hash, is to be renewed.
#[derive(Clone)]
pub struct Renewal {
    pub staff: Staff,
    pub hash: Vec<u8>,
}

/// Middleware that renews what authorisation found due.
///
/// # Errors
/// Those of the inner service.
pub async fn renew_sessions<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    let due = response.request().extensions_mut().remove::<Renewal>();
    let Some(due) = due else { return Ok(response) };
    // Whoever logs out or in by this request has no use for it.
    let sets_cookie = response.headers().contains_key(actix_web::http::header::SET_COOKIE);
    if sets_cookie {
        return Ok(response);
    }
    // Not renewed now, it is tried again with the next request.
    if let Ok(Some(token)) = due.renew().await {
        let cookie = cookies::session(&due.staff.kernel.base_url, token);
        if let Err(error) = response.response_mut().add_cookie(&cookie) {
            AppError::internal(&error);
        }
    }
    Ok(response)
}

impl Renewal {
    async fn renew(&self) -> Result<Option<String>, AppError> {
        let token = secrecy::SecretString::from(random_secret().map_err(|error| AppError::internal(&error))?);
        let (old, hash) = (self.hash.clone(), sha256(token.expose_secret()));
        let until = self.staff.kernel.clock.now().after(OVERLAP);
        let renewed = self
            .staff
            .kernel
            .store
            .write(Lane::Staff, move |db| {
                let Some(row) = queries::retire(db, &old, until)? else { return Ok::<_, AppError>(false) };
                queries::insert(db, &queries::Row { token_hash: hash, renew: false, ..row })?;
                Ok(true)
            })
            .await?;
        Ok(renewed.then(|| token.expose_secret().to_owned()))
    }
}

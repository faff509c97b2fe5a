//! The two cookies of the staff: the session, and the mark of a browser in which somebody has logged in before.

use std::time::Duration;

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time},
};

use crate::{
    clock::Timestamp,
    error::AppError,
    id::Id,
    keys::{Keys, Link, Purpose},
};

/// How long a browser stays known after a login.
const KNOWN: Duration = Duration::from_secs(365 * 86_400);

fn is_https(base_url: &str) -> bool {
    base_url.starts_with("https://")
}

/// Name of the session cookie; browsers accept the `__Host-` prefix under https only.
pub fn session_name(base_url: &str) -> &'static str {
    if is_https(base_url) { "__Host-oh_session" } else { "oh_session" }
}

fn browser_name(base_url: &str) -> &'static str {
    if is_https(base_url) { "__Host-oh_browser" } else { "oh_browser" }
}

fn cookie(base_url: &str, name: &'static str, value: String) -> Cookie<'static> {
    let cookie = Cookie::build(name, value).path("/").http_only(true).same_site(SameSite::Lax);
    cookie.secure(is_https(base_url)).finish()
}

/// The session's, until the browser closes.
pub fn session(base_url: &str, token: String) -> Cookie<'static> {
    cookie(base_url, session_name(base_url), token)
}

/// Takes the session's away.
pub fn no_session(base_url: &str) -> Cookie<'static> {
    let mut gone = session(base_url, String::new());
    gone.set_max_age(time::Duration::ZERO);
    gone
}

/// Marks a browser in which `staff_id` has logged in. It opens nothing: it keeps whoever guesses at the account from
/// elsewhere from keeping its owner out. `number` tells browsers of one account apart.
pub fn browser(base_url: &str, keys: &Keys, staff_id: Id, number: u32, now: Timestamp) -> Cookie<'static> {
    let link = Link { subject: staff_id, version: number, expires_at: Some(now.after(KNOWN)) };
    let mut mark = cookie(base_url, browser_name(base_url), keys.sign(Purpose::StaffBrowser, &link));
    mark.set_max_age(time::Duration::seconds(i64::try_from(KNOWN.as_secs()).unwrap_or(i64::MAX)));
    mark
}

/// A number for a browser that is new to the account.
///
/// # Errors
/// When the operating system gives no random bytes.
pub fn number() -> Result<u32, AppError> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).map_err(|error| AppError::internal(&error))?;
    Ok(u32::from_be_bytes(bytes))
}

/// Whose browser sent the request, and which of theirs, if its mark is ours.
pub fn known_browser(
    request: &HttpRequest,
    base_url: &str,
    keys: &Keys,
    now: Timestamp,
) -> Option<(Id, u32)> {
    let mark = request.cookie(browser_name(base_url))?;
    let link = keys.verify(Purpose::StaffBrowser, mark.value(), now).ok()?;
    Some((link.subject, link.version))
}

//! `/invite/{token}` and `/reset/{token}` as pages, without JavaScript: choose a password. GET changes nothing.
//! The link's authority is the link itself, so no cookie is read.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{self, Data, Path},
};
use secrecy::SecretString;
use serde::Deserialize;

use super::{
    Staff,
    accounts::MailedLink,
    pages::{LostPasswordPage, PasswordPage},
    sessions::cookies,
};
use crate::{
    error::AppError,
    http::{ClientAddress, Endpoint, Form, Page, require_same_origin},
    site::{
        self,
        pages::{MessagePage, PageLink},
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResetPost {
    #[serde(default)]
    email: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PasswordPost {
    /// For password managers, which store it beside the password; not read.
    #[serde(default, rename = "username")]
    _username: String,
    #[serde(default)]
    password: SecretString,
}

async fn show(kind: MailedLink, staff: &Staff, token: &str) -> Result<Page, AppError> {
    let account = staff.linked(kind, token).await?;
    let nonce = Page::nonce()?;
    let page = PasswordPage {
        site: staff.kernel.site(&nonce),
        action: format!("{}/{token}", kind.path()),
        email: account.email,
        errors: Vec::new(),
    };
    Page::render(&page, nonce)
}

async fn set(
    kind: MailedLink,
    staff: &Staff,
    token: &str,
    post: PasswordPost,
) -> Result<HttpResponse, AppError> {
    let nonce = Page::nonce()?;
    let site = staff.kernel.site(&nonce);
    let faults = match staff.set_password_by_link(kind, token, post.password).await {
        Ok(account) => {
            let page = MessagePage {
                site,
                title: "Your password is set".to_owned(),
                heading: "Your password is set".to_owned(),
                paragraphs: vec![
                    format!("From now on you log in as {} with the password you chose.", account.email),
                    "Wherever somebody was logged in with this account, they have been logged out."
                        .to_owned(),
                ],
                link: Some(PageLink { label: "To the front page".to_owned(), href: "/".to_owned() }),
            };
            let mut response = Page::render(&page, nonce)?.into_response();
            let (kernel, number) = (&staff.kernel, cookies::number()?);
            let mark =
                cookies::browser(&kernel.base_url, &kernel.keys, account.id, number, kernel.clock.now());
            response.add_cookie(&mark).map_err(|error| AppError::internal(&error))?;
            return Ok(response);
        }
        Err(AppError::Invalid(faults)) => faults,
        Err(error) => return Err(error),
    };
    let page = PasswordPage {
        site,
        action: format!("{}/{token}", kind.path()),
        email: staff.linked(kind, token).await?.email,
        errors: faults.into_iter().map(|fault| site::FieldError::new(fault.field, fault.message)).collect(),
    };
    Ok(Page::render(&page, nonce)?.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

async fn invite_page(staff: Data<Staff>, token: Path<String>) -> Result<Page, AppError> {
    show(MailedLink::Invite, &staff, &token).await
}

async fn invite(
    staff: Data<Staff>,
    token: Path<String>,
    Form(post): Form<PasswordPost>,
) -> Result<HttpResponse, AppError> {
    set(MailedLink::Invite, &staff, &token, post).await
}

async fn reset_page(staff: Data<Staff>, token: Path<String>) -> Result<Page, AppError> {
    show(MailedLink::Reset, &staff, &token).await
}

async fn reset(
    staff: Data<Staff>,
    token: Path<String>,
    Form(post): Form<PasswordPost>,
) -> Result<HttpResponse, AppError> {
    set(MailedLink::Reset, &staff, &token, post).await
}

fn lost(staff: &Staff, email: String, errors: Vec<site::FieldError>) -> Result<Page, AppError> {
    let nonce = Page::nonce()?;
    let page =
        LostPasswordPage { site: staff.kernel.site(&nonce), action: "/reset".to_owned(), email, errors };
    Page::render(&page, nonce)
}

async fn lost_page(staff: Data<Staff>) -> Result<Page, AppError> {
    lost(&staff, String::new(), Vec::new())
}

async fn request_reset(
    request: HttpRequest,
    client: ClientAddress,
    staff: Data<Staff>,
    Form(post): Form<ResetPost>,
) -> Result<Page, AppError> {
    require_same_origin(&request, &staff.kernel.base_url)?;
    match staff.request_reset(&post.email, client.0).await {
        Ok(()) => {}
        Err(AppError::Invalid(faults)) => {
            let errors = faults.into_iter().map(|fault| site::FieldError::new(fault.field, fault.message));
            let page = lost(&staff, post.email, errors.collect())?;
            return Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY));
        }
        Err(error) => return Err(error),
    }
    let nonce = Page::nonce()?;
    let page = MessagePage {
        site: staff.kernel.site(&nonce),
        title: "Look into your mailbox".to_owned(),
        heading: "Look into your mailbox".to_owned(),
        paragraphs: vec![
            "If there is an account with this address, a link to set a new password is on its way."
                .to_owned(),
            "Nothing there after some minutes? Look into the spam folder, or ask an owner of the account."
                .to_owned(),
        ],
        link: None,
    };
    Page::render(&page, nonce)
}

/// Mounts the pages.
pub fn pages(config: &mut web::ServiceConfig) {
    Endpoint::at("/invite/{token}").get(invite_page).post(invite).mount(config);
    Endpoint::at("/reset").get(lost_page).post(request_reset).mount(config);
    Endpoint::at("/reset/{token}").get(reset_page).post(reset).mount(config);
}

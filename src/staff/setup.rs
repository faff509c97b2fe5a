//! The first start's one-time link: makes the owner's account, and is used up by that.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{self, Data, Path},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{
    AccountError, Staff,
    pages::{SetupDonePage, SetupPage},
};
use crate::{
    error::{AppError, FieldError},
    http::{Endpoint, Form, Page},
    id::Id,
    keys::{Link, Purpose},
    site,
    store::StoreError,
};

/// The installation itself, which the link is about.
const INSTALLATION: Id = Id::from_bytes([0; 16]);

impl Staff {
    /// The link, as long as nobody has an account.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn setup_url(&self) -> Result<Option<String>, StoreError> {
        let link = Link { subject: INSTALLATION, version: 0, expires_at: None };
        let url = self.kernel.url(&format!("/setup/{}", self.kernel.keys.sign(Purpose::Setup, &link)));
        Ok(self.is_empty().await?.then_some(url))
    }

    /// Refuses links that are not ours or are used up.
    async fn check_setup(&self, token: &str) -> Result<(), AppError> {
        let verified = self.kernel.keys.verify(Purpose::Setup, token, self.kernel.clock.now());
        verified.map_err(|_| AppError::NotFound("this link is not complete; copy it whole".to_owned()))?;
        if self.is_empty().await? { Ok(()) } else { Err(AppError::Gone(AccountError::NotFirst.to_string())) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetupPost {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: SecretString,
}

async fn setup_page(staff: Data<Staff>, token: Path<String>) -> Result<Page, AppError> {
    staff.check_setup(&token).await?;
    let nonce = Page::nonce()?;
    let page = SetupPage {
        site: staff.kernel.site(&nonce),
        action: format!("/setup/{token}"),
        email: String::new(),
        errors: Vec::new(),
    };
    Page::render(&page, nonce)
}

async fn setup(
    staff: Data<Staff>,
    token: Path<String>,
    Form(post): Form<SetupPost>,
) -> Result<HttpResponse, AppError> {
    staff.check_setup(&token).await?;
    let nonce = Page::nonce()?;
    let site = staff.kernel.site(&nonce);
    let password = SecretString::from(post.password.expose_secret());
    let faults = match staff.create_first(&post.email, password).await {
        Ok(_) => {
            let page = SetupDonePage { site, email: post.email };
            return Ok(Page::render(&page, nonce)?.into_response());
        }
        Err(AccountError::Invalid(faults)) => faults,
        Err(AccountError::NotFirst) => return Err(AppError::Gone(AccountError::NotFirst.to_string())),
        Err(AccountError::Exists) => {
            vec![FieldError::new("email", "exists", AccountError::Exists.to_string())]
        }
        Err(AccountError::Other(error)) => return Err(error),
    };
    let page = SetupPage {
        site,
        action: format!("/setup/{token}"),
        email: post.email,
        errors: faults.into_iter().map(|fault| site::FieldError::new(fault.field, fault.message)).collect(),
    };
    Ok(Page::render(&page, nonce)?.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

/// Mounts the pages.
pub fn pages(config: &mut web::ServiceConfig) {
    Endpoint::at("/setup/{token}").get(setup_page).post(setup).mount(config);
}

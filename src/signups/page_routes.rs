//! The pages of a sign-up: `/`, `/join`, `/join/check-inbox` and `/confirm/{token}`. They share the intake and
//! the confirmation with the API.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    http::{StatusCode, header},
    web::{self, Data, Path},
};

use super::{
    ConfirmError, Signups,
    confirmation::{NamedGroup, Sharing},
    owed,
    pages::{CheckInboxPage, ConfirmPage, ConfirmedPage, ExpiredPage, JoinPage},
    post::{JoinPost, Prefill},
};
use crate::{
    error::AppError,
    forms::JOIN,
    http::{ClientAddress, Endpoint, Form, Page, require_same_origin},
    id::Id,
    keys::{Link, Purpose},
    site::{JoinFormView, NoticeView, Site, pages::HomePage},
};

/// Cookie of the browser that signed up: the signed names of its latest sign-ups, so that it need not click twice.
const JOINED: &str = "oh_joined";
/// Sign-ups it names at most.
const JOINED_MOST: usize = 4;

impl Signups {
    fn site(&self, nonce: &str) -> Site {
        self.kernel.site(nonce)
    }

    fn form_view(
        &self,
        post: &JoinPost,
        errors: Vec<crate::site::FieldError>,
    ) -> Result<JoinFormView, AppError> {
        let notice = self.forms.current_notice(JOIN).ok_or(AppError::Internal)?;
        Ok(JoinFormView {
            slug: JOIN.to_owned(),
            title: format!("Join {}", self.kernel.config.campaign.name),
            action: "/join".to_owned(),
            values: post.values(),
            groups: self.choices(post),
            notice: NoticeView { id: notice.id.to_string(), text: notice.wording.clone() },
            errors,
        })
    }

    fn joined(&self, request: &HttpRequest) -> Vec<(String, Id)> {
        let now = self.kernel.clock.now();
        let cookie = request.cookie(JOINED);
        let tokens = cookie.iter().flat_map(|cookie| cookie.value().split('~')).take(JOINED_MOST);
        let verified = tokens.filter_map(|token| {
            let link = self.kernel.keys.verify(Purpose::Joined, token, now).ok()?;
            Some((token.to_owned(), link.subject))
        });
        verified.collect()
    }

    /// The cookie that also names `signup`, the latest first.
    fn joined_cookie(&self, request: &HttpRequest, signup: Id) -> Cookie<'static> {
        let days = i64::from(self.kernel.config.signups.link_days);
        let span = std::time::Duration::from_secs(days.unsigned_abs() * 86_400);
        let link =
            Link { subject: signup, version: 0, expires_at: Some(self.kernel.clock.now().after(span)) };
        let newest = self.kernel.keys.sign(Purpose::Joined, &link);
        let earlier = self.joined(request).into_iter().map(|(token, _)| token);
        let tokens: Vec<_> = std::iter::once(newest).chain(earlier).take(JOINED_MOST).collect();
        Cookie::build(JOINED, tokens.join("~"))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.kernel.base_url.starts_with("https://"))
            .max_age(Duration::days(days))
            .finish()
    }
}

async fn home(signups: Data<Signups>, request: HttpRequest) -> Result<Page, AppError> {
    let nonce = Page::nonce()?;
    let campaign = &signups.kernel.config.campaign;
    let page = HomePage {
        site: signups.site(&nonce),
        tagline: campaign.tagline.clone(),
        about: campaign.about.clone(),
        form: signups
            .form_view(&JoinPost::prefilled(Prefill::from_query(request.query_string())), Vec::new())?,
    };
    Page::render(&page, nonce)
}

async fn join_form(signups: Data<Signups>, request: HttpRequest) -> Result<Page, AppError> {
    let nonce = Page::nonce()?;
    let post = JoinPost::prefilled(Prefill::from_query(request.query_string()));
    let page = JoinPage { site: signups.site(&nonce), form: signups.form_view(&post, Vec::new())? };
    Page::render(&page, nonce)
}

async fn join(
    signups: Data<Signups>,
    request: HttpRequest,
    client: ClientAddress,
    Form(post): Form<JoinPost>,
) -> Result<HttpResponse, AppError> {
    // It sets a cookie, so another site's page must not send it; those use the API.
    require_same_origin(&request, &signups.kernel.base_url)?;
    match post.clone().into_form().and_then(|form| signups.check(form)) {
        Ok(signup) => {
            let id = signups.append(signup, client.0).await?;
            Ok(HttpResponse::SeeOther()
                .cookie(signups.joined_cookie(&request, id))
                .insert_header((header::LOCATION, "/join/check-inbox"))
                .finish())
        }
        Err(faults) => {
            let nonce = Page::nonce()?;
            let form = signups.form_view(&post, super::post::shown(faults))?;
            let page = Page::render(&JoinPage { site: signups.site(&nonce), form }, nonce)?;
            Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

async fn check_inbox(signups: Data<Signups>) -> Result<Page, AppError> {
    let nonce = Page::nonce()?;
    let config = &signups.kernel.config;
    let page = CheckInboxPage {
        site: signups.site(&nonce),
        mail_from: config.mail.from.clone(),
        link_days: config.signups.link_days,
        dev_mailbox: config.has_dev_mailbox(),
    };
    Page::render(&page, nonce)
}

/// Shows what the click will do; changes nothing, since mail scanners open links and run scripts. Only in the
/// browser that signed up does the page submit itself.
async fn confirm_page(
    signups: Data<Signups>,
    request: HttpRequest,
    token: Path<String>,
) -> Result<HttpResponse, AppError> {
    let nonce = Page::nonce()?;
    let site = signups.site(&nonce);
    let campaign = signups.kernel.config.campaign.name.clone();
    let preview = match signups.preview(&token).await {
        Ok(preview) => preview,
        Err(error) => return expired(&signups, site, nonce, error),
    };
    if preview.is_confirmed {
        return confirmed_page(site, campaign, preview.sharing, nonce);
    }
    let notice = signups.forms.notice(preview.notice_id).ok_or(AppError::Internal)?;
    let page = ConfirmPage {
        site,
        campaign,
        notice_text: notice.wording.clone(),
        action: format!("/confirm/{token}"),
        groups: preview.sharing.with,
        dropped: names(preview.sharing.dropped),
        not_me_url: owed::not_me_path(&signups.kernel.keys, preview.address),
        self_submit: signups.joined(&request).iter().any(|(_, signup)| *signup == preview.signup),
    };
    Ok(Page::render(&page, nonce)?.into_response())
}

fn names(groups: Vec<NamedGroup>) -> Vec<String> {
    groups.into_iter().map(|group| group.name).collect()
}

fn confirmed_page(
    site: Site,
    campaign: String,
    sharing: Sharing,
    nonce: String,
) -> Result<HttpResponse, AppError> {
    let (groups, dropped) = (names(sharing.with), names(sharing.dropped));
    Ok(Page::render(&ConfirmedPage { site, campaign, groups, dropped }, nonce)?.into_response())
}

/// Which groups the button's form still names. `None` where nothing of it was sent: then all as chosen.
fn kept(body: &[u8]) -> Option<Vec<Id>> {
    let pairs: Vec<(String, String)> = serde_html_form::from_bytes(body).unwrap_or_default();
    let value = |name: &'static str| pairs.iter().filter(move |(key, _)| key == name).map(|(_, value)| value);
    value("choose").next()?;
    Some(value("share_with").filter_map(|id| id.parse().ok()).collect())
}

/// The link itself is the authority; no cookie is needed, and without a body everything is confirmed as it was chosen.
async fn confirm(
    signups: Data<Signups>,
    token: Path<String>,
    body: web::Bytes,
) -> Result<HttpResponse, AppError> {
    let nonce = Page::nonce()?;
    let site = signups.site(&nonce);
    match signups.confirm(&token, kept(&body)).await {
        Ok(sharing) => {
            let campaign = signups.kernel.config.campaign.name.clone();
            confirmed_page(site, campaign, sharing, nonce)
        }
        Err(error) => expired(&signups, site, nonce, error),
    }
}

fn expired(
    signups: &Signups,
    site: Site,
    nonce: String,
    error: ConfirmError,
) -> Result<HttpResponse, AppError> {
    match error {
        ConfirmError::Over => {
            let link_days = signups.kernel.config.signups.link_days;
            let page = ExpiredPage { site, form_url: "/join".to_owned(), link_days };
            let page = Page::render(&page, nonce)?;
            Ok(page.with_status(StatusCode::GONE).into_response())
        }
        other => Err(other.into()),
    }
}

/// Mounts the pages.
pub fn pages(config: &mut web::ServiceConfig) {
    Endpoint::at("/").get(home).mount(config);
    Endpoint::at("/join").get(join_form).post(join).mount(config);
    Endpoint::at("/join/check-inbox").get(check_inbox).mount(config);
    Endpoint::at("/confirm/{token}").get(confirm_page).post(confirm).mount(config);
}

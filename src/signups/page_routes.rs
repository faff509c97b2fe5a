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
    page_words::{CAMPAIGN, ConfirmPageWords, InboxWords},
    pages::{CheckInboxPage, ConfirmPage, ConfirmedPage, ExpiredPage, JoinPage},
    post::{JoinPost, Prefill},
};
use crate::{
    config::CampaignConfig,
    error::AppError,
    forms::JOIN,
    http::{ClientAddress, Endpoint, Form, Page, asked_speech, liked_speech, require_same_origin},
    id::Id,
    keys::{Link, Purpose},
    site::{JoinFormView, JoinFormWords, NoticeView, Site, pages::HomePage},
    speech::Speech,
};

/// Cookie of the browser that signed up: the signed names of its latest sign-ups, so that it need not click twice.
const JOINED: &str = "oh_joined";
/// Sign-ups it names at most.
const JOINED_MOST: usize = 4;

impl Signups {
    fn site(&self, nonce: &str, speech: Speech) -> Site {
        self.kernel.site(nonce).in_speech(speech)
    }

    /// The form as `post` has it so far, in the language of the page, which the sign-up keeps.
    fn form_view(
        &self,
        post: &JoinPost,
        speech: Speech,
        errors: Vec<crate::site::FieldError>,
    ) -> Result<JoinFormView, AppError> {
        let notice = self.forms.current_notice_in(JOIN, speech).ok_or(AppError::Internal)?;
        let title = JoinFormWords::of(speech).title.replace("{campaign}", &self.kernel.config.campaign.name);
        Ok(JoinFormView {
            slug: JOIN.to_owned(),
            speech,
            title,
            action: "/join".to_owned(),
            values: post.values(speech),
            fields: self.custom_fields(post),
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

/// What is given for the visitor's language, else the words of before anybody wrote others, else English.
fn campaign_words(campaign: &CampaignConfig, speech: Speech) -> (String, Vec<String>, Speech) {
    let english = || (campaign.tagline.clone(), campaign.about.clone(), Speech::English);
    if speech == Speech::English {
        return english();
    }
    if !campaign.tagline_es.is_empty() || !campaign.about_es.is_empty() {
        return (campaign.tagline_es.clone(), campaign.about_es.clone(), speech);
    }
    let say = |text: &String| speech.say(CAMPAIGN, text);
    let said = say(&campaign.tagline).zip(campaign.about.iter().map(say).collect());
    said.map_or_else(english, |(tagline, about)| (tagline, about, speech))
}

async fn home(signups: Data<Signups>, request: HttpRequest, speech: Speech) -> Result<Page, AppError> {
    let nonce = Page::nonce()?;
    let post = JoinPost::prefilled(Prefill::from_query(request.query_string()));
    let (tagline, about, about_speech) = campaign_words(&signups.kernel.config.campaign, speech);
    let page = HomePage {
        site: signups.site(&nonce, speech).with_languages("/", &post.link_query(), liked_speech(&request)),
        tagline,
        about,
        about_speech,
        form: signups.form_view(&post, speech, Vec::new())?,
    };
    Page::render(&page, nonce)
}

async fn join_form(signups: Data<Signups>, request: HttpRequest, speech: Speech) -> Result<Page, AppError> {
    let post = JoinPost::prefilled(Prefill::from_query(request.query_string()));
    join_page(&signups, &post, (speech, liked_speech(&request)), Vec::new())
}

fn join_page(
    signups: &Signups,
    post: &JoinPost,
    (speech, liked): (Speech, Speech),
    errors: Vec<crate::site::FieldError>,
) -> Result<Page, AppError> {
    let nonce = Page::nonce()?;
    let site = signups.site(&nonce, speech).with_languages("/join", &post.link_query(), liked);
    Page::render(&JoinPage { site, form: signups.form_view(post, speech, errors)? }, nonce)
}

async fn join(
    signups: Data<Signups>,
    request: HttpRequest,
    client: ClientAddress,
    Form(post): Form<JoinPost>,
) -> Result<HttpResponse, AppError> {
    // It sets a cookie, so another site's page must not send it; those use the API.
    require_same_origin(&request, &signups.kernel.base_url)?;
    let liked = liked_speech(&request);
    let speech = post.speech().or_else(|| asked_speech(&request)).unwrap_or(liked);
    match post.clone().into_form().and_then(|form| signups.check(form)) {
        Ok(signup) => {
            let id = signups.append(signup, client.0).await?;
            let next = "/join/check-inbox";
            // Named only where the browser would choose another by itself.
            let next =
                if speech == liked { next.to_owned() } else { format!("{next}?lang={}", speech.tag()) };
            Ok(HttpResponse::SeeOther()
                .cookie(signups.joined_cookie(&request, id))
                .insert_header((header::LOCATION, next))
                .finish())
        }
        Err(faults) => {
            let page = join_page(&signups, &post, (speech, liked), super::post::shown(faults, speech))?;
            Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

async fn check_inbox(signups: Data<Signups>, request: HttpRequest, speech: Speech) -> Result<Page, AppError> {
    let nonce = Page::nonce()?;
    let config = &signups.kernel.config;
    let page = CheckInboxPage {
        site: signups.site(&nonce, speech).with_languages("/join/check-inbox", "", liked_speech(&request)),
        w: InboxWords::of(speech),
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
    let preview = match signups.preview(&token).await {
        Ok(preview) => preview,
        Err(error) => return expired(&signups, &request, error),
    };
    let asked = asked_speech(&request);
    let speech = asked.unwrap_or(preview.speech);
    if preview.is_confirmed {
        return confirmed_page(&signups, &request, speech, preview.sharing);
    }
    let notice = signups.forms.notice(preview.notice_id).ok_or(AppError::Internal)?;
    let nonce = Page::nonce()?;
    let action = format!("/confirm/{token}");
    let site = signups.site(&nonce, speech).with_languages(&action, "", liked_speech(&request));
    let page = ConfirmPage {
        w: ConfirmPageWords::of(speech),
        campaign: signups.kernel.config.campaign.name.clone(),
        notice_text: notice.wording.clone(),
        notice_language: notice.language.clone(),
        groups: preview.sharing.with,
        dropped: names(preview.sharing.dropped),
        not_me_url: site.at(&owed::not_me_path(&signups.kernel.keys, preview.address)),
        self_submit: signups.joined(&request).iter().any(|(_, signup)| *signup == preview.signup),
        action: match asked {
            Some(speech) => format!("{action}?lang={}", speech.tag()),
            None => action,
        },
        site,
    };
    Ok(Page::render(&page, nonce)?.into_response())
}

fn names(groups: Vec<NamedGroup>) -> Vec<String> {
    groups.into_iter().map(|group| group.name).collect()
}

fn confirmed_page(
    signups: &Signups,
    request: &HttpRequest,
    speech: Speech,
    sharing: Sharing,
) -> Result<HttpResponse, AppError> {
    let nonce = Page::nonce()?;
    let page = ConfirmedPage {
        site: signups.site(&nonce, speech).with_languages(request.path(), "", liked_speech(request)),
        w: ConfirmPageWords::of(speech),
        campaign: signups.kernel.config.campaign.name.clone(),
        groups: names(sharing.with),
        dropped: names(sharing.dropped),
    };
    Ok(Page::render(&page, nonce)?.into_response())
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
    request: HttpRequest,
    token: Path<String>,
    body: web::Bytes,
) -> Result<HttpResponse, AppError> {
    match signups.confirm(&token, kept(&body)).await {
        Ok(joined) => {
            let speech = asked_speech(&request).unwrap_or(joined.speech);
            confirmed_page(&signups, &request, speech, joined.sharing)
        }
        Err(error) => expired(&signups, &request, error),
    }
}

fn expired(signups: &Signups, request: &HttpRequest, error: ConfirmError) -> Result<HttpResponse, AppError> {
    // What is known of the sign-up may be erased by now: the page is as the browser likes it.
    let liked = liked_speech(request);
    let speech = asked_speech(request).unwrap_or(liked);
    match error {
        ConfirmError::Over => {
            let nonce = Page::nonce()?;
            let site = signups.site(&nonce, speech).with_languages(request.path(), "", liked);
            let page = ExpiredPage {
                w: ConfirmPageWords::of(speech),
                form_url: site.at("/join"),
                link_days: signups.kernel.config.signups.link_days,
                site,
            };
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

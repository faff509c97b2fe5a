//! `/groups`, `/groups/{slug}`, `/groups/apply` and `/groups/confirm/{token}`: for people, without JavaScript.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{self, Data, Path},
};
use serde::Deserialize;

use super::{
    Groups, Kind, Sector,
    answer::AnswerError,
    application::ApplicationError,
    directory::{self, DirectoryFilter},
    model::Group,
    owed,
    page_words::{DirectoryWords, label},
    pages::{
        AnswerPage, ApplicationConfirmedPage, ApplicationView, AppliedPage, ApplyPage,
        ConfirmApplicationPage, DirectoryPage, FilterChoice, MemberCard, MemberPage,
    },
    post::{self, ApplyPost},
    routes::logo,
    words::{GroupStatus, split},
};
use crate::{
    contact::Region,
    error::AppError,
    http::{Endpoint, Form, Page, asked_speech, liked_speech, require_same_origin},
    id::Id,
    site::{
        self, NoticeView,
        pages::{MessagePage, PageLink},
    },
    speech::Speech,
};

/// Members on one page of the directory.
const PAGE: usize = 50;

impl Groups {
    fn apply_page(&self, post: &ApplyPost, errors: Vec<site::FieldError>) -> Result<Page, AppError> {
        let nonce = Page::nonce()?;
        let terms = &self.terms.current;
        let page = ApplyPage {
            site: self.kernel.site(&nonce),
            values: post.values(),
            terms: NoticeView { id: terms.id.to_string(), text: terms.wording.clone() },
            errors,
        };
        Page::render(&page, nonce)
    }
}

async fn apply_form(groups: Data<Groups>) -> Result<Page, AppError> {
    groups.apply_page(&ApplyPost::default(), Vec::new())
}

async fn apply(
    groups: Data<Groups>,
    request: HttpRequest,
    Form(post): Form<ApplyPost>,
) -> Result<HttpResponse, AppError> {
    // Other sites use the API.
    require_same_origin(&request, &groups.kernel.base_url)?;
    let applied = match post.clone().into_form() {
        Ok(form) => groups.apply(form).await,
        Err(faults) => Err(AppError::Invalid(faults)),
    };
    match applied {
        Ok(()) => {
            Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, "/groups/apply/sent")).finish())
        }
        Err(AppError::Invalid(faults)) => {
            let page = groups.apply_page(&post, post::shown(faults))?;
            Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(other) => Err(other),
    }
}

async fn sent(groups: Data<Groups>) -> Result<Page, AppError> {
    let nonce = Page::nonce()?;
    let config = &groups.kernel.config;
    let page = AppliedPage {
        site: groups.kernel.site(&nonce),
        mail_from: config.mail.from.clone(),
        link_days: config.signups.link_days,
        dev_mailbox: config.has_dev_mailbox(),
    };
    Page::render(&page, nonce)
}

fn view(group: &Group) -> ApplicationView {
    let sectors = split(&group.sectors).filter_map(Sector::parse).map(Sector::label);
    let regions: Vec<_> = split(&group.regions).map(str::to_owned).collect();
    ApplicationView {
        name: group.name.clone(),
        kind: group.kind.label(),
        website: group.website.clone(),
        regions: post::region_names(&regions),
        sectors: sectors.collect::<Vec<_>>().join(", "),
        about: group.about.clone(),
        contact_name: group.contact_name.clone(),
        is_listed: group.is_listed,
    }
}

/// Shows the application; changes nothing, since mail scanners open links.
async fn confirm_page(groups: Data<Groups>, token: Path<String>) -> Result<HttpResponse, AppError> {
    let group = match groups.application(&token).await {
        Ok(group) => group,
        Err(error) => return over(&groups, error),
    };
    if group.status != GroupStatus::Applied {
        return confirmed(&groups);
    }
    let nonce = Page::nonce()?;
    let terms = groups.terms.find(group.terms_id).unwrap_or(&groups.terms.current);
    let page = ConfirmApplicationPage {
        site: groups.kernel.site(&nonce),
        application: view(&group),
        terms: terms.wording.clone(),
        action: format!("/groups/confirm/{token}"),
        not_me_url: owed::not_me_path(&groups.kernel.keys, &group.contact_email),
    };
    Ok(Page::render(&page, nonce)?.into_response())
}

/// The link itself is the authority; no cookie is needed and no body is read.
async fn confirm(groups: Data<Groups>, token: Path<String>) -> Result<HttpResponse, AppError> {
    match groups.confirm_application(&token).await {
        Ok(()) => confirmed(&groups),
        Err(error) => over(&groups, error),
    }
}

fn confirmed(groups: &Groups) -> Result<HttpResponse, AppError> {
    let nonce = Page::nonce()?;
    let page = ApplicationConfirmedPage { site: groups.kernel.site(&nonce) };
    Ok(Page::render(&page, nonce)?.into_response())
}

fn over(groups: &Groups, error: ApplicationError) -> Result<HttpResponse, AppError> {
    if !matches!(error, ApplicationError::Over) {
        return Err(error.into());
    }
    let nonce = Page::nonce()?;
    let page = MessagePage {
        site: groups.kernel.site(&nonce),
        title: "This link no longer works".to_owned(),
        heading: "This link no longer works".to_owned(),
        paragraphs: vec![
            "It was too old, or the application was decided or withdrawn. Nothing has changed.".to_owned(),
        ],
        link: Some(PageLink { label: "Apply again".to_owned(), href: "/groups/apply".to_owned() }),
    };
    Ok(Page::render(&page, nonce)?.with_status(StatusCode::GONE).into_response())
}

fn answer_form(
    groups: &Groups,
    token: &str,
    group: &Group,
    (answer, error): (String, Option<String>),
) -> Result<Page, AppError> {
    let nonce = Page::nonce()?;
    let page = AnswerPage {
        site: groups.kernel.site(&nonce),
        group_name: group.name.clone(),
        question: group.question.clone().unwrap_or_default(),
        answer,
        error,
        action: format!("/groups/answer/{token}"),
    };
    Page::render(&page, nonce)
}

/// Shows the question; changes nothing.
async fn answer_page(groups: Data<Groups>, token: Path<String>) -> Result<HttpResponse, AppError> {
    match groups.asked(&token).await {
        Ok(group) => {
            let before = group.answer.clone().unwrap_or_default();
            Ok(answer_form(&groups, &token, &group, (before, None))?.into_response())
        }
        Err(error) => over(&groups, error),
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct AnswerPost {
    answer: String,
}

/// The link itself is the authority; no cookie is needed.
async fn answer(
    groups: Data<Groups>,
    token: Path<String>,
    Form(post): Form<AnswerPost>,
) -> Result<HttpResponse, AppError> {
    match groups.answer(&token, &post.answer).await {
        Ok(()) => {
            let nonce = Page::nonce()?;
            let page = MessagePage {
                site: groups.kernel.site(&nonce),
                title: "We have your answer".to_owned(),
                heading: "Thank you. We have your answer.".to_owned(),
                paragraphs: vec!["Our staff read it and tell you by e-mail what they decide.".to_owned()],
                link: Some(PageLink {
                    label: "Change the answer".to_owned(),
                    href: format!("/groups/answer/{token}"),
                }),
            };
            Ok(Page::render(&page, nonce)?.into_response())
        }
        Err(AnswerError::Invalid(fault)) => {
            let group = match groups.asked(&token).await {
                Ok(group) => group,
                Err(error) => return over(&groups, error),
            };
            let said = site::faults::said(Speech::English, &[], &fault.message);
            let page = answer_form(&groups, &token, &group, (post.answer, Some(said)))?;
            Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(AnswerError::Link(error)) => over(&groups, error),
    }
}

/// The query of the page: anything that cannot be understood is left out, so that a link from elsewhere shows something.
fn filter_of(query: &str) -> (DirectoryFilter, Option<Id>) {
    let pairs: Vec<(String, String)> = serde_html_form::from_str(query).unwrap_or_default();
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let read = |q, region, sector, kind| DirectoryFilter::read(q, region, sector, kind).unwrap_or_default();
    let filter = DirectoryFilter {
        q: read(value("q"), None, None, None).q,
        region: read(None, value("region"), None, None).region,
        sector: read(None, None, value("sector"), None).sector,
        kind: read(None, None, None, value("kind")).kind,
    };
    (filter, value("after").and_then(|id| id.parse().ok()))
}

/// What the address of the page says of the filter, without the language.
fn query_of(filter: &DirectoryFilter) -> Vec<(&'static str, String)> {
    let mut pairs = Vec::new();
    pairs.extend(filter.q.clone().map(|q| ("q", q)));
    pairs.extend(filter.region.clone().map(|region| ("region", region)));
    pairs.extend(filter.sector.map(|sector| ("sector", sector.as_str().to_owned())));
    pairs.extend(filter.kind.map(|kind| ("kind", kind.as_str().to_owned())));
    pairs
}

async fn directory_page(
    groups: Data<Groups>,
    request: HttpRequest,
    speech: Speech,
) -> Result<Page, AppError> {
    let (filter, after) = filter_of(request.query_string());
    let members = groups.fresh_members().await?;
    let mut found = directory::page(members.iter(), &filter, after, PAGE).unwrap_or_default();
    let has_more = found.len() > PAGE;
    found.truncate(PAGE);
    let asked = query_of(&filter);
    let next = found.last().filter(|_| has_more).map(|last| {
        let mut pairs = vec![("after", last.id.to_string())];
        pairs.extend(asked_speech(&request).map(|speech| ("lang", speech.tag().to_owned())));
        pairs.extend(asked.iter().cloned());
        format!("/groups?{}", serde_html_form::to_string(&pairs).unwrap_or_default())
    });
    let choice = |value, english, is_chosen| FilterChoice { value, label: label(speech, english), is_chosen };
    let nonce = Page::nonce()?;
    let query = serde_html_form::to_string(&asked).unwrap_or_default();
    let page = DirectoryPage {
        site: groups.kernel.site(&nonce).in_speech(speech).with_languages(
            "/groups",
            &query,
            liked_speech(&request),
        ),
        w: DirectoryWords::of(speech),
        q: filter.q.clone().unwrap_or_default(),
        regions: Region::all()
            .map(|region| {
                choice(region.as_str(), region.name(), filter.region.as_deref() == Some(region.as_str()))
            })
            .collect(),
        sectors: Sector::ALL
            .iter()
            .map(|sector| choice(sector.as_str(), sector.label(), filter.sector == Some(*sector)))
            .collect(),
        kinds: Kind::ALL
            .iter()
            .map(|kind| choice(kind.as_str(), kind.label(), filter.kind == Some(*kind)))
            .collect(),
        members: found.into_iter().map(|member| MemberCard::of(member, speech)).collect(),
        next,
    };
    Page::render(&page, nonce)
}

async fn member_page(
    groups: Data<Groups>,
    request: HttpRequest,
    slug: Path<String>,
    speech: Speech,
) -> Result<Page, AppError> {
    let members = groups.fresh_members().await?;
    let missing = || AppError::NotFound("there is no such group in the directory".to_owned());
    let member = members.by_slug(&slug).filter(|member| member.is_listed).ok_or_else(missing)?;
    let nonce = Page::nonce()?;
    let site = groups.kernel.site(&nonce).in_speech(speech).with_languages(
        &member.page_path(),
        "",
        liked_speech(&request),
    );
    let member = MemberCard::of(member, speech);
    Page::render(&MemberPage { site, w: DirectoryWords::of(speech), member }, nonce)
}

/// Mounts the pages.
pub fn pages(config: &mut web::ServiceConfig) {
    Endpoint::at("/groups").get(directory_page).mount(config);
    // Before the pages of members; no slug is one of these.
    Endpoint::at("/groups/apply").get(apply_form).post(apply).mount(config);
    Endpoint::at("/groups/apply/sent").get(sent).mount(config);
    Endpoint::at("/groups/answer/{token}").get(answer_page).post(answer).mount(config);
    Endpoint::at("/groups/confirm/{token}").get(confirm_page).post(confirm).mount(config);
    Endpoint::at("/groups/{slug}").get(member_page).mount(config);
    Endpoint::at("/groups/{slug}/logo").get(logo::show).mount(config);
}

//! `/unsubscribe`, `/not-me` and `/preferences` as pages. GET changes nothing; each change is a button (POST).

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{self, Data, Path},
};
use serde::Deserialize;

use super::{
    Choice, Power, Preferences, PreferencesChange,
    choices::Visitor,
    pages::{
        DetailsPage, DetailsValues, ErasedPage, FreshLinkSentPage, LeftPage, NotMeDonePage, NotMePage,
        PauseView, PreferencesPage, UnsubscribePage,
    },
    present, views,
    words::{ChoiceWords, DetailWords, LeaveWords},
};
use crate::{
    error::{AppError, FieldError},
    http::{Endpoint, Form, Page, liked_speech},
    site::Site,
    speech::Speech,
    supporters::Supporter,
};

const FORM_URL: &str = "/join";

impl Preferences {
    fn frame(&self, speech: Speech) -> Result<(Site, String), AppError> {
        let nonce = Page::nonce()?;
        Ok((self.kernel.site(&nonce).in_speech(speech), nonce))
    }
}

async fn unsubscribe_page(
    preferences: Data<Preferences>,
    token: Path<String>,
    asked: Speech,
) -> Result<Page, AppError> {
    let speech = preferences.speech_of(preferences.unsubscribe_subject(&token)?, asked).await?;
    let (site, nonce) = preferences.frame(speech)?;
    let action = format!("/unsubscribe/{token}");
    Page::render(&UnsubscribePage { site, w: LeaveWords::of(speech), action }, nonce)
}

/// RFC 8058: mail clients post here by themselves, with a body that says nothing new and is not read.
async fn unsubscribe(
    preferences: Data<Preferences>,
    token: Path<String>,
    asked: Speech,
) -> Result<Page, AppError> {
    let id = preferences.unsubscribe_subject(&token)?;
    preferences.leave(id).await?;
    left(&preferences, preferences.speech_of(id, asked).await?)
}

fn left(preferences: &Preferences, speech: Speech) -> Result<Page, AppError> {
    let (site, nonce) = preferences.frame(speech)?;
    Page::render(&LeftPage { site, w: LeaveWords::of(speech), form_url: FORM_URL.to_owned() }, nonce)
}

async fn not_me_page(
    preferences: Data<Preferences>,
    request: HttpRequest,
    token: Path<String>,
    speech: Speech,
) -> Result<Page, AppError> {
    preferences.not_me_subject(&token)?;
    let (site, nonce) = preferences.frame(speech)?;
    let path = format!("/not-me/{token}");
    let site = site.with_languages(&path, "", liked_speech(&request));
    Page::render(&NotMePage { action: site.at(&path), site, w: LeaveWords::of(speech) }, nonce)
}

async fn not_me(
    preferences: Data<Preferences>,
    token: Path<String>,
    speech: Speech,
) -> Result<Page, AppError> {
    preferences.not_me(preferences.not_me_subject(&token)?).await?;
    let (site, nonce) = preferences.frame(speech)?;
    Page::render(&NotMeDonePage { site, w: LeaveWords::of(speech) }, nonce)
}

async fn preferences_page(preferences: Data<Preferences>, token: Path<String>) -> Result<Page, AppError> {
    let visitor = preferences.visitor(&token).await?;
    let over = visitor.was_fresh.then(|| ChoiceWords::of(visitor.speech()).hour_over.to_owned());
    show(&preferences, &token, visitor, over).await
}

impl Visitor {
    fn speech(&self) -> Speech {
        Speech::of(&self.supporter.language)
    }
}

fn pause(token: &str, supporter: &Supporter, power: Power) -> PauseView {
    PauseView {
        until: supporter.paused_until.map(present::day),
        pause_action: format!("/preferences/{token}/pause"),
        resume_action: (power == Power::Everything).then(|| format!("/preferences/{token}/resume")),
    }
}

/// The page that the link gives, with a banner.
async fn show(
    preferences: &Preferences,
    token: &str,
    visitor: Visitor,
    banner: Option<String>,
) -> Result<Page, AppError> {
    let speech = visitor.speech();
    if visitor.power == Power::Everything {
        return details(preferences, token, visitor.supporter, Shown { banner, ..Shown::default() }).await;
    }
    let holdings = preferences.holdings(&visitor.supporter).await?;
    let (site, nonce) = preferences.frame(speech)?;
    let page = PreferencesPage {
        site,
        w: ChoiceWords::of(speech),
        masked_email: views::masked(&visitor.supporter.email),
        banner,
        groups: present::shared_groups(&holdings),
        fresh_link_action: format!("/preferences/{token}/link"),
        withdraw_action: format!("/preferences/{token}/withdraw"),
        pause: pause(token, &visitor.supporter, visitor.power),
        leave_action: format!("/preferences/{token}/leave"),
    };
    Page::render(&page, nonce)
}

#[derive(Default)]
struct Shown {
    banner: Option<String>,
    typed: Option<DetailsValues>,
    faults: Vec<FieldError>,
}

async fn details(
    preferences: &Preferences,
    token: &str,
    supporter: Supporter,
    shown: Shown,
) -> Result<Page, AppError> {
    let speech = Speech::of(&supporter.language);
    let (w, d) = (ChoiceWords::of(speech), DetailWords::of(speech));
    let holdings = preferences.holdings(&supporter).await?;
    let members = preferences.members().await?;
    let sharing = preferences.forms.sharing_notice(speech);
    let (site, nonce) = preferences.frame(speech)?;
    let status = if shown.faults.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = DetailsPage {
        w,
        d,
        banner: shown.banner,
        stored: present::stored_fields(&supporter, &holdings, d),
        offered: present::offered_groups(&holdings, members),
        share_wording: sharing.map(|notice| notice.wording.clone()).unwrap_or_default(),
        share_action: format!("/preferences/{token}/share"),
        recalled: present::recalled(&holdings, d),
        history: present::history(&holdings, d),
        exports: present::exports(&holdings, d, &site.campaign_name),
        values: shown.typed.unwrap_or_else(|| present::stored_values(&supporter)),
        errors: present::faults(shown.faults, speech),
        receipts: present::receipts(&supporter, &holdings),
        edit_action: format!("/preferences/{token}"),
        download_url: format!("/preferences/{token}/data.json"),
        pause: pause(token, &supporter, Power::Everything),
        leave_action: format!("/preferences/{token}/leave"),
        erase_action: format!("/preferences/{token}/erase"),
        site,
    };
    Ok(Page::render(&page, nonce)?.with_status(status))
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct DetailsPost {
    given_name: String,
    family_name: String,
    postal_code: String,
    language: Option<String>,
}

async fn edit(
    preferences: Data<Preferences>,
    token: Path<String>,
    Form(post): Form<DetailsPost>,
) -> Result<Page, AppError> {
    let supporter = preferences.fresh_visitor(&token).await?;
    let change = PreferencesChange {
        given_name: Some(post.given_name.clone()),
        family_name: Some(post.family_name.clone()),
        postal_code: Some(post.postal_code.clone()),
        language: post.language.clone(),
        ..PreferencesChange::default()
    };
    let speech = change.speech().map_err(|fault| vec![fault]);
    match (change.apply(&supporter), speech) {
        (Ok(profile), Ok(speech)) => {
            let language = speech.map(|speech| speech.tag().to_owned());
            let choice = Choice { profile: Some(profile), language, ..Choice::default() };
            let said = |speech| DetailWords::of(speech).saved.to_owned();
            chosen(&preferences, &token, supporter, choice, said).await
        }
        (profile, speech) => {
            let typed = DetailsValues {
                given_name: post.given_name,
                family_name: post.family_name,
                postal_code: post.postal_code,
                language: post.language.unwrap_or_else(|| supporter.language.clone()),
            };
            let faults = [profile.err(), speech.err()].into_iter().flatten().flatten().collect();
            let shown = Shown { typed: Some(typed), faults, ..Shown::default() };
            details(&preferences, &token, supporter, shown).await
        }
    }
}

/// Does what was chosen and shows the page anew, with a sentence about it.
async fn chosen(
    preferences: &Preferences,
    token: &str,
    supporter: Supporter,
    choice: Choice,
    said: impl FnOnce(Speech) -> String,
) -> Result<Page, AppError> {
    preferences.choose(supporter, choice).await?;
    let visitor = preferences.visitor(token).await?;
    let banner = said(visitor.speech());
    show(preferences, token, visitor, Some(banner)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WithdrawPost {
    group: String,
}

async fn withdraw(
    preferences: Data<Preferences>,
    token: Path<String>,
    Form(post): Form<WithdrawPost>,
) -> Result<Page, AppError> {
    let visitor = preferences.visitor(&token).await?;
    let holdings = preferences.holdings(&visitor.supporter).await?;
    let name = holdings.shares.iter().find(|share| share.slug == post.group).map(|share| share.name.clone());
    let name = name.unwrap_or_else(|| post.group.clone());
    let withdraw = preferences.groups_named("group", vec![post.group], false).await?;
    let choice = Choice { withdraw, ..Choice::default() };
    let said = move |speech| present::withdrawn(ChoiceWords::of(speech), &name);
    chosen(&preferences, &token, visitor.supporter, choice, said).await
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct SharePost {
    share: Vec<String>,
}

/// The boxes as they are to be: a new tick shares, one that is gone takes back.
async fn share(
    preferences: Data<Preferences>,
    token: Path<String>,
    Form(post): Form<SharePost>,
) -> Result<Page, AppError> {
    let supporter = preferences.fresh_visitor(&token).await?;
    let holdings = preferences.holdings(&supporter).await?;
    let gone = holdings.active_shares().filter(|share| !post.share.contains(&share.slug));
    let gone = gone.map(|share| share.slug.clone()).collect();
    let kept = |slug: &String| holdings.active_shares().any(|share| share.slug == *slug);
    let new = post.share.iter().filter(|slug| !kept(slug)).cloned().collect();
    let choice = Choice {
        share: preferences.groups_named("share", new, true).await?,
        withdraw: preferences.groups_named("share", gone, false).await?,
        ..Choice::default()
    };
    let said = |speech| DetailWords::of(speech).share_saved.to_owned();
    chosen(&preferences, &token, supporter, choice, said).await
}

async fn begin_pause(preferences: Data<Preferences>, token: Path<String>) -> Result<Page, AppError> {
    let visitor = preferences.visitor(&token).await?;
    let choice = Choice { pause: Some(true), ..Choice::default() };
    let said = |speech| ChoiceWords::of(speech).paused.to_owned();
    chosen(&preferences, &token, visitor.supporter, choice, said).await
}

async fn end_pause(preferences: Data<Preferences>, token: Path<String>) -> Result<Page, AppError> {
    let supporter = preferences.fresh_visitor(&token).await?;
    let choice = Choice { pause: Some(false), ..Choice::default() };
    let said = |speech| ChoiceWords::of(speech).resumed.to_owned();
    chosen(&preferences, &token, supporter, choice, said).await
}

async fn mail_link(preferences: Data<Preferences>, token: Path<String>) -> Result<Page, AppError> {
    let visitor = preferences.visitor(&token).await?;
    let (speech, masked_email) = (visitor.speech(), views::masked(&visitor.supporter.email));
    preferences.mail_fresh_link(visitor.supporter).await?;
    let (site, nonce) = preferences.frame(speech)?;
    let dev_mailbox = preferences.kernel.config.has_dev_mailbox();
    Page::render(&FreshLinkSentPage { site, w: ChoiceWords::of(speech), masked_email, dev_mailbox }, nonce)
}

async fn leave(preferences: Data<Preferences>, token: Path<String>) -> Result<Page, AppError> {
    let visitor = preferences.visitor(&token).await?;
    preferences.leave(visitor.supporter.id).await?;
    left(&preferences, visitor.speech())
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct ErasePost {
    erase_confirm: String,
}

async fn erase(
    preferences: Data<Preferences>,
    token: Path<String>,
    Form(post): Form<ErasePost>,
) -> Result<Page, AppError> {
    let supporter = preferences.fresh_visitor(&token).await?;
    let speech = Speech::of(&supporter.language);
    if post.erase_confirm.is_empty() {
        let faults =
            vec![FieldError::new("erase_confirm", "required", DetailWords::of(speech).erase_missing)];
        return details(&preferences, &token, supporter, Shown { faults, ..Shown::default() }).await;
    }
    preferences.erase(supporter).await?;
    let (site, nonce) = preferences.frame(speech)?;
    Page::render(&ErasedPage { site, w: DetailWords::of(speech) }, nonce)
}

async fn download(preferences: Data<Preferences>, token: Path<String>) -> Result<HttpResponse, AppError> {
    let supporter = preferences.fresh_visitor(&token).await?;
    let holdings = preferences.holdings(&supporter).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"my-data.json\""))
        .json(views::data_export(supporter, holdings)))
}

/// Mounts the pages.
pub fn pages(config: &mut web::ServiceConfig) {
    Endpoint::at("/unsubscribe/{token}").get(unsubscribe_page).post(unsubscribe).mount(config);
    Endpoint::at("/not-me/{token}").get(not_me_page).post(not_me).mount(config);
    Endpoint::at("/preferences/{token}").get(preferences_page).post(edit).mount(config);
    Endpoint::at("/preferences/{token}/link").post(mail_link).mount(config);
    Endpoint::at("/preferences/{token}/withdraw").post(withdraw).mount(config);
    Endpoint::at("/preferences/{token}/share").post(share).mount(config);
    Endpoint::at("/preferences/{token}/pause").post(begin_pause).mount(config);
    Endpoint::at("/preferences/{token}/resume").post(end_pause).mount(config);
    Endpoint::at("/preferences/{token}/leave").post(leave).mount(config);
    Endpoint::at("/preferences/{token}/erase").post(erase).mount(config);
    Endpoint::at("/preferences/{token}/data.json").get(download).mount(config);
}

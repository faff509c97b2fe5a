//! `/unsubscribe`, `/not-me` and `/preferences` as pages. GET changes nothing; each change is a button (POST).

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
    web::{self, Data, Path},
};
use serde::Deserialize;

use super::{
    Power, Preferences, PreferencesChange,
    pages::{
        DetailsPage, DetailsValues, ErasedPage, FreshLinkSentPage, LeftPage, NotMeDonePage, NotMePage,
        PreferencesPage, StoredField, UnsubscribePage, UnsubscribedPage,
    },
    views,
};
use crate::{
    error::{AppError, FieldError},
    http::{Endpoint, Form, Page},
    site::{self, Site},
    supporters::Supporter,
};

const FORM_URL: &str = "/join";

impl Preferences {
    fn frame(&self) -> Result<(Site, String), AppError> {
        let nonce = Page::nonce()?;
        Ok((self.kernel.site(&nonce), nonce))
    }
}

async fn unsubscribe_page(preferences: Data<Preferences>, token: Path<String>) -> Result<Page, AppError> {
    preferences.unsubscribe_subject(&token)?;
    let (site, nonce) = preferences.frame()?;
    Page::render(&UnsubscribePage { site, action: format!("/unsubscribe/{token}") }, nonce)
}

/// RFC 8058: mail clients post here by themselves, with a body that says nothing new and is not read.
async fn unsubscribe(preferences: Data<Preferences>, token: Path<String>) -> Result<Page, AppError> {
    preferences.leave(preferences.unsubscribe_subject(&token)?).await?;
    let (site, nonce) = preferences.frame()?;
    Page::render(&UnsubscribedPage { site, form_url: FORM_URL.to_owned() }, nonce)
}

async fn not_me_page(preferences: Data<Preferences>, token: Path<String>) -> Result<Page, AppError> {
    preferences.not_me_subject(&token)?;
    let (site, nonce) = preferences.frame()?;
    Page::render(&NotMePage { site, action: format!("/not-me/{token}") }, nonce)
}

async fn not_me(preferences: Data<Preferences>, token: Path<String>) -> Result<Page, AppError> {
    preferences.not_me(preferences.not_me_subject(&token)?).await?;
    let (site, nonce) = preferences.frame()?;
    Page::render(&NotMeDonePage { site }, nonce)
}

async fn preferences_page(preferences: Data<Preferences>, token: Path<String>) -> Result<Page, AppError> {
    let visitor = preferences.visitor(&token).await?;
    match visitor.power {
        Power::Everything => details(&preferences, &token, visitor.supporter, Shown::default()),
        Power::TakeAway => {
            let (site, nonce) = preferences.frame()?;
            let over = "This link's hour is over. You can still leave, or ask for another.";
            let page = PreferencesPage {
                site,
                masked_email: views::masked(&visitor.supporter.email),
                banner: visitor.was_fresh.then(|| over.to_owned()),
                fresh_link_action: format!("/preferences/{token}/link"),
                leave_action: format!("/preferences/{token}/leave"),
            };
            Page::render(&page, nonce)
        }
    }
}

#[derive(Default)]
struct Shown {
    banner: Option<&'static str>,
    typed: Option<DetailsValues>,
    faults: Vec<FieldError>,
}

fn details(
    preferences: &Preferences,
    token: &str,
    supporter: Supporter,
    shown: Shown,
) -> Result<Page, AppError> {
    let (site, nonce) = preferences.frame()?;
    let status = if shown.faults.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let stored = |value: &Option<String>| value.clone().unwrap_or_default();
    let page = DetailsPage {
        site,
        banner: shown.banner.map(str::to_owned),
        receipt: preferences.receipt(&supporter),
        values: shown.typed.unwrap_or_else(|| DetailsValues {
            given_name: stored(&supporter.given_name),
            family_name: stored(&supporter.family_name),
            postal_code: stored(&supporter.postal_code),
        }),
        stored: stored_fields(&supporter),
        errors: shown
            .faults
            .into_iter()
            .map(|fault| site::FieldError::new(fault.field, fault.message))
            .collect(),
        edit_action: format!("/preferences/{token}"),
        download_url: format!("/preferences/{token}/data.json"),
        leave_action: format!("/preferences/{token}/leave"),
        erase_action: format!("/preferences/{token}/erase"),
    };
    Ok(Page::render(&page, nonce)?.with_status(status))
}

fn stored_fields(supporter: &Supporter) -> Vec<StoredField> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let phone_use =
        if supporter.phone_consent { "may be called or texted" } else { "not to be called or texted" };
    let phone = supporter.phone.as_ref().map(|number| format!("{number}, {phone_use}"));
    let fields = [
        ("E-mail address", supporter.email.clone()),
        ("First name", text(&supporter.given_name)),
        ("Last name", text(&supporter.family_name)),
        ("Phone number", text(&phone)),
        ("ZIP or postal code", text(&supporter.postal_code)),
        ("State or region", text(&supporter.region)),
        ("Country", text(&supporter.country)),
        ("Language", supporter.language.clone()),
        ("What brings you here", supporter.involvement.replace(',', ", ")),
        ("Signed up", supporter.signed_up_at.to_string()),
        ("Confirmed", supporter.confirmed_at.to_string()),
    ];
    fields.into_iter().map(|(label, value)| StoredField { label: label.to_owned(), value }).collect()
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct DetailsPost {
    given_name: String,
    family_name: String,
    postal_code: String,
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
        status: None,
    };
    match change.apply(&supporter) {
        Err(faults) => {
            let typed = DetailsValues {
                given_name: post.given_name,
                family_name: post.family_name,
                postal_code: post.postal_code,
            };
            details(&preferences, &token, supporter, Shown { typed: Some(typed), faults, ..Shown::default() })
        }
        Ok(profile) => {
            preferences.change(supporter, profile).await?;
            let supporter = preferences.fresh_visitor(&token).await?;
            let banner = Some("Saved. Your details have changed.");
            details(&preferences, &token, supporter, Shown { banner, ..Shown::default() })
        }
    }
}

async fn mail_link(preferences: Data<Preferences>, token: Path<String>) -> Result<Page, AppError> {
    let visitor = preferences.visitor(&token).await?;
    let masked_email = views::masked(&visitor.supporter.email);
    preferences.mail_fresh_link(visitor.supporter).await?;
    let (site, nonce) = preferences.frame()?;
    let dev_mailbox = preferences.kernel.config.has_dev_mailbox();
    Page::render(&FreshLinkSentPage { site, masked_email, dev_mailbox }, nonce)
}

async fn leave(preferences: Data<Preferences>, token: Path<String>) -> Result<Page, AppError> {
    let visitor = preferences.visitor(&token).await?;
    preferences.leave(visitor.supporter.id).await?;
    let (site, nonce) = preferences.frame()?;
    Page::render(&LeftPage { site, form_url: FORM_URL.to_owned() }, nonce)
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
    if post.erase_confirm.is_empty() {
        let message = "Tick the box to say that you want everything erased.";
        let faults = vec![FieldError::new("erase_confirm", "required", message)];
        return details(&preferences, &token, supporter, Shown { faults, ..Shown::default() });
    }
    preferences.erase(supporter).await?;
    let (site, nonce) = preferences.frame()?;
    Page::render(&ErasedPage { site }, nonce)
}

async fn download(preferences: Data<Preferences>, token: Path<String>) -> Result<HttpResponse, AppError> {
    let supporter = preferences.fresh_visitor(&token).await?;
    let receipt = preferences.receipt(&supporter);
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"my-data.json\""))
        .json(views::data_export(supporter, receipt)))
}

/// Mounts the pages.
pub fn pages(config: &mut web::ServiceConfig) {
    Endpoint::at("/unsubscribe/{token}").get(unsubscribe_page).post(unsubscribe).mount(config);
    Endpoint::at("/not-me/{token}").get(not_me_page).post(not_me).mount(config);
    Endpoint::at("/preferences/{token}").get(preferences_page).post(edit).mount(config);
    Endpoint::at("/preferences/{token}/link").post(mail_link).mount(config);
    Endpoint::at("/preferences/{token}/leave").post(leave).mount(config);
    Endpoint::at("/preferences/{token}/erase").post(erase).mount(config);
    Endpoint::at("/preferences/{token}/data.json").get(download).mount(config);
}

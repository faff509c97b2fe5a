//! Tests of the pages of groups: sound HTML, errors linked to their fields, everything typed escaped.

use askama::Template;
use proptest::prelude::*;

use super::{super::post::ApplyPost, *};
use crate::site::soundness::{check, sample_site as site};

fn apply(typed: &str, errors: Vec<FieldError>) -> ApplyPage {
    let mut values = ApplyPost::default().values();
    values.name = typed.into();
    values.about = typed.into();
    values.website = typed.into();
    values.contact_name = typed.into();
    values.contact_email = typed.into();
    let terms =
        NoticeView { id: "01900000-0000-7000-8000-000000000002".into(), text: "We keep it safe.".into() };
    ApplyPage { site: site(), values, terms, errors }
}

fn member(typed: &str) -> MemberCard {
    MemberCard {
        name: typed.into(),
        kind: "Frontline community".into(),
        path: "/groups/valley".into(),
        website: "https://valley.example.org/".into(),
        regions: "Ohio, Pennsylvania".into(),
        sectors: "Steel".into(),
        about: typed.into(),
        join_path: "/join?group=valley".into(),
        logo_path: Some("/groups/valley/logo?v=0123456789abcdef".into()),
    }
}

#[test]
fn pages_are_sound() -> askama::Result<()> {
    check("apply", &apply("", Vec::new()))?;
    let error = |field: &str| FieldError::new(field, "Look again.");
    let errors = SHOWN.iter().map(|field| error(field)).chain([error("terms")]).collect();
    check("apply_errors", &apply("Valley & Co", errors))?;
    let mail_from = "hello@example.org".to_owned();
    check("applied", &AppliedPage { site: site(), mail_from, dev_mailbox: true, link_days: 7 })?;
    let page = ConfirmApplicationPage {
        site: site(),
        application: ApplicationView { name: "Valley".into(), ..ApplicationView::default() },
        terms: "We keep it safe.".into(),
        action: "/groups/confirm/abc".into(),
        not_me_url: Some("/not-me/abc".into()),
    };
    check("application", &page)?;
    let answer = |error: Option<&str>| AnswerPage {
        site: site(),
        group_name: "Valley".into(),
        question: "Who are you?".into(),
        answer: "We <measure> the air.".into(),
        error: error.map(str::to_owned),
        action: "/groups/answer/abc".into(),
    };
    check("answer", &answer(None))?;
    check("answer_error", &answer(Some("Fill in this field.")))?;
    check("application_confirmed", &ApplicationConfirmedPage { site: site() })?;
    for speech in Speech::ALL {
        let choice = |value, label: &str| FilterChoice { value, label: label.into(), is_chosen: true };
        let (site, w) = (
            site().in_speech(speech).with_languages("/groups", "q=air", Speech::English),
            DirectoryWords::of(speech),
        );
        let named = |name: &str| format!("{name}_{}", speech.tag());
        let directory = DirectoryPage {
            site: site.clone(),
            w,
            q: "air".into(),
            regions: vec![choice("OH", "Ohio")],
            sectors: vec![choice("steel", "Steel")],
            kinds: vec![choice("faith", "Faith")],
            members: vec![member("Valley Clean Air")],
            next: Some("/groups?after=x&q=air".into()),
        };
        check(&named("directory"), &directory)?;
        check(&named("directory_empty"), &DirectoryPage { members: Vec::new(), next: None, ..directory })?;
        check(&named("member"), &MemberPage { site, w, member: member("Valley Clean Air") })?;
    }
    Ok(())
}

#[test]
fn the_form_as_people_see_it_first() -> askama::Result<()> {
    let html = apply("", Vec::new()).render()?;
    assert!(!html.contains(" checked") && !html.contains(" selected"), "nothing is chosen for anybody");
    insta::assert_snapshot!("apply", html);
    Ok(())
}

proptest! {
    /// Whatever is typed, the pages have the tags and quotes they have for a harmless word: nothing got out.
    #[test]
    fn whatever_is_typed_is_escaped(typed in prop_oneof!["[<>\"'&/a-z=! -]{1,24}", "\\PC{1,24}"]) {
        let pages = |typed: &str| -> askama::Result<String> {
            let apply = apply(typed, vec![FieldError::new(typed, typed)]).render()?;
            Ok(apply + &MemberPage { site: site(), w: DirectoryWords::of(Speech::English), member: member(typed) }.render()?)
        };
        let fail = |error: askama::Error| TestCaseError::fail(error.to_string());
        let (harmless, html) = (pages("word").map_err(fail)?, pages(&typed).map_err(fail)?);
        for mark in ['<', '>', '"', '\''] {
            prop_assert_eq!(html.matches(mark).count(), harmless.matches(mark).count(), "{:?}", mark);
        }
    }
}

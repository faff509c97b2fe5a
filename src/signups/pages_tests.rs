//! Tests of the sign-up pages: sound HTML, errors linked to their fields, everything typed escaped.

use askama::Template;
use proptest::prelude::*;

use super::*;
use crate::site::soundness::{check, sample_fields, sample_form, sample_site};
use crate::site::{FieldError, HiddenField, JoinFormView};
use crate::speech::Speech;

fn form_with_errors() -> JoinFormView {
    let mut form = sample_form();
    form.values.email = "ada@example".into();
    form.values.given_name = "Ada <b>\"O'Hara\"</b>".into();
    form.values.postal_code = "15104".into();
    form.values.phone = "call me".into();
    form.values.consent_phone = true;
    if let Some(choice) = form.values.involvement.get_mut(1) {
        choice.checked = true;
    }
    form.values.hidden.push(HiddenField { name: "utm_source".into(), value: "flyer & \"poster\"".into() });
    form.errors = vec![
        FieldError::new("email", "Enter an e-mail address in the form name@example.org."),
        FieldError::new(
            "phone",
            "Enter a phone number with digits, such as 412 555 0100, or leave it empty.",
        ),
        FieldError::new(
            "consent_email",
            "Tick the box if we may e-mail you. Without that we cannot add you.",
        ),
        FieldError::new(
            "notice",
            "The wording has changed since you opened this page. Please read it again.",
        ),
    ];
    form
}

/// The form with a field of every kind, in this language.
fn form_in(speech: Speech) -> JoinFormView {
    let mut form = JoinFormView { speech, ..form_with_errors() };
    form.fields = sample_fields();
    form.errors.push(FieldError::new("fields.years", "Enter a number."));
    form
}

#[test]
fn pages_are_sound() -> askama::Result<()> {
    for speech in Speech::ALL {
        let site = || {
            sample_site().in_speech(speech).with_languages("/join", "group=valley&zip=44035", Speech::English)
        };
        let campaign = || site().campaign_name;
        let named = |name: &str| format!("{name}_{}", speech.tag());
        let w = ConfirmPageWords::of(speech);
        check(&named("join"), &JoinPage { site: site(), form: JoinFormView { speech, ..sample_form() } })?;
        check(&named("join_errors"), &JoinPage { site: site(), form: form_in(speech) })?;
        let (w_inbox, mail_from) = (InboxWords::of(speech), "hello@example.org".to_owned());
        let inbox = CheckInboxPage { site: site(), w: w_inbox, mail_from, link_days: 7, dev_mailbox: true };
        check(&named("check_inbox"), &inbox)?;
        let confirm = ConfirmPage {
            site: site(),
            w,
            campaign: campaign(),
            notice_text: sample_form().notice.text,
            notice_language: "en".into(),
            action: "/confirm/k1.abc".into(),
            groups: vec![NamedGroup {
                id: crate::id::Id::from_bytes([7; 16]),
                slug: "valley".into(),
                name: "Valley Clean Air".into(),
            }],
            dropped: vec!["River Watch".into()],
            not_me_url: "/not-me/k1.abc".into(),
            self_submit: false,
        };
        assert!(
            !confirm.render()?.contains("<script"),
            "nothing runs unless the browser is the one that signed up"
        );
        check(&named("confirm"), &confirm)?;
        let own = ConfirmPage { self_submit: true, ..confirm };
        assert!(own.render()?.contains("<script nonce=\"bm9uY2U\">"));
        check(&named("confirm_self"), &own)?;
        let (groups, dropped) = (vec!["Valley Clean Air".into()], vec!["River Watch".into()]);
        check(
            &named("confirmed"),
            &ConfirmedPage { site: site(), w, campaign: campaign(), groups, dropped },
        )?;
        check(&named("expired"), &ExpiredPage { site: site(), w, form_url: "/join".into(), link_days: 7 })?;
    }
    Ok(())
}

#[test]
fn the_form_says_all_of_its_own_in_spanish() -> askama::Result<()> {
    let site =
        sample_site().in_speech(Speech::Spanish).with_languages("/join", "group=valley", Speech::English);
    let page = JoinPage { site, form: form_in(Speech::Spanish) };
    insta::assert_snapshot!("join_with_errors_es", page.render()?);
    Ok(())
}

#[test]
fn the_form_comes_back_with_errors() -> askama::Result<()> {
    let page = JoinPage { site: sample_site(), form: form_with_errors() };
    insta::assert_snapshot!("join_with_errors", page.render()?);
    Ok(())
}

#[test]
fn consent_is_never_ticked_beforehand() -> askama::Result<()> {
    let html = JoinPage { site: sample_site(), form: sample_form() }.render()?;
    assert!(!html.contains(" checked"));
    Ok(())
}

#[test]
fn only_shown_fields_are_linked() {
    let mut form = form_with_errors();
    let linked = |form: &JoinFormView| form.summary().iter().map(|(_, linked)| *linked).collect::<Vec<_>>();
    assert_eq!(linked(&form), [true, true, true, false]);
    form.errors = vec![FieldError::new("involvement", "Choose from the list.")];
    assert_eq!(linked(&form), [true]);
    form.values.involvement.clear();
    assert_eq!(linked(&form), [false]);
}

/// A page in which `typed` stands everywhere a visitor, or an error about them, can put text.
fn page_with(typed: &str) -> askama::Result<String> {
    let mut form = form_with_errors();
    form.values.email = typed.into();
    form.values.given_name = typed.into();
    form.values.family_name = typed.into();
    form.values.postal_code = typed.into();
    form.values.phone = typed.into();
    form.values.hidden = vec![HiddenField { name: typed.into(), value: typed.into() }];
    for choice in &mut form.values.involvement {
        choice.value = typed.into();
        choice.label = typed.into();
    }
    for error in &mut form.errors {
        error.message = typed.into();
    }
    form.errors.push(FieldError::new(typed, typed));
    JoinPage { site: sample_site(), form }.render()
}

proptest! {
    /// Whatever is typed, the page has the tags and quotes it has for a harmless word: nothing got out.
    #[test]
    fn whatever_is_typed_is_escaped(typed in prop_oneof!["[<>\"'&/a-z=! -]{1,24}", "\\PC{1,24}"]) {
        let harmless = page_with("word").map_err(|error| TestCaseError::fail(error.to_string()))?;
        let html = page_with(&typed).map_err(|error| TestCaseError::fail(error.to_string()))?;
        for mark in ['<', '>', '"', '\''] {
            prop_assert_eq!(html.matches(mark).count(), harmless.matches(mark).count(), "{:?}", mark);
        }
        let escaped = typed
            .replace('&', "&#38;")
            .replace('<', "&#60;")
            .replace('>', "&#62;")
            .replace('"', "&#34;")
            .replace('\'', "&#39;");
        let kept = format!("value=\"{escaped}\"");
        prop_assert!(html.contains(&kept), "what was typed is kept");
    }
}

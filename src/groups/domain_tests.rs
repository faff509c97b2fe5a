//! Tests of what an organisation may send.

use proptest::prelude::*;

use super::*;

fn form() -> ApplicationForm {
    ApplicationForm {
        name: "Valley Clean Air".into(),
        kind: "frontline_community".into(),
        website: "https://valley.example.org".into(),
        regions: vec!["OH".into(), "pa".into(), "OH".into()],
        sectors: vec!["steel".into(), "metallurgical_coke".into()],
        about: "We measure the air.\r\n\r\nAnd we publish it.\n".into(),
        contact_name: "Grace Hopper".into(),
        contact_email: "grace@example.org".into(),
        agree: true,
        ..ApplicationForm::default()
    }
}

fn codes(form: ApplicationForm) -> Vec<String> {
    let faults = form.check().err().unwrap_or_default();
    faults.into_iter().map(|fault| format!("{}: {}", fault.field, fault.code)).collect()
}

#[test]
fn a_good_application_is_tidied() {
    let checked = form().check().map(|a| (a.regions, a.about, a.website, a.is_listed));
    let expected = (
        vec!["OH".to_owned(), "PA".to_owned()],
        "We measure the air.\n\nAnd we publish it.".to_owned(),
        "https://valley.example.org/".to_owned(),
        true,
    );
    assert_eq!(checked, Ok(expected));
}

#[test]
fn every_fault_of_an_application_is_named_at_once() {
    let expected = [
        "name: required",
        "kind: required",
        "website: required",
        "regions: required",
        "sectors: required",
        "about: required",
        "contact_name: required",
        "contact_email: required",
        "agree: required",
    ];
    assert_eq!(codes(ApplicationForm::default()), expected);
    let odd = ApplicationForm {
        kind: "Faith".into(),
        regions: vec!["US".into(), "Ohio".into()],
        sectors: vec!["gold".into()],
        about: "x".repeat(2001),
        name: "a\nb".into(),
        ..form()
    };
    let expected = [
        "name: control_characters",
        "kind: unknown_value",
        "regions[1]: unknown_value",
        "sectors[0]: unknown_value",
        "about: too_long",
    ];
    assert_eq!(codes(odd), expected);
}

#[test]
fn a_website_is_http_or_https_and_open_to_everybody() {
    let code = |website: &str| codes(ApplicationForm { website: website.into(), ..form() }).join(" ");
    for good in ["https://example.org", "http://example.org/a?b=c#d", " HTTPS://EXAMPLE.org:8443/ "] {
        assert_eq!(code(good), "", "{good}");
    }
    for bad in [
        "javascript:alert(1)",
        "ftp://example.org/",
        "data:text/html,x",
        "mailto:a@example.org",
        "file:///etc/passwd",
    ] {
        assert_eq!(code(bad), "website: invalid_scheme", "{bad}");
    }
    for bad in [
        "example.org",
        "//example.org",
        "https://",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://user:secret@example.org/",
        "https://exam ple.org/",
        "https://example.org/\r\nX: y",
    ] {
        assert_eq!(code(bad), "website: invalid_url", "{bad}");
    }
    assert_eq!(code(&format!("https://example.org/{}", "x".repeat(200))), "website: too_long");
}

#[test]
fn a_change_checks_only_what_is_given() {
    assert!(GroupEdit::default().check().is_ok_and(|change| change.name.is_none()));
    let edit =
        GroupEdit { website: Some("gopher://x".into()), is_listed: Some(false), ..GroupEdit::default() };
    assert_eq!((edit.fields(), edit.is_for_staff()), (vec!["website", "is_listed"], false));
    assert!(edit.check().is_err_and(|faults| faults.len() == 1));
    assert!(GroupEdit { contact_email: Some("a@example.org".into()), ..GroupEdit::default() }.is_for_staff());
}

proptest! {
    #[test]
    fn no_text_makes_a_check_panic(text in any::<String>()) {
        let all = ApplicationForm {
            name: text.clone(),
            kind: text.clone(),
            website: text.clone(),
            regions: vec![text.clone()],
            sectors: vec![text.clone()],
            about: text.clone(),
            contact_name: text.clone(),
            contact_email: text,
            ..form()
        };
        prop_assert!(all.check().is_err());
    }

    #[test]
    fn a_website_that_holds_is_a_link_and_nothing_else(text in "(https?://)?[a-z./:@ <>\"'?#&-]{0,40}") {
        if let Ok(application) = (ApplicationForm { website: text, ..form() }).check() {
            let url = application.website;
            prop_assert!(url.starts_with("http://") || url.starts_with("https://"));
            prop_assert!(!url.contains(['<', '>', '"', ' ']), "{}", url);
        }
    }
}

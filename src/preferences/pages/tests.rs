//! The pages are sound in every language, and what is stored is escaped.

use super::*;
use crate::site::soundness::{check, sample_site};

fn site(speech: Speech) -> Site {
    sample_site().in_speech(speech)
}

fn pause() -> PauseView {
    PauseView {
        until: None,
        pause_action: "/preferences/k1.abc/pause".into(),
        resume_action: Some("/preferences/k1.abc/resume".into()),
    }
}

fn details(speech: Speech) -> DetailsPage {
    let stored = [("E-mail address", "ada@example.org"), ("First name", "Ada"), ("Last name", "")];
    let stored =
        stored.map(|(label, value)| StoredField { label: label.into(), value: value.into() }).to_vec();
    let offered = |slug: &str, since: Option<&str>| OfferedGroup {
        slug: slug.into(),
        name: format!("The {slug}"),
        since: since.map(str::to_owned),
    };
    let receipt = |group: Option<&str>| PageReceipt {
        group: group.map(str::to_owned),
        consent: ConsentReceipt {
            wording: "The Good Steel Coalition may e-mail me news and ways to take part.".into(),
            sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
            at: "2026-03-01T14:05:00Z".into(),
            language: "en".into(),
        },
    };
    DetailsPage {
        site: site(speech),
        w: ChoiceWords::of(speech),
        d: DetailWords::of(speech),
        banner: Some("Saved. Your details have changed.".into()),
        stored,
        offered: vec![offered("valley", Some("2026-03-01")), offered("mill", None)],
        share_wording: "The Good Steel Coalition may give my contact to each group I tick here.".into(),
        share_action: "/preferences/k1.abc/share".into(),
        recalled: vec!["The mill was told on 2026-03-02 to delete what it has.".into()],
        history: vec!["The mill: from 2026-03-01 to 2026-03-02".into()],
        exports: vec!["2026-03-01, by The valley: newsletter".into()],
        values: DetailsValues {
            given_name: "Ada".into(),
            family_name: String::new(),
            postal_code: "15104".into(),
            language: speech.tag().into(),
        },
        errors: Vec::new(),
        receipts: vec![receipt(None), receipt(Some("The valley"))],
        edit_action: "/preferences/k1.abc".into(),
        download_url: "/preferences/k1.abc/data.json".into(),
        pause: pause(),
        leave_action: "/preferences/k1.abc/leave".into(),
        erase_action: "/preferences/k1.abc/erase".into(),
    }
}

#[test]
fn pages_are_sound_in_every_language() -> askama::Result<()> {
    for speech in Speech::ALL {
        let (site, w, tag) = (site(speech), LeaveWords::of(speech), speech.tag());
        let named =
            |name: &str| if speech == Speech::English { name.to_owned() } else { format!("{name}_{tag}") };
        let action = "/unsubscribe/k1.abc".to_owned();
        check(&named("unsubscribe"), &UnsubscribePage { site: site.clone(), w, action: action.clone() })?;
        check(&named("left"), &LeftPage { site: site.clone(), w, form_url: "/join".into() })?;
        check(&named("not_me"), &NotMePage { site: site.clone(), w, action })?;
        check(&named("not_me_done"), &NotMeDonePage { site: site.clone(), w })?;
        let masked_email = "a…@e….org".to_owned();
        let page = PreferencesPage {
            site: site.clone(),
            w: ChoiceWords::of(speech),
            masked_email: masked_email.clone(),
            banner: None,
            groups: vec![SharedGroup {
                slug: "valley".into(),
                name: "The valley".into(),
                since: "2026-03-01".into(),
            }],
            fresh_link_action: "/preferences/k1.abc/link".into(),
            withdraw_action: "/preferences/k1.abc/withdraw".into(),
            pause: PauseView { until: Some("2026-03-31".into()), resume_action: None, ..pause() },
            leave_action: "/preferences/k1.abc/leave".into(),
        };
        check(&named("preferences"), &page)?;
        check(&named("details"), &details(speech))?;
        let errors = vec![
            FieldError::new("postal_code", "Enter a ZIP code such as 15104, or leave it empty."),
            FieldError::new("erase_confirm", "Tick the box to say that you want everything erased."),
        ];
        let wrong = DetailsPage { banner: None, receipts: Vec::new(), errors, ..details(speech) };
        check(&named("details_errors"), &wrong)?;
        let w = ChoiceWords::of(speech);
        check(
            &named("fresh_link_sent"),
            &FreshLinkSentPage { site: site.clone(), w, masked_email, dev_mailbox: true },
        )?;
        check(&named("erased"), &ErasedPage { site, w: DetailWords::of(speech) })?;
    }
    Ok(())
}

#[test]
fn a_spanish_page_is_spanish_from_end_to_end() -> askama::Result<()> {
    let page = DetailsPage { banner: None, ..details(Speech::Spanish) }.render()?;
    assert!(page.contains("<html lang=\"es\">") && page.contains("Ir al contenido"));
    for english in ["Skip to", "Your details", "Erase everything", "No trackers", "Save<", ">optional<"] {
        assert!(!page.contains(english), "{english}");
    }
    Ok(())
}

#[test]
fn what_is_stored_is_escaped() -> askama::Result<()> {
    let mut page = details(Speech::English);
    page.values.given_name = "\"><script>alert(1)</script>".into();
    page.stored.push(StoredField { label: "Source".into(), value: "<script>alert(2)</script>".into() });
    page.banner = Some("<script>alert(3)</script>".into());
    page.exports.push("<script>alert(4)</script>".into());
    page.offered.push(OfferedGroup { name: "<script>alert(5)</script>".into(), ..OfferedGroup::default() });
    assert!(!page.render()?.contains("<script"));
    Ok(())
}

//! Confirmation: one click, whoever opens the link before and however often; and links that do nothing.

use serde_json::json;

use crate::support::{Client, DAY, MINUTE, TestApp, person};

const ADA: &str = "ada@example.org";
const SCRIPT: &str = r#"document.getElementById("confirm").submit()"#;

impl TestApp {
    async fn asked(&self, email: &str) -> String {
        self.client().join(&person(email)).await.expect(202);
        self.settle_one().await.link("/confirm/")
    }

    /// The same in a browser, on our own form.
    async fn asked_in(&self, browser: &Client, email: &str) -> String {
        browser.join_page(&[("email", email), ("consent_email", "yes")]).await.expect(303);
        self.settle_one().await.link("/confirm/")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looking_changes_nothing_and_head_looks_as_get_does() {
    let app = TestApp::start().await;
    let link = app.asked(ADA).await;
    let not_me = app.browser().get(&link).await.expect(200).page();
    let not_me = not_me.split('"').find(|part| part.starts_with("/not-me/")).unwrap();
    for path in [link.as_str(), not_me] {
        for _ in 0..3 {
            app.client().get(path).await.expect(200);
            assert!(app.client().head(path).await.expect(200).body.is_empty());
        }
    }
    assert_eq!(app.signup_states().await, ["pending"]);
    assert_eq!(app.count("SELECT count(*) AS n FROM supporters").await, 0);
    assert_eq!(app.count("SELECT count(*) AS n FROM suppressions").await, 0);
    assert!(app.settle().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_says_what_is_agreed_to_and_the_button_posts_to_the_link() {
    let app = TestApp::start().await;
    let link = app.asked(ADA).await;
    let page = app.client().get(&link).await.expect(200).page();
    let wording = app.words("SELECT wording AS word FROM notices WHERE form = 'join'").await.remove(0);
    assert!(page.contains(&wording), "{page}");
    assert!(page.contains(&format!(r#"method="post" action="{link}""#)), "{page}");
    assert!(!page.contains(ADA), "whoever got the mail passed on must not see the address");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_click_shows_the_same_page_and_changes_nothing() {
    let app = TestApp::start().await;
    let link = app.asked(ADA).await;
    let strip = |page: String| page.replace("nonce", "");
    let first = strip(app.client().confirm(&link).await.expect(200).page());
    assert_eq!(app.settle().await.len(), 1);
    let before = app.words("SELECT CAST(confirmed_at AS TEXT) AS word FROM supporters").await;
    app.advance(MINUTE);
    let second = strip(app.client().confirm(&link).await.expect(200).page());
    assert_eq!(first, second);
    app.client().confirm_token(&link["/confirm/".len()..]).await.expect(200);
    assert_eq!(app.words("SELECT CAST(confirmed_at AS TEXT) AS word FROM supporters").await, before);
    assert!(app.settle().await.is_empty(), "one welcome is enough");
    assert_eq!(app.count("SELECT count(*) AS n FROM supporters").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clicks_at_the_same_time_make_one_supporter_and_one_welcome() {
    let app = TestApp::start().await;
    let link = app.asked(ADA).await;
    let clicks = (0..8).map(|_| app.client().confirm(&link));
    for answer in futures_util::future::join_all(clicks).await {
        answer.expect(200);
    }
    assert_eq!(app.settle().await.len(), 1);
    assert_eq!(app.count("SELECT count(*) AS n FROM supporters").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_lives_seven_days_from_its_sending_and_then_leads_to_the_form() {
    let app = TestApp::start().await;
    app.client().join(&person(ADA)).await.expect(202);
    app.triage().await;
    app.advance(5 * DAY);
    let link = app.deliver().await.remove(0).link("/confirm/");
    app.advance(7 * DAY - MINUTE);
    app.client().get(&link).await.expect(200);
    app.advance(2 * MINUTE);
    for answer in [app.client().get(&link).await, app.client().confirm(&link).await] {
        let page = answer.expect(410).page();
        assert!(page.contains(r#"href="/join""#), "{page}");
    }
    app.client().confirm_token(&link["/confirm/".len()..]).await.expect(410).problem();
    assert_eq!(app.count("SELECT count(*) AS n FROM supporters").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_was_clicked_in_time_shows_its_page_again_until_it_runs_out() {
    let app = TestApp::start().await;
    let link = app.asked(ADA).await;
    app.client().confirm(&link).await.expect(200);
    let page = app.client().get(&link).await.expect(200).page();
    assert!(page.contains("You are in"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_are_damaged_or_made_for_something_else_confirm_nothing() {
    let app = TestApp::start().await;
    let welcome = app.supporter("other@example.org").await;
    let link = app.asked(ADA).await;
    let token = &link["/confirm/".len()..];
    let mut flipped = token.to_owned();
    let middle = if &token[30..31] == "A" { "B" } else { "A" };
    flipped.replace_range(30..31, middle);
    let page = app.client().get(&link).await.expect(200).page();
    let not_me = page.split('"').find_map(|part| part.strip_prefix("/not-me/")).unwrap();
    let (preferences, unsubscribe) = (welcome.token("/preferences/"), welcome.token("/unsubscribe/"));
    let longer = format!("{token}A");
    for wrong in [&token[..63], &longer, &flipped, not_me, &preferences, &unsubscribe, "x", "%00", "~"] {
        let path = format!("/confirm/{wrong}");
        app.client().get(&path).await.expect(404).problem();
        app.client().confirm(&path).await.expect(404).problem();
        app.client().confirm_token(wrong).await.expect(404).problem();
        app.browser().get(&path).await.expect(404).page();
    }
    assert_eq!(app.signup_states().await, ["confirmed", "pending"]);
    // And a confirmation link opens nothing else.
    for prefix in ["/not-me/", "/unsubscribe/", "/preferences/", "/setup/", "/api/v1/preferences/"] {
        app.client().get(&format!("{prefix}{token}")).await.expect(404);
        app.client().post(&format!("/unsubscribe/{token}")).await.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_confirm_by_token_and_get_problems() {
    let app = TestApp::start().await;
    let link = app.asked(ADA).await;
    let answer = app.client().confirm_token(&link["/confirm/".len()..]).await.expect(200);
    assert_eq!(answer.json(), json!({ "status": "confirmed" }));
    let wrong = [
        (json!({}), "token: required"),
        (json!({ "token": 7 }), "token: wrong_type"),
        (json!({ "token": "x", "email": ADA }), "email: unknown_field"),
    ];
    for (body, fault) in wrong {
        assert_eq!(app.client().post_json("/api/v1/confirmations", &body).await.faults(), [fault]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_submits_itself_only_in_the_browser_of_that_very_sign_up() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.browser(), app.browser());
    let adas = app.asked_in(&ada, ADA).await;
    let bobs = app.asked_in(&bob, "bob@example.org").await;
    let page = ada.get(&adas).await.expect(200);
    let html = page.page();
    assert!(html.contains(SCRIPT), "{html}");
    let nonce = html.split(r#"<script nonce=""#).nth(1).unwrap().split('"').next().unwrap();
    let policy = page.header("content-security-policy");
    assert!(policy.contains(&format!("script-src 'nonce-{nonce}'")), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    for (who, link) in [(&ada, &bobs), (&bob, &adas), (&app.browser(), &adas)] {
        assert!(!who.get(link).await.expect(200).page().contains(SCRIPT));
    }
    assert_eq!(app.signup_states().await, ["pending", "pending"], "showing the script is not a click");
    // A family that shares one browser: each of its sign-ups is known.
    let second = app.asked_in(&ada, "grace@example.org").await;
    assert!(ada.get(&second).await.page().contains(SCRIPT));
    assert!(ada.get(&adas).await.page().contains(SCRIPT));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_or_borrowed_cookie_does_not_make_the_page_submit_itself() {
    let app = TestApp::start().await;
    let link = app.asked(ADA).await;
    let token = &link["/confirm/".len()..];
    for value in [token, "x", "", "~~~", &"a~".repeat(500)] {
        let request =
            app.client().ask(reqwest::Method::GET, &link).header("cookie", format!("oh_joined={value}"));
        let page = app.client().send(request).await.expect(200).page();
        assert!(!page.contains(SCRIPT), "{value}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_fills_in_what_was_blank_and_keeps_what_was_known() {
    let app = TestApp::start().await;
    let first = json!({
        "email": ADA, "given_name": "Ada", "postal_code": "44035", "phone": "212-555-0123",
        "involvement": ["worker"], "consent": { "email": true, "phone": true }, "source": { "code": "leaflet" },
    });
    let welcome = app.supporter_of(&first).await;
    app.client().post(&welcome.link("/unsubscribe/")).await.expect(200);
    app.advance(MINUTE);
    let second = json!({
        "email": "ADA@example.org", "family_name": "Lovelace", "consent": { "email": true },
        "source": { "code": "poster" },
    });
    app.supporter_of(&second).await;
    let program = app.reader().await;
    let row = program.supporters("").await.expect(200).json()["data"][0].clone();
    for (field, value) in [
        ("email", json!(ADA)),
        ("given_name", json!("Ada")),
        ("family_name", json!("Lovelace")),
        ("postal_code", json!("44035")),
        ("region", json!("OH")),
        ("phone", json!("+12125550123")),
        ("phone_consent", json!(true)),
        ("involvement", json!(["worker"])),
        ("source", json!("leaflet")),
        ("status", json!("confirmed")),
        ("unsubscribed_at", json!(null)),
    ] {
        assert_eq!(row[field], value, "{field} of {row}");
    }
    assert_eq!(app.count("SELECT count(*) AS n FROM supporters").await, 1);
}

//! Leaving: unsubscribe, "this was not me", preferences and their two powers, erasure.

use serde_json::json;

use crate::support::{DAY, HOUR, MINUTE, Mail, TestApp, person};

const ADA: &str = "ada.lovelace@example.org";
const STATUS: &str = "SELECT status AS word FROM supporters";

impl TestApp {
    /// Presses "mail me a fresh link" and returns the mail.
    async fn fresh(&self, welcome: &Mail) -> Mail {
        self.client().post(&format!("{}/link", welcome.link("/preferences/"))).await.expect(200);
        self.settle_one().await
    }

    /// Whether `text` stands nowhere in the database, free space and write-ahead log included.
    async fn assert_nowhere(&self, text: &str) {
        self.app().kernel.store.scrubbed().await;
        assert_eq!(self.backend.places_with(text), [""; 0], "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mail_but_the_confirmation_can_be_left_with_one_click() {
    let app = TestApp::start().await;
    let welcome = app.supporter(ADA).await;
    let fresh = app.fresh(&welcome).await;
    app.client().join(&person(ADA)).await.expect(202);
    let already_in = app.settle_one().await;
    for mail in [&welcome, &fresh, &already_in] {
        assert_eq!(mail.header("List-Unsubscribe-Post"), Some("List-Unsubscribe=One-Click"), "{mail:?}");
        assert_eq!(mail.one_click(), mail.link("/unsubscribe/"), "{mail:?}");
    }
    app.client().join(&person("stranger@example.org")).await.expect(202);
    let asked = app.settle_one().await;
    assert_eq!((asked.header("List-Unsubscribe"), asked.header("List-Unsubscribe-Post")), (None, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_client_unsubscribes_with_one_post_without_cookies_or_redirect() {
    let app = TestApp::start().await;
    let welcome = app.supporter(ADA).await;
    let request = app
        .client()
        .ask(reqwest::Method::POST, &welcome.one_click())
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", "https://mail.example.org")
        .header("sec-fetch-site", "cross-site")
        .body("List-Unsubscribe=One-Click");
    let answer = app.client().send(request).await.expect(200);
    assert_eq!(answer.header("set-cookie"), "");
    assert_eq!(app.words(STATUS).await, ["unsubscribed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_click_also_works_as_multipart_and_with_no_body_at_all() {
    for (media_type, body) in [
        (
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n",
        ),
        ("text/plain", ""),
    ] {
        let app = TestApp::start().await;
        let welcome = app.supporter(ADA).await;
        app.client().post_bytes(&welcome.one_click(), media_type, body.into()).await.expect(200);
        assert_eq!(app.words(STATUS).await, ["unsubscribed"], "{media_type}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_unsubscribe_page_changes_nothing_and_leaving_twice_keeps_the_first_date() {
    let app = TestApp::start().await;
    let link = app.supporter(ADA).await.link("/unsubscribe/");
    let page = app.client().get(&link).await.expect(200).page();
    assert!(page.contains(&format!(r#"method="post" action="{link}""#)), "{page}");
    assert!(!page.contains("lovelace"), "{page}");
    app.client().head(&link).await.expect(200);
    assert_eq!(app.words(STATUS).await, ["confirmed"]);
    app.client().post(&link).await.expect(200);
    let date = "SELECT CAST(unsubscribed_at AS TEXT) AS word FROM supporters";
    let first = app.words(date).await;
    app.advance(DAY);
    app.client().post(&link).await.expect(200);
    assert_eq!(app.words(date).await, first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_unsubscribe_link_works_for_ever_even_after_a_return() {
    let app = TestApp::start().await;
    let old = app.supporter(ADA).await.link("/unsubscribe/");
    app.client().post(&old).await.expect(200);
    app.advance(DAY);
    app.supporter(ADA).await;
    assert_eq!(app.words(STATUS).await, ["confirmed"]);
    app.advance(3650 * DAY);
    app.client().get(&old).await.expect(200);
    app.client().post(&old).await.expect(200);
    assert_eq!(app.words(STATUS).await, ["unsubscribed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaving_voids_preference_links_and_only_a_new_click_brings_back() {
    let app = TestApp::start().await;
    let welcome = app.supporter(ADA).await;
    let (masked, fresh) = (welcome.link("/preferences/"), app.fresh(&welcome).await.link("/preferences/"));
    app.client().post(&format!("{masked}/leave")).await.expect(200).page();
    for path in [masked.clone(), fresh.clone(), format!("{fresh}/data.json"), format!("/api/v1{masked}")] {
        app.client().get(&path).await.expect(410).problem();
    }
    for path in [format!("{masked}/leave"), format!("{masked}/link"), format!("{fresh}/leave")] {
        app.client().post(&path).await.expect(410);
    }
    assert!(app.settle().await.is_empty(), "nobody who left is written to");
    app.advance(MINUTE);
    let again = app.supporter(ADA).await;
    assert_eq!(app.words(STATUS).await, ["confirmed"]);
    app.client().get(&masked).await.expect(410);
    app.client().get(&again.link("/preferences/")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_says_it_was_not_me_is_never_mailed_again_and_what_was_typed_is_erased() {
    let app = TestApp::start().await;
    let signup = json!({ "email": ADA, "given_name": "Mallory-Typed", "consent": { "email": true } });
    app.client().join(&signup).await.expect(202);
    let asked = app.settle_one().await;
    let (link, confirm) = (asked.link("/not-me/"), asked.link("/confirm/"));
    let page = app.client().get(&link).await.expect(200).page();
    assert!(!page.contains("lovelace"), "{page}");
    assert_eq!(app.count("SELECT count(*) AS n FROM suppressions").await, 0, "looking is not a click");
    for _ in 0..2 {
        app.client().post(&link).await.expect(200).page();
    }
    app.client().confirm(&confirm).await.expect(410);
    app.assert_nowhere("lovelace").await;
    app.assert_nowhere("mallory-typed").await;
    app.advance(60 * DAY);
    app.client().join(&person("Ada.Lovelace@EXAMPLE.org")).await.expect(202);
    assert!(app.settle().await.is_empty());
    assert_eq!(app.count("SELECT count(*) AS n FROM supporters").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_me_works_after_the_confirmation_link_ran_out_as_long_as_the_sign_up_is_kept() {
    let app = TestApp::start().await;
    app.client().join(&person(ADA)).await.expect(202);
    let link = app.settle_one().await.link("/not-me/");
    app.advance(7 * DAY + MINUTE);
    app.client().post(&link).await.expect(200);
    app.client().join(&person(ADA)).await.expect(202);
    assert!(app.settle().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_me_works_after_the_purge_erased_the_sign_up() {
    let app = TestApp::start().await;
    app.client().join(&person(ADA)).await.expect(202);
    let link = app.settle_one().await.link("/not-me/");
    app.advance(30 * DAY);
    assert_eq!(app.purge().await, 1);
    app.assert_nowhere("lovelace").await;
    app.client().post(&link).await.expect(200);
    app.client().join(&person(ADA)).await.expect(202);
    assert!(app.settle().await.is_empty(), "the address is left alone for good");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_me_after_somebody_elses_click_suppresses_the_supporter_too() {
    let app = TestApp::start().await;
    app.client().join(&person(ADA)).await.expect(202);
    let asked = app.settle_one().await;
    app.client().confirm(&asked.link("/confirm/")).await.expect(200);
    app.settle().await;
    app.client().post(&asked.link("/not-me/")).await.expect(200);
    assert_eq!(app.words(STATUS).await, ["suppressed"]);
    assert_eq!(app.words("SELECT suppression_reason AS word FROM supporters").await, ["not_me"]);
    app.advance(60 * DAY);
    app.client().join(&person(ADA)).await.expect(202);
    assert!(app.settle().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_link_of_a_mail_shows_a_mask_and_can_only_take_away() {
    let app = TestApp::start().await;
    let signup = json!({
        "email": ADA, "given_name": "Augusta", "postal_code": "44035", "phone": "212-555-0123",
        "consent": { "email": true },
    });
    let masked = app.supporter_of(&signup).await.link("/preferences/");
    let api = format!("/api/v1{masked}");
    let page = app.client().get(&masked).await.expect(200).page();
    let view = app.client().get(&api).await.expect(200);
    for text in [&page, &view.text()] {
        for known in ["lovelace", "example.org\"", "Augusta", "44035", "5550123"] {
            assert!(!text.contains(known), "{known} stands in {text}");
        }
        assert!(text.contains("a…e@e…e.org"), "{text}");
    }
    assert_eq!((&view.json()["is_fresh"], &view.json()["data"]), (&json!(false), &json!(null)));
    let change = json!({ "given_name": "Eve" });
    app.client().patch_json(&api, &change).await.expect(403).problem();
    app.client().delete(&api).await.expect(403).problem();
    app.client().get(&format!("{masked}/data.json")).await.expect(403).problem();
    app.client().post_form(&masked, &[("given_name", "Eve")]).await.expect(403);
    app.client().post_form(&format!("{masked}/erase"), &[("erase_confirm", "yes")]).await.expect(403);
    assert_eq!(app.words("SELECT given_name AS word FROM supporters").await, ["Augusta"]);
    app.client().patch_json(&api, &json!({ "status": "unsubscribed" })).await.expect(204);
    assert_eq!(app.words(STATUS).await, ["unsubscribed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fresh_link_comes_by_mail_only_and_not_again_within_five_minutes() {
    let app = TestApp::start().await;
    let masked = app.supporter(ADA).await.link("/preferences/");
    let button = format!("{masked}/link");
    let page = app.client().post(&button).await.expect(200).page();
    let mail = app.settle_one().await;
    assert_eq!(mail.to, ADA);
    assert!(!page.contains(&mail.link("/preferences/")) && !page.contains("lovelace"), "{page}");
    app.client().post(&button).await.expect(200);
    assert!(app.settle().await.is_empty(), "the button must not flood an inbox");
    app.advance(6 * MINUTE);
    app.client().post(&button).await.expect(200);
    assert_eq!(app.settle().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fresh_link_shows_changes_and_downloads() {
    let app = TestApp::start().await;
    let signup = json!({ "email": ADA, "given_name": "Augusta", "postal_code": "44035", "consent": { "email": true } });
    let welcome = app.supporter_of(&signup).await;
    let fresh = app.fresh(&welcome).await.link("/preferences/");
    let page = app.client().get(&fresh).await.expect(200).page();
    assert!(page.contains(ADA) && page.contains("Augusta"), "{page}");

    let edited = [("given_name", "Ada <b>"), ("family_name", ""), ("postal_code", "10001")];
    let page = app.client().post_form(&fresh, &edited).await.expect(200).page();
    assert!(page.contains("Saved.") && !page.contains("<b>"), "{page}");
    let wrong = [("given_name", "Kept\u{7}"), ("family_name", "Typed"), ("postal_code", "1")];
    let page = app.client().post_form(&fresh, &wrong).await.expect(422).page();
    for part in [r##"href="#given_name""##, r##"href="#postal_code""##, r#"value="Typed""#] {
        assert!(page.contains(part), "{part} is not in {page}");
    }

    let data = app.client().get(&format!("{fresh}/data.json")).await.expect(200);
    assert_eq!(data.header("content-disposition"), "attachment; filename=\"my-data.json\"");
    assert_eq!(data.header("cache-control"), "no-store");
    let data = data.json();
    assert_eq!(data["supporter"]["email"], ADA);
    assert_eq!(data["supporter"]["given_name"], "Ada <b>");
    assert_eq!(data["supporter"]["region"], "NY", "the region follows the code: {data}");
    assert_eq!(
        data["consent"]["wording"],
        app.words("SELECT wording AS word FROM notices WHERE form = 'join'").await[0]
    );

    let api = format!("/api/v1{fresh}");
    app.client().patch_json(&api, &json!({ "given_name": "", "postal_code": "" })).await.expect(204);
    let view = app.client().get(&api).await.expect(200).json();
    assert_eq!(view["is_fresh"], true);
    for field in ["given_name", "postal_code", "region"] {
        assert_eq!(view["data"]["supporter"][field], json!(null), "{field}");
    }
    for (body, fault) in [
        (json!({ "email": "eve@example.org" }), "email: unknown_field"),
        (json!({ "status": "confirmed" }), "status: unknown_value"),
        (json!({ "given_name": "x".repeat(101) }), "given_name: too_long"),
    ] {
        assert_eq!(app.client().patch_json(&api, &body).await.faults(), [fault]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fresh_link_expires_after_an_hour_and_can_still_take_away() {
    let app = TestApp::start().await;
    let welcome = app.supporter(ADA).await;
    let fresh = app.fresh(&welcome).await.link("/preferences/");
    app.advance(HOUR - MINUTE);
    assert!(app.client().get(&fresh).await.expect(200).page().contains(ADA));
    app.advance(2 * MINUTE);
    let page = app.client().get(&fresh).await.expect(200).page();
    assert!(page.contains("hour is over") && !page.contains("lovelace"), "{page}");
    app.client().get(&format!("{fresh}/data.json")).await.expect(403);
    app.client().post_form(&fresh, &[("given_name", "Eve")]).await.expect(403);
    app.client().delete(&format!("/api/v1{fresh}")).await.expect(403);
    app.client().post(&format!("{fresh}/leave")).await.expect(200);
    assert_eq!(app.words(STATUS).await, ["unsubscribed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erasing_leaves_the_address_nowhere_but_as_a_hash_and_a_new_sign_up_is_asked_to_confirm() {
    let app = TestApp::start().await;
    // Others around, so that the person's row is one of many.
    for n in 0..40 {
        app.client().join(&person(&format!("neighbour{n}@example.org"))).await.expect(202);
    }
    app.settle().await;
    let signup = json!({
        "email": ADA, "given_name": "Augusta", "family_name": "Byron-King", "postal_code": "44035",
        "phone": "212-555-0199", "consent": { "email": true, "phone": true },
        "source": { "page": "https://campaign.example.org/?who=lovelace" },
    });
    let welcome = app.supporter_of(&signup).await;
    app.client().join(&signup).await.expect(202);
    app.settle().await;
    let fresh = app.fresh(&welcome).await.link("/preferences/");
    let erase = format!("{fresh}/erase");
    let page = app.client().post(&erase).await;
    assert!(page.status == 415 || page.status == 422, "{page:?}");
    let page = app.client().post_form(&erase, &[]).await.expect(422).page();
    assert!(page.contains(r##"href="#erase_confirm""##), "{page}");
    assert_eq!(app.words(STATUS).await, ["confirmed"]);
    // One more sign-up and a mail are on their way.
    app.advance(DAY + MINUTE);
    let fresh = app.fresh(&welcome).await.link("/preferences/");
    app.client().join(&signup).await.expect(202);
    app.triage().await;
    app.client().post_form(&format!("{fresh}/erase"), &[("erase_confirm", "yes")]).await.expect(200).page();

    // Before the outbox looks at what was on its way, which is dropped.
    for text in ["lovelace", "augusta", "byron-king", "2125550199"] {
        app.assert_nowhere(text).await;
    }
    assert!(app.deliver().await.is_empty());
    assert!(!app.backend.places_with("neighbour7@example.org").is_empty(), "the look finds what is there");
    assert_eq!(app.words("SELECT reason AS word FROM suppressions").await, ["erased"]);
    assert_eq!(app.count("SELECT count(*) AS n FROM signups").await, 43, "counts stay");
    app.client().get(&fresh).await.expect(410);
    app.client().post(&welcome.link("/unsubscribe/")).await.expect(200);

    app.advance(DAY + MINUTE);
    app.supporter(ADA).await;
    assert_eq!(app.words(STATUS).await, ["confirmed"]);
    assert_eq!(app.count("SELECT count(*) AS n FROM suppressions").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_up_from_before_an_erasure_is_void_and_erased_too() {
    let app = TestApp::start().await;
    let welcome = app.supporter(ADA).await;
    let fresh = app.fresh(&welcome).await.link("/preferences/");
    app.client().join(&person(ADA)).await.expect(202);
    app.client().delete(&format!("/api/v1{fresh}")).await.expect(204);
    assert!(app.settle().await.is_empty());
    assert_eq!(app.signup_states().await, ["confirmed", "expired"]);
    app.purge().await;
    app.assert_nowhere("lovelace").await;
}

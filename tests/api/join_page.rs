//! The HTML form: errors linked to their fields, what was typed kept, cookies, and who may send it.

use reqwest::{Method, header};
use serde_json::json;

use crate::support::{Answer, TestApp};

const STORED: &str = "SELECT count(*) AS n FROM signups";
const GOOD: [(&str, &str); 2] = [("email", "ada@example.org"), ("consent_email", "yes")];

async fn join_with(app: &TestApp, field: &str, value: &str) -> Answer {
    let others = GOOD.into_iter().filter(|(name, _)| *name != field);
    let fields: Vec<_> = others.chain([(field, value)]).collect();
    app.browser().join_page(&fields).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bad_field_brings_the_form_back_with_a_link_to_it() {
    let app = TestApp::start().await;
    let long = "x".repeat(101);
    let cases = [
        ("email", ""),
        ("email", "ada"),
        ("email", "ada\u{0}@example.org"),
        ("email", "ada@example.org\r\nBcc: eve@example.org"),
        ("consent_email", ""),
        ("given_name", long.as_str()),
        ("given_name", "A\u{0}da"),
        ("family_name", "Love\r\nlace"),
        ("postal_code", "1"),
        ("phone", "call me"),
        ("involvement", "astronaut"),
    ];
    for (field, value) in cases {
        let page = join_with(&app, field, value).await.expect(422).page();
        for part in [
            format!(r##"<a href="#{field}">"##),
            format!(r#"id="{field}""#),
            format!(r#"id="{field}-error""#),
            r#"role="alert""#.to_owned(),
            "<title>Error: ".to_owned(),
        ] {
            assert!(page.contains(&part), "{part} for {field}={value:?} is not in {page}");
        }
    }
    assert_eq!(app.count(STORED).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_fields_that_are_not_shown_are_told_without_a_link() {
    let app = TestApp::start().await;
    for (field, value) in [
        ("country", "Ohio"),
        ("language", "english please"),
        ("notice", "x"),
        ("source_code", &"x".repeat(201)),
    ] {
        let page = join_with(&app, field, value).await.expect(422).page();
        assert!(
            page.contains(r#"role="alert""#) && !page.contains(r##"href="#country""##),
            "{field}: {page}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_typed_is_kept_and_escaped() {
    let app = TestApp::start().await;
    let fields = [
        ("email", "ada"),
        ("given_name", r#""><script>alert(1)</script>"#),
        ("family_name", "O'Brien & Söhne"),
        ("postal_code", "44035"),
        ("phone", "212-555-0123"),
        ("involvement", "worker"),
        ("consent_email", "yes"),
        ("utm_source", "<leaflet>"),
    ];
    let page = app.browser().join_page(&fields).await.expect(422).page();
    assert!(!page.contains("<script>") && !page.contains("<leaflet>"), "{page}");
    for part in [
        r#"value="ada""#,
        "&#60;script&#62;alert(1)",
        "O&#39;Brien &#38; Söhne",
        r#"value="44035""#,
        r#"value="212-555-0123""#,
        r#"type="checkbox" value="worker" checked"#,
        r#"name="utm_source" value="&#60;leaflet&#62;""#,
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let consent = page.split(r#"id="consent_email""#).nth(1).unwrap().split('>').next().unwrap();
    assert!(consent.contains("checked"), "{consent}");
    let calls = page.split(r#"id="consent_phone""#).nth(1).unwrap().split('>').next().unwrap();
    assert!(!calls.contains("checked"), "a box nobody ticked: {calls}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_showing_ticks_nothing_and_takes_the_source_from_the_link() {
    let app = TestApp::start().await;
    for path in ["/", "/join"] {
        let page =
            app.browser().get(&format!("{path}?source=leaflet&utm_source=fair&fbclid=x")).await.expect(200);
        let page = page.page();
        assert!(!page.contains("checked"), "{page}");
        assert!(page.contains(r#"name="source_code" value="leaflet""#), "{page}");
        assert!(page.contains(r#"name="utm_source" value="fair""#) && !page.contains("fbclid"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn misspelt_fields_and_other_bodies_are_problems_for_programs_and_pages_for_people() {
    let app = TestApp::start().await;
    let misspelt = [GOOD[0], GOOD[1], ("emial", "x")];
    assert_eq!(app.client().join_page(&misspelt).await.faults(), ["emial: unknown_field"]);
    app.browser().join_page(&misspelt).await.expect(422).page();
    assert_eq!(app.client().join_page(&[GOOD[0], GOOD[0], GOOD[1]]).await.expect(422).status, 422);
    let json = || app.client().post_bytes("/join", "application/json", b"{}".to_vec());
    json().await.expect(415).problem();
    app.browser().post_bytes("/join", "text/plain", b"email=x".to_vec()).await.expect(415).page();
    let empty = app.client().post_bytes("/join", "application/x-www-form-urlencoded", Vec::new()).await;
    empty.expect(422).page();
    assert_eq!(app.count(STORED).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cookie_of_a_sign_up_is_for_this_site_alone_and_lives_as_long_as_its_link() {
    let app = TestApp::start().await;
    let answer = app.browser().join_page(&GOOD).await.expect(303);
    assert_eq!(answer.header("location"), "/join/check-inbox");
    let cookie = answer.set_cookie();
    let mut attributes: Vec<_> = cookie.split("; ").skip(1).collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Max-Age=604800", "Path=/", "SameSite=Lax"]);
    assert!(!cookie.contains("ada"), "{cookie}");

    let https = |config: &mut openhearth::config::Config| {
        config.server.base_url = "https://join.example.org".to_owned();
    };
    let app = TestApp::start_with(https).await;
    let cookie = app.browser().join_page(&GOOD).await.expect(303).set_cookie();
    assert!(cookie.split("; ").any(|attribute| attribute == "Secure"), "{cookie}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_sites_cannot_send_the_form() {
    let app = TestApp::start().await;
    let own = app.client().origin().to_owned();
    let cases = [
        (vec![("origin", "https://evil.example.org")], 403),
        (vec![("origin", "null")], 403),
        (vec![("sec-fetch-site", "cross-site")], 403),
        (vec![("sec-fetch-site", "same-site"), ("origin", "http://join.example.org")], 403),
        (vec![("origin", "http://join.example.org.evil.example.org")], 403),
        (vec![("sec-fetch-site", "same-origin"), ("origin", &own)], 303),
        (vec![("origin", "http://join.example.org")], 303),
        (vec![("origin", &own)], 303),
        (vec![], 303),
    ];
    let mut stored = 0;
    for (headers, status) in cases {
        let mut request = app.client().ask(Method::POST, "/join").form(&GOOD);
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        let answer = app.client().send(request).await;
        assert_eq!(answer.status, status, "{headers:?}");
        stored += i64::from(status == 303);
        assert_eq!(answer.headers.contains_key(header::SET_COOKIE), status == 303, "{headers:?}");
        assert_eq!(app.count(STORED).await, stored, "{headers:?}");
    }
}

const FIELDS: &str = "/api/v1/admin/fields";
const FORM: &str = "/api/v1/admin/forms/join";

/// A field of every kind, of which the form shows all but the last.
async fn with_fields(app: &TestApp) -> crate::support::Client {
    let editor = app.editor().await;
    for (slug, label, kind) in [
        ("union", "Your <union>", "text"),
        ("years", "Years", "number"),
        ("born", "Birthday", "date"),
        ("driver", "I can drive", "yes_no"),
        ("secret", "Not shown", "text"),
    ] {
        editor.post_json(FIELDS, &json!({ "slug": slug, "label": label, "kind": kind })).await.expect(201);
    }
    let size = json!({ "slug": "size", "label": "Shirt", "kind": "choice", "choices": ["S", "M & L"] });
    editor.post_json(FIELDS, &size).await.expect(201);
    let shown = json!({ "fields": ["size", "union", "years", "born", "driver"] });
    editor.patch_json(FORM, &shown).await.expect(200);
    editor
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fields_that_staff_chose_for_the_form_are_shown_by_their_kind_in_their_order() {
    let app = TestApp::start().await;
    let none = app.browser().get("/join").await.expect(200).page();
    assert!(!none.contains("name=\"fields."), "{none}");
    let editor = with_fields(&app).await;
    for (list, fault) in [
        (json!(["size", "shoe"]), "fields[1]: unknown_field"),
        (json!(["size", "size"]), "fields[1]: duplicate"),
        (json!(vec!["size"; 21]), "fields: too_many"),
    ] {
        assert_eq!(editor.patch_json(FORM, &json!({ "fields": list })).await.faults(), [fault]);
    }
    let form = editor.get(FORM).await.expect(200).json();
    assert_eq!(form["fields"], json!(["size", "union", "years", "born", "driver"]), "as it was set");
    for path in ["/", "/join", "/join?lang=es"] {
        let page = app.browser().get(path).await.expect(200).page();
        let places: Vec<_> = [
            r#"<select id="fields.size" name="fields.size">"#,
            r#"<option value="M &#38; L">M &#38; L</option>"#,
            r#"<label for="fields.union">Your &#60;union&#62; "#,
            r#"<input id="fields.union" name="fields.union" type="text" value="">"#,
            r#"<input id="fields.years" name="fields.years" type="text" inputmode="decimal" value="">"#,
            r#"<input id="fields.born" name="fields.born" type="date" value="">"#,
            r#"<input id="fields.driver" name="fields.driver" type="checkbox" value="true">"#,
        ]
        .into_iter()
        .map(|part| page.find(part).unwrap_or_else(|| panic!("{part} is not in {page}")))
        .collect();
        assert!(places.is_sorted(), "in the order that staff chose: {places:?}");
        assert!(!page.contains("Not shown"), "{page}");
    }
    editor.delete(&format!("{FIELDS}/size")).await.expect(204);
    let page = app.browser().get("/join").await.expect(200).page();
    assert!(!page.contains("fields.size") && page.contains("fields.union"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_of_fields_are_checked_kept_on_a_refusal_and_hold_once_confirmed() {
    let app = TestApp::start().await;
    let editor = with_fields(&app).await;
    let typed = [
        ("fields.union", "Local <12>"),
        ("fields.years", "many"),
        ("fields.born", "2026-02-30"),
        ("fields.driver", "true"),
        ("fields.size", "XXL"),
        ("fields.shoe", "42"),
        ("language", "es"),
    ];
    let fields: Vec<_> = GOOD.into_iter().chain(typed).collect();
    let page = app.browser().join_page(&fields).await.expect(422).page();
    for part in [
        r##"<a href="#fields.years">Escribe un número como 12 o 0.5.</a>"##,
        r##"<a href="#fields.born">Escribe un día como 2026-05-01.</a>"##,
        r##"<a href="#fields.size">Esto no es una de las opciones.</a>"##,
        "<li>No hay tal campo.</li>",
        r#"id="fields.years-error""#,
        r#"name="fields.years" type="text" inputmode="decimal" value="many" aria-invalid="true""#,
        r#"name="fields.union" type="text" value="Local &#60;12&#62;""#,
        r#"name="fields.driver" type="checkbox" value="true" checked"#,
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let twice: Vec<_> = GOOD.into_iter().chain([("fields.union", "a"), ("fields.union", "b")]).collect();
    assert_eq!(app.client().join_page(&twice).await.faults(), ["fields.union: duplicate_field"]);
    assert_eq!(app.count(STORED).await, 0);

    let good = [
        ("fields.union", " Local 12 "),
        ("fields.years", "012.5"),
        ("fields.born", "1970-05-01"),
        ("fields.driver", "true"),
        ("fields.size", ""),
    ];
    let fields: Vec<_> = GOOD.into_iter().chain(good).collect();
    app.browser().join_page(&fields).await.expect(303);
    let asked = app.settle_one().await;
    app.client().confirm(&asked.link("/confirm/")).await.expect(200);
    let id =
        editor.supporters("?field.driver=true").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    let stored = json!({ "union": "Local 12", "years": "12.5", "born": "1970-05-01", "driver": "true" });
    assert_eq!(editor.record(&id).await.0["fields"], stored);

    // The person sees them among what is stored, and what staff wrote down.
    let welcome = app.settle_one().await;
    let note = json!({ "text": "Met at the <gate>." });
    editor.post_json(&format!("/api/v1/admin/supporters/{id}/notes"), &note).await.expect(201);
    app.client().post(&format!("{}/link", welcome.link("/preferences/"))).await.expect(200);
    let page = app.client().get(&app.settle_one().await.link("/preferences/")).await.expect(200).page();
    for part in [
        "<dt>Your &#60;union&#62;</dt><dd>Local 12</dd>",
        "<dt>Years</dt><dd>12.5</dd>",
        "<dt>I can drive</dt><dd>Yes</dd>",
        "<dd>Met at the &#60;gate&#62;.</dd>",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
}

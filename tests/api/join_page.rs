//! The HTML form: errors linked to their fields, what was typed kept, cookies, and who may send it.

use reqwest::{Method, header};

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

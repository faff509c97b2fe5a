//! Intake over the API: what is refused and how, and answers that tell nothing about an address.

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::support::{Answer, DAY, TestApp, person};

const PATH: &str = "/api/v1/signups";
const STORED: &str = "SELECT count(*) AS n FROM signups";

/// The shortest good sign-up with `field` set to `value`.
fn with(field: &str, value: Value) -> Value {
    let mut signup = person("ada@example.org");
    signup[field] = value;
    signup
}

/// Each bad sign-up with the fault it must be refused for.
fn bad_signups() -> Vec<(Value, &'static str)> {
    let (id, long) = ("01890a5d-ac96-774b-bcce-b302099a8057", |n| "x".repeat(n));
    let source = |field: &str, value: Value| with("source", json!({ field: value }));
    let consent = |field: &str, value: Value| with("consent", json!({ "email": true, field: value }));
    vec![
        (json!({ "consent": { "email": true } }), "email: required"),
        (with("email", json!(null)), "email: required"),
        (with("email", json!("")), "email: required"),
        (with("email", json!("ada")), "email: invalid_email"),
        (with("email", json!("ada@@example.org")), "email: invalid_email"),
        (with("email", json!("ada lovelace@example.org")), "email: invalid_email"),
        (with("email", json!("\"ada\"@example.org")), "email: invalid_email"),
        (with("email", json!("ada@example")), "email: invalid_email_domain"),
        (with("email", json!("ada@[127.0.0.1]")), "email: invalid_email_domain"),
        (with("email", json!(format!("{}@example.org", long(65)))), "email: too_long"),
        (with("email", json!("ada\u{0}@example.org")), "email: control_characters"),
        (with("email", json!("ada@example.org\r\nBcc: eve@example.org")), "email: control_characters"),
        (with("email", json!(7)), "email: wrong_type"),
        (with("email", json!(["ada@example.org"])), "email: wrong_type"),
        (json!({ "email": "ada@example.org" }), "consent: required"),
        (with("consent", json!(null)), "consent: required"),
        (with("consent", json!({})), "consent.email: required"),
        (with("consent", json!({ "email": false })), "consent.email: required"),
        (with("consent", json!({ "email": "true" })), "consent.email: wrong_type"),
        (with("consent", json!(true)), "consent: wrong_type"),
        (with("consent", json!([true])), "consent: wrong_type"),
        (with("source", json!(["leaflet"])), "source: wrong_type"),
        (consent("phone", json!("yes")), "consent.phone: wrong_type"),
        (consent("sms", json!(true)), "consent.sms: unknown_field"),
        (consent("notice", json!("x")), "consent.notice: wrong_type"),
        (consent("notice", json!(id)), "consent.notice: unknown_notice"),
        (with("emial", json!("ada@example.org")), "emial: unknown_field"),
        (source("utm_sauce", json!("x")), "source.utm_sauce: unknown_field"),
        (source("code", json!(long(201))), "source.code: too_long"),
        (source("page", json!(long(501))), "source.page: too_long"),
        (source("utm_term", json!("a\nb")), "source.utm_term: control_characters"),
        (source("code", json!(1)), "source.code: wrong_type"),
        (with("given_name", json!(long(101))), "given_name: too_long"),
        (with("given_name", json!("A\u{0}da")), "given_name: control_characters"),
        (with("family_name", json!("Love\r\nlace")), "family_name: control_characters"),
        (with("family_name", json!("a\u{202e}b")), "family_name: control_characters"),
        (with("postal_code", json!("1")), "postal_code: invalid_zip_code"),
        (with("country", json!("Ohio")), "country: invalid_country"),
        (with("phone", json!("call me")), "phone: invalid_phone"),
        (with("language", json!("english please")), "language: invalid_language"),
        (with("region", json!("ZZ")), "region: invalid_region"),
        (with("involvement", json!(["astronaut"])), "involvement[0]: wrong_type"),
        (with("involvement", json!("worker")), "involvement: wrong_type"),
        (with("involvement", json!(vec!["worker"; 7])), "involvement: too_long"),
        (with("form", json!("nope")), "form: unknown_form"),
        (with("share_with", json!(["union"])), "share_with[0]: unknown_group"),
        (with("proof", json!(long(1025))), "proof: too_long"),
        (with("fields", json!({ "shoe_size": 43 })), "fields.shoe_size: unknown_field"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bad_field_is_refused_with_its_path_and_code_and_nothing_is_stored() {
    let app = TestApp::start().await;
    let mut wrong = Vec::new();
    for (signup, fault) in bad_signups() {
        let answer = app.client().join(&signup).await;
        if answer.status != 422 || answer.faults() != [fault] {
            wrong.push(format!("{fault} for {signup}: {answer:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert_eq!(app.count(STORED).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_faults_are_told_at_once_and_without_echoing_what_was_sent() {
    let app = TestApp::start().await;
    let signup = json!({
        "email": "private-typo", "given_name": "x".repeat(101), "postal_code": "1", "consent": { "email": false },
    });
    let answer = app.client().join(&signup).await;
    let mut faults = answer.faults();
    faults.sort();
    let expected = [
        "consent.email: required",
        "email: invalid_email",
        "given_name: too_long",
        "postal_code: invalid_zip_code",
    ];
    assert_eq!(faults, expected);
    assert!(!answer.text().contains("private-typo"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_at_their_limits_are_taken_and_kept() {
    let app = TestApp::start().await;
    let text = |n| "ж".repeat(n);
    let notice = app.words("SELECT lower(hex(id)) AS word FROM notices WHERE form = 'join'").await.remove(0);
    let signup = json!({
        "email": format!("{}@example.org", "a".repeat(64)), "given_name": text(100), "family_name": text(100),
        "postal_code": "44035-1234", "country": "US", "phone": "(212) 555-0123", "language": "es-MX",
        "involvement": ["frontline", "worker", "advocate", "faith", "researcher", "other"], "region": "oh",
        "form": "join", "share_with": [], "proof": "p".repeat(1024),
        "consent": { "email": true, "phone": true, "notice": notice },
        "source": { "code": text(200), "group": "union", "page": text(500), "utm_source": "", "utm_medium": null },
    });
    app.supporter_of(&signup).await;
    let program = app.reader().await;
    let row = program.supporters("").await.json()["data"][0].clone();
    assert_eq!(row["given_name"], text(100), "{row}");
    assert_eq!(row["source"], text(200));
    assert_eq!(
        (&row["phone"], &row["region"], &row["language"]),
        (&json!("+12125550123"), &json!("OH"), &json!("es-MX"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_are_no_json_are_refused_by_kind() {
    let app = TestApp::start().await;
    let good = person("ada@example.org").to_string();
    let send =
        |media_type: &'static str, body: String| app.client().post_bytes(PATH, media_type, body.into());
    for malformed in [
        "",
        " ",
        "{",
        "{\"email\":",
        "nul",
        "[1,]",
        "{\"email\":1,}",
        &format!("{good}x"),
        "{'email':1}",
        "\u{feff}{}",
    ] {
        send("application/json", malformed.to_owned()).await.expect(400).problem();
    }
    let by_position =
        r#"["ada@example.org",null,null,null,null,null,null,[],null,null,[],{"email":true},{},null]"#;
    for other in ["[]", "7", "\"x\"", "null", by_position] {
        send("application/json", other.to_owned()).await.expect(422).problem();
    }
    let twice = r#"{"email":"a@example.org","email":"b@example.org","consent":{"email":true}}"#;
    assert_eq!(send("application/json", twice.to_owned()).await.faults(), ["email: duplicate_field"]);
    for media_type in
        ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data"]
    {
        send(media_type, good.clone()).await.expect(415).problem();
    }
    let untyped = app.client().ask(Method::POST, PATH).body(good.clone());
    app.client().send(untyped).await.expect(415).problem();
    assert_eq!(app.count(STORED).await, 0);
    for media_type in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
        let answer = send(media_type, good.clone()).await.expect(202);
        assert_eq!(answer.json(), json!({ "status": "accepted" }));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_up_to_64_kib_are_read_and_larger_ones_refused() {
    let app = TestApp::start().await;
    let padded = |length: usize| {
        let mut body = person("ada@example.org").to_string().into_bytes();
        body.resize(length, b' ');
        body
    };
    app.client().post_bytes(PATH, "application/json", padded(65_536)).await.expect(202);
    app.client().post_bytes(PATH, "application/json", padded(65_537)).await.expect(413).problem();
    app.client()
        .post_bytes("/join", "application/x-www-form-urlencoded", padded(65_537))
        .await
        .expect(413)
        .problem();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_methods_are_told_which_are_allowed() {
    let app = TestApp::start().await;
    let cases = [
        (PATH, "GET", "POST"),
        (PATH, "DELETE", "POST"),
        ("/api/v1/confirmations", "GET", "POST"),
        ("/join", "PUT", "GET, HEAD, POST"),
        ("/", "POST", "GET, HEAD"),
        ("/healthz", "POST", "GET, HEAD"),
        ("/api/v1/admin/supporters", "POST", "GET, HEAD"),
        ("/api/v1/admin/session", "GET", "POST, DELETE"),
    ];
    for (path, method, allowed) in cases {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = app.client().send(app.client().ask(method.clone(), path)).await.expect(405);
        assert_eq!(answer.header("allow"), allowed, "{method} {path}");
        answer.problem();
    }
}

/// The answer without what differs from one moment to the next.
fn telling(answer: Answer) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| *name != header::DATE)
        .map(|(name, value)| {
            let value = value.to_str().unwrap();
            // Of the signed cookie, only its form can be compared.
            let token =
                value.strip_prefix("oh_joined=").and_then(|rest| rest.split(';').next()).unwrap_or("");
            (
                name.to_string(),
                if token.is_empty() {
                    value.to_owned()
                } else {
                    value.replace(token, &token.len().to_string())
                },
            )
        })
        .collect();
    headers.sort();
    (answer.status, headers, answer.body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_is_the_same_for_new_known_unsubscribed_suppressed_and_erased_addresses() {
    let app = TestApp::start().await;
    app.supporter("known@example.org").await;
    let left = app.supporter("unsubscribed@example.org").await;
    app.client().post(&left.link("/unsubscribe/")).await.expect(200);
    app.client().join(&person("suppressed@example.org")).await.expect(202);
    app.client().post(&app.settle_one().await.link("/not-me/")).await.expect(200);
    let gone = app.supporter("erased@example.org").await;
    app.client().post(&format!("{}/link", gone.link("/preferences/"))).await.expect(200);
    let fresh = app.settle_one().await.link("/preferences/");
    app.client().delete(&format!("/api/v1{fresh}")).await.expect(204);
    app.client().join(&person("pending@example.org")).await.expect(202);
    app.settle().await;
    app.advance(DAY);

    let api = telling(app.client().join(&person("brand-new@example.org")).await.expect(202));
    let form = [("email", "brand-new@example.org"), ("consent_email", "yes")];
    let page = telling(app.browser().join_page(&form).await.expect(303));
    for who in ["known", "unsubscribed", "suppressed", "erased", "pending", "brand-new"] {
        let email = format!("{who}@example.org");
        assert_eq!(telling(app.client().join(&person(&email)).await), api, "{who}");
        let form = [("email", email.as_str()), ("consent_email", "yes")];
        assert_eq!(telling(app.browser().join_page(&form).await), page, "{who}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_allowed_origins_may_send_sign_ups_and_others_may_not_read_the_answer() {
    let allowed = "https://campaign.example.org";
    let app = TestApp::start_with(|config| config.server.allowed_origins = vec![allowed.to_owned()]).await;
    let preflight = |origin: &'static str| {
        let request = app.client().ask(Method::OPTIONS, PATH).header(header::ORIGIN, origin);
        let request = request.header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
        app.client().send(request.header(header::ACCESS_CONTROL_REQUEST_HEADERS, "content-type"))
    };
    let answer = preflight(allowed).await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), allowed);
    assert!(answer.header("access-control-allow-methods").contains("POST"), "{answer:?}");
    assert!(answer.header("access-control-allow-headers").eq_ignore_ascii_case("content-type"), "{answer:?}");
    assert_eq!(answer.header("access-control-allow-credentials"), "", "the route uses no cookies");
    for other in ["https://evil.example.org", "http://campaign.example.org", "null"] {
        assert_eq!(preflight(other).await.header("access-control-allow-origin"), "", "{other}");
    }
    for (origin, mark) in [(allowed, allowed), ("https://evil.example.org", "")] {
        let request = app.client().ask(Method::POST, PATH).header(header::ORIGIN, origin);
        let answer = app.client().send(request.json(&person("ada@example.org"))).await.expect(202);
        assert_eq!(answer.header("access-control-allow-origin"), mark);
        assert_eq!(answer.header("set-cookie"), "");
    }
    // A refusal must be readable too.
    let request = app.client().ask(Method::POST, PATH).header(header::ORIGIN, allowed).json(&json!({}));
    assert_eq!(app.client().send(request).await.expect(422).header("access-control-allow-origin"), allowed);
}

/// JSON of every shape, with the contract's own names and values in it more often than chance has them.
fn arbitrary_json() -> impl Strategy<Value = Value> {
    let names = "email|consent|source|given_name|postal_code|country|phone|language|involvement|region|form|\
                 share_with|proof|notice|code|page|[a-z_]{0,8}|\\PC{0,4}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "(ada|worker|join|US|44035|\\PC{0,20})(@example\\.org)?".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(names, inner, 0..8).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// Runs `check` on values of `strategy` against one server.
fn against_one_server<S: Strategy>(cases: u32, strategy: S, check: impl AsyncFn(&TestApp, S::Value) -> Answer)
where
    S::Value: Clone + std::fmt::Debug,
{
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut app = runtime.block_on(TestApp::start());
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&strategy, |value| {
        let answer = runtime.block_on(check(&app, value));
        prop_assert!([202, 303, 400, 404, 413, 415, 422].contains(&answer.status), "{answer:?}");
        prop_assert!(answer.status < 400 || !answer.body.is_empty());
        Ok(())
    });
    runtime.block_on(app.stop());
    outcome.unwrap();
}

#[test]
fn arbitrary_json_never_makes_the_server_fail() {
    against_one_server(300, arbitrary_json(), async |app, body| app.client().join(&body).await);
}

#[test]
fn good_sign_ups_with_one_arbitrary_value_never_make_the_server_fail() {
    let names = "email|consent|source|given_name|family_name|postal_code|country|phone|language|involvement|\
                 region|form|share_with|proof";
    against_one_server(300, (names, arbitrary_json()), async |app, (name, value)| {
        app.client().join(&with(&name, value)).await
    });
}

#[test]
fn arbitrary_bytes_never_make_the_server_fail() {
    let paths =
        prop_oneof![Just(PATH), Just("/join"), Just("/api/v1/confirmations"), Just("/api/v1/nowhere")];
    let kinds = prop_oneof![Just("application/json"), Just("application/x-www-form-urlencoded")];
    let form = "((email|consent_email|given_name|notice|involvement|[a-z]{1,5})=(%[0-9a-f]{2}|[a-z@.%&=+]){0,12}&?){0,4}";
    let bytes = prop_oneof![prop::collection::vec(any::<u8>(), 0..200), form.prop_map(String::into_bytes)];
    against_one_server(300, (paths, kinds, bytes), async |app, (path, kind, bytes)| {
        app.client().post_bytes(path, kind, bytes).await
    });
}

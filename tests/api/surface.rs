//! What every answer has in common: the documented paths, HEAD, headers, problems, health, figures, assets.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::support::{Answer, HOUR, TestApp, person, routes};

async fn document(app: &TestApp) -> Value {
    app.client().get("/api/v1/openapi.json").await.expect(200).json()
}

/// Documented paths with the methods of each.
fn documented(document: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .map(|(path, item)| {
            let methods = ["get", "post", "patch", "put", "delete"].into_iter();
            (path.clone(), methods.filter(|method| item[method].is_object()).map(str::to_uppercase).collect())
        })
        .collect()
}

/// The path with something in place of its parameters.
fn filled(path: &str) -> String {
    path.replace("{token}", "x").replace("{id}", "x")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_openapi_document_is_the_one_that_was_agreed_on() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."), "{}", document["openapi"]);
    insta::assert_json_snapshot!("openapi", document);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_documented_operation_is_mounted_and_every_mounted_one_documented() {
    let app = TestApp::start().await;
    let documented = documented(&document(&app).await);
    assert!(documented.len() > 8, "{documented:?}");
    for (path, methods) in &documented {
        let answer = app.client().send(app.client().ask(Method::TRACE, &filled(path))).await.expect(405);
        let allowed = answer.header("allow").split(", ").filter(|method| *method != "HEAD");
        assert_eq!(&allowed.map(str::to_owned).collect::<BTreeSet<_>>(), methods, "{path}");
    }
    let mounted = routes::mounted().into_iter().map(|(_, path)| path);
    // The document does not describe itself.
    let api = mounted.filter(|path| path.starts_with("/api/v1/") && path != "/api/v1/openapi.json");
    let api: BTreeSet<_> = api.collect();
    assert_eq!(api, documented.into_keys().collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documentation_page_shows_every_path_without_anything_from_elsewhere() {
    let app = TestApp::start().await;
    let page = app.browser().get("/api/docs").await.expect(200).page();
    for path in documented(&document(&app).await).keys() {
        assert!(page.contains(path.as_str()) || page.contains(&path.replace('{', "&#123;")), "{path}");
    }
    assert!(!page.contains("src=\"http") && !page.contains("href=\"//"), "{page}");
}

/// Pages and answers of every kind, by GET: a path, a token to send, and its status.
async fn everything(app: &TestApp) -> Vec<(String, Option<String>, u16)> {
    app.client().join(&person("ada@example.org")).await.expect(202);
    let asked = app.settle_one().await;
    let welcome = app.supporter("bob@example.org").await;
    let preferences = welcome.link("/preferences/");
    app.client().post(&format!("{preferences}/link")).await.expect(200);
    let fresh = app.settle_one().await.link("/preferences/");
    let setup = app.app().staff.setup_url().await.unwrap().unwrap();
    let open = [
        ("/".to_owned(), 200),
        ("/join".to_owned(), 200),
        ("/join/check-inbox".to_owned(), 200),
        (asked.link("/confirm/"), 200),
        (asked.link("/not-me/"), 200),
        (welcome.link("/unsubscribe/"), 200),
        (format!("/api/v1{fresh}"), 200),
        (format!("{fresh}/data.json"), 200),
        (preferences, 200),
        (fresh, 200),
        (setup.replace("http://join.example.org", ""), 200),
        ("/api/docs".to_owned(), 200),
        ("/api/v1/openapi.json".to_owned(), 200),
        ("/healthz".to_owned(), 200),
        ("/readyz".to_owned(), 200),
        ("/metrics".to_owned(), 200),
        ("/static/app.css".to_owned(), 200),
        ("/static/icon.svg".to_owned(), 200),
        ("/static/nothing.css".to_owned(), 404),
        ("/nowhere".to_owned(), 404),
        ("/confirm/x".to_owned(), 404),
        ("/api/v1/admin/me".to_owned(), 401),
        ("/api/v1/signups".to_owned(), 405),
    ];
    let mut all: Vec<_> = open.into_iter().map(|(path, status)| (path, None, status)).collect();
    // Made last: the setup link is good only while nobody has an account.
    let app = app.app();
    let owner = "owner@example.org";
    let password = crate::support::PASSWORD.into();
    app.staff.create_by_command(owner, password, openhearth::staff::Role::Owner).await.unwrap();
    let scopes = ["supporters:read".to_owned(), "exports".to_owned()];
    let token = app.staff.token_by_command(owner, "x", &scopes).await.unwrap();
    for path in [
        "/api/v1/admin/supporters",
        "/api/v1/admin/signups",
        "/api/v1/admin/exports/supporters.csv?purpose=x",
    ] {
        all.push((path.to_owned(), Some(token.clone()), 200));
    }
    all.iter_mut().filter(|(path, ..)| path.starts_with("/setup/")).for_each(|(.., status)| *status = 410);
    all
}

/// Headers that must be the same for GET and HEAD.
fn steady(answer: &Answer) -> BTreeMap<String, String> {
    let moving = ["date", "content-security-policy", "transfer-encoding"];
    let headers = answer.headers.iter().filter(|(name, _)| !moving.contains(&name.as_str()));
    headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn head_answers_as_get_does_everywhere_and_without_a_body() {
    let app = TestApp::start().await;
    for (path, token, status) in everything(&app).await {
        for client in [app.client(), &app.browser()] {
            let client = token.as_ref().map_or_else(|| client.clone(), |token| client.with_token(token));
            let (get, head) = (client.get(&path).await, client.head(&path).await);
            assert_eq!((get.status, head.status), (status, status), "{path}");
            assert!(head.body.is_empty(), "{path}");
            let (mut get, mut head) = (steady(&get), steady(&head));
            if path == "/metrics" || path.contains(".csv") {
                // Counted or streamed: its length is not known beforehand.
                get.remove("content-length");
                head.remove("content-length");
            }
            assert_eq!(get, head, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_has_its_security_headers() {
    let app = TestApp::start().await;
    let mut answers = Vec::new();
    for (path, token, _) in everything(&app).await {
        let client = token.as_ref().map_or_else(|| app.browser(), |token| app.browser().with_token(token));
        answers.push((path.clone(), client.get(&path).await));
    }
    answers.push(("422".to_owned(), app.client().join(&json!({})).await.expect(422)));
    answers.push(("422 page".to_owned(), app.browser().join_page(&[]).await.expect(422)));
    answers.push(("415".to_owned(), app.client().post("/api/v1/signups").await.expect(415)));
    answers.push(("202".to_owned(), app.client().join(&person("eve@example.org")).await.expect(202)));
    for (path, answer) in answers {
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        let cache = if path.starts_with("/static/") && answer.status == 200 {
            "public, max-age=300"
        } else {
            "no-store"
        };
        assert_eq!(answer.header("cache-control"), cache, "{path}");
        let policy = answer.header("content-security-policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{path}: {policy}");
        assert_eq!(answer.header("strict-transport-security"), "", "{path}: only under https");
        assert_eq!(answer.header("server"), "", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_https_browsers_are_told_to_stay_there() {
    let https = |config: &mut openhearth::config::Config| {
        config.server.base_url = "https://join.example.org".to_owned();
    };
    let app = TestApp::start_with(https).await;
    for path in ["/", "/nowhere", "/healthz"] {
        assert!(
            app.client().get(path).await.header("strict-transport-security").starts_with("max-age=31536000")
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_path_is_a_page_for_people_and_a_problem_for_programs() {
    let app = TestApp::start().await;
    let page = app.browser().get("/nowhere").await.expect(404).page();
    assert!(page.contains("<h1>") && page.contains(r#"href="/""#), "{page}");
    assert_eq!(app.client().get("/nowhere").await.expect(404).problem()["title"], "Not Found");
    app.browser().get("/api/v1/nowhere").await.expect(404).problem();
    app.browser().post("/nowhere").await.expect(404).page();
    let answer = app.browser().send(app.browser().ask(Method::PUT, "/join")).await.expect(405);
    assert_eq!(answer.header("allow"), "GET, HEAD, POST", "also when it is a page");
    answer.page();
    for odd in
        ["//", "/%2e%2e/etc/passwd", "/static/../Cargo.toml", "/static/%2e%2e%2fCargo.toml", "/static/"]
    {
        app.client().get(odd).await.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_is_of_the_process_and_readiness_of_store_and_mail() {
    let app = TestApp::start().await;
    assert_eq!(app.client().get("/healthz").await.expect(200).json(), json!({ "status": "ok" }));
    let ready = app.client().get("/readyz").await.expect(200).json();
    assert_eq!(ready, json!({ "store": "ok", "mail": "elsewhere" }), "this process runs no mail worker");
    let idle = app.second_process().await;
    assert!(!idle.ops.mailer.as_ref().unwrap().is_turning(), "a worker that has not turned is not working");
    idle.kernel.store.close().await;
    let app = TestApp::start_with_workers().await;
    let ready = async { while app.client().get("/readyz").await.status != 200 {} };
    tokio::time::timeout(std::time::Duration::from_secs(20), ready).await.expect("ready");
    let ready = app.client().get("/readyz").await.expect(200).json();
    assert_eq!(ready, json!({ "store": "ok", "mail": "ok" }));
    // Another server: a verdict holds for a moment.
    let app = TestApp::start_with_workers().await;
    app.app().kernel.store.close().await;
    let ready = app.client().get("/readyz").await.expect(503).json();
    assert_eq!(ready["store"], "failing");
    app.client().get("/healthz").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_triage_and_send_by_themselves() {
    let app = TestApp::start_with_workers().await;
    app.client().join(&person("ada@example.org")).await.expect(202);
    app.until_none("SELECT 1 - count(*) AS n FROM outbox WHERE state = 'sent'").await;
    assert_eq!(app.mails.sent().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_count_what_happens_and_are_shown_to_those_who_may() {
    let app = TestApp::start().await;
    app.supporter("ada@example.org").await;
    app.client().join(&json!({})).await.expect(422);
    let answer = app.client().get("/metrics").await.expect(200);
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"), "{answer:?}");
    let text = answer.text();
    for line in [
        "openhearth_signups_accepted_total 1",
        "openhearth_signups_unavailable_total 0",
        "openhearth_confirmations_total 1",
        "openhearth_mails_total{outcome=\"Accepted\"} 2",
        "openhearth_intake_waiting 0",
        "openhearth_signups_untriaged_seconds 0.0",
        "openhearth_mails_overdue_seconds 0.0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
    }
    assert!(text.ends_with("# EOF\n") && !text.contains("example.org"), "{text}");

    app.client().join(&person("grace@example.org")).await.expect(202);
    app.advance(HOUR);
    let figure = async |name: &str| -> f64 {
        let text = app.client().get("/metrics").await.expect(200).text();
        let line = text.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
        line.unwrap_or_default().trim().parse().unwrap()
    };
    let hour = 3600.0..3700.0;
    assert!(hour.contains(&figure("openhearth_signups_untriaged_seconds").await), "nobody triages");
    app.triage().await;
    app.advance(HOUR);
    assert!(figure("openhearth_signups_untriaged_seconds").await < 1.0);
    assert!(hour.contains(&figure("openhearth_mails_overdue_seconds").await), "nobody sends");

    let app = TestApp::start_with(|config| config.metrics.token = Some("a token of the tests".into())).await;
    app.client().get("/metrics").await.expect(401);
    app.client().with_token("another").get("/metrics").await.expect(401);
    app.client().with_token("a token of the tests").get("/metrics").await.expect(200);
    let app = TestApp::start_with(|config| config.metrics.listen = "127.0.0.1:0".to_owned()).await;
    app.client().get("/metrics").await.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_asset_that_is_known_is_not_sent_again() {
    let app = TestApp::start().await;
    for (path, kind) in
        [("/static/app.css", "text/css; charset=utf-8"), ("/static/icon.svg", "image/svg+xml")]
    {
        let first = app.client().get(path).await.expect(200);
        assert_eq!(first.header("content-type"), kind);
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 10, "{tag}");
        let with_tag = |tag: &str| app.client().ask(Method::GET, path).header(header::IF_NONE_MATCH, tag);
        let again = app.client().send(with_tag(&tag)).await.expect(304);
        assert!(again.body.is_empty());
        assert_eq!(again.header("etag"), tag);
        app.client().send(with_tag("\"another\"")).await.expect(200);
    }
}

/// Whether two sign-ups with these X-Forwarded-For values count as one client.
async fn same_client(app: &TestApp, first: Option<&str>, second: Option<&str>) -> bool {
    app.execute("DELETE FROM signups").await;
    for forwarded in [first, second] {
        let mut request = app.client().ask(Method::POST, "/api/v1/signups").json(&person("ada@example.org"));
        if let Some(forwarded) = forwarded {
            request = request.header("x-forwarded-for", forwarded);
        }
        app.client().send(request).await.expect(202);
    }
    assert_eq!(app.count("SELECT count(*) AS n FROM signups WHERE client_hash IS NOT NULL").await, 2);
    app.count("SELECT count(DISTINCT client_hash) AS n FROM signups").await == 1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forwarded_addresses_are_believed_from_trusted_proxies_only() {
    let app = TestApp::start().await;
    assert!(same_client(&app, Some("192.0.2.1"), Some("192.0.2.2")).await, "nobody is trusted");
    assert!(same_client(&app, Some("192.0.2.1"), None).await);

    let trusted = ["127.0.0.1", "198.51.100.0/24"].map(|network| network.to_owned().try_into().unwrap());
    let app = TestApp::start_with(|config| config.server.trusted_proxies = trusted.to_vec()).await;
    for (first, second, same) in [
        ("192.0.2.1", "192.0.2.2", false),
        ("192.0.2.1", "192.0.2.1", true),
        ("203.0.113.9, 192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1, 198.51.100.7", "192.0.2.1", true),
        ("192.0.2.1, 198.51.100.7", "192.0.2.2, 198.51.100.7", false),
        ("2001:db8::1", "2001:db8::2", true),
        ("2001:db8::1", "2001:db8:0:1::1", false),
    ] {
        assert_eq!(same_client(&app, Some(first), Some(second)).await, same, "{first} | {second}");
    }
    assert!(same_client(&app, Some("garbage"), None).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_problems_have_an_address_where_one_is_set() {
    let app = TestApp::start().await;
    app.client().get("/.well-known/security.txt").await.expect(404).problem();
    let app =
        TestApp::start_with(|config| config.campaign.security_contact = "security@example.org".to_owned())
            .await;
    let answer = app.client().get("/.well-known/security.txt").await.expect(200);
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    let text = answer.text();
    let field = |name: &str| {
        let mut values = text.lines().filter_map(|line| line.strip_prefix(&format!("{name}: ")));
        let value = values.next().unwrap_or_else(|| panic!("no {name} in {text}")).to_owned();
        assert!(values.next().is_none(), "{name} stands there twice");
        value
    };
    assert_eq!(field("Contact"), "mailto:security@example.org");
    assert_eq!(field("Canonical"), "http://join.example.org/.well-known/security.txt");
    // RFC 9116: a time to come, and less than a year away.
    let now = app.clock.now();
    let (soon, year) = (now.to_string(), now.after(365 * crate::support::DAY).to_string());
    assert!(field("Expires") > soon && field("Expires") < year, "{text}");
}

//! Staff: login, sessions, tokens, roles.

use openhearth::staff::Role;
use reqwest::{Method, header};
use serde_json::json;

use crate::support::{Answer, Client, HOUR, MINUTE, PASSWORD, TestApp};

const SESSION: &str = "/api/v1/admin/session";
const ME: &str = "/api/v1/admin/me";
const TOKENS: &str = "/api/v1/admin/tokens";
const PEOPLE: [&str; 3] = [
    "/api/v1/admin/supporters",
    "/api/v1/admin/signups",
    "/api/v1/admin/exports/supporters.csv?purpose=newsletter",
];

impl TestApp {
    async fn account(&self, email: &str, role: Role) {
        self.app().staff.create_by_command(email, PASSWORD.into(), role).await.unwrap();
    }
}

/// What a login says, without its date.
fn said(answer: &Answer) -> (u16, String, usize) {
    (answer.status, answer.text(), answer.headers.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_and_an_unknown_address_get_the_same_answer() {
    let app = TestApp::start().await;
    app.account("owner@example.org", Role::Owner).await;
    let wrong = app.client().login("owner@example.org", "not the password at all").await.expect(401);
    wrong.problem();
    assert_eq!(wrong.header("set-cookie"), "");
    for (email, password) in [
        ("nobody@example.org", PASSWORD),
        ("not an address", PASSWORD),
        ("", ""),
        ("owner@example.org", ""),
        ("owner@example.org", "CORRECT HORSE BATTERY STAPLE"),
    ] {
        assert_eq!(said(&app.client().login(email, password).await), said(&wrong), "{email}");
    }
    app.client().login("OWNER@example.org", PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_session_cookie_is_for_this_site_alone_and_nothing_stored_opens_a_session() {
    let app = TestApp::start().await;
    app.account("owner@example.org", Role::Owner).await;
    let cookie = app.client().login("owner@example.org", PASSWORD).await.expect(200).set_cookie();
    let (pair, rest) = cookie.split_once("; ").unwrap();
    let (name, token) = pair.split_once('=').unwrap();
    let mut attributes: Vec<_> = rest.split("; ").collect();
    attributes.sort_unstable();
    assert_eq!((name, attributes), ("oh_session", vec!["HttpOnly", "Path=/", "SameSite=Lax"]));
    assert!(token.len() >= 43, "256 bits: {token}");
    for secret in [token, PASSWORD] {
        assert_eq!(app.backend.places_with(secret), [""; 0]);
    }

    let https = |config: &mut openhearth::config::Config| {
        config.server.base_url = "https://join.example.org".to_owned();
    };
    let app = TestApp::start_with(https).await;
    app.account("owner@example.org", Role::Owner).await;
    let login = app.client().login("owner@example.org", PASSWORD).await.expect(200);
    let marks = login.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let mark = marks.into_iter().find(|cookie| cookie.starts_with("__Host-oh_browser=")).unwrap();
    assert!(mark.contains("; Secure") && mark.contains("; HttpOnly") && mark.contains("; Path=/"), "{mark}");
    let cookie = login.set_cookie();
    assert!(cookie.starts_with("__Host-oh_session="), "{cookie}");
    let mut attributes: Vec<_> = cookie.split("; ").skip(1).collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_by_logging_out_and_by_itself_after_twelve_hours() {
    let app = TestApp::start().await;
    app.account("owner@example.org", Role::Owner).await;
    let cookie = app.client().login("owner@example.org", PASSWORD).await.set_cookie();
    let pair = cookie.split(';').next().unwrap().to_owned();
    let with_cookie = |method: Method, path: &str| {
        let request = app.client().ask(method, path).header(header::COOKIE, &pair);
        app.client().send(request)
    };
    let me = with_cookie(Method::GET, ME).await.expect(200).json();
    assert_eq!((&me["email"], &me["role"]), (&json!("owner@example.org"), &json!("owner")));
    let gone = with_cookie(Method::DELETE, SESSION).await.expect(204).set_cookie();
    assert!(gone.starts_with("oh_session=;") && gone.contains("Max-Age=0"), "{gone}");
    with_cookie(Method::GET, ME).await.expect(401).problem();
    with_cookie(Method::DELETE, SESSION).await.expect(401);

    let session = app.staff("organizer@example.org", Role::Organizer).await.session;
    app.advance(12 * HOUR - MINUTE);
    session.get(ME).await.expect(200);
    app.advance(2 * MINUTE);
    session.get(ME).await.expect(401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_cookie_authorises_another_site_cannot_trigger() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let token = json!({ "name": "evil", "scopes": ["exports"] });
    let forged = [
        ("origin", "https://evil.example.org"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ];
    for (name, value) in forged {
        let post = owner.session.ask(Method::POST, TOKENS).header(name, value).json(&token);
        owner.session.send(post).await.expect(403);
        let delete = owner.session.ask(Method::DELETE, SESSION).header(name, value);
        owner.session.send(delete).await.expect(403);
        // Nor log somebody in as somebody else.
        let login = json!({ "email": "owner@example.org", "password": PASSWORD });
        let login = app.client().ask(Method::POST, SESSION).header(name, value).json(&login);
        assert_eq!(app.client().send(login).await.expect(403).header("set-cookie"), "");
    }
    owner.session.get(ME).await.expect(200);
    assert_eq!(owner.session.get(TOKENS).await.json(), json!([]));
    let own = owner.session.ask(Method::POST, TOKENS).header("sec-fetch-site", "same-origin").json(&token);
    owner.session.send(own).await.expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_the_admin_api_answers_without_a_session_or_token() {
    let app = TestApp::start().await;
    for path in PEOPLE.into_iter().chain([ME, TOKENS]) {
        let answer = app.client().get(path).await.expect(401);
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{answer:?}");
        answer.problem();
        for wrong in ["oh_x", ""] {
            app.client().with_token(wrong).get(path).await.expect(401);
        }
        for value in ["Basic b3duZXI6cGFzc3dvcmQ=", "Bearer", "oh_x"] {
            let request = app.client().ask(Method::GET, path).header(header::AUTHORIZATION, value);
            app.client().send(request).await.expect(401);
        }
        let request = app.client().ask(Method::GET, path).header(header::COOKIE, "oh_session=x");
        app.client().send(request).await.expect(401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_does_what_its_scopes_say_and_never_makes_others() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let (reader, exporter) = (owner.token(&["supporters:read"]).await, owner.token(&["exports"]).await);
    let [list, signups, csv] = PEOPLE;
    for (program, path, status) in [
        (&reader, list, 200),
        (&reader, signups, 200),
        (&reader, csv, 403),
        (&exporter, list, 403),
        (&exporter, signups, 403),
        (&exporter, csv, 200),
    ] {
        assert_eq!(program.get(path).await.status, status, "{path}");
    }
    let all = [
        "supporters:read",
        "supporters:write",
        "exports",
        "imports",
        "groups",
        "forms",
        "stats",
        "staff",
        "audit",
    ];
    let all = owner.token(&all).await;
    all.get(TOKENS).await.expect(403).problem();
    all.post_json(TOKENS, &json!({ "name": "child", "scopes": ["exports"] })).await.expect(403);
    all.get(ME).await.expect(403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoked_and_expired_tokens_open_nothing() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let make = async |body| owner.session.post_json(TOKENS, &body).await.expect(201).json();
    let lasting = make(json!({ "name": "lasting", "scopes": ["supporters:read"] })).await;
    let at = app.clock.now().after(HOUR).to_string();
    let brief = make(json!({ "name": "brief", "scopes": ["supporters:read"], "expires_at": at })).await;
    assert_eq!(brief["expires_at"], json!(at));
    let program = |made: &serde_json::Value| owner.with(made["token"].as_str().unwrap());
    let listed = owner.session.get(TOKENS).await.expect(200);
    assert_eq!(listed.json().as_array().unwrap().len(), 2);
    for made in [&lasting, &brief] {
        program(made).supporters("").await.expect(200);
        let token = made["token"].as_str().unwrap();
        assert!(token.starts_with("oh_") && !listed.text().contains(token), "it is shown once");
        assert_eq!(app.backend.places_with(token), [""; 0]);
    }
    app.advance(HOUR + MINUTE);
    program(&brief).supporters("").await.expect(401);
    program(&lasting).supporters("").await.expect(200);

    let path = format!("{TOKENS}/{}", lasting["id"].as_str().unwrap());
    let other = app.staff("other@example.org", Role::Owner).await;
    other.session.delete(&path).await.expect(404);
    program(&lasting).supporters("").await.expect(200);
    owner.session.delete(&path).await.expect(204);
    program(&lasting).supporters("").await.expect(401);
    owner.session.delete(&path).await.expect(404);
    owner.session.delete(&format!("{TOKENS}/x")).await.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_do_not_hold_are_refused_field_by_field() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    for (body, fault) in [
        (json!({ "name": "x", "scopes": [] }), "scopes: required"),
        (json!({ "name": " ", "scopes": ["exports"] }), "name: required"),
        (json!({ "name": "x".repeat(101), "scopes": ["exports"] }), "name: too_long"),
        (json!({ "name": "x", "scopes": ["exports", "everything"] }), "scopes[1]: unknown_scope"),
        (
            json!({ "name": "x", "scopes": ["exports"], "expires_at": "2001-01-01" }),
            "expires_at: in_the_past",
        ),
        (json!({ "name": "x", "scopes": ["exports"], "expires_at": "soon" }), "expires_at: wrong_type"),
        (json!({ "name": "x", "scopes": ["exports"], "role": "owner" }), "role: unknown_field"),
        (json!({ "scopes": ["exports"] }), "name: required"),
    ] {
        assert_eq!(owner.session.post_json(TOKENS, &body).await.faults(), [fault]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_analyst_and_a_group_manager_see_no_people_by_session_or_token() {
    let app = TestApp::start().await;
    app.supporter("ada@example.org").await;
    for (email, role) in [("analyst@example.org", Role::Analyst), ("manager@example.org", Role::GroupManager)]
    {
        let staff = app.staff(email, role).await;
        staff.session.get(ME).await.expect(200);
        for path in PEOPLE {
            let answer = staff.session.get(path).await;
            // A group manager's exports are of their own group's people: here, nobody's.
            assert!(
                answer.status == 403 || (answer.status == 200 && role == Role::GroupManager),
                "{answer:?}"
            );
            assert!(!answer.text().contains("ada@"), "{answer:?}");
        }
        let beyond = if role == Role::Analyst {
            ["supporters:read", "exports", "staff"]
        } else {
            ["supporters:write", "imports", "staff"]
        };
        for scope in beyond {
            let body = json!({ "name": "x", "scopes": [scope] });
            assert_eq!(staff.session.post_json(TOKENS, &body).await.faults(), ["scopes[0]: beyond_role"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_loses_what_its_owners_role_loses() {
    let app = TestApp::start().await;
    let program: Client = app.owner().await.token(&["supporters:read", "exports"]).await;
    program.supporters("").await.expect(200);
    app.execute("UPDATE staff SET role = 'analyst'").await;
    for path in PEOPLE {
        program.get(path).await.expect(403);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_setup_link_refuses_weak_passwords_and_works_once() {
    let app = TestApp::start().await;
    let url = app.app().staff.setup_url().await.unwrap().unwrap();
    let setup = url.strip_prefix("http://join.example.org").unwrap();
    let browser = app.browser();
    for (email, password, field) in [
        ("owner@example.org", "short", "password"),
        ("owner@example.org", "Owner@example.org", "password"),
        ("owner", PASSWORD, "email"),
        ("owner@example.org", "", "password"),
    ] {
        let page =
            browser.post_form(setup, &[("email", email), ("password", password)]).await.expect(422).page();
        assert!(page.contains(&format!(r##"href="#{field}""##)), "{page}");
        assert!(password.is_empty() || !page.contains(&format!(r#"value="{password}""#)), "{page}");
    }
    let both = [("email", "owner@example.org"), ("password", PASSWORD)];
    let (first, second) = tokio::join!(browser.post_form(setup, &both), browser.post_form(setup, &both));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410], "{first:?} {second:?}");
    browser.get(setup).await.expect(410);
    browser.get("/setup/x").await.expect(404);
    assert_eq!(app.count("SELECT count(*) AS n FROM staff").await, 1);
}

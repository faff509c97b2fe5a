//! Sessions: what begins one, what ends one, and what they survive.

use openhearth::staff::Role;
use reqwest::{Method, header};
use serde_json::json;

use crate::support::{Answer, Client, MINUTE, PASSWORD, TestApp};

const ME: &str = "/api/v1/admin/me";
const SESSION: &str = "/api/v1/admin/session";
const SESSIONS: &str = "/api/v1/admin/me/sessions";
const STAFF: &str = "/api/v1/admin/staff";
const NEW_PASSWORD: &str = "eleven tin drums behind the kiln";

/// The session cookie as a request sends it.
fn pair(answer: &Answer) -> String {
    answer.set_cookie().split(';').next().unwrap().to_owned()
}

impl TestApp {
    /// What `GET path` with this cookie alone gives.
    async fn with_cookie(&self, cookie: &str, path: &str) -> Answer {
        let request = self.client().ask(Method::GET, path).header(header::COOKIE, cookie);
        self.client().send(request).await
    }

    async fn begin(&self, email: &str) -> String {
        pair(&self.client().login(email, PASSWORD).await.expect(200))
    }
}

/// The id of the account with this address.
async fn id_of(owner: &Client, email: &str) -> String {
    let list = owner.get(STAFF).await.expect(200).json();
    let row = list["data"].as_array().unwrap().iter().find(|row| row["email"] == email).unwrap().clone();
    row["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_takes_over_no_session_that_was_there_before() {
    let app = TestApp::start().await;
    app.owner().await;
    app.staff("mallory@example.org", Role::Analyst).await;
    let planted = app.begin("mallory@example.org").await;
    for before in [planted.as_str(), "oh_session=invented-by-somebody-else"] {
        let body = json!({ "email": "owner@example.org", "password": PASSWORD });
        let request = app.client().ask(Method::POST, SESSION).header(header::COOKIE, before).json(&body);
        let cookie = pair(&app.client().send(request).await.expect(200));
        assert_ne!(cookie, before);
        assert_eq!(app.with_cookie(&cookie, ME).await.json()["email"], "owner@example.org");
        app.with_cookie(before, ME).await.expect(401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stolen_cookie_opens_nothing_after_whatever_ends_the_session() {
    let app = TestApp::start().await;
    let owner = app.owner().await.session;
    let ada = app.staff("ada@example.org", Role::Organizer).await.session;
    let ada_id = id_of(&owner, "ada@example.org").await;

    // Logged out.
    let stolen = app.begin("ada@example.org").await;
    let log_out = app.client().ask(Method::DELETE, SESSION).header(header::COOKIE, &stolen);
    app.client().send(log_out).await.expect(204);
    app.with_cookie(&stolen, ME).await.expect(401);

    // Ended from another browser.
    let stolen = app.begin("ada@example.org").await;
    let list = ada.get(SESSIONS).await.expect(200).json();
    let list = list.as_array().unwrap();
    assert_eq!((list.len(), &list[0]["is_current"]), (2, &json!(false)));
    assert_eq!(list[1]["is_current"], true);
    let path = format!("{SESSIONS}/{}", list[0]["id"].as_str().unwrap());
    owner.delete(&path).await.expect(404);
    ada.delete(&path).await.expect(204);
    app.with_cookie(&stolen, ME).await.expect(401);
    ada.delete(&path).await.expect(404);

    // The password changed: the browser that changed it goes on, with another cookie.
    let stolen = app.begin("ada@example.org").await;
    let wrong = json!({ "current_password": "not my password at all", "new_password": NEW_PASSWORD });
    let change = "/api/v1/admin/me/password";
    assert_eq!(ada.post_json(change, &wrong).await.faults(), ["current_password: wrong"]);
    let right = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
    ada.post_json(change, &right).await.expect(204);
    app.with_cookie(&stolen, ME).await.expect(401);
    ada.get(ME).await.expect(200);
    app.client().login("ada@example.org", PASSWORD).await.expect(401);
    assert_eq!(ada.get(SESSIONS).await.json().as_array().unwrap().len(), 1);

    // Disabled: session and token, at the next request.
    let made = json!({ "name": "x", "scopes": ["supporters:read"] });
    let made = ada.post_json("/api/v1/admin/tokens", &made).await.expect(201).json();
    let program = app.client().with_token(made["token"].as_str().unwrap());
    program.supporters("").await.expect(200);
    let disable = |disabled: bool| json!({ "disabled": disabled });
    let path = format!("{STAFF}/{ada_id}");
    let view = owner.patch_json(&path, &disable(true)).await.expect(200).json();
    assert_eq!(view["status"], "disabled");
    ada.get(ME).await.expect(401);
    program.supporters("").await.expect(401);
    app.client().login("ada@example.org", NEW_PASSWORD).await.expect(401);
    owner.patch_json(&path, &disable(false)).await.expect(200);
    ada.get(ME).await.expect(401);
    app.client().login("ada@example.org", NEW_PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_rests_ends_and_being_used_is_noted_once_a_minute() {
    let app = TestApp::start_with(|config| config.staff.session_idle_minutes = 30).await;
    let owner = app.owner().await.session;
    owner.get(ME).await.expect(200);
    assert_eq!(
        app.count("SELECT count(*) AS n FROM staff_sessions WHERE last_seen_at > created_at").await,
        0
    );
    app.advance(29 * MINUTE);
    owner.get(ME).await.expect(200);
    app.until_none("SELECT count(*) AS n FROM staff_sessions WHERE last_seen_at = created_at").await;
    app.advance(29 * MINUTE);
    owner.get(ME).await.expect(200);
    app.until_none("SELECT count(*) AS n FROM staff_sessions WHERE last_seen_at - created_at < 3000000000")
        .await;
    app.advance(31 * MINUTE);
    owner.get(ME).await.expect(401);
    assert_eq!(owner.get(SESSIONS).await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_role_acts_on_the_next_request_which_gets_another_cookie() {
    let app = TestApp::start().await;
    let owner = app.owner().await.session;
    app.staff("ada@example.org", Role::Analyst).await;
    let before = app.begin("ada@example.org").await;
    app.with_cookie(&before, "/api/v1/admin/supporters").await.expect(403);
    let path = format!("{STAFF}/{}", id_of(&owner, "ada@example.org").await);
    owner.patch_json(&path, &json!({ "role": "organizer" })).await.expect(200);

    let renewed = app.with_cookie(&before, "/api/v1/admin/supporters").await.expect(200);
    let after = pair(&renewed);
    assert_ne!(after, before);
    assert_eq!(app.with_cookie(&after, ME).await.expect(200).header("set-cookie"), "");
    // What the browser had sent already is still answered; a minute later the old cookie is worth nothing.
    app.with_cookie(&before, ME).await.expect(200);
    app.advance(MINUTE);
    app.with_cookie(&before, ME).await.expect(401);
    app.with_cookie(&after, ME).await.expect(200);

    owner.patch_json(&path, &json!({ "role": "analyst" })).await.expect(200);
    app.with_cookie(&after, "/api/v1/admin/supporters").await.expect(403);
}

impl TestApp {
    /// Logs Ada in and changes her role, so that her session has two cookies for a moment: the old one and the new.
    async fn renewed(&self, owner: &Client) -> [String; 2] {
        let path = format!("{STAFF}/{}", id_of(owner, "ada@example.org").await);
        let old = self.begin("ada@example.org").await;
        for role in ["analyst", "organizer"] {
            owner.patch_json(&path, &json!({ "role": role })).await.expect(200);
        }
        let new = pair(&self.with_cookie(&old, ME).await.expect(200));
        self.with_cookie(&old, ME).await.expect(200);
        self.with_cookie(&new, ME).await.expect(200);
        [old, new]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stolen_cookie_that_was_replaced_a_moment_ago_ends_with_its_session_too() {
    let app = TestApp::start().await;
    let owner = app.owner().await.session;
    app.staff("ada@example.org", Role::Organizer).await;
    let gone = async |cookies: &[String; 2], how: &str| {
        for (cookie, name) in cookies.iter().zip(["old", "new"]) {
            assert_eq!(app.with_cookie(cookie, ME).await.status, 401, "{how}: the {name} one");
        }
    };
    // Logged out, by the new cookie or by the old one.
    for at in [1, 0] {
        let cookies = app.renewed(&owner).await;
        let log_out = app.client().ask(Method::DELETE, SESSION).header(header::COOKIE, &cookies[at]);
        app.client().send(log_out).await.expect(204);
        gone(&cookies, "logged out").await;
    }
    // Ended from another browser, where it is one session and not two.
    let cookies = app.renewed(&owner).await;
    let ada = app.browser();
    ada.login("ada@example.org", PASSWORD).await.expect(200);
    let list = ada.get(SESSIONS).await.expect(200).json();
    let others: Vec<_> = list.as_array().unwrap().iter().filter(|row| row["is_current"] == false).collect();
    let newest = others[0]["id"].as_str().unwrap();
    assert_eq!(others.iter().filter(|row| row["id"] == newest).count(), 1, "{list}");
    ada.delete(&format!("{SESSIONS}/{newest}")).await.expect(204);
    gone(&cookies, "ended").await;
    // By the next login in the same browser.
    let cookies = app.renewed(&owner).await;
    let body = json!({ "email": "ada@example.org", "password": PASSWORD });
    let again = app.client().ask(Method::POST, SESSION).header(header::COOKIE, &cookies[1]).json(&body);
    app.client().send(again).await.expect(200);
    gone(&cookies, "logged in anew").await;
    // With all others.
    let cookies = app.renewed(&owner).await;
    ada.login("ada@example.org", PASSWORD).await.expect(200);
    let right = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
    ada.post_json("/api/v1/admin/me/password", &right).await.expect(204);
    gone(&cookies, "the password changed").await;
    ada.get(ME).await.expect(200);
    // An old cookie is not renewed once more, and ends by itself.
    let path = format!("{STAFF}/{}", id_of(&owner, "ada@example.org").await);
    let old = pair(&app.client().login("ada@example.org", NEW_PASSWORD).await.expect(200));
    owner.patch_json(&path, &json!({ "role": "analyst" })).await.expect(200);
    let new = pair(&app.with_cookie(&old, ME).await.expect(200));
    owner.patch_json(&path, &json!({ "role": "organizer" })).await.expect(200);
    assert_eq!(app.with_cookie(&old, ME).await.expect(200).header("set-cookie"), "");
    let newest = pair(&app.with_cookie(&new, ME).await.expect(200));
    app.advance(MINUTE);
    for cookie in [&old, &new] {
        app.with_cookie(cookie, ME).await.expect(401);
    }
    app.with_cookie(&newest, ME).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_sites_page_is_refused_whatever_it_sends_and_before_it_is_read() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let paths =
        [SESSION, "/api/v1/admin/tokens", STAFF, "/api/v1/admin/me/password", "/api/v1/admin/settings"];
    for path in paths {
        for media_type in
            ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json"]
        {
            for (name, value) in [("origin", "https://evil.example.org"), ("sec-fetch-site", "cross-site")] {
                let post = owner.session.ask(Method::POST, path).header(name, value);
                let post =
                    post.header(header::CONTENT_TYPE, media_type).body(r#"{"email":"owner@example.org"}"#);
                let answer = owner.session.send(post).await.expect(403);
                assert!(answer.text().contains("another site"), "{answer:?}");
            }
        }
    }
    // A token is no ambient authority.
    let program = owner.token(&["supporters:write"]).await;
    let tag = json!({ "slug": "steel" });
    let post = program.ask(Method::POST, "/api/v1/admin/tags").header("origin", "https://tool.example.org");
    program.send(post.json(&tag)).await.expect(201);
}

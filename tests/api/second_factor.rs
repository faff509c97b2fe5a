//! Second factors: an authenticator app, recovery codes, and owners who require them.

use openhearth::staff::{Role, totp::domain::code_at};
use serde_json::{Value, json};

use crate::support::{Answer, Client, MINUTE, PASSWORD, TestApp};

const ME: &str = "/api/v1/admin/me";
const TOTP: &str = "/api/v1/admin/me/totp";
const CONFIRM: &str = "/api/v1/admin/me/totp/confirmation";
const SETTINGS: &str = "/api/v1/admin/settings";

/// An authenticator app.
struct Authenticator {
    secret: Vec<u8>,
    recovery_codes: Vec<String>,
}

impl Authenticator {
    /// Puts the secret of `answer` into an app.
    fn scan(answer: &Value) -> Self {
        let mut bits = String::new();
        for letter in answer["secret"].as_str().unwrap().bytes() {
            let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|l| *l == letter).unwrap();
            bits.push_str(&format!("{value:05b}"));
        }
        let secret = bits.as_bytes().chunks_exact(8);
        let secret = secret.map(|bits| u8::from_str_radix(std::str::from_utf8(bits).unwrap(), 2).unwrap());
        Self { secret: secret.collect(), recovery_codes: Vec::new() }
    }

    fn code(&self, app: &TestApp) -> String {
        code_at(&self.secret, app.clock.now().as_seconds())
    }
}

impl TestApp {
    /// Sets a second factor up for whoever has `session`.
    async fn enrol(&self, session: &Client) -> Authenticator {
        let begun =
            session.post_json(TOTP, &json!({ "current_password": PASSWORD })).await.expect(200).json();
        let mut authenticator = Authenticator::scan(&begun);
        let code = json!({ "code": authenticator.code(self) });
        let codes = session.post_json(CONFIRM, &code).await.expect(200).json();
        authenticator.recovery_codes = codes["recovery_codes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c.as_str().unwrap().to_owned())
            .collect();
        authenticator
    }

    async fn login_with(&self, email: &str, code: &str) -> Answer {
        let body = json!({ "email": email, "password": PASSWORD, "code": code });
        self.client().post_json("/api/v1/admin/session", &body).await
    }
}

fn code_of(answer: &Answer) -> String {
    answer.problem()["code"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authenticator_is_set_up_by_its_secret_and_asked_for_from_then_on() {
    let app = TestApp::start().await;
    let owner = app.owner().await.session;
    let elsewhere = app.browser();
    elsewhere.login("owner@example.org", PASSWORD).await.expect(200);

    let confirm = json!({ "code": "123456" });
    assert_eq!(code_of(&owner.post_json(CONFIRM, &confirm).await.expect(409)), "totp_not_begun");
    let wrong = json!({ "current_password": "something else entirely" });
    assert_eq!(owner.post_json(TOTP, &wrong).await.faults(), ["current_password: wrong"]);
    let begun = owner.post_json(TOTP, &json!({ "current_password": PASSWORD })).await.expect(200).json();
    let url = begun["otpauth_url"].as_str().unwrap();
    assert!(url.starts_with("otpauth://totp/Openhearth:owner%40example.org?secret="), "{url}");
    let svg = begun["qr_svg"].as_str().unwrap();
    assert!(svg.starts_with("<svg ") && !svg.contains("style") && !svg.contains("script"), "{svg}");
    let app_of = Authenticator::scan(&begun);
    assert_eq!(owner.post_json(CONFIRM, &json!({ "code": "000000" })).await.faults(), ["code: wrong"]);
    // Until it is confirmed, nothing is asked for.
    app.client().login("owner@example.org", PASSWORD).await.expect(200);
    assert_eq!(owner.get(ME).await.json()["totp"], false);

    let confirmed = owner.post_json(CONFIRM, &json!({ "code": app_of.code(&app) })).await.expect(200);
    assert!(confirmed.set_cookie().starts_with("oh_session="));
    let codes = confirmed.json()["recovery_codes"].as_array().unwrap().len();
    let me = owner.get(ME).await.expect(200).json();
    assert_eq!((codes, &me["totp"], &me["recovery_codes_left"]), (10, &json!(true), &json!(10)));
    elsewhere.get(ME).await.expect(401);

    let alone = app.client().login("owner@example.org", PASSWORD).await.expect(401);
    assert_eq!((code_of(&alone).as_str(), alone.header("set-cookie")), ("totp_needed", ""));
    assert_eq!(code_of(&app.login_with("owner@example.org", "12345").await.expect(401)), "totp_wrong");
    app.advance(MINUTE);
    app.login_with("owner@example.org", &app_of.code(&app)).await.expect(200);
    let secret = begun["secret"].as_str().unwrap();
    assert_eq!(app.backend.places_with(secret), [""; 0], "the database alone gives no codes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_works_once_also_for_two_at_the_same_moment() {
    let app = TestApp::start().await;
    let owner = app.owner().await.session;
    let authenticator = app.enrol(&owner).await;
    // The code that confirmed it is used up.
    let used = authenticator.code(&app);
    app.login_with("owner@example.org", &used).await.expect(401);
    app.advance(MINUTE);
    let code = authenticator.code(&app);
    let (a, b) =
        tokio::join!(app.login_with("owner@example.org", &code), app.login_with("owner@example.org", &code));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401], "{a:?} {b:?}");
    // Nor does an earlier one that is still in its time.
    let earlier = code_at(&authenticator.secret, app.clock.now().as_seconds() - 30);
    app.login_with("owner@example.org", &earlier).await.expect(401);
    app.advance(MINUTE);
    app.login_with("owner@example.org", &authenticator.code(&app)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recovery_code_works_once_however_it_is_typed_and_is_stored_by_hash() {
    let app = TestApp::start().await;
    let owner = app.owner().await.session;
    let authenticator = app.enrol(&owner).await;
    let [first, second, ..] = authenticator.recovery_codes.as_slice() else { panic!("ten codes") };
    assert_eq!(app.backend.places_with(first), [""; 0]);
    app.login_with("owner@example.org", &first.to_uppercase().replace('-', " ")).await.expect(200);
    assert_eq!(code_of(&app.login_with("owner@example.org", first).await.expect(401)), "totp_wrong");
    assert_eq!(owner.get(ME).await.json()["recovery_codes_left"], 9);

    app.advance(MINUTE);
    let proof = json!({ "current_password": PASSWORD, "code": authenticator.code(&app) });
    let renewed = owner.post_json("/api/v1/admin/me/totp/recovery-codes", &proof).await.expect(200).json();
    assert_eq!(renewed["recovery_codes"].as_array().unwrap().len(), 10);
    app.login_with("owner@example.org", second).await.expect(401);

    let alone = json!({ "current_password": PASSWORD });
    let off = |body: &Value| owner.ask(reqwest::Method::DELETE, TOTP).json(body);
    assert_eq!(owner.send(off(&alone)).await.faults(), ["code: required"]);
    app.advance(MINUTE);
    let proof = json!({ "current_password": PASSWORD, "code": authenticator.code(&app) });
    owner.send(off(&proof)).await.expect(204);
    app.client().login("owner@example.org", PASSWORD).await.expect(200);
    assert_eq!(app.count("SELECT count(*) AS n FROM staff_recovery_codes").await, 0);
    let acts = app.acts(&["totp."]).await.into_iter().map(|(kind, action, _)| format!("{kind} {action}"));
    let wrong = json!({ "current_password": "something else entirely" });
    assert_eq!(owner.post_json(TOTP, &wrong).await.faults(), ["current_password: wrong"]);
    let refused =
        ("staff".to_owned(), "session.proof_refused".to_owned(), json!({ "field": "current_password" }));
    assert_eq!(app.acts(&["session.proof"]).await, [refused]);
    assert_eq!(
        acts.collect::<Vec<_>>(),
        ["staff totp.enable", "staff totp.recovery_codes", "staff totp.reset"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_without_the_second_factor_does_not_outlast_its_being_turned_on() {
    let app = TestApp::start().await;
    let owner = app.owner().await.session;
    let begun = owner.post_json(TOTP, &json!({ "current_password": PASSWORD })).await.expect(200).json();
    let code = json!({ "code": Authenticator::scan(&begun).code(&app) });
    // Somebody who has the password alone logs in again and again while it is turned on.
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let intruders: Vec<_> = (0..4)
        .map(|_| {
            let (client, stop) = (app.client().clone(), stop.clone());
            tokio::spawn(async move {
                let mut cookies = Vec::new();
                while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                    let answer = client.login("owner@example.org", PASSWORD).await;
                    if answer.status == 200 {
                        cookies.push(answer.set_cookie().split(';').next().unwrap().to_owned());
                    }
                }
                cookies
            })
        })
        .collect();
    owner.post_json(CONFIRM, &code).await.expect(200);
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    for intruder in intruders {
        for cookie in intruder.await.unwrap() {
            let request = app.client().ask(reqwest::Method::GET, ME).header("cookie", cookie);
            app.client().send(request).await.expect(401);
        }
    }
    owner.get(ME).await.expect(200);
    assert_eq!(app.count("SELECT count(*) AS n FROM staff_sessions").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_second_factor_is_required_whoever_has_none_can_only_set_one_up() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let ada = app.staff("ada@example.org", Role::Organizer).await;
    let program = ada.token(&["supporters:read"]).await;
    let require = json!({ "totp_required": true });
    assert_eq!(code_of(&owner.session.patch_json(SETTINGS, &require).await.expect(409)), "totp_first");
    let authenticator = app.enrol(&owner.session).await;
    assert_eq!(owner.session.patch_json(SETTINGS, &require).await.expect(200).json(), require);

    // At once, also in a session that was there before.
    for path in ["/api/v1/admin/supporters", "/api/v1/admin/tokens"] {
        assert_eq!(code_of(&ada.session.get(path).await.expect(403)), "totp_enrolment_required");
    }
    program.supporters("").await.expect(200);
    let login = ada.session.login("ada@example.org", PASSWORD).await.expect(200).json();
    assert_eq!(login["totp_enrolment_required"], true);
    ada.session.get(ME).await.expect(200);
    let of_ada = app.enrol(&ada.session).await;
    ada.session.get("/api/v1/admin/supporters").await.expect(200);

    app.advance(MINUTE);
    let proof = json!({ "current_password": PASSWORD, "code": of_ada.code(&app) });
    let off = ada.session.ask(reqwest::Method::DELETE, TOTP).json(&proof);
    assert_eq!(code_of(&ada.session.send(off).await.expect(409)), "totp_required");

    // Ada has lost her telephone: an owner lets her begin again.
    let list = owner.session.get("/api/v1/admin/staff").await.expect(200).json();
    let id =
        list["data"].as_array().unwrap().iter().find(|row| row["email"] == "ada@example.org").unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned();
    owner.session.delete(&format!("/api/v1/admin/staff/{id}/totp")).await.expect(204);
    ada.session.get(ME).await.expect(401);
    let again = ada.session.login("ada@example.org", PASSWORD).await.expect(200).json();
    assert_eq!(again["totp_enrolment_required"], true);
    let twice = owner.session.delete(&format!("/api/v1/admin/staff/{id}/totp")).await.expect(409);
    assert_eq!(code_of(&twice), "totp_off");
    // One's own is not taken away by a session alone.
    let own = owner.session.get(ME).await.json()["id"].as_str().unwrap().to_owned();
    let own = owner.session.delete(&format!("/api/v1/admin/staff/{own}/totp")).await.expect(409);
    assert_eq!(code_of(&own), "own_account");
    let acts = app.acts(&["totp.", "settings."]).await;
    let act = |action: &str, details: Value| ("staff".to_owned(), action.to_owned(), details);
    assert_eq!(
        acts,
        [
            act("totp.enable", json!({})),
            act("settings.change", require),
            act("totp.enable", json!({})),
            act("totp.reset", json!({})),
        ]
    );
    app.advance(MINUTE);
    app.login_with("owner@example.org", &authenticator.code(&app)).await.expect(200);
}

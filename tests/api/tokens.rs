//! Bearer tokens: what they may never do, and what ends them; and what whoever has an account is told about it.

use openhearth::staff::{Role, totp::domain::code_at};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, PASSWORD, TestApp};

const STAFF: &str = "/api/v1/admin/staff";
const TOKENS: &str = "/api/v1/admin/tokens";
const TOTP: &str = "/api/v1/admin/me/totp";
const NEW_PASSWORD: &str = "eleven tin drums behind the kiln";

/// The path of the account that `session` is logged in with.
async fn path_of(session: &Client) -> String {
    let me = session.get("/api/v1/admin/me").await.expect(200).json();
    format!("{STAFF}/{}", me["id"].as_str().unwrap())
}

/// The ids of the tokens at `path`.
async fn ids(client: &Client, path: &str) -> Vec<String> {
    let list = client.get(path).await.expect(200).json();
    list.as_array().unwrap().iter().map(|token| token["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_reads_who_is_on_the_staff_and_can_let_nobody_in() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let ada = app.staff("ada@example.org", Role::Analyst).await;
    let one = path_of(&ada.session).await;
    let program = owner.token(&["staff", "audit", "groups", "supporters:write"]).await;
    for path in [STAFF, "/api/v1/admin/settings", &format!("{one}/tokens")] {
        program.get(path).await.expect(200);
    }
    // A token of a role that has not the scope reads none of it.
    ada.token(&["stats"]).await.get(STAFF).await.expect(403);

    let invite = json!({ "email": "eve@example.org", "role": "owner" });
    for (method, path, body) in [
        (Method::POST, STAFF.to_owned(), invite.clone()),
        (Method::PATCH, one.clone(), json!({ "role": "owner" })),
        (Method::PATCH, one.clone(), json!({ "disabled": true })),
        (Method::DELETE, one.clone(), json!({})),
        (Method::POST, format!("{one}/invitation"), json!({})),
        (Method::POST, format!("{one}/password-reset"), json!({})),
        (Method::DELETE, format!("{one}/totp"), json!({})),
        (Method::DELETE, format!("{one}/tokens/x"), json!({})),
        (Method::PATCH, "/api/v1/admin/settings".to_owned(), json!({ "totp_required": false })),
        (Method::POST, TOKENS.to_owned(), json!({ "name": "x", "scopes": ["exports"] })),
        (Method::POST, TOTP.to_owned(), json!({ "current_password": PASSWORD })),
    ] {
        let answer = program.send(program.ask(method.clone(), &path).json(&body)).await.expect(403);
        assert_eq!(answer.problem()["code"], "session_needed", "{method} {path}");
    }
    assert_eq!(app.words("SELECT role AS word FROM staff ORDER BY id").await, ["owner", "analyst"]);
    assert_eq!(app.settle().await.len(), 0);
    owner.session.post_json(STAFF, &invite).await.expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_end_with_a_disabled_account_and_a_lost_password_and_outlast_a_change() {
    let app = TestApp::start().await;
    let owner = app.owner().await.session;
    let ada = app.staff("ada@example.org", Role::Organizer).await;
    let path = path_of(&ada.session).await;
    let works = async |program: &Client| match program.supporters("").await.status {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    };
    let scopes = ["supporters:read"];

    // Whoever changes their password has it: their scripts go on, unless they say otherwise.
    let change = async |from: &str, to: &str, revoke: Value| {
        let mut body = json!({ "current_password": from, "new_password": to });
        if !revoke.is_null() {
            body["revoke_tokens"] = revoke;
        }
        ada.session.post_json("/api/v1/admin/me/password", &body).await.expect(204);
    };
    let kept = ada.token(&scopes).await;
    change(PASSWORD, NEW_PASSWORD, json!(null)).await;
    assert!(works(&kept).await);
    change(NEW_PASSWORD, PASSWORD, json!(true)).await;
    assert!(!works(&kept).await);

    // By the mailbox, and by the machine.
    let by_mail = ada.token(&scopes).await;
    app.settle().await;
    owner.post(&format!("{path}/password-reset")).await.expect(202);
    let link = app.settle_one().await.link("/reset/");
    assert!(works(&by_mail).await, "whoever asks for a link ends nothing");
    app.browser().post_form(&link, &[("password", NEW_PASSWORD)]).await.expect(200);
    assert!(!works(&by_mail).await);
    let by_command = ada.token(&scopes).await;
    app.app().staff.set_password_by_command("ada@example.org", PASSWORD.into()).await.unwrap();
    assert!(!works(&by_command).await);

    // Disabled: enabled again, the account begins without anything that was given out before.
    let [one, two] = [ada.token(&scopes).await, ada.token(&["exports", "supporters:read"]).await];
    app.settle().await;
    owner.post(&format!("{path}/password-reset")).await.expect(202);
    let link = app.settle_one().await.link("/reset/");
    for disabled in [true, false] {
        owner.patch_json(&path, &json!({ "disabled": disabled })).await.expect(200);
        assert!(!works(&one).await && !works(&two).await);
        app.client().get(&link).await.expect(410);
        if disabled {
            let scopes = scopes.map(str::to_owned);
            app.app().staff.token_by_command("ada@example.org", "x", &scopes).await.unwrap_err();
        }
    }
    ada.session.login("ada@example.org", PASSWORD).await.expect(200);
    assert_eq!(ada.session.get(TOKENS).await.expect(200).json(), json!([]));
    assert!(works(&ada.token(&scopes).await).await);

    let id = path.rsplit('/').next().unwrap();
    let revoked =
        |kind: &str, by: &str| (kind.to_owned(), "token.revoke".to_owned(), json!({ "staff": id, "by": by }));
    assert_eq!(
        app.acts(&["token.revoke"]).await,
        [
            revoked("staff", "staff.password_set"),
            revoked("staff", "staff.password_set"),
            revoked("command_line", "staff.password_set"),
            revoked("staff", "staff.disable"),
            revoked("staff", "staff.disable"),
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_lists_and_revokes_the_tokens_of_others_and_nobody_else_does() {
    let app = TestApp::start().await;
    let owner = app.owner().await.session;
    let ada = app.staff("ada@example.org", Role::Organizer).await;
    let bea = app.staff("bea@example.org", Role::Organizer).await;
    let path = format!("{}/tokens", path_of(&ada.session).await);
    let [first, second] = [ada.token(&["supporters:read"]).await, ada.token(&["supporters:read"]).await];
    let listed = owner.get(&path).await.expect(200);
    assert!(!listed.text().contains("oh_"), "{listed:?}");
    let found = ids(&owner, &path).await;
    assert_eq!(found, ids(&ada.session, TOKENS).await);
    assert_eq!(found.len(), 2);

    // Not by somebody else's hand, nor in somebody else's name.
    let newest = format!("{path}/{}", found[0]);
    bea.session.get(&path).await.expect(403);
    bea.session.delete(&newest).await.expect(403);
    bea.session.delete(&format!("{TOKENS}/{}", found[0])).await.expect(404);
    let of_bea = path_of(&bea.session).await;
    owner.delete(&format!("{of_bea}/tokens/{}", found[0])).await.expect(404);
    for missing in [format!("{path}/x"), format!("{STAFF}/x/tokens/{}", found[0])] {
        owner.delete(&missing).await.expect(404).problem();
    }
    owner.get(&format!("{STAFF}/{}/tokens", found[0])).await.expect(404).problem();

    owner.delete(&newest).await.expect(204);
    owner.delete(&newest).await.expect(404);
    second.supporters("").await.expect(401);
    first.supporters("").await.expect(200);
    ada.session.delete(&format!("{TOKENS}/{}", found[1])).await.expect(204);
    first.supporters("").await.expect(401);
    let entries = app.entries().await;
    let revoked: Vec<_> = entries.iter().filter(|entry| entry["action"] == "token.revoke").collect();
    let id = |path: &str| path.split('/').nth(5).unwrap().to_owned();
    let (owner_id, ada_id) = (id(&path_of(&owner).await), id(&path));
    for (entry, (actor, token)) in revoked.iter().zip([(&owner_id, &found[0]), (&ada_id, &found[1])]) {
        assert_eq!((&entry["actor_id"], &entry["subject_id"]), (&json!(actor), &json!(token)));
        assert_eq!(entry["details"], json!({ "staff": ada_id }));
    }
    assert_eq!(revoked.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_an_account_is_told_by_mail_what_was_done_to_it() {
    let app = TestApp::start().await;
    let owner = app.owner().await.session;
    let ada = app.staff("ada@example.org", Role::Analyst).await.session;
    let path = path_of(&ada).await;
    let told = async |title: &str| {
        let mail = app.settle_one().await;
        assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("ada@example.org", title));
        assert_eq!(mail.link("/reset"), "/reset", "the way to act, and nothing that opens anything");
        assert!(!mail.text.contains("oh_") && !mail.text.contains(PASSWORD), "{}", mail.text);
    };
    ada.post_json(TOKENS, &json!({ "name": "a script", "scopes": ["stats"] })).await.expect(201);
    told("Openhearth: a token was made for your account").await;

    let proof = json!({ "current_password": PASSWORD });
    let begun = ada.post_json(TOTP, &proof).await.expect(200).json();
    assert_eq!(app.settle().await.len(), 0, "nothing has changed so far");
    let secret = begun["secret"].as_str().unwrap();
    let code = json!({ "code": code_at(&decoded(secret), app.clock.now().as_seconds()) });
    let codes = ada.post_json(&format!("{TOTP}/confirmation"), &code).await.expect(200).json();
    told("Openhearth: your second factor was turned on").await;
    let proof = json!({ "current_password": PASSWORD, "code": codes["recovery_codes"][0] });
    ada.post_json(&format!("{TOTP}/recovery-codes"), &proof).await.expect(200);
    told("Openhearth: you have other recovery codes").await;
    owner.delete(&format!("{path}/totp")).await.expect(204);
    told("Openhearth: your second factor was turned off").await;

    ada.login("ada@example.org", PASSWORD).await.expect(200);
    let change = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
    ada.post_json("/api/v1/admin/me/password", &change).await.expect(204);
    told("Openhearth: your password was set").await;
    app.app().staff.set_password_by_command("ada@example.org", PASSWORD.into()).await.unwrap();
    told("Openhearth: your password was set").await;
    // Neither what was refused nor what others see of it is told.
    ada.post_json("/api/v1/admin/me/password", &change).await.expect(401);
    ada.login("ada@example.org", PASSWORD).await.expect(200);
    owner.patch_json(&path, &json!({ "role": "organizer" })).await.expect(200);
    assert_eq!(app.settle().await.len(), 0);
}

/// The secret that an authenticator app reads.
fn decoded(base32: &str) -> Vec<u8> {
    let place = |letter: u8| b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|l| *l == letter).unwrap();
    let bits: String = base32.bytes().map(|letter| format!("{:05b}", place(letter))).collect();
    let bytes = bits.as_bytes().chunks_exact(8);
    bytes.map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap()).collect()
}

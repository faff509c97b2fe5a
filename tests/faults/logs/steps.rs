//! What staff, groups and whoever brings a list do in the walk: everything that types or gives out a secret.

use std::time::{SystemTime, UNIX_EPOCH};

use openhearth::staff::totp::domain::code_at;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::Walk;
use crate::support::{SOON, until};

const INVITED: &str = "Bartholomew.Bumblebee@example.org";
const CONTACT: &str = "Cornelius.Quartermain@example.org";
/// Each is typed once to be set, and again to be used.
pub const PASSWORDS: [&str; 4] = [
    "seven-kettles-under-moss-11",
    "eleven-drums-behind-kiln-22",
    "nine-lanterns-coke-oven-33",
    "twelve-geese-quarry-gate-44",
];
/// What else is typed here.
pub const TYPED: [&str; 9] = [
    "bartholomew",
    "bumblebee",
    "cornelius",
    "quartermain",
    "cassiopeia",
    "caterpillar",
    "marmaduke",
    "412-555-0177",
    "+14125550177",
];

/// Somebody's own browser.
fn browser() -> Client {
    Client::builder().cookie_store(true).build().unwrap()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// An invitation by the API, accepted by its page; the password changed, lost, and set anew by mail.
pub async fn join_the_staff(walk: &mut Walk) -> Client {
    let invite = json!({ "email": INVITED, "role": "organizer" });
    walk.send(walk.ask(Method::POST, "/api/v1/admin/staff").json(&invite), 201).await;
    let link = walk.mailed("/invite/").await;
    let own = browser();
    walk.send(own.get(&link), 200).await;
    walk.send(own.post(&link).form(&[("username", INVITED), ("password", "short")]), 422).await;
    walk.send(own.post(&link).form(&[("username", INVITED), ("password", PASSWORDS[0])]), 200).await;
    log_in(walk, &own, INVITED, PASSWORDS[0], None).await;

    let change = json!({ "current_password": PASSWORDS[0], "new_password": PASSWORDS[1] });
    walk.send(own.post(walk.server.at("/api/v1/admin/me/password")).json(&change), 204).await;
    walk.send(own.post(walk.server.at("/reset")).form(&[("email", INVITED)]), 200).await;
    let link = walk.mailed("/reset/").await;
    let set = json!({ "token": link.rsplit('/').next().unwrap(), "password": PASSWORDS[2] });
    let set = own.post(walk.server.at("/api/v1/admin/password-resets/completion")).json(&set);
    walk.send(set, 204).await;
    log_in(walk, &own, INVITED, PASSWORDS[2], None).await;
    own
}

async fn log_in(walk: &mut Walk, own: &Client, email: &str, password: &str, code: Option<&str>) {
    let login = json!({ "email": email, "password": password, "code": code });
    walk.send(own.post(walk.server.at("/api/v1/admin/session")).json(&login), 200).await;
}

/// A second factor set up and logged in with: by the app, and by a recovery code; and codes made anew.
pub async fn use_a_second_factor(walk: &mut Walk, own: &Client) {
    let at = walk.server.at("/api/v1/admin/me/totp");
    let proof = json!({ "current_password": PASSWORDS[2] });
    let begun: Value = walk.send(own.post(&at).json(&proof), 200).await.json().await.unwrap();
    walk.secret(word(&begun["secret"]));
    walk.secret(word(&begun["otpauth_url"]));
    let secret = decoded(word(&begun["secret"]));
    let now = || i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let code = code_at(&secret, now());
    walk.digits(&code);
    let confirm = own.post(format!("{at}/confirmation")).json(&json!({ "code": code }));
    let made: Value = walk.send(confirm, 200).await.json().await.unwrap();
    let codes = recovery_codes(walk, &made);
    // The app's next code: this one is used up.
    let code = code_at(&secret, now() + 30);
    walk.digits(&code);
    log_in(walk, own, INVITED, PASSWORDS[2], Some(&code)).await;
    log_in(walk, own, INVITED, PASSWORDS[2], Some(&codes[0])).await;
    let wrong = json!({ "email": INVITED, "password": PASSWORDS[2], "code": codes[0] });
    walk.send(browser().post(walk.server.at("/api/v1/admin/session")).json(&wrong), 401).await;
    let proof = json!({ "current_password": PASSWORDS[2], "code": codes[1] });
    let again = own.post(format!("{at}/recovery-codes")).json(&proof);
    let made: Value = walk.send(again, 200).await.json().await.unwrap();
    recovery_codes(walk, &made);
}

fn recovery_codes(walk: &mut Walk, made: &Value) -> Vec<String> {
    let codes: Vec<_> =
        made["recovery_codes"].as_array().unwrap().iter().map(|code| word(code).to_owned()).collect();
    assert_eq!(codes.len(), 10);
    codes.iter().for_each(|code| walk.secret(code));
    codes
}

/// The secret as an authenticator app reads it.
fn decoded(base32: &str) -> Vec<u8> {
    let place = |letter: u8| b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|l| *l == letter).unwrap();
    let bits: String = base32.bytes().map(|letter| format!("{:05b}", place(letter))).collect();
    let bytes = bits.as_bytes().chunks_exact(8);
    bytes.map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap()).collect()
}

/// A token made by a session and used by a program, and taken away by an owner.
pub async fn use_a_token(walk: &mut Walk, own: &Client) {
    let wish = json!({ "name": "Marmadukes script", "scopes": ["supporters:read", "stats"] });
    let made = own.post(walk.server.at("/api/v1/admin/tokens")).json(&wish);
    let made: Value = walk.send(made, 201).await.json().await.unwrap();
    let token = word(&made["token"]).to_owned();
    walk.secret(&token);
    for (path, status) in
        [("supporters?q=bumblebee", 200), ("stats", 200), ("exports/supporters.csv?purpose=Marmaduke", 403)]
    {
        let request = walk.ask(Method::GET, &format!("/api/v1/admin/{path}")).bearer_auth(&token);
        walk.send(request, status).await;
    }
    let me: Value = walk.send(own.get(walk.server.at("/api/v1/admin/me")), 200).await.json().await.unwrap();
    let path = format!("/api/v1/admin/staff/{}/tokens", word(&me["id"]));
    walk.send(walk.ask(Method::GET, &path), 200).await;
    walk.send(walk.ask(Method::DELETE, &format!("{path}/{}", word(&made["id"]))), 204).await;
    walk.send(walk.ask(Method::GET, "/api/v1/admin/stats").bearer_auth(&token), 401).await;
}

/// An organisation applies, is asked, is taken in; its contact sets a password and looks at its own.
pub async fn become_a_member(walk: &mut Walk) {
    let form = json!({
        "name": "Riverbend Air Watch", "kind": "frontline_community", "website": "https://riverbend.example.org/",
        "regions": ["PA"], "sectors": ["steel"], "about": "Marmaduke measures the air.",
        "contact_name": "Cornelius Quartermain", "contact_email": CONTACT, "agree": true,
    });
    walk.send(walk.ask(Method::POST, "/api/v1/groups").json(&form), 202).await;
    let link = walk.mailed("/groups/confirm/").await;
    for method in [Method::GET, Method::POST] {
        walk.send(walk.visitor.request(method, &link), 200).await;
    }
    let list = walk.ask(Method::GET, "/api/v1/admin/groups?status=in_review");
    let list: Value = walk.send(list, 200).await.json().await.unwrap();
    let group = format!("/api/v1/admin/groups/{}", word(&list["data"][0]["id"]));
    let ask = json!({ "question": "How many are you, Cornelius?" });
    walk.send(walk.ask(Method::POST, &format!("{group}/ask")).json(&ask), 200).await;
    walk.send(walk.ask(Method::POST, &format!("{group}/approve")).json(&json!({})), 200).await;
    let link = walk.mailed("/invite/").await;
    let own = browser();
    walk.send(own.post(&link).form(&[("username", CONTACT), ("password", PASSWORDS[3])]), 200).await;
    log_in(walk, &own, CONTACT, PASSWORDS[3], None).await;
    walk.send(own.get(walk.server.at("/api/v1/admin/supporters")), 200).await;
}

/// A list is brought, looked at, taken in; what was refused is read.
pub async fn bring_a_list(walk: &mut Walk) {
    let list = "email,first name,last name,phone\n\
                Cassiopeia.Caterpillar@example.org,Cassiopeia,Caterpillar,412-555-0177\n\
                cassiopeia.caterpillar@,Cassiopeia,Caterpillar,\n";
    let options = json!({
        "consent": { "basis": "already", "wording": "Marmaduke may write to me.", "date": "2025-05-01" },
    });
    let form = format!(
        "--x\r\nContent-Disposition: form-data; name=\"options\"\r\n\r\n{options}\r\n\
         --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"Marmadukes list.csv\"\r\n\r\n\
         {list}\r\n--x--\r\n"
    );
    let upload = walk.ask(Method::POST, "/api/v1/admin/imports");
    let upload = upload.header("content-type", "multipart/form-data; boundary=x").body(form);
    let made: Value = walk.send(upload, 202).await.json().await.unwrap();
    let path = format!("/api/v1/admin/imports/{}", word(&made["id"]));
    reaches(walk, &path, "previewed").await;
    walk.send(walk.ask(Method::POST, &format!("{path}/start")).json(&json!({})), 202).await;
    reaches(walk, &path, "done").await;
    let refused = walk.send(walk.ask(Method::GET, &format!("{path}/refused.csv")), 200).await;
    assert!(refused.text().await.unwrap().contains("Caterpillar"));
}

async fn reaches(walk: &mut Walk, path: &str, state: &str) {
    let mut seen = Value::Null;
    until(&format!("the import is {state}"), SOON, async || {
        let answer = walk.ask(Method::GET, path).send().await.unwrap();
        seen = answer.json().await.unwrap();
        assert_ne!(seen["state"], "failed", "{seen}");
        seen["state"] == state
    })
    .await;
}

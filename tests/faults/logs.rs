//! What the log must not hold, however much of it is asked for.

use std::{fs, path::Path};

use mail_parser::MessageParser;
use reqwest::{Client, redirect::Policy};

use crate::support::{SOON, Server, command, run, until};

const EMAIL: &str = "Rosalind.Quimby+steel@example.org";
const STRANGER: &str = "Ulysses.Vandermeer@example.org";
const STAFF: &str = "Thaddeus.Okonkwo@example.org";
const PASSWORD: &str = "furnace-lantern-orchard-87";
const WRONG: &str = "wrong-lantern-orchard-99";
/// All that is typed in the walk, or part of it.
const TYPED: [&str; 12] = [
    "rosalind",
    "quimby",
    "zephyrine",
    "abernathy",
    "ulysses",
    "vandermeer",
    "thaddeus",
    "okonkwo",
    "+14125550123",
    "4125550123",
    PASSWORD,
    WRONG,
];

/// The links of the newest mail in `folder` that has one to `path`, waiting for it.
async fn links(folder: &Path, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    until(&format!("a mail with a link to {path} arrives"), SOON, async || {
        let Ok(entries) = fs::read_dir(folder.join("var/mail")) else { return false };
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|ending| ending == "eml"));
        files.sort();
        for file in files.iter().rev() {
            let raw = fs::read(file).unwrap();
            let text = MessageParser::default().parse(&raw).unwrap().body_text(0).unwrap().into_owned();
            found =
                text.split_whitespace().filter(|word| word.starts_with("http")).map(str::to_owned).collect();
            if found.iter().any(|link| link.contains(path)) {
                return true;
            }
        }
        false
    })
    .await;
    found
}

fn link<'a>(links: &'a [String], path: &str) -> &'a str {
    links.iter().find(|link| link.contains(path)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_filter_debug_the_log_holds_no_address_name_token_or_password() {
    let folder = tempfile::tempdir().unwrap();
    let log_all = [("OPENHEARTH__LOG__FILTER", "debug"), ("RUST_LOG", "trace")];
    let server = Server::start(folder.path(), &log_all).await;
    let mut secrets: Vec<String> = Vec::new();
    let visitor = Client::builder().cookie_store(true).redirect(Policy::none()).build().unwrap();

    // Joins by the page, clicks, looks at the preferences, leaves.
    let form = [
        ("email", EMAIL),
        ("given_name", "Zephyrine"),
        ("family_name", "Abernathy"),
        ("phone", "+1 412 555 0123"),
        ("country", "US"),
        ("consent_email", "yes"),
        ("consent_phone", "yes"),
    ];
    let joined = visitor.post(server.at("/join")).form(&form).send().await.unwrap();
    assert_eq!(joined.status(), 303, "{}", joined.text().await.unwrap());
    let cookie = joined.headers()["set-cookie"].to_str().unwrap();
    secrets.push(cookie.split_once('=').unwrap().1.split(';').next().unwrap().to_owned());
    let asked = links(folder.path(), "/confirm/").await;
    let confirm = link(&asked, "/confirm/").to_owned();
    for answer in [visitor.get(&confirm), visitor.post(&confirm), visitor.get(&confirm)] {
        assert_eq!(answer.send().await.unwrap().status(), 200);
    }
    let welcome = links(folder.path(), "/unsubscribe/").await;
    let preferences = link(&welcome, "/preferences/").to_owned();
    assert_eq!(visitor.get(&preferences).send().await.unwrap().status(), 200);
    let leave = visitor.post(link(&welcome, "/unsubscribe/")).body("List-Unsubscribe=One-Click");
    let leave = leave.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
    assert_eq!(leave.status(), 200);

    // Mistypes: an address in a query, a field and a path, a broken link, a wrong body.
    for (path, status) in [
        (format!("/join?email={EMAIL}"), 200),
        (format!("/{STRANGER}"), 404),
        (format!("/confirm/{STRANGER}"), 404),
        (format!("/api/v1/admin/supporters?q={EMAIL}"), 401),
    ] {
        assert_eq!(visitor.get(server.at(&path)).send().await.unwrap().status(), status, "{path}");
    }
    for (body, status) in [
        (
            format!(r#"{{"email":"{STRANGER}","given_name":"Zephyrine","consent":{{"email":true}},"x":1}}"#),
            422,
        ),
        (format!(r#"{{"email":"{STRANGER}" "given_name":"Zephyrine"}}"#), 400),
        (format!(r#"{{"email":"{STRANGER}@@","consent":{{"email":true}}}}"#), 422),
    ] {
        let sent = visitor.post(server.at("/api/v1/signups")).body(body);
        let answer = sent.header("content-type", "application/json").send().await.unwrap();
        assert_eq!(answer.status(), status);
    }

    // Staff: the setup link, a wrong password, a session, a token, a search; and the commands beside it.
    let out = server.process.out();
    let setup = out.lines().find_map(|line| line.split_once("once, at ")).unwrap().1.to_owned();
    let made = visitor.post(&setup).form(&[("email", STAFF), ("password", PASSWORD)]).send().await.unwrap();
    assert_eq!(made.status(), 200, "{}", made.text().await.unwrap());
    for (password, status) in [(WRONG, 401), (PASSWORD, 200)] {
        let login = serde_json::json!({ "email": STAFF, "password": password });
        let session = visitor.post(server.at("/api/v1/admin/session")).json(&login).send().await.unwrap();
        assert_eq!(session.status(), status);
        for cookie in session.headers().get_all("set-cookie") {
            let value = cookie.to_str().unwrap().split_once('=').unwrap().1;
            secrets.push(value.split(';').next().unwrap().to_owned());
        }
    }
    let path = folder.path().to_owned();
    let said = tokio::task::spawn_blocking(move || {
        let arguments = ["admin", "token", "--email", STAFF, "--name", "n", "--scopes", "supporters:read"];
        let mut token = command(&path, &arguments);
        token.env("OPENHEARTH__LOG__FILTER", "debug");
        run(token, "")
    })
    .await
    .unwrap();
    assert_eq!(said.code, Some(0), "{}", said.err);
    let token = said.out.trim_end().to_owned();
    let search = visitor.get(server.at(&format!("/api/v1/admin/supporters?q={EMAIL}"))).bearer_auth(&token);
    assert_eq!(search.send().await.unwrap().status(), 200);

    secrets.push(token);
    for link in asked.iter().chain(&welcome).chain([&setup]) {
        // A token's last part is what nobody could guess.
        let last = link.rsplit('/').next().unwrap();
        if last.len() > 20 {
            secrets.push(last.to_owned());
            secrets.push(last[last.len() - 16..].to_owned());
        }
    }
    let (_, log) = server.stop().await;
    let log = (log + &said.err).to_lowercase();
    assert!(log.contains("debug") && log.contains("answered a request"), "the filter had no effect:\n{log}");
    assert!(secrets.len() > 8, "{secrets:?}");
    for text in TYPED.iter().map(|text| (*text).to_owned()).chain(secrets) {
        let at = log.find(&text.to_lowercase());
        let line = at.map(|at| log[..at].matches('\n').count()).and_then(|line| log.lines().nth(line));
        assert!(at.is_none(), "{text} is in the log: {}", line.unwrap_or_default());
    }
}

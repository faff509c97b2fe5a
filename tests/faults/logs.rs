//! What the log must not hold, however much of it is asked for: a walk through what people and staff do, and then a look
//! for everything they typed or were given.
//!
//! To add what a feature types or gives out: write a step below or in `logs/steps.rs`, call it in the test, and tell [`Walk::secret`] of every
//! token, address and name in it that is not in [`TYPED`].

mod steps;

use std::{fs, path::Path};

use mail_parser::MessageParser;
use reqwest::{Client, Method, RequestBuilder, Response, redirect::Policy};
use serde_json::{Value, json};

use crate::support::{SOON, Server, command, run, until};

const EMAIL: &str = "Rosalind.Quimby+steel@example.org";
const STRANGER: &str = "Ulysses.Vandermeer@example.org";
const STAFF: &str = "Thaddeus.Okonkwo@example.org";
const PASSWORD: &str = "furnace-lantern-orchard-87";
const WRONG: &str = "wrong-lantern-orchard-99";
const PURPOSE: &str = "Gwendolyns canvassing";
/// All that is typed in the walk, or part of it.
const TYPED: [&str; 15] = [
    "rosalind",
    "quimby",
    "zephyrine",
    "abernathy",
    "wilhelmina",
    "penhaligon",
    "ulysses",
    "vandermeer",
    "thaddeus",
    "okonkwo",
    "gwendolyn",
    "+14125550123",
    "4125550123",
    PASSWORD,
    WRONG,
];

/// The walk: a server that logs all it can, and what must not be in its log.
struct Walk {
    folder: tempfile::TempDir,
    server: Server,
    visitor: Client,
    secrets: Vec<String>,
    /// Short codes, which a time may hold by chance: looked for as words of their own.
    codes: Vec<String>,
    /// Links that [`Walk::mailed`] gave.
    given: Vec<String>,
    /// What commands beside the server logged.
    said: String,
}

impl Walk {
    async fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log_all = [("OPENHEARTH__LOG__FILTER", "openhearth=trace,debug"), ("RUST_LOG", "trace")];
        let server = Server::start(folder.path(), &log_all).await;
        let visitor = Client::builder().cookie_store(true).redirect(Policy::none()).build().unwrap();
        Self {
            folder,
            server,
            visitor,
            secrets: Vec::new(),
            codes: Vec::new(),
            given: Vec::new(),
            said: String::new(),
        }
    }

    /// This must not be in the log, nor, of a token, its last part, which nobody could guess.
    fn secret(&mut self, text: &str) {
        let last = text.rsplit('/').next().unwrap();
        assert!(last.len() > 5, "{last} would be found by chance");
        self.secrets.push(last.to_owned());
        if last.len() > 20 {
            self.secrets.push(last[last.len() - 16..].to_owned());
        }
    }

    /// This code must not be in the log, other than as part of a time or a longer number.
    fn digits(&mut self, code: &str) {
        self.codes.push(code.to_owned());
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.visitor.request(method, self.server.at(path))
    }

    /// Sends `request`, whose answer must have this status; its cookies are secrets.
    async fn send(&mut self, request: RequestBuilder, status: u16) -> Response {
        let answer = request.send().await.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let value = cookie.to_str().unwrap().split_once('=').unwrap().1.split(';').next().unwrap();
            if !value.is_empty() {
                self.secret(value);
            }
        }
        let (url, found) = (answer.url().clone(), answer.status().as_u16());
        if found != status {
            panic!("{url}: {found} {}", answer.text().await.unwrap());
        }
        answer
    }

    /// The link to `path` of the newest mail that has one, which was not given before; all its links are secrets.
    async fn mailed(&mut self, path: &str) -> String {
        let mut found = Vec::new();
        let given = |link: &String| self.given.contains(link);
        until(&format!("a mail with a link to {path} arrives"), SOON, async || {
            found = newest_links(self.folder.path(), path);
            found.iter().any(|link| link.contains(path) && !given(link))
        })
        .await;
        for link in found.iter().filter(|link| link.rsplit('/').next().unwrap().len() > 20) {
            self.secret(link);
        }
        let link = found.into_iter().find(|link| link.contains(path)).unwrap();
        self.given.push(link.clone());
        link
    }

    /// Runs a command beside the server; returns what it printed.
    async fn command(&mut self, arguments: &'static [&'static str], code: i32) -> String {
        let mut command = command(self.folder.path(), arguments);
        command.env("OPENHEARTH__LOG__FILTER", "openhearth=trace,debug");
        let said = tokio::task::spawn_blocking(move || run(command, "")).await.unwrap();
        assert_eq!(said.code, Some(code), "{}", said.err);
        self.said += &said.err;
        said.out.trim_end().to_owned()
    }

    async fn end(self) {
        assert!(self.secrets.len() > 60 && self.codes.len() == 2, "{:?}", self.secrets);
        let (_, log) = self.server.stop().await;
        let log = (log + &self.said).to_lowercase();
        assert!(
            log.contains("debug") && log.contains("answered a request"),
            "the filter had no effect:\n{log}"
        );
        for code in self.codes {
            let is_part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || c == '.');
            let found = log.match_indices(&code).find(|(at, _)| {
                !is_part(log[..*at].chars().next_back()) && !is_part(log[at + code.len()..].chars().next())
            });
            assert!(
                found.is_none(),
                "{code} is in the log: {}",
                &log[found.unwrap().0.saturating_sub(99)..][..120]
            );
        }
        let typed = TYPED.iter().chain(&steps::TYPED).chain(&steps::PASSWORDS);
        for text in typed.map(|text| (*text).to_owned()).chain(self.secrets) {
            let at = log.find(&text.to_lowercase());
            let line = at.map(|at| log[..at].matches('\n').count()).and_then(|line| log.lines().nth(line));
            assert!(at.is_none(), "{text} is in the log: {}", line.unwrap_or_default());
        }
    }
}

/// The links of the newest mail in `folder` that has one to `path`.
fn newest_links(folder: &Path, path: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder.join("var/mail")) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "eml"));
    files.sort();
    let links = files.iter().rev().map(|file| {
        let raw = fs::read(file).unwrap();
        let text = MessageParser::default().parse(&raw).unwrap().body_text(0).unwrap().into_owned();
        text.split_whitespace().filter(|word| word.starts_with("http")).map(str::to_owned).collect::<Vec<_>>()
    });
    links.into_iter().find(|links| links.iter().any(|link| link.contains(path))).unwrap_or_default()
}

/// Joins by the page and clicks.
async fn join(walk: &mut Walk, email: &str, phone: &str) {
    let form = [
        ("email", email),
        ("given_name", "Zephyrine"),
        ("family_name", "Abernathy"),
        ("phone", phone),
        ("country", "US"),
        ("consent_email", "yes"),
        ("consent_phone", "yes"),
    ];
    walk.send(walk.ask(Method::POST, "/join").form(&form), 303).await;
    let confirm = walk.mailed("/confirm/").await;
    for method in [Method::GET, Method::POST, Method::GET] {
        walk.send(walk.visitor.request(method, &confirm), 200).await;
    }
}

/// Looks at the preferences, asks for a fresh link, changes a name, takes the data, leaves.
async fn choose_and_leave(walk: &mut Walk) {
    let unsubscribe = walk.mailed("/unsubscribe/").await;
    let preferences = walk.mailed("/preferences/").await;
    walk.send(walk.visitor.get(&preferences), 200).await;
    walk.send(walk.visitor.post(format!("{preferences}/link")), 200).await;
    let fresh = walk.mailed("/preferences/").await;
    let token = fresh.rsplit('/').next().unwrap().to_owned();
    let change = json!({ "given_name": "Wilhelmina", "family_name": "Penhaligon" });
    walk.send(walk.ask(Method::PATCH, &format!("/api/v1/preferences/{token}")).json(&change), 204).await;
    walk.send(walk.visitor.get(format!("{fresh}/data.json")), 200).await;
    let leave = walk.visitor.post(&unsubscribe).body("List-Unsubscribe=One-Click");
    walk.send(leave.header("content-type", "application/x-www-form-urlencoded"), 200).await;
}

/// An address in a query, a field and a path, a broken link, a wrong body.
async fn mistype(walk: &mut Walk) {
    for (path, status) in [
        (format!("/join?email={EMAIL}"), 200),
        (format!("/{STRANGER}"), 404),
        (format!("/confirm/{STRANGER}"), 404),
        (format!("/preferences/{STRANGER}"), 404),
        (format!("/api/v1/admin/supporters?q={EMAIL}"), 401),
    ] {
        walk.send(walk.ask(Method::GET, &path), status).await;
    }
    for (body, status) in [
        (
            format!(r#"{{"email":"{STRANGER}","given_name":"Zephyrine","consent":{{"email":true}},"x":1}}"#),
            422,
        ),
        (format!(r#"{{"email":"{STRANGER}" "given_name":"Zephyrine"}}"#), 400),
        (format!(r#"{{"email":"{STRANGER}@@","consent":{{"email":true}}}}"#), 422),
    ] {
        let request = walk.ask(Method::POST, "/api/v1/signups").header("content-type", "application/json");
        walk.send(request.body(body), status).await;
    }
}

/// The setup link, a wrong password, a session, tokens by it and by the command, one that is revoked.
async fn staff(walk: &mut Walk) -> [String; 2] {
    let out = walk.server.process.out();
    let setup = out.lines().find_map(|line| line.split_once("once, at ")).unwrap().1.to_owned();
    walk.secret(&setup);
    walk.send(walk.visitor.post(&setup).form(&[("email", STAFF), ("password", PASSWORD)]), 200).await;
    for (email, password, status) in [(STRANGER, WRONG, 401), (STAFF, PASSWORD, 200)] {
        let login = json!({ "email": email, "password": password });
        walk.send(walk.ask(Method::POST, "/api/v1/admin/session").json(&login), status).await;
    }
    let mut tokens = Vec::new();
    for scopes in [&["supporters:read", "exports"][..], &["audit"], &["stats"]] {
        let wish = json!({ "name": "Gwendolyns script", "scopes": scopes });
        let made: Value = walk
            .send(walk.ask(Method::POST, "/api/v1/admin/tokens").json(&wish), 201)
            .await
            .json()
            .await
            .unwrap();
        let token = made["token"].as_str().unwrap().to_owned();
        walk.secret(&token);
        tokens.push(token);
        if scopes == ["stats"] {
            let path = format!("/api/v1/admin/tokens/{}", made["id"].as_str().unwrap());
            walk.send(walk.ask(Method::DELETE, &path), 204).await;
            let again = walk.ask(Method::GET, "/api/v1/admin/supporters").bearer_auth(&tokens[2]);
            walk.send(again, 401).await;
        }
    }
    let arguments = &["admin", "token", "--email", STAFF, "--name", "n", "--scopes", "supporters:read"];
    let token = walk.command(arguments, 0).await;
    walk.secret(&token);
    walk.command(&["admin", "token", "--email", STRANGER, "--name", "n", "--scopes", "exports"], 2).await;
    let search = walk.ask(Method::GET, &format!("/api/v1/admin/supporters?q={EMAIL}"));
    walk.send(search.bearer_auth(&token), 200).await;
    [tokens[0].clone(), tokens[1].clone()]
}

/// Reads lists, takes files out, reads and verifies the trail of all that.
async fn read(walk: &mut Walk, reader: &str, auditor: &str) {
    for path in ["/api/v1/admin/supporters?q=zephyrine", "/api/v1/admin/supporters", "/api/v1/admin/signups"]
    {
        walk.send(walk.ask(Method::GET, path).bearer_auth(reader), 200).await;
    }
    let file = format!("/api/v1/admin/exports/supporters.csv?purpose={PURPOSE}&q=ulysses");
    let answer = walk.send(walk.ask(Method::GET, &file).bearer_auth(reader), 200).await;
    let list = answer.text().await.unwrap();
    assert!(list.contains("Vandermeer"), "{list}");
    for file in ["ndjson", "xlsx"] {
        let path = format!("/api/v1/admin/exports/supporters.{file}?purpose={PURPOSE}&gzip=true");
        walk.send(walk.ask(Method::GET, &path).bearer_auth(reader), 200).await.bytes().await.unwrap();
    }
    for path in [
        "/api/v1/admin/audit?action=export.",
        "/api/v1/admin/exports/audit.ndjson",
        "/api/v1/admin/audit/verify",
    ] {
        walk.send(walk.ask(Method::GET, path).bearer_auth(auditor), 200).await.bytes().await.unwrap();
    }
    walk.command(&["audit", "verify"], 0).await;
    walk.command(&["audit", "list"], 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_its_most_verbose_the_log_holds_no_address_name_token_or_password() {
    let mut walk = Walk::begin().await;
    join(&mut walk, EMAIL, "+1 412 555 0123").await;
    choose_and_leave(&mut walk).await;
    mistype(&mut walk).await;
    join(&mut walk, STRANGER, "").await;
    let [reader, auditor] = staff(&mut walk).await;
    let own = steps::join_the_staff(&mut walk).await;
    steps::use_a_second_factor(&mut walk, &own).await;
    steps::use_a_token(&mut walk, &own).await;
    steps::become_a_member(&mut walk).await;
    steps::bring_a_list(&mut walk).await;
    read(&mut walk, &reader, &auditor).await;
    walk.end().await;
}

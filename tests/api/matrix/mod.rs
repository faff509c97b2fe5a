//! Role × route × own or other group. The routes come from the source and the OpenAPI document, the expectation from
//! `table.rs`: **a new route needs one line there**, and the test's failure says which.
//!
//! What is asked of every route: nobody without the right gets through (401 without a login, 403 with one); everybody
//! with it does; an analyst, and whoever may not, reads no name, address or phone of a supporter; whoever is bound to
//! group A reads nothing of B's people, nor B's name.

mod line;
mod table;
mod world;

use std::{
    collections::BTreeSet,
    io::{Cursor, Read},
};

use line::{Line, Of, Who};
use reqwest::Method;
use table::LINES;
use world::{Caller, PEOPLE, World};

use crate::support::{Answer, TestApp, routes};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_is_classified_once_and_nothing_else_is() {
    let app = TestApp::start().await;
    let mut routes = routes::mounted();
    let document = app.client().get("/api/v1/openapi.json").await.expect(200).json();
    for (path, item) in document["paths"].as_object().unwrap() {
        let methods = ["get", "post", "patch", "put", "delete"].into_iter();
        routes.extend(methods.filter(|m| item[*m].is_object()).map(|m| (m.to_uppercase(), path.to_owned())));
    }
    let mut classified = BTreeSet::new();
    for line in LINES {
        let is_new = classified.insert((line.method.to_owned(), line.path.to_owned()));
        assert!(is_new, "tests/api/matrix/table.rs has {line} twice");
    }
    let missing: Vec<_> = routes.difference(&classified).collect();
    let say = |(method, path): &(String, String)| {
        format!(
            "    {}(\"{path}\", Needs(\"scope\") or Bound(\"scope\") or Own or Open),",
            method.to_lowercase()
        )
    };
    let lines = missing.into_iter().map(say).collect::<Vec<_>>().join("\n");
    assert!(
        lines.is_empty(),
        "say in tests/api/matrix/table.rs who these are for; its head explains:\n{lines}"
    );
    let gone: Vec<_> = classified.difference(&routes).collect();
    assert!(gone.is_empty(), "tests/api/matrix/table.rs classifies what is not mounted: {gone:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_lets_through_who_may_and_shows_nobody_what_is_not_theirs() {
    let world = World::new().await;
    let mut faults = Vec::new();
    let mut lines: Vec<_> = LINES.iter().collect();
    let order =
        |line: &&Line| ["GET", "POST", "PATCH", "PUT", "DELETE"].iter().position(|m| *m == line.method);
    lines.sort_by_key(order);
    for line in lines {
        let mut callers: Vec<_> = world.callers.iter().collect();
        callers.sort_by_key(|caller| caller.may(line.who));
        for caller in callers {
            ask(&world, line, caller, &mut faults).await;
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

async fn ask(world: &World, line: &Line, caller: &Caller, faults: &mut Vec<String>) {
    let things = match line.of {
        Of::Nothing => vec![openhearth::id::Id::new()],
        Of::Supporter => world.supporters.to_vec(),
        Of::Group => world.groups.to_vec(),
        Of::Import => vec![world.import],
    };
    let queries: Vec<_> = if line.also.is_empty() { vec![line.query] } else { vec![line.query, line.also] };
    let asked =
        things.iter().enumerate().flat_map(|(at, thing)| queries.iter().map(move |q| (at, thing, *q)));
    for (at, thing, query) in asked {
        let is_others = at == 1;
        let mut path = filled(line.path, &thing.to_string());
        if !query.is_empty() {
            path = format!("{path}?{query}");
        }
        let mut request = caller.client.ask(Method::from_bytes(line.method.as_bytes()).unwrap(), &path);
        if let Some((media_type, body)) = line.body {
            request = request.header("content-type", media_type).body(body);
        }
        let answer = caller.client.send(request).await;
        if line.ends_session && caller.may(line.who) {
            caller.log_in_again().await;
        }
        let status = judge(line, caller, is_others, &answer).map(str::to_owned);
        for fault in status.into_iter().chain(leaks(line, caller, &answer)) {
            let text = String::from_utf8_lossy(&answer.body).chars().take(200).collect::<String>();
            faults.push(format!("{line} for {}: {} {fault}: {text}", caller.name, answer.status));
        }
    }
}

/// What is wrong with the status.
fn judge(line: &Line, caller: &Caller, is_others: bool, answer: &Answer) -> Option<&'static str> {
    let status = answer.status;
    let is_refused = status == if caller.role.is_none() { 401 } else { 403 };
    if status >= 500 && status != 503 {
        Some("is a fault of the server")
    } else if line.who == Who::Open {
        (status == 403).then_some("refuses, and is classified as Open")
    } else if !caller.may(line.who) {
        match status {
            _ if is_refused => None,
            400 | 413 | 415 | 422 => {
                Some("is about the request, not about who asks: give its line a .query or .json that holds")
            }
            _ => Some("must be refused"),
        }
    } else if matches!(status, 401 | 403) && !(caller.bound && is_others) {
        Some("must not be refused")
    } else if caller.bound && is_others && !matches!(status, 403 | 404) {
        Some("is about the other group's, and must be 403 or 404")
    } else {
        None
    }
}

/// What the answer shows that it must not, or does not show that it must.
fn leaks(line: &Line, caller: &Caller, answer: &Answer) -> Vec<String> {
    let said = unpacked(&answer.body).to_lowercase();
    let headers = format!("{:?}", answer.headers).to_lowercase();
    let holds = |word: &&str| said.contains(word) || headers.contains(word);
    let forbidden = caller.must_not_read(line).into_iter().filter(holds);
    let mut faults: Vec<_> = forbidden.map(|word| format!("must not show {word}")).collect();
    if line.shows_people && caller.may(line.who) {
        let own = if caller.bound { &PEOPLE[..1] } else { &PEOPLE[..] };
        let missing = own.iter().map(|words| words[1]).filter(|word| !holds(word));
        faults.extend(missing.map(|word| format!("must show {word}")));
    }
    faults
}

/// What an answer says, also in a workbook or packed.
fn unpacked(body: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(body).into_owned();
    if body.starts_with(b"\x1f\x8b") {
        text.clear();
        flate2::read::MultiGzDecoder::new(body).read_to_string(&mut text).unwrap();
    } else if body.starts_with(b"PK") {
        text.clear();
        let mut archive = zip::ZipArchive::new(Cursor::new(body)).unwrap();
        for at in 0..archive.len() {
            archive.by_index(at).unwrap().read_to_string(&mut text).unwrap();
        }
        assert!(text.contains("<sheetData>"), "{text}");
    }
    text
}

/// The path with `first` in place of its first parameter, and with something in place of the others.
fn filled(path: &str, first: &str) -> String {
    let mut is_first = true;
    let fill = |segment: &str| match segment {
        "{token}" => "x".to_owned(),
        "{path:.*}" => "app.css".to_owned(),
        _ if segment.starts_with('{') && is_first => {
            is_first = false;
            first.to_owned()
        }
        _ if segment.starts_with('{') => openhearth::id::Id::new().to_string(),
        _ => segment.to_owned(),
    };
    path.split('/').map(fill).collect::<Vec<_>>().join("/")
}

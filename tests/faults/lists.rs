//! Contact lists on the real binary: files made to burst it, the bar on a terminal, and the chores beside them.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    time::Duration,
};

use reqwest::Client;
use serde_json::{Value, json};

use crate::{
    look::Look,
    support::{BINARY, Process, SOON, Server, command, run, until},
};

#[path = "../support/workbook.rs"]
mod workbook;
use workbook::workbook;

/// Bytes of the one line.
const LONG: usize = 200 << 20;
/// A build without optimisation reads them some five times.
const READ_WITHIN: Duration = Duration::from_secs(400);
/// Most that memory may grow by, in KiB.
const GROWTH: u64 = 60 * 1024;
const IMPORTS: &str = "/api/v1/admin/imports";

/// Uploads `pieces` as one file, none of which waits in memory for another; the id of the import.
async fn upload(server: &Server, token: &str, pieces: Vec<(&'static [u8], usize)>) -> String {
    let address = server.url.trim_start_matches("http://").to_owned();
    let token = token.to_owned();
    let send = move || {
        let options = json!({ "consent": { "basis": "already", "wording": "Yes.", "date": "2025-05-01" } });
        let before = format!(
            "--x\r\nContent-Disposition: form-data; name=\"options\"\r\n\r\n{options}\r\n\
             --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n"
        );
        let after = "\r\n--x--\r\n";
        let length: usize = pieces.iter().map(|(bytes, times)| bytes.len() * times).sum();
        let head = format!(
            "POST {IMPORTS} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\
             content-type: multipart/form-data; boundary=x\r\ncontent-length: {}\r\n\r\n",
            before.len() + length + after.len()
        );
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(before.as_bytes()).unwrap();
        for (bytes, times) in pieces {
            (0..times).for_each(|_| stream.write_all(bytes).unwrap());
        }
        stream.write_all(after.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let answer = tokio::task::spawn_blocking(send).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    let made: Value = serde_json::from_str(body).unwrap();
    made["id"].as_str().unwrap().to_owned()
}

/// The import, once it is in one of `states`.
async fn settled(server: &Server, token: &str, id: &str, states: &[&str]) -> Value {
    let mut seen = Value::Null;
    until("the import is settled", READ_WITHIN, async || {
        let url = server.at(&format!("{IMPORTS}/{id}"));
        seen = Client::new().get(url).bearer_auth(token).send().await.unwrap().json().await.unwrap();
        states.iter().any(|state| seen["state"] == *state)
    })
    .await;
    seen
}

async fn post(server: &Server, token: &str, path: &str) -> u16 {
    let request = Client::new().post(server.at(path)).bearer_auth(token).json(&json!({}));
    request.send().await.unwrap().status().as_u16()
}

/// The most memory that a process ever had, in KiB.
fn peak(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_of_200_mb_costs_itself_alone_and_little_memory() {
    static X: [u8; 64 * 1024] = [b'x'; 64 * 1024];
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]).await;
    let token = server.token().await;
    let before = peak(&server);
    let pieces = vec![
        (b"email\nada@example.org\n".as_slice(), 1),
        (X.as_slice(), LONG / X.len()),
        (b"\nbo@example.org\n".as_slice(), 1),
    ];
    let id = upload(&server, &token, pieces).await;
    let seen = settled(&server, &token, &id, &["previewed", "failed"]).await;
    assert_eq!(seen["state"], "previewed", "{seen}");
    assert_eq!(seen["preview"]["reasons"], json!({ "too_long": 1 }));
    assert_eq!(post(&server, &token, &format!("{IMPORTS}/{id}/start")).await, 202);
    let done = settled(&server, &token, &id, &["done", "failed"]).await;
    assert_eq!((&done["state"], &done["counts"]["created"]), (&json!("done"), &json!(2)), "{done}");
    let refused = server.at(&format!("{IMPORTS}/{id}/refused.csv"));
    let refused = Client::new().get(refused).bearer_auth(&token).send().await.unwrap().text().await.unwrap();
    assert!(refused.lines().nth(1).unwrap().starts_with("3,too_long,"), "{}", &refused[..200]);
    let grown = peak(&server).saturating_sub(before);
    println!("memory grew by {grown} KiB");
    assert!(grown < GROWTH, "memory grew by {grown} KiB");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workbook_that_bursts_is_refused_with_its_reason_and_little_memory() {
    let bomb = {
        let cells = r#"<c r="A1"><v>1</v></c>"#.repeat((64 << 20) / 22);
        workbook(&format!(r#"<row r="1">{cells}</row>"#), &[])
    };
    assert!(bomb.len() < 1 << 20, "{} bytes are no bomb", bomb.len());
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]).await;
    let token = server.token().await;
    let before = peak(&server);
    let id = upload(&server, &token, vec![(bomb.leak(), 1)]).await;
    let seen = settled(&server, &token, &id, &["previewed", "failed"]).await;
    assert_eq!((&seen["state"], &seen["fault"]["code"]), (&json!("failed"), &json!("unpacks_too_large")));
    assert_eq!(post(&server, &token, &format!("{IMPORTS}/{id}/start")).await, 409);
    let grown = peak(&server).saturating_sub(before);
    println!("memory grew by {grown} KiB");
    assert!(grown < GROWTH, "memory grew by {grown} KiB");
    server.stop().await;
}

/// What `openhearth` shows on a terminal, and its exit code.
fn on_a_terminal(folder: &Path, arguments: &str) -> (Option<i32>, String) {
    let mut script = Command::new("script");
    let plain = command(folder, &[]);
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    script.args(["-q", "-e", "-c", &format!("'{BINARY}' {arguments}"), "/dev/null"]);
    script.current_dir(folder).env("TERM", "xterm");
    script.stdin(std::process::Stdio::null());
    script.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = script.spawn().expect("the program script, of Debian's package bsdutils");
    let mut process = Process::watch(child);
    let status = process.end(SOON * 3);
    (status.code(), process.out() + &process.err())
}

#[test]
fn on_a_terminal_a_bar_says_how_far_a_list_is_and_elsewhere_nothing_does() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let rows: String = (0..6000).map(|row| format!("person{row}@example.org,{}\n", "x".repeat(80))).collect();
    fs::write(at.join("list.csv"), format!("email,name\n{rows}nobody,\n")).unwrap();
    let arguments = "import list.csv --consent already --wording Yes. --consent-date 2025-05-01";
    let (code, shown) = on_a_terminal(at, arguments);
    assert_eq!(code, Some(3), "one row was refused: {shown}");
    assert!(shown.contains("6000 of 6001 rows went in: 6000 created"), "{shown}");
    assert!(shown.contains("KiB/"), "no bar: {shown:?}");
    let words: Vec<&str> = arguments.split(' ').collect();
    let said = run(command(at, &words), "");
    assert_eq!((said.code, said.err.as_str()), (Some(3), ""), "{}", said.out);
    assert!(said.out.contains("0 created, 0 updated, 6000 unchanged"), "{}", said.out);
}

#[test]
fn refused_rows_are_their_owners_alone_and_no_file_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("list.csv"), "email\nada@example.org\nnobody\n").unwrap();
    let made = at.join("refused.csv");
    for bulk in ["", " --offline-bulk"] {
        let arguments = format!(
            "import list.csv --consent already --wording Yes. --consent-date 2025-05-01 --refused-to refused.csv{bulk}"
        );
        let bring = || run(command(at, &arguments.split(' ').collect::<Vec<_>>()), "");
        let said = bring();
        assert_eq!(said.code, Some(3), "{}", said.err);
        assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(fs::read_to_string(&made).unwrap().contains("3,email: invalid_email,"));
        fs::write(&made, "mine").unwrap();
        let said = bring();
        assert_eq!(said.code, Some(2), "{}", said.out);
        assert!(said.err.contains("--refused-to refused.csv: "), "{}", said.err);
        assert_eq!(fs::read_to_string(&made).unwrap(), "mine");
        fs::remove_file(&made).unwrap();
    }
    // What could not end well did not begin.
    let imports = "SELECT state AS word, count(*) AS count FROM imports GROUP BY state";
    let states = Look::at(&at.join("var/openhearth.db")).count(imports);
    assert_eq!(states.into_iter().collect::<Vec<_>>(), [("done".to_owned(), 2)]);
}

#[test]
fn the_figures_are_counted_anew_by_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("list.csv"), "email,zip\nada@example.org,44035\nbo@example.org,44035\n").unwrap();
    let arguments = "import list.csv --consent already --wording Yes. --consent-date 2025-05-01";
    assert_eq!(run(command(at, &arguments.split(' ').collect::<Vec<_>>()), "").code, Some(0));
    let rebuild = || {
        let said = run(command(at, &["stats", "rebuild"]), "");
        assert_eq!(said.code, Some(0), "{}", said.err);
        said.out
    };
    assert_eq!(rebuild(), "0 figures corrected\n");
    let file = at.join("var/openhearth.db");
    Look::to_write(&file).run("UPDATE counts SET amount = 7 WHERE dimension = 'region'");
    assert_eq!(rebuild(), "1 figures corrected\n");
    let regions = "SELECT key AS word, amount AS count FROM counts WHERE dimension = 'region'";
    assert_eq!(Look::at(&file).count(regions).into_values().collect::<Vec<_>>(), [2]);
    assert_eq!(rebuild(), "0 figures corrected\n");
    assert_eq!(run(command(at, &["stats", "guess"]), "").code, Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_gives_rows_from_before_the_words_they_are_searched_by() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let rows: String = (0..450).map(|row| format!("p{row}@example.org,Ada{row},Furnace\n")).collect();
    fs::write(at.join("list.csv"), format!("email,first_name,last_name\n{rows}")).unwrap();
    let arguments = "import list.csv --consent already --wording Yes. --consent-date 2025-05-01";
    assert_eq!(run(command(at, &arguments.split(' ').collect::<Vec<_>>()), "").code, Some(0));
    let file = at.join("var/openhearth.db");
    // As a version from before the columns left them.
    Look::to_write(&file).run("UPDATE supporters SET word_1 = NULL, word_2 = NULL, domain = NULL");
    let server = Server::start(at, &[]).await;
    let token = server.token().await;
    let mut look = Look::at(&file);
    let without =
        "SELECT 'none' AS word, count(*) AS count FROM supporters WHERE domain IS NULL OR word_2 IS NULL";
    until("all rows have their words", SOON, async || look.count(without)["none"] == 0).await;
    let url = server.at("/api/v1/admin/supporters?q=furn+ada449");
    let found: Value = Client::new().get(url).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
    assert_eq!(found["data"][0]["email"], "p449@example.org");
    server.stop().await;
}

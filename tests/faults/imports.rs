//! `openhearth import` and the job of a server, by the real binary: exit codes, SIGKILL in the middle, in bulk.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path, time::Duration};

use reqwest::Client;
use serde_json::{Value, json};

use crate::{
    look::Look,
    postgres::Postgres,
    support::{Process, SOON, Said, Server, command, run, until},
};

/// Rows that take a while.
const MANY: usize = 30_000;
/// Rows of some transactions in bulk.
const BULK: usize = 40_000;
/// The claim of a process that was killed, and time for the rest.
const CARRIED_ON_WITHIN: Duration = Duration::from_secs(150);
const CONSENT: [&str; 6] =
    ["--consent", "already", "--wording", "You may write to me.", "--consent-date", "2025-05-01"];
const BY_FORM: &str = "SELECT status AS word, count(*) AS count FROM supporters GROUP BY status";
const SUMS: &str = "SELECT state || ' ' || created || ' ' || refused AS word, count(*) AS count FROM imports \
                    GROUP BY state, created, refused";

fn list(rows: usize) -> String {
    let mut list = String::from("email,first_name,tags\n");
    for row in 0..rows {
        writeln!(list, "person{row}@example.org,Ada {row},old-list").unwrap();
    }
    list
}

fn import(folder: &Path, file: &str, more: &[&str]) -> Said {
    let said = run(command(folder, &[&["import", file], CONSENT.as_slice(), more].concat()), "");
    assert!(!said.err.contains("panicked"), "{}", said.err);
    said
}

fn once(word: &str, count: usize) -> BTreeMap<String, i64> {
    BTreeMap::from([(word.to_owned(), i64::try_from(count).unwrap())])
}

#[test]
fn the_exit_code_says_whether_all_rows_went_in() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("good.csv"), list(3)).unwrap();
    fs::write(at.join("some.csv"), "Adresse;Name\nbo@example.org;Bo\nnobody;X\n").unwrap();
    fs::write(at.join("none.bin"), [0_u8; 300]).unwrap();

    let dry = import(at, "good.csv", &["--dry-run"]);
    assert_eq!(dry.code, Some(0), "{}{}", dry.out, dry.err);
    assert!(dry.out.contains("3 of 3 rows would go in: 3 created"), "{}", dry.out);
    let mut look = Look::at(&at.join("var/openhearth.db"));
    assert!(look.count(BY_FORM).is_empty(), "a dry run changes nothing");

    let good = import(at, "good.csv", &["--tag", "from-disk"]);
    assert_eq!((good.code, good.err.as_str()), (Some(0), ""), "{}", good.out);
    assert_eq!(look.count(BY_FORM), once("confirmed", 3));
    let tags = "SELECT slug AS word, count(*) AS count FROM tags JOIN supporter_tags ON tag_number = number GROUP BY 1";
    assert_eq!(look.count(tags).into_keys().collect::<Vec<_>>(), ["from-disk", "old-list"]);

    let unmapped = import(at, "some.csv", &[]);
    assert_eq!(unmapped.code, Some(2));
    assert!(unmapped.err.contains("columns: Adresse, Name"), "{}", unmapped.err);
    let some = import(at, "some.csv", &["--map", "Adresse=email", "--refused-to", "refused.csv"]);
    assert_eq!(some.code, Some(3), "{}{}", some.out, some.err);
    assert!(some.out.contains("1 of 2 rows went in"), "{}", some.out);
    let refused = fs::read_to_string(at.join("refused.csv")).unwrap();
    assert!(refused.contains("3,email: invalid_email"), "{refused}");

    for (file, more) in
        [("none.bin", Vec::new()), ("missing.csv", Vec::new()), ("good.csv", vec!["--tag", "No Tag"])]
    {
        let said = import(at, file, &more);
        assert_eq!(said.code, Some(2), "{}{}", said.out, said.err);
        assert!(said.err.starts_with("openhearth: "), "{}", said.err);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_bulk_the_database_must_be_free_and_a_killed_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().to_owned();
    fs::write(at.join("list.csv"), list(BULK)).unwrap();
    let server = Server::start(&at, &[]).await;
    let (for_refused, busy) = (at.clone(), server.database());
    let refused = tokio::task::spawn_blocking(move || import(&for_refused, "list.csv", &["--offline-bulk"]))
        .await
        .unwrap();
    assert_eq!(refused.code, Some(2), "{}{}", refused.out, refused.err);
    assert!(refused.err.contains("stop the server first"), "{}", refused.err);
    assert!(Look::at(&busy).count(SUMS).is_empty());
    server.stop().await;

    let arguments = [&["import", "list.csv", "--offline-bulk"], CONSENT.as_slice()].concat();
    let mut killed = Process::watch(command(&at, &arguments).spawn().unwrap());
    let log = at.join("var/openhearth.db-wal");
    // Nobody may look into the database meanwhile; its log grows when rows go in.
    until("rows go in", SOON, async || {
        assert!(!killed.has_ended(), "it was faster than the kill: {}{}", killed.out(), killed.err());
        fs::metadata(&log).is_ok_and(|log| log.len() > 8 << 20)
    })
    .await;
    killed.kill();
    let again = tokio::task::spawn_blocking({
        let at = at.clone();
        move || import(&at, "list.csv", &["--offline-bulk"])
    });
    let again = again.await.unwrap();
    assert_eq!(again.code, Some(0), "{}{}", again.out, again.err);
    assert!(again.out.contains("went on with what an earlier run had begun"), "{}", again.out);
    let mut look = Look::at(&at.join("var/openhearth.db"));
    assert_eq!(look.count(BY_FORM), once("confirmed", BULK));
    assert_eq!(look.count(SUMS), once(&format!("done {BULK} 0"), 1));
    look.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_killed_midway_goes_on_without_doubling_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("var/openhearth.db");
    killed_midway(folder.path(), &[], |query| Look::at(&file).count(query)).await;
    Look::at(&file).check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_killed_midway_goes_on_without_doubling_on_postgres() {
    let (folder, postgres) = (tempfile::tempdir().unwrap(), Postgres::empty());
    let url = postgres.url();
    killed_midway(folder.path(), &[("OPENHEARTH__DATABASE__URL", &url)], |query| postgres.count(query)).await;
}

async fn killed_midway(
    folder: &Path,
    variables: &[(&str, &str)],
    mut count: impl FnMut(&str) -> BTreeMap<String, i64>,
) {
    let mut server = Server::start(folder, variables).await;
    let token = server.token().await;
    let options = json!({ "consent": { "basis": "already", "wording": "Yes.", "date": "2025-05-01" } });
    let body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"options\"\r\n\r\n{options}\r\n\
         --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n{}\r\n--x--\r\n",
        list(MANY)
    );
    let made = Client::new()
        .post(server.at("/api/v1/admin/imports"))
        .bearer_auth(&token)
        .header("content-type", "multipart/form-data; boundary=x")
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(made.status(), 202);
    let made: Value = made.json().await.unwrap();
    let path = format!("/api/v1/admin/imports/{}", made["id"].as_str().unwrap());
    let is = async |server: &Server, state: &str| {
        let seen = Client::new().get(server.at(&path)).bearer_auth(&token).send().await;
        let Ok(seen) = seen else { return false };
        let seen: Value = seen.json().await.unwrap();
        seen["state"] == state
    };
    until("the preview is made", SOON, async || is(&server, "previewed").await).await;
    let start = Client::new().post(server.at(&format!("{path}/start"))).bearer_auth(&token).json(&json!({}));
    assert_eq!(start.send().await.unwrap().status(), 202);
    let many = i64::try_from(MANY).unwrap();
    until("rows go in", SOON, async || count(BY_FORM).values().sum::<i64>() > 0).await;
    server.process.kill();
    let part: i64 = count(BY_FORM).values().sum();
    assert!(part < many, "it was faster than the kill");
    let told = count("SELECT 'created' AS word, CAST(sum(created) AS BIGINT) AS count FROM imports");
    assert_eq!(told["created"], part, "progress and rows are of one transaction");

    let server = Server::start(folder, variables).await;
    until("the import is carried on", CARRIED_ON_WITHIN, async || is(&server, "done").await).await;
    server.stop().await;
    assert_eq!(count(BY_FORM), once("confirmed", MANY));
    assert_eq!(count(SUMS), once(&format!("done {MANY} 0"), 1));
    let tagged = "SELECT 'tagged' AS word, count(*) AS count FROM supporter_tags";
    assert_eq!(count(tagged), once("tagged", MANY));
    println!("killed after {part} of {MANY} rows");
}

//! Several processes over one PostgreSQL: one killed, the server gone for a while, all started at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::TcpListener,
    process::Command,
    time::{Duration, Instant},
};

use crate::{
    certificate::Certificate,
    load::{Load, Tally, sign_up},
    pooler::Pooler,
    postgres::Postgres,
    relay::{Relay, ids_of},
    support::{BINARY, Process, SOON, Server, command, run, until},
};

/// More sign-ups than a minute has room for.
const ENDLESS: usize = 1_000_000;
const CONNECTIONS: usize = 8;
/// What the default configuration's senders may have in hand until it is marked, while the relay is fast.
const IN_HAND: usize = 1024;
/// The lease of what was in hand at a kill, and time for the rest.
const DELIVERED_WITHIN: Duration = Duration::from_secs(120);
/// How long the server is away.
const AWAY: Duration = Duration::from_secs(10);

/// A replica; those in one folder have the same keys.
async fn replica(folder: &tempfile::TempDir, postgres: &Postgres, relay: &Relay) -> Server {
    replica_by(&["serve"], folder, postgres, relay).await
}

async fn replica_by(
    arguments: &[&str],
    folder: &tempfile::TempDir,
    postgres: &Postgres,
    relay: &Relay,
) -> Server {
    let url = postgres.url();
    let mut variables = relay.variables();
    variables.push(("OPENHEARTH__DATABASE__URL", &url));
    let mut serve = Command::new(BINARY);
    serve.args(arguments);
    Server::spawn(serve, folder.path(), &variables).await
}

/// What was acknowledged is stored once, and nothing but what was sent; each address has mail under one Message-ID.
/// Returns how many mails were repeated.
async fn assert_whole(postgres: &Postgres, relay: &Relay, tally: &Tally) -> usize {
    let stored = postgres.signups();
    let lost: Vec<_> = tally.acknowledged.iter().filter(|email| !stored.contains_key(*email)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert!(stored.values().all(|count| *count == 1), "doubled: {stored:?}");
    let sent = |email: &String| {
        tally.acknowledged.contains(email) || tally.in_doubt.contains(email) || tally.put_off.contains(email)
    };
    assert!(stored.keys().all(sent));
    let all = BTreeMap::from([("sent".to_owned(), i64::try_from(stored.len()).unwrap())]);
    until("every stored sign-up has its mail", DELIVERED_WITHIN, async || postgres.states() == all).await;
    let messages = relay.messages();
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for message in &messages {
        ids.entry(message.to[0].clone()).or_default().extend(ids_of(std::slice::from_ref(message)));
    }
    assert!(ids.keys().eq(stored.keys()), "whoever is stored has mail, and nobody else");
    assert!(ids.values().all(|ids| ids.len() == 1), "a mail was repeated under another Message-ID");
    messages.len() - stored.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_killed_under_load_loses_nothing_and_the_other_sends_what_it_owed() {
    let (folder, relay, postgres) = (tempfile::tempdir().unwrap(), Relay::start().await, Postgres::empty());
    let mut first = replica(&folder, &postgres, &relay).await;
    let second = replica(&folder, &postgres, &relay).await;
    let loads =
        [Load::gated(&first.url, "first", CONNECTIONS), Load::gated(&second.url, "second", CONNECTIONS)];
    until("both take sign-ups while mails go out", SOON, async || {
        loads.iter().for_each(|load| load.allow(CONNECTIONS));
        relay.count() > 40 && loads.iter().all(|load| load.acknowledged() > 100)
    })
    .await;
    let acknowledged = loads[0].acknowledged();
    loads[0].allow(ENDLESS);
    until("the load goes on", SOON, async || loads[0].acknowledged() > acknowledged + CONNECTIONS).await;
    first.process.kill();
    let [killed, other] = loads;
    let mut tally = killed.finish().await;
    assert_eq!(tally.in_doubt.len(), CONNECTIONS, "the kill hit every connection");
    let before = other.acknowledged();
    other.allow(100);
    until("the other goes on", SOON, async || other.acknowledged() >= before + 100).await;
    let other = other.stop().await;
    assert!(other.in_doubt.is_empty() && other.put_off.is_empty(), "{other:?}");
    tally.add(other);

    let repeats = assert_whole(&postgres, &relay, &tally).await;
    println!("{} acknowledged, {repeats} mails repeated", tally.acknowledged.len());
    assert!(repeats <= IN_HAND, "{repeats}");
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_postgres_is_away_sign_ups_are_put_off_and_then_all_goes_on_by_itself() {
    let (folder, relay) = (tempfile::tempdir().unwrap(), Relay::start().await);
    let postgres = Postgres::with_own_server();
    let server = replica(&folder, &postgres, &relay).await;
    let load = Load::gated(&server.url, "away", CONNECTIONS);
    until("mails go out during the load", SOON, async || {
        load.allow(CONNECTIONS);
        load.acknowledged() > 200 && relay.count() > 20
    })
    .await;
    postgres.stop();
    let since = Instant::now();
    until("sign-ups are put off, and the server says that it is not ready", SOON, async || {
        load.allow(CONNECTIONS);
        load.put_off() > CONNECTIONS && server.ready().await == Some(503)
    })
    .await;
    let acknowledged = load.acknowledged();
    while since.elapsed() < AWAY {
        load.allow(1);
        assert_eq!(server.ready().await, Some(503));
    }
    assert_eq!(load.acknowledged(), acknowledged, "nothing can have been stored");
    postgres.start();
    until("the server is ready again", SOON, async || server.ready().await == Some(200)).await;
    until("sign-ups are taken again", SOON, async || {
        load.allow(CONNECTIONS);
        load.acknowledged() > acknowledged + 100
    })
    .await;
    let tally = load.stop().await;
    assert!(tally.in_doubt.is_empty(), "every request has an answer: {:?}", tally.in_doubt);
    println!("{} acknowledged, {} put off", tally.acknowledged.len(), tally.put_off.len());
    let repeats = assert_whole(&postgres, &relay, &tally).await;
    assert!(repeats <= IN_HAND, "{repeats}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_started_at_once_on_an_empty_database_migrate_once() {
    for round in 0..3 {
        let (folder, relay, postgres) =
            (tempfile::tempdir().unwrap(), Relay::start().await, Postgres::empty());
        let (one, two) =
            tokio::join!(replica(&folder, &postgres, &relay), replica(&folder, &postgres, &relay));
        let migrations = postgres.count(
            "SELECT version AS word, count(*) AS count FROM __diesel_schema_migrations GROUP BY version",
        );
        assert!(!migrations.is_empty() && migrations.values().all(|count| *count == 1), "{migrations:?}");
        let wordings = postgres.count("SELECT form AS word, count(*) AS count FROM notices GROUP BY form");
        // Joining and sharing, each in two languages.
        let once = [("groups", 1), ("join", 4)].map(|(form, count)| (form.to_owned(), count));
        assert_eq!(wordings, BTreeMap::from(once), "each wording once, not one for each replica");
        for (server, name) in [(&one, "one"), (&two, "two")] {
            let email = format!("{name}{round}@example.org");
            let answer = sign_up(&reqwest::Client::new(), &server.url, &email).await.unwrap();
            assert_eq!(answer.status(), 202);
        }
        until("both are mailed", SOON, async || relay.count() == 2).await;
        one.stop().await;
        two.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_may_serve_and_another_send() {
    let (folder, relay, postgres) = (tempfile::tempdir().unwrap(), Relay::start().await, Postgres::empty());
    let server = replica_by(&["serve", "--no-worker"], &folder, &postgres, &relay).await;
    let tally = Load::start(&server.url, "split", CONNECTIONS, 100).finish().await;
    assert_eq!(tally.acknowledged.len(), 100);
    assert!(postgres.states().is_empty(), "who serves alone decides nothing");
    let url = postgres.url();
    let mut worker = command(folder.path(), &["worker"]);
    let figures = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    worker.envs(relay.variables()).env("OPENHEARTH__DATABASE__URL", &url);
    worker.env("OPENHEARTH__METRICS__LISTEN", figures.to_string());
    let mut worker = Process::watch(worker.spawn().unwrap());
    assert_eq!(assert_whole(&postgres, &relay, &tally).await, 0, "each once");
    let ready = reqwest::get(format!("http://{figures}/readyz")).await.unwrap();
    assert_eq!(ready.text().await.unwrap(), r#"{"store":"ok","mail":"ok"}"#);
    let figures = reqwest::get(format!("http://{figures}/metrics")).await.unwrap().text().await.unwrap();
    assert!(figures.contains("openhearth_mails_total{outcome=\"Accepted\"} 100"), "{figures}");
    worker.terminate();
    let ended = tokio::task::spawn_blocking(move || (worker.end(SOON), worker.err())).await.unwrap();
    assert_eq!(ended.0.code(), Some(0), "{}", ended.1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_postgres_hangs_sign_ups_are_told_to_come_back() {
    let (folder, relay, postgres) = (tempfile::tempdir().unwrap(), Relay::start().await, Postgres::empty());
    let server = replica(&folder, &postgres, &relay).await;
    let client = reqwest::Client::new();
    let hanging = postgres.hold("signups IN ACCESS EXCLUSIVE MODE");
    let answer = sign_up(&client, &server.url, "ada@example.org").await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    drop(hanging);
    until("sign-ups go on", SOON, async || {
        sign_up(&client, &server.url, "ada@example.org").await.unwrap().status() == 202
    })
    .await;
    until("she is mailed once", SOON, async || relay.count() == 1).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_to_postgres_is_as_safe_as_its_url_asks() {
    let (folder, postgres) = (tempfile::tempdir().unwrap(), Postgres::with_own_server());
    let (certificate, stranger) = (Certificate::new(), Certificate::new());
    postgres.secure(&certificate);
    let url = |trusted: &Certificate, name: &str| {
        let file = folder.path().join(name);
        fs::write(&file, &trusted.pem).unwrap();
        let url = postgres.url().replace("127.0.0.1", "localhost");
        format!("{url}?sslmode=verify-full&sslrootcert={}", file.display())
    };

    let server =
        Server::start(folder.path(), &[("OPENHEARTH__DATABASE__URL", &url(&certificate, "ours.pem"))]).await;
    let answer = sign_up(&reqwest::Client::new(), &server.url, "ada@example.org").await.unwrap();
    assert_eq!(answer.status(), 202);
    let ways = postgres.count(
        "SELECT CASE WHEN ssl THEN 'tls' ELSE 'plain' END AS word, 1::bigint AS count FROM pg_stat_ssl \
         JOIN pg_stat_activity USING (pid) WHERE application_name = 'openhearth' GROUP BY 1",
    );
    assert_eq!(ways.keys().collect::<Vec<_>>(), ["tls"]);
    server.stop().await;

    let url = url(&stranger, "strangers.pem");
    let path = folder.path().to_owned();
    let refused = tokio::task::spawn_blocking(move || {
        let mut serve = command(&path, &["serve"]);
        serve.env("OPENHEARTH__DATABASE__URL", url);
        run(serve, "")
    });
    let refused = refused.await.unwrap();
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    assert!(
        refused.err.contains("database.url") && refused.err.contains("certificate verify failed"),
        "{}",
        refused.err
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_pooler_that_lends_connections_by_the_transaction_all_goes_on() {
    let (folder, relay, postgres) = (tempfile::tempdir().unwrap(), Relay::start().await, Postgres::empty());
    let pooler = Pooler::before(&postgres).await;
    let mut variables = relay.variables();
    variables.extend([
        ("OPENHEARTH__DATABASE__URL", pooler.url.as_str()),
        ("OPENHEARTH__DATABASE__POOLER", "true"),
    ]);
    let server = Server::start(folder.path(), &variables).await;
    let load = Load::start(&server.url, "pooled", CONNECTIONS, 300);
    let token = server.token().await;
    let client = reqwest::Client::new();
    // Readers and writers take turns at three connections.
    for path in ["supporters", "signups", "exports/supporters.csv?purpose=test"].repeat(20) {
        let answer = client.get(server.at(&format!("/api/v1/admin/{path}"))).bearer_auth(&token).send().await;
        assert_eq!(answer.unwrap().status(), 200, "{path}");
    }
    let tally = load.finish().await;
    assert_eq!(tally.acknowledged.len(), 300);
    assert_eq!(assert_whole(&postgres, &relay, &tally).await, 0, "each once");
    let (_, log) = server.stop().await;
    assert!(!log.contains("prepared statement"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_cut_in_the_middle_of_transactions_lose_nothing_and_send_nothing_twice() {
    let (folder, relay, postgres) = (tempfile::tempdir().unwrap(), Relay::start().await, Postgres::empty());
    let server = replica(&folder, &postgres, &relay).await;
    let load = Load::gated(&server.url, "cut", CONNECTIONS);
    let mut cut = 0;
    until("many transactions were cut under load", SOON, async || {
        load.allow(CONNECTIONS);
        // Whoever is in a transaction, from the side of the server.
        let found = postgres.count(
            "WITH open AS MATERIALIZED (SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name = 'openhearth' AND xact_start IS NOT NULL) \
             SELECT pid::text AS word, 1::bigint AS count FROM open WHERE pg_terminate_backend(pid)",
        );
        cut += found.len();
        cut >= 20 && load.acknowledged() > 200
    })
    .await;
    let tally = load.stop().await;
    assert!(tally.in_doubt.is_empty(), "every request has an answer: {:?}", tally.in_doubt);
    println!(
        "{cut} transactions cut, {} acknowledged, {} put off",
        tally.acknowledged.len(),
        tally.put_off.len()
    );
    // A mail whose mark was cut is marked again, not sent again.
    assert_eq!(assert_whole(&postgres, &relay, &tally).await, 0, "each once");
    server.stop().await;
}

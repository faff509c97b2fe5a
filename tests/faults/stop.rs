//! SIGTERM: a stop that loses nothing and takes ten seconds at most.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::{
    load::{Load, sign_up},
    look::Look,
    relay::{Relay, ids_of},
    support::{SOON, Server, until},
};

const LIMIT: Duration = Duration::from_secs(10);

fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.url.trim_start_matches("http://")).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_keeps_every_acknowledged_sign_up_and_finishes_the_mail_in_hand() {
    let (folder, relay) = (tempfile::tempdir().unwrap(), Relay::start().await);
    let server = Server::start(folder.path(), &relay.variables()).await;
    let database = server.database();
    let load = Load::gated(&server.url, "stop", 32);
    until("mails go out during the load", SOON, async || {
        load.allow(32);
        load.acknowledged() > 500 && relay.count() > 40
    })
    .await;
    load.allow(1_000_000);
    let (took, log) = server.stop().await;
    let tally = load.finish().await;
    println!("stopped in {took:?} after {} acknowledged, {} mails", tally.acknowledged.len(), relay.count());
    assert!(took < LIMIT, "{took:?}");
    assert!(!log.contains("in time"), "something was left: {log}");

    let mut look = Look::at(&database);
    look.check();
    let stored = look.signups();
    let lost: Vec<_> = tally.acknowledged.iter().filter(|email| stored.get(*email) != Some(&1)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let mails = look.mails();
    assert!(mails.iter().all(|mail| mail.leased == 0), "a mail was left in hand");
    let sent: BTreeSet<_> =
        mails.into_iter().filter(|mail| mail.state == "sent").map(|mail| mail.id).collect();
    let received = ids_of(&relay.messages());
    assert_eq!(received.len(), sent.len(), "each once");
    assert_eq!(received.into_iter().collect::<BTreeSet<_>>(), sent, "what the relay took is marked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_do_not_hold_up_the_stop() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]).await;
    let mut open = Vec::new();
    for number in 0..20 {
        let mut connection = connect(&server);
        // Half of them have had an answer and are kept alive; the others never said a word.
        if number % 2 == 0 {
            connection.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            let mut answer = [0; 15];
            connection.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"HTTP/1.1 200 OK");
        }
        open.push(connection);
    }
    let (took, _) = server.stop().await;
    println!("stopped in {took:?} with {} idle connections", open.len());
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_never_comes_to_its_end_holds_the_stop_for_seconds_only() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]).await;
    let mut half = connect(&server);
    half.write_all(
        b"POST /api/v1/signups HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
    )
    .unwrap();
    let (took, _) = server.stop().await;
    println!("stopped in {took:?} with half a request");
    assert!(took < LIMIT, "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_held_by_another_process_does_not_hold_the_stop_beyond_ten_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]).await;
    let (database, url) = (server.database(), server.url.clone());
    let mut other = Look::to_write(&database);
    other.run("BEGIN IMMEDIATE");
    let waiting =
        tokio::spawn(async move { sign_up(&reqwest::Client::new(), &url, "held@example.org").await });
    let figures = server.at("/metrics");
    until("the sign-up is in hand", SOON, async || {
        let text = reqwest::get(&figures).await.unwrap().text().await.unwrap();
        text.contains("openhearth_intake_waiting 0") && !waiting.is_finished()
    })
    .await;
    let (took, _) = server.stop().await;
    println!("stopped in {took:?} with the database held");
    assert!(took < LIMIT, "{took:?}");
    other.run("COMMIT");
    let acknowledged = waiting.await.unwrap().is_ok_and(|answer| answer.status() == 202);
    assert!(!acknowledged, "the database was held all the time");
    assert_eq!(Look::at(&database).signups().len(), 0);
}

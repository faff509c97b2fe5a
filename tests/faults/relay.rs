//! [`Relay`]: the scriptable SMTP server as the binary's relay; and what becomes of mail that it refuses or never
//! answers.

use std::{ops::Deref, time::Duration};

use crate::{
    load::sign_up,
    look::Look,
    smtp_server::{Behaviour, Options, Received, SmtpServer, Stage},
    support::{SOON, Server, until},
};

/// A relay without TLS.
pub struct Relay {
    server: SmtpServer,
    port: String,
}

impl Relay {
    pub async fn start() -> Self {
        let server = SmtpServer::start(Options::default()).await;
        let port = server.addr().port().to_string();
        Self { server, port }
    }

    /// What makes the binary send through it.
    pub fn variables(&self) -> Vec<(&str, &str)> {
        vec![
            ("OPENHEARTH__MAIL__TRANSPORT", "smtp"),
            ("OPENHEARTH__MAIL__SMTP__HOST", "127.0.0.1"),
            ("OPENHEARTH__MAIL__SMTP__PORT", &self.port),
            ("OPENHEARTH__MAIL__SMTP__TLS", "none"),
        ]
    }
}

impl Deref for Relay {
    type Target = SmtpServer;

    fn deref(&self) -> &SmtpServer {
        &self.server
    }
}

/// The outbox's ids of these messages, from their Message-IDs.
pub fn ids_of(messages: &[Received]) -> Vec<String> {
    messages
        .iter()
        .map(|message| {
            let parsed = mail_parser::MessageParser::default().parse(&message.data).unwrap();
            let id = parsed.message_id().unwrap().split_once('@').unwrap().0;
            id.replace('-', "")
        })
        .collect()
}

async fn join(server: &Server, email: &str) {
    let answer = sign_up(&reqwest::Client::new(), &server.url, email).await.unwrap();
    assert_eq!(answer.status(), 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_refused_with_5xx_is_dead_with_its_reason_and_without_the_address() {
    let (folder, relay) = (tempfile::tempdir().unwrap(), Relay::start().await);
    let server = Server::start(folder.path(), &relay.variables()).await;
    let reply = "550 5.1.1 <gertrude@example.org>: gertrude@example.org unknown";
    relay.set_behaviour(Behaviour::Reply { reply, stage: Stage::Rcpt, times: 1 });
    join(&server, "gertrude@example.org").await;
    until("the mail is given up", SOON, async || Look::at(&server.database()).states().contains_key("dead"))
        .await;
    let mail = Look::at(&server.database()).mails().remove(0);
    let reason = mail.last_error.unwrap();
    assert!(reason.contains("550 5.1.1"), "{reason}");
    assert!(!reason.contains("gertrude") && !reason.contains("example.org"), "{reason}");
    assert_eq!((mail.attempts, mail.leased), (1, 0));

    join(&server, "hilda@example.org").await;
    until("the next mail arrives", SOON, async || relay.count() == 1).await;
    let figures = reqwest::get(server.at("/metrics")).await.unwrap().text().await.unwrap();
    let dead = figures.lines().find(|line| line.to_lowercase().contains("dead")).unwrap_or_default();
    assert!(dead.ends_with(" 1"), "{figures}");
    let (_, log) = server.stop().await;
    assert!(log.contains("given up") && !log.contains("gertrude"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_relay_holds_one_sender_for_a_bounded_time_and_the_others_go_on() {
    let (folder, relay) = (tempfile::tempdir().unwrap(), Relay::start().await);
    let server = Server::start(folder.path(), &relay.variables()).await;
    relay.set_behaviour(Behaviour::Hang { stage: Stage::Mail });
    join(&server, "stuck@example.org").await;
    until("the relay holds the first mail", SOON, async || relay.hanging() == 1).await;
    // What has stopped to answer stays so; new connections are served.
    assert_eq!(Look::at(&server.database()).mails()[0].leased, 1);
    relay.set_behaviour(Behaviour::Accept);
    for number in 0..30 {
        join(&server, &format!("other-{number}@example.org")).await;
    }
    until("the others arrive", SOON, async || relay.count() >= 30).await;
    let stuck = Look::at(&server.database()).mails().remove(0);
    assert_eq!((stuck.state.as_str(), stuck.leased), ("due", 1), "the others waited for the one that hangs");
    until("the try is given up", Duration::from_secs(40), async || {
        Look::at(&server.database()).mails()[0].leased == 0
    })
    .await;
    let stuck = Look::at(&server.database()).mails().remove(0);
    assert_eq!((stuck.state.as_str(), stuck.attempts), ("due", 1));
    assert!(stuck.last_error.unwrap().contains("no answer within 20s"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_a_slow_relay_few_mails_are_claimed_and_when_it_is_fast_again_all_leave() {
    const MAILS: usize = 600;
    let (folder, relay) = (tempfile::tempdir().unwrap(), Relay::start().await);
    let server = Server::start(folder.path(), &relay.variables()).await;
    relay.set_behaviour(Behaviour::Slow { stage: Stage::Mail, by: Duration::from_millis(200) });
    for number in 0..MAILS {
        join(&server, &format!("{number}@example.org")).await;
    }
    until("its four senders have little in hand", SOON, async || {
        Look::at(&server.database()).mails().iter().filter(|mail| mail.leased == 1).count() <= 16
    })
    .await;
    let sent = relay.count();
    assert!(sent + 100 < MAILS, "{sent} had left when there was little in hand");
    relay.set_behaviour(Behaviour::Accept);
    until("all have left", SOON, async || relay.count() == MAILS).await;
    server.stop().await;
    let mut to: Vec<_> = relay.messages().into_iter().flat_map(|message| message.to).collect();
    to.sort();
    to.dedup();
    assert_eq!((to.len(), relay.count()), (MAILS, MAILS), "each once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_the_server_within_ten_seconds_though_every_sender_hangs() {
    let (folder, relay) = (tempfile::tempdir().unwrap(), Relay::start().await);
    let server = Server::start(folder.path(), &relay.variables()).await;
    relay.set_behaviour(Behaviour::Hang { stage: Stage::Mail });
    for number in 0..64 {
        join(&server, &format!("held-{number}@example.org")).await;
    }
    until("every sender hangs", SOON, async || relay.hanging() == 4).await;
    let (took, _) = server.stop().await;
    println!("stopped in {took:?} with every sender hanging");
    assert!(took < Duration::from_secs(10), "{took:?}");

    relay.set_behaviour(Behaviour::Accept);
    let server = Server::start(folder.path(), &relay.variables()).await;
    until("all mails arrive after the lease", SOON, async || relay.count() >= 64).await;
    server.stop().await;
    let mut to: Vec<_> = relay.messages().into_iter().flat_map(|message| message.to).collect();
    to.sort();
    to.dedup();
    assert_eq!((to.len(), relay.count()), (64, 64), "each once");
}

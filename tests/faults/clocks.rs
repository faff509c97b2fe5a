//! Replicas whose machines' clocks are wrong by five minutes: the database's clock counts, for leases and for all else.

use std::path::{Path, PathBuf};

use crate::{
    load::sign_up,
    postgres::Postgres,
    relay::Relay,
    smtp_server::{Behaviour, Stage},
    support::{PRELOAD, SOON, Server, preloaded, until},
};

/// A minute in the database's unit.
const MINUTE: i64 = 60_000_000;

/// Replicas of one installation, on machines with clocks of their own.
struct Replicas {
    folder: tempfile::TempDir,
    postgres: Postgres,
    relay: Relay,
    wrong_clock: PathBuf,
}

impl Replicas {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let wrong_clock = preloaded(folder.path(), "wrong_clock", include_str!("wrong_clock.c"));
        Self { folder, postgres: Postgres::empty(), relay: Relay::start().await, wrong_clock }
    }

    /// One whose clock is ahead by so many seconds.
    async fn start(&self, wrong_by: &str) -> Server {
        let url = self.postgres.url();
        let mut variables = self.relay.variables();
        variables.extend([
            ("OPENHEARTH__DATABASE__URL", url.as_str()),
            (PRELOAD, self.wrong_clock.to_str().unwrap()),
            ("WRONG_BY", wrong_by),
        ]);
        let path: &Path = self.folder.path();
        Server::start(path, &variables).await
    }

    fn number(&self, query: &str) -> i64 {
        self.postgres.count(&format!("SELECT '' AS word, ({query})::bigint AS count"))[""]
    }

    async fn join(&self, server: &Server, email: &str) {
        assert_eq!(sign_up(&reqwest::Client::new(), &server.url, email).await.unwrap().status(), 202);
        until("it is triaged", SOON, async || {
            self.number("SELECT count(*) FROM signups WHERE state = 'new'") == 0
        })
        .await;
    }

    /// The link of this kind in the newest mail to `email`.
    async fn link(&self, email: &str, kind: &str) -> String {
        let mut found = None;
        until("the mail is there", SOON, async || {
            let messages = self.relay.messages();
            let newest = messages.iter().rev().find(|message| message.to == [email]);
            found = newest.and_then(|message| {
                let parsed = mail_parser::MessageParser::default().parse(&message.data).unwrap();
                let text = parsed.body_text(0).unwrap().into_owned();
                text.split_whitespace().find(|word| word.contains(&format!("/{kind}/"))).map(str::to_owned)
            });
            found.is_some()
        })
        .await;
        let link = found.unwrap();
        link[link.find(&format!("/{kind}/")).unwrap()..].to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_five_minutes_ahead_takes_nobodys_lease_for_run_out() {
    let replicas = Replicas::new().await;
    let mut right = replicas.start("0").await;
    replicas.relay.set_behaviour(Behaviour::Hang { stage: Stage::Mail });
    for number in 0..4 {
        replicas.join(&right, &format!("held-{number}@example.org")).await;
    }
    until("its senders hang with the mails in hand", SOON, async || replicas.relay.hanging() == 4).await;
    assert!(!right.process.err().contains("clock differs"), "{}", right.process.err());
    right.process.kill();
    // A lease with more to run than this test takes, and less than the other's clock is ahead.
    let in_hand = "address LIKE 'held-%' AND lease IS NOT NULL AND attempts = 1";
    replicas.postgres.run(&format!("UPDATE outbox SET due_at = due_at + {} WHERE {in_hand}", 3 * MINUTE));
    replicas.relay.set_behaviour(Behaviour::Accept);
    let ahead = replicas.start("300").await;
    for number in 0..8 {
        replicas.join(&ahead, &format!("own-{number}@example.org")).await;
    }
    until("it has sent what was free", SOON, async || replicas.relay.count() >= 8).await;
    let to: Vec<_> = replicas.relay.messages().into_iter().flat_map(|message| message.to).collect();
    assert!(to.iter().all(|email| email.starts_with("own-")), "a mail in hand was taken away: {to:?}");
    assert_eq!(replicas.number(&format!("SELECT count(*) FROM outbox WHERE {in_hand}")), 4);
    // When it has run out by the database's clock, it has for everybody.
    replicas.postgres.run(&format!(
        "UPDATE outbox SET due_at = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint WHERE {in_hand}"
    ));
    until("the other mails are sent", SOON, async || replicas.relay.count() == 12).await;
    let (_, log) = ahead.stop().await;
    assert!(log.contains("this machine's clock differs from the database's"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_ahead_or_behind_keeps_the_limits_of_mails_and_voids_what_was_sent_before_leaving() {
    let replicas = Replicas::new().await;
    let right = replicas.start("0").await;
    replicas.join(&right, "ada@example.org").await;
    let confirm = replicas.link("ada@example.org", "confirm").await;
    let client = reqwest::Client::new();
    assert_eq!(client.post(right.at(&confirm)).send().await.unwrap().status(), 200);
    replicas.join(&right, "grace@example.org").await;
    let unsubscribe = replicas.link("ada@example.org", "unsubscribe").await;
    right.stop().await;
    for (wrong_by, other) in [("300", "ahead"), ("-300", "behind")] {
        // Asked almost a day ago: two minutes are missing, and five would be enough.
        let asked = format!("UPDATE mail_limits SET newest = newest - {}", 24 * 60 * MINUTE - 2 * MINUTE);
        replicas.postgres.run(&asked);
        let wrong = replicas.start(wrong_by).await;
        replicas.join(&wrong, "grace@example.org").await;
        replicas.postgres.run(&asked.replace("newest -", "newest +"));
        let owed = "SELECT count(*) FROM outbox o JOIN signups s ON s.id = o.subject_id WHERE s.email = 'grace@example.org'";
        assert_eq!(replicas.number(owed), 1, "{other}: she was mailed within a day");

        // What came before leaving is void, and what came after is not, whichever clock either was by.
        let before = format!("before-{other}@example.org");
        replicas.join(&wrong, &before).await;
        let early = replicas.link(&before, "confirm").await;
        assert_eq!(client.post(wrong.at(&early)).send().await.unwrap().status(), 200, "{other}");
        let far = replicas.number(
            "SELECT max(abs(created_at - (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)) FROM signups \
             WHERE state = 'confirmed' AND email LIKE 'before-%' AND created_at > (SELECT max(created_at) FROM signups) - 1000000",
        );
        assert!(far < MINUTE, "{other}: it was taken {far} µs off");
        if other == "ahead" {
            assert_eq!(client.post(wrong.at(&unsubscribe)).send().await.unwrap().status(), 200);
            replicas.join(&wrong, "ada@example.org").await;
            let states = replicas
                .number("SELECT count(*) FROM signups WHERE email = 'ada@example.org' AND state = 'pending'");
            assert_eq!(states, 1, "who comes back after leaving is asked");
        } else {
            // The other replica, which was ahead, has recorded the leaving.
            let pending =
                "SELECT count(*) FROM signups WHERE email = 'ada@example.org' AND state = 'pending'";
            replicas.postgres.run("DELETE FROM mail_limits");
            replicas.join(&wrong, "ada@example.org").await;
            assert_eq!(
                replicas.number(pending),
                2,
                "by a clock five minutes behind, this came before leaving"
            );
        }
        wrong.stop().await;
    }
}

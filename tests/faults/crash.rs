//! SIGKILL during load: a 202 is a promise, and so is the mail.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use crate::{
    load::{Load, Tally},
    look::Look,
    relay::{Relay, ids_of},
    support::{SOON, Server, until},
};

const ROUNDS: usize = 3;
const CONNECTIONS: usize = 16;
/// More sign-ups than a minute has room for.
const ENDLESS: usize = 1_000_000;
/// Nothing is acknowledged any more when nothing was for so long.
const STILL: Duration = Duration::from_millis(500);
/// `mail.senders` of the default configuration.
const SENDERS: usize = 4;
/// What a crash may leave sent and not marked: what each sender has in hand and marks not yet committed, together
/// never more than was claimed and may be in hand, while the relay is fast.
const CLAIMED_MAX: usize = 1024;
/// The lease of what was in hand at the last kill, and time for the rest.
const DELIVERED_WITHIN: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_sigkill_once_and_gets_its_one_mail() {
    let (folder, relay) = (tempfile::tempdir().unwrap(), Relay::start().await);
    let mut tally = Tally::default();
    // After each kill: how many messages the relay had, and which mails were marked as sent.
    let mut kills: Vec<(usize, BTreeSet<String>)> = Vec::new();
    for round in 0..ROUNDS {
        let mut server = Server::start(folder.path(), &relay.variables()).await;
        let (load, before) = (Load::gated(&server.url, &format!("round{round}"), CONNECTIONS), relay.count());
        // No faster than mails go out, on whatever machine.
        until("mails go out during the load", SOON, async || {
            load.allow(CONNECTIONS);
            load.acknowledged() > 300 && relay.count() > before + 40
        })
        .await;
        // From here on every connection has a sign-up to begin, until the server is gone.
        let acknowledged = load.acknowledged();
        load.allow(ENDLESS);
        until("the load goes on", SOON, async || load.acknowledged() > acknowledged + CONNECTIONS).await;
        if round == 1 {
            // With every request at the point of its commit: whoever answered before it would have lied.
            let mut other = Look::to_write(&server.database());
            other.run("BEGIN IMMEDIATE");
            let (mut count, mut since) = (load.acknowledged(), Instant::now());
            until("every answer waits for its commit", SOON, async || {
                if load.acknowledged() != count {
                    (count, since) = (load.acknowledged(), Instant::now());
                }
                since.elapsed() > STILL
            })
            .await;
            server.process.kill();
        } else {
            server.process.kill();
        }
        let found = load.finish().await;
        assert_eq!(found.in_doubt.len(), CONNECTIONS, "the kill hit every connection");
        tally.add(found);

        let mut look = Look::at(&server.database());
        look.check();
        let sent = look.mails().into_iter().filter(|mail| mail.state == "sent").map(|mail| mail.id);
        kills.push((relay.count(), sent.collect()));
    }

    let server = Server::start(folder.path(), &relay.variables()).await;
    let stored = Look::at(&server.database()).signups();
    let (acknowledged, doubtful) = (&tally.acknowledged, &tally.in_doubt);
    let lost: Vec<_> = acknowledged.iter().filter(|email| !stored.contains_key(*email)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert!(stored.values().all(|count| *count == 1), "doubled: {stored:?}");
    assert!(stored.keys().all(|email| acknowledged.contains(email) || doubtful.contains(email)));

    until("every stored sign-up has its mail", DELIVERED_WITHIN, async || {
        let states = Look::at(&server.database()).states();
        states == BTreeMap::from([("sent".to_owned(), i64::try_from(stored.len()).unwrap())])
    })
    .await;
    Look::at(&server.database()).check();
    server.stop().await;

    let messages = relay.messages();
    let mut by_address: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for message in &messages {
        by_address.entry(message.to[0].clone()).or_default().extend(ids_of(std::slice::from_ref(message)));
    }
    assert!(by_address.keys().eq(stored.keys()), "whoever is stored has mail, and nobody else");
    assert!(by_address.values().all(|ids| ids.len() == 1), "a mail was repeated under another Message-ID");

    let mut unmarked = Vec::new();
    for (count, sent) in &kills {
        let again: Vec<_> = ids_of(&messages[*count..]).into_iter().filter(|id| sent.contains(id)).collect();
        assert!(again.is_empty(), "marked as sent and sent again: {again:?}");
        let before: BTreeSet<_> = ids_of(&messages[..*count]).into_iter().collect();
        unmarked.push(before.difference(sent).count());
    }
    let repeats = messages.len() - stored.len();
    println!(
        "{} acknowledged, {} in doubt, {} stored; {repeats} mails repeated, unmarked at each kill {unmarked:?}",
        acknowledged.len(),
        doubtful.len(),
        stored.len()
    );
    for (kill, count) in unmarked.iter().enumerate() {
        // What an earlier kill left unmarked is leased until half a minute later.
        assert!(*count <= (kill + 1) * CLAIMED_MAX, "{unmarked:?}");
    }
    assert!(repeats <= unmarked.iter().sum::<usize>() + ROUNDS * SENDERS, "{repeats} repeats, {unmarked:?}");
}

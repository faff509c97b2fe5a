//! The writer held up by another process: the queue fills, and then refuses at once.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    load::Load,
    look::Look,
    support::{SOON, Server, until},
};

const CAPACITY: usize = 16;
const REQUESTS: usize = 5000;
/// Far below what thousands of kept requests would take, far above what a busy allocator keeps.
const GROWTH_KIB: u64 = 48 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_refuses_at_once_keeps_memory_bounded_and_stores_what_waited() {
    let folder = tempfile::tempdir().unwrap();
    let capacity = CAPACITY.to_string();
    let server = Server::start(folder.path(), &[("OPENHEARTH__INTAKE__QUEUE_CAPACITY", &capacity)]).await;
    let warm = Load::start(&server.url, "warm", 8, 200).finish().await;
    assert!(warm.in_doubt.is_empty());
    // Nothing but intake asks for the writer from now on.
    let mut look = Look::at(&server.database());
    until("the mails are out", SOON, async || look.states() == BTreeMap::from([("sent".to_owned(), 200)]))
        .await;
    let before = server.memory();

    let mut other = Look::to_write(&server.database());
    other.run("BEGIN IMMEDIATE");
    let load = Load::start(&server.url, "held", 128, REQUESTS);
    until("thousands are refused", Duration::from_secs(7), async || load.put_off() > 3000).await;
    let (grown, refused) = (server.memory().saturating_sub(before), load.put_off());
    assert_eq!(load.acknowledged(), 0, "nothing can have been stored");
    other.run("COMMIT");
    let tally = load.finish().await;

    println!(
        "{refused} refused while the database was held, the slowest after {:?}; memory grew by {grown} KiB; \
         {} stored after the release",
        tally.slowest_refusal,
        tally.acknowledged.len()
    );
    assert!(grown < GROWTH_KIB, "{grown} KiB");
    assert!(tally.slowest_refusal < Duration::from_secs(3), "{:?}", tally.slowest_refusal);
    assert!(tally.in_doubt.is_empty(), "every request has an answer");
    assert!(tally.acknowledged.len() >= CAPACITY, "those that waited are stored");
    assert_eq!(tally.acknowledged.len() + tally.put_off.len(), REQUESTS);

    let stored = Look::at(&server.database()).signups();
    assert!(tally.acknowledged.iter().all(|email| stored.get(email) == Some(&1)));
    assert!(tally.put_off.iter().all(|email| !stored.contains_key(email)), "refused means not stored");
    until("the server is ready again", SOON, async || server.ready().await == Some(200)).await;
    server.stop().await;
}

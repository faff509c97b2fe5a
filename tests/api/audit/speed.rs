//! Many audited acts at a time, by two processes: one chain, with nothing lost; and how many a second the lock of the head
//! allows, with more of them and `--nocapture`: `ACTS=2000 cargo test --release --test api speed -- --nocapture`.

use std::time::Instant;

use openhearth::{
    audit::{Act, Actor, Verdict},
    store::Lane,
};

use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acts_of_two_processes_at_once_make_one_chain() {
    let turns = std::env::var("ACTS").map_or(5_u64, |acts| acts.parse().unwrap());
    let app = TestApp::start().await;
    let other = app.second_process().await;
    let known = app.count("SELECT count(*) AS n FROM audit_entries").await;
    let mut appended = 0;
    for (tasks, acts) in [(1, 1), (8, 1), (8, 100)] {
        let begun = Instant::now();
        let work = (0..tasks).map(|at| {
            let trail = if at % 2 == 0 { app.app().kernel.trail() } else { other.kernel.trail() };
            tokio::spawn(async move {
                for _ in 0..turns {
                    trail
                        .append(Lane::Staff, vec![Act::new(Actor::System, "form.edit"); acts])
                        .await
                        .unwrap();
                }
            })
        });
        for task in work.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        let done = tasks * turns;
        appended += done * u64::try_from(acts).unwrap();
        let millis = u64::try_from(begun.elapsed().as_millis()).unwrap().max(1);
        println!(
            "{tasks} at a time in two processes, {acts} acts each: {} transactions/s",
            done * 1_000 / millis
        );
    }
    let since = Instant::now();
    let verdict = app.verify().await;
    println!("verified in {:?}: {verdict:?}", since.elapsed());
    let now = app.count("SELECT count(*) AS n FROM audit_entries").await;
    assert!(matches!(verdict, Verdict::Intact { retired: 0, .. }), "{verdict:?}");
    assert_eq!(now - known, i64::try_from(appended).unwrap());
    other.kernel.store.close().await;
}

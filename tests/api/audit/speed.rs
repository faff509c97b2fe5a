//! How many audited acts a second the lock of the head allows; run by name, with `--ignored --nocapture`.

use std::time::{Duration, Instant};

use openhearth::{
    audit::{Act, Actor},
    store::Lane,
};

use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn how_many_acts_a_second() {
    let app = TestApp::start().await;
    let other = app.second_process().await;
    for (tasks, acts) in [(1, 1), (8, 1), (8, 100)] {
        let end = Instant::now() + Duration::from_secs(4);
        let work = (0..tasks).map(|at| {
            let trail = if at % 2 == 0 { app.app().kernel.trail() } else { other.kernel.trail() };
            tokio::spawn(async move {
                let mut done = 0_u64;
                while Instant::now() < end {
                    trail
                        .append(Lane::Staff, vec![Act::new(Actor::System, "form.edit"); acts])
                        .await
                        .unwrap();
                    done += 1;
                }
                done
            })
        });
        let mut done = 0;
        for task in work.collect::<Vec<_>>() {
            done += task.await.unwrap();
        }
        println!("{tasks} at a time in two processes, {acts} acts each: {} transactions/s", done / 4);
    }
    let since = Instant::now();
    let verdict = app.verify().await;
    println!("verified in {:?}: {verdict:?}", since.elapsed());
    other.kernel.store.close().await;
}

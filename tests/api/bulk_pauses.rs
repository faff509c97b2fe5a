//! A visitor gets to the writer while bulk work is done; and how long the visitor waits, with more of it and `--nocapture`:
//! `ROWS=20000 cargo test --release --test api bulk_pauses -- --nocapture`. On SQLite, whose one writer everybody shares, that
//! is how long its transactions are.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use openhearth::store::{Db, Lane, StoreError};
use serde_json::json;
use tokio::task::JoinHandle;

use super::imports::already;
use crate::support::TestApp;

/// A visitor who writes nothing, again and again.
struct Visitor {
    stop: Arc<AtomicBool>,
    waits: JoinHandle<Vec<Duration>>,
}

impl Visitor {
    fn of(app: &TestApp) -> Self {
        let (store, stop) = (app.app().kernel.store.clone(), Arc::new(AtomicBool::new(false)));
        let until = Arc::clone(&stop);
        let waits = tokio::spawn(async move {
            let mut waits = Vec::new();
            while !until.load(Ordering::Relaxed) {
                let begun = Instant::now();
                store.write(Lane::Visitor, |_: &mut Db| Ok::<_, StoreError>(())).await.unwrap();
                waits.push(begun.elapsed());
            }
            waits
        });
        Self { stop, waits }
    }

    async fn tell(self, what: &str) {
        self.stop.store(true, Ordering::Relaxed);
        let mut waits = self.waits.await.unwrap();
        assert!(!waits.is_empty(), "{what}: the visitor did not get to the writer");
        waits.sort_unstable();
        let at = |share: usize| waits[(waits.len() - 1) * share / 100];
        println!(
            "{what}: of {} waits p50 {:?}, p99 {:?}, longest {:?}",
            waits.len(),
            at(50),
            at(99),
            at(100)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_gets_to_the_writer_while_bulk_work_is_done() {
    let people = std::env::var("ROWS").map_or(1_000, |rows| rows.parse::<usize>().unwrap());
    let app = TestApp::start().await;
    let client = app.owner().await.token(&["supporters:read", "supporters:write", "imports", "forms"]).await;
    let field = json!({ "slug": "local", "label": "Local", "kind": "text" });
    client.post_json("/api/v1/admin/fields", &field).await.expect(201);
    client.post_json("/api/v1/admin/tags", &json!({ "slug": "steel" })).await.expect(201);
    let list = |extra: &str| {
        let rows = (0..people).map(|row| format!("person{row}@example.org,Ada,Furnace{row},44035{extra}\n"));
        let header = if extra.is_empty() { "" } else { ",tags,field.local" };
        format!("email,first_name,last_name,zip{header}\n{}", rows.collect::<String>())
    };
    let (new, more) = (list(""), list(",\"ohio,zinc\",Local 12"));

    let visitor = Visitor::of(&app);
    app.take_in(&client, new.as_bytes(), &already()).await;
    visitor.tell("a list of new people").await;
    let visitor = Visitor::of(&app);
    app.take_in(&client, more.as_bytes(), &already()).await;
    visitor.tell("a list that adds two tags and a value").await;
    let visitor = Visitor::of(&app);
    let apply = "/api/v1/admin/tags/steel/apply?q=person";
    let tagged = client.post_json(apply, &json!({ "action": "add" })).await.expect(200).json();
    assert_eq!(tagged["changed"], json!(people));
    visitor.tell("a tag for everybody").await;
    let visitor = Visitor::of(&app);
    client.delete("/api/v1/admin/tags/steel").await.expect(204);
    visitor.tell("a tag deleted").await;
    let visitor = Visitor::of(&app);
    client.delete("/api/v1/admin/fields/local").await.expect(204);
    visitor.tell("a field deleted").await;
    let visitor = Visitor::of(&app);
    app.advance(Duration::from_secs(7 * 86_400 + 60));
    app.app().imports.purge().await.unwrap();
    visitor.tell("uploads erased").await;
}

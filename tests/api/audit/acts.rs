//! What people do is in the trail, and nothing that they typed.

use serde_json::json;

use crate::support::{MINUTE, TestApp};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_read_is_an_entry_once_a_minute_and_counted_after_that() {
    let app = TestApp::start().await;
    for email in ["ada@example.org", "bob@example.org"] {
        app.supporter(email).await;
    }
    // The beginning of a minute.
    let into = app.clock.now().as_micros().rem_euclid(60_000_000);
    app.advance(MINUTE - std::time::Duration::from_micros(u64::try_from(into).unwrap()));
    let owner = app.owner().await;
    let program = owner.token(&["supporters:read"]).await;
    let lists = ["supporter.list", "signup.list"];
    let minute = app.clock.now().as_seconds() / 60;
    for _ in 0..3 {
        owner.session.get("/api/v1/admin/supporters").await.expect(200);
    }
    owner.session.get("/api/v1/admin/supporters?q=nobody").await.expect(200);
    let first = ("staff".to_owned(), "supporter.list".to_owned(), json!({ "rows": 2 }));
    assert_eq!(app.acts(&lists).await, std::slice::from_ref(&first));
    program.get("/api/v1/admin/supporters?limit=1").await.expect(200);
    program.get("/api/v1/admin/signups").await.expect(200);
    assert_eq!(app.acts(&lists).await.len(), 3, "another session, another list");
    assert_eq!(app.clock.now().as_seconds() / 60, minute, "all of this within a minute");

    let kernel = app.app().kernel.clone();
    kernel.trail().close_reads(&kernel.reads, Some(app.clock.now())).await.unwrap();
    assert_eq!(app.acts(&lists).await.len(), 3, "the minute is not over");
    app.advance(MINUTE);
    owner.session.get("/api/v1/admin/supporters").await.expect(200);
    kernel.trail().close_reads(&kernel.reads, Some(app.clock.now())).await.unwrap();
    let acts = app.acts(&["supporter.list"]).await;
    assert_eq!(acts.len(), 4);
    assert_eq!(acts[2], first, "a new minute, a new first");
    assert_eq!((&acts[3].2["further_reads"], &acts[3].2["rows"]), (&json!(3), &json!(4)));
    let entries = app.entries().await;
    let token = entries.iter().find(|entry| entry["action"] == "signup.list").unwrap();
    assert!(token["token_id"].is_string() && entries.iter().any(|entry| entry["token_id"].is_null()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_that_are_counted_are_written_when_the_server_stops() {
    let app = TestApp::start().await;
    let reader = app.reader().await;
    for _ in 0..2 {
        reader.supporters("").await.expect(200);
    }
    let app = app.restart().await;
    let further: i64 =
        app.acts(&["supporter.list"]).await.iter().filter_map(|act| act.2["further_reads"].as_i64()).sum();
    let firsts =
        app.acts(&["supporter.list"]).await.iter().filter(|act| act.2["further_reads"].is_null()).count();
    // The two may have been on either side of a minute's end.
    assert_eq!(further + i64::try_from(firsts).unwrap(), 2);
}

//! What people do is in the trail, and nothing that they typed.

use serde_json::json;

use crate::support::{DAY, MINUTE, TestApp, person};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaving_erasing_and_not_me_are_entries_without_a_word_of_the_person() {
    let app = TestApp::start().await;
    let of = ["supporter.", "address.", "signup."];
    // Leaves, twice.
    let ada = app.supporter("ada.quimby@example.org").await;
    for _ in 0..2 {
        let unsubscribe = ada.link("/unsubscribe/");
        app.client().post_form(&unsubscribe, &[("List-Unsubscribe", "One-Click")]).await.expect(200);
    }
    let acts = app.acts(&of).await;
    assert_eq!(acts, [("supporter".to_owned(), "supporter.leave".to_owned(), json!({}))]);
    // Erases themselves, by a fresh link.
    let bea = app.supporter("bea.quimby@example.org").await;
    app.client().post(&format!("{}/link", bea.link("/preferences/"))).await.expect(200);
    let fresh = app.settle_one().await.link("/preferences/");
    let change = json!({ "given_name": "Quimby", "postal_code": "15201" });
    app.client().patch_json(&format!("/api/v1{fresh}"), &change).await.expect(204);
    let edit = app.acts(&["supporter.edit"]).await.remove(0).2;
    assert!(edit["fields"].as_array().unwrap().contains(&json!("given_name")), "{edit}");
    app.client().delete(&format!("/api/v1{fresh}")).await.expect(204);
    // Somebody else typed their address.
    app.client().join(&person("cyd.quimby@example.org")).await.expect(202);
    let not_me = app.settle_one().await.link("/not-me/");
    app.client().post(&not_me).await.expect(200);
    // Nobody confirmed.
    app.client().join(&person("dan.quimby@example.org")).await.expect(202);
    app.settle_one().await;
    app.advance(8 * DAY);
    assert_eq!(app.purge().await, 1);
    app.purge().await;
    let acts: Vec<_> =
        app.acts(&of).await.into_iter().map(|(kind, action, _)| format!("{kind} {action}")).collect();
    let expected = [
        "supporter supporter.leave",
        "supporter supporter.edit",
        "supporter supporter.erase",
        "unknown address.not_me",
        "system signup.purge",
    ];
    assert_eq!(acts, expected);
    for entry in app.entries().await {
        assert!(!entry.to_string().to_lowercase().contains("quimby"), "{entry}");
    }
}

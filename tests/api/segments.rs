//! Segments: filters by name, counted live, usable wherever a filter is.

use serde_json::{Value, json};

use crate::support::TestApp;

const SEGMENTS: &str = "/api/v1/admin/segments";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_is_a_filter_by_name_with_a_live_count() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    for (email, zip) in [("a@example.org", "44035"), ("b@example.org", "15201"), ("c@example.org", "44101")] {
        let signup = json!({ "email": email, "postal_code": zip, "consent": { "email": true } });
        app.joined_with(signup).await;
    }
    let form = |query: &str| json!({ "slug": "ohio", "name": "All of Ohio", "query": query });
    let made = editor.post_json(SEGMENTS, &form("?region=OH")).await.expect(201).json();
    assert_eq!((&made["count"], &made["query"]), (&json!(2), &json!("region=OH")));
    editor.post_json(SEGMENTS, &form("region=PA")).await.expect(409).problem();
    assert_eq!(editor.emails("?segment=ohio").await, ["c@example.org", "a@example.org"]);
    assert_eq!(editor.emails("?segment=ohio&q=a@").await, ["a@example.org"]);
    assert_eq!(editor.contacts("&segment=ohio").await.len(), 2);
    assert_eq!(editor.supporters("?segment=ohio&region=PA").await.faults(), ["region: contradiction"]);
    assert_eq!(editor.supporters("?segment=nothing").await.faults(), ["segment: unknown_value"]);
    // Counted anew when what is known is older than five seconds.
    let signup = json!({ "email": "d@example.org", "postal_code": "44035", "consent": { "email": true } });
    app.joined_with(signup).await;
    app.advance(std::time::Duration::from_secs(6));
    assert_eq!(editor.get(SEGMENTS).await.expect(200).json()[0]["count"], 3);
    let changed = editor.patch_json(&format!("{SEGMENTS}/ohio"), &form("region=PA")).await.expect(200).json();
    assert_eq!(changed["count"], 1, "a changed segment is counted at once");
    editor.delete(&format!("{SEGMENTS}/ohio")).await.expect(204);
    editor.get(&format!("{SEGMENTS}/ohio")).await.expect(404).problem();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_that_does_not_hold_is_refused_and_one_that_broke_gives_nobody() {
    let app = TestApp::start().await;
    app.joined("a@example.org").await;
    let editor = app.editor().await;
    editor.post_json("/api/v1/admin/tags", &json!({ "slug": "steel" })).await.expect(201);
    let save = async |query: &str| {
        editor.post_json(SEGMENTS, &json!({ "slug": "steel", "name": "Steel", "query": query })).await
    };
    for (query, fault) in [
        ("regoin=OH", "query.regoin: unknown_field"),
        ("limit=5", "query.limit: unknown_field"),
        ("tag=nothing", "query.tag: unknown_value"),
        ("status=gone", "query.status: unknown_value"),
        ("segment=steel", "query.segment: not_here"),
        ("tag=steel&tag_none=steel", "query.tag_none: contradiction"),
    ] {
        assert_eq!(save(query).await.faults(), [fault], "{query}");
    }
    save("tag=steel").await.expect(201);
    editor.delete("/api/v1/admin/tags/steel").await.expect(204);
    app.advance(std::time::Duration::from_secs(6));
    assert_eq!(editor.get(&format!("{SEGMENTS}/steel")).await.expect(200).json()["count"], Value::Null);
    assert_eq!(editor.supporters("?segment=steel").await.faults(), ["segment: broken"]);
    assert_eq!(editor.export_csv("&segment=steel").await.faults(), ["segment: broken"]);
}

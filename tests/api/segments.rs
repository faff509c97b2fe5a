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
    app.execute("DELETE FROM tags").await;
    app.advance(std::time::Duration::from_secs(6));
    assert_eq!(editor.get(&format!("{SEGMENTS}/steel")).await.expect(200).json()["count"], Value::Null);
    let broken = editor.supporters("?segment=steel").await;
    assert_eq!(broken.faults(), ["segment: broken"]);
    assert!(broken.text().contains("tag: there is no tag steel"), "{}", broken.text());
    assert_eq!(editor.export_csv("&segment=steel").await.faults(), ["segment: broken"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tag_that_is_renamed_is_renamed_in_segments_and_what_they_name_is_not_deleted() {
    let app = TestApp::start().await;
    let (id, _) = (app.joined("a@example.org").await, app.joined("b@example.org").await);
    let editor = app.editor().await;
    let tag = |slug: &str| json!({ "slug": slug });
    editor.post_json("/api/v1/admin/tags", &tag("steel")).await.expect(201);
    let field = json!({ "slug": "union", "label": "Union", "kind": "text" });
    editor.post_json("/api/v1/admin/fields", &field).await.expect(201);
    let change = json!({ "tags": ["steel"], "fields": { "union": "steel" } });
    editor.change(&id, &change).await.expect(200);
    for (slug, query) in
        [("by-tag", "tag=steel&field.union=steel"), ("not-by-tag", "tag_none=steel"), ("by-word", "q=steel")]
    {
        let form = json!({ "slug": slug, "name": slug, "query": query });
        editor.post_json(SEGMENTS, &form).await.expect(201);
    }
    // One whose process died goes on with the tag by its new name.
    let apply = "/api/v1/admin/tags/steel/apply?tag=steel";
    editor.post_json(apply, &json!({ "action": "remove" })).await.expect(200);
    app.execute("UPDATE tag_operations SET finished_at = NULL").await;
    editor.change(&id, &json!({ "tags": ["steel"] })).await.expect(200);

    editor.patch_json("/api/v1/admin/tags/steel", &tag("iron")).await.expect(204);
    assert_eq!(editor.emails("?segment=by-tag").await, ["a@example.org"]);
    assert_eq!(editor.emails("?segment=not-by-tag").await, ["b@example.org"]);
    let query = async |slug: &str| {
        editor.get(&format!("{SEGMENTS}/{slug}")).await.expect(200).json()["query"].clone()
    };
    assert_eq!(query("not-by-tag").await, "tag_none=iron");
    assert_eq!(query("by-word").await, "q=steel");
    assert_eq!(app.words("SELECT query AS word FROM tag_operations").await, ["tag=iron"]);
    let trail = app.words("SELECT details AS word FROM audit_entries WHERE action = 'tag.rename'").await;
    assert!(trail[0].contains(r#"["by-tag","not-by-tag"]"#), "{trail:?}");

    let refused = editor.delete("/api/v1/admin/tags/iron").await.expect(409).problem();
    assert!(refused["detail"].as_str().unwrap().ends_with(": by-tag, not-by-tag"), "{refused}");
    assert_eq!(editor.record(&id).await.0["tags"], json!(["iron"]), "it is taken from nobody");
    let refused = editor.delete("/api/v1/admin/fields/union").await.expect(409).problem();
    assert!(refused["detail"].as_str().unwrap().ends_with(": by-tag"), "{refused}");
    for slug in ["by-tag", "not-by-tag"] {
        editor.delete(&format!("{SEGMENTS}/{slug}")).await.expect(204);
    }
    editor.delete("/api/v1/admin/tags/iron").await.expect(204);
    editor.delete("/api/v1/admin/fields/union").await.expect(204);
}

//! Tags: made, renamed, deleted, and given to everybody whom a filter matches.

use openhearth::supporters;
use serde_json::json;

use crate::support::TestApp;

const TAGS: &str = "/api/v1/admin/tags";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_are_made_renamed_and_deleted_by_name() {
    let app = TestApp::start().await;
    let id = app.joined("ada@example.org").await;
    let editor = app.editor().await;
    let slug = |slug: &str| json!({ "slug": slug });
    assert_eq!(editor.post_json(TAGS, &slug("No Slug")).await.faults(), ["slug: invalid_slug"]);
    editor.post_json(TAGS, &slug("steel")).await.expect(201);
    editor.post_json(TAGS, &slug("steel")).await.expect(409).problem();
    editor.post_json(TAGS, &slug("donor")).await.expect(201);
    editor.change(&id, &json!({ "tags": ["steel"] })).await.expect(200);
    editor.patch_json(&format!("{TAGS}/steel"), &slug("donor")).await.expect(409).problem();
    editor.patch_json(&format!("{TAGS}/steel"), &slug("iron")).await.expect(204);
    editor.patch_json(&format!("{TAGS}/steel"), &slug("iron")).await.expect(404).problem();
    let listed = editor.get(TAGS).await.expect(200).json();
    assert_eq!(listed, json!([{ "slug": "donor", "supporters": 0 }, { "slug": "iron", "supporters": 1 }]));
    assert_eq!(editor.record(&id).await.0["tags"], json!(["iron"]));
    editor.delete(&format!("{TAGS}/iron")).await.expect(204);
    assert_eq!(editor.record(&id).await.0["tags"], json!([]));
    assert_eq!(editor.supporters("?tag=iron").await.faults(), ["tag: unknown_value"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tag_is_given_to_and_taken_from_whom_a_filter_matches_after_a_count() {
    let app = TestApp::start().await;
    app.seed_many(2_500).await;
    let editor = app.editor().await;
    editor.post_json(TAGS, &json!({ "slug": "steel" })).await.expect(201);
    let apply =
        async |query: &str, body| editor.post_json(&format!("{TAGS}/steel/apply{query}"), &body).await;
    let count = async || app.count("SELECT count(*) AS n FROM supporter_tags").await;
    let dry = apply("?q=many1", json!({ "action": "add", "dry_run": true })).await.expect(200).json();
    assert_eq!(dry, json!({ "matched": 1_111, "would_change": 1_111 }));
    assert_eq!(count().await, 0, "a dry run changes nothing");
    let dry = apply("?created_after=9999-12-31", json!({ "action": "add", "dry_run": true })).await;
    assert_eq!(dry.expect(200).json()["matched"], 0, "a day at the end of time selects nobody");
    let done = apply("?q=many1", json!({ "action": "add" })).await.expect(200).json();
    assert_eq!((&done["changed"], &done["tag"]), (&json!(1_111), &json!("steel")));
    assert!(done["finished_at"].is_string(), "{done}");
    let id = done["id"].as_str().unwrap();
    assert_eq!(editor.get(&format!("/api/v1/admin/tag-operations/{id}")).await.expect(200).json(), done);
    let again = apply("", json!({ "action": "add", "dry_run": true })).await.expect(200).json();
    assert_eq!(again, json!({ "matched": 2_500, "would_change": 1_389 }));
    let done = apply("", json!({ "action": "add" })).await.expect(200).json();
    assert_eq!((&done["changed"], count().await), (&json!(1_389), 2_500));
    let dry = apply("?q=many2", json!({ "action": "remove", "dry_run": true })).await.expect(200).json();
    assert_eq!(dry["would_change"], dry["matched"]);
    let done = apply("?tag=steel", json!({ "action": "remove" })).await.expect(200).json();
    assert_eq!((&done["changed"], count().await), (&json!(2_500), 0));
    let trail =
        "SELECT details AS word FROM audit_entries WHERE action IN ('tag.give', 'tag.take') ORDER BY number";
    let trail = app.words(trail).await;
    assert_eq!(trail.len(), 3, "one entry an operation: {trail:?}");
    assert!(trail[0].contains("1111"), "{trail:?}");
    assert_eq!(apply("?regoin=OH", json!({ "action": "add" })).await.faults(), ["regoin: unknown_field"]);
    assert_eq!(apply("?limit=3", json!({ "action": "add" })).await.faults(), ["limit: unknown_field"]);
    editor.post_json(&format!("{TAGS}/nothing/apply"), &json!({ "action": "add" })).await.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_that_a_crash_cut_off_is_gone_on_with_and_counts_nobody_twice() {
    let app = TestApp::start().await;
    app.seed_many(2_500).await;
    let editor = app.editor().await;
    editor.post_json(TAGS, &json!({ "slug": "steel" })).await.expect(201);
    let path = format!("{TAGS}/steel/apply?q=many");
    let id = editor.post_json(&path, &json!({ "action": "add" })).await.expect(200).json()["id"].clone();
    // As after its first piece.
    let cut = "UPDATE tag_operations SET finished_at = NULL, changed = 1000, \
               done_up_to = (SELECT min(number) + 999 FROM supporters)";
    app.execute(cut).await;
    app.execute(
        "DELETE FROM supporter_tags WHERE supporter_number > (SELECT done_up_to FROM tag_operations)",
    )
    .await;
    assert_eq!(app.count("SELECT count(*) AS n FROM supporter_tags").await, 1000);
    let kernel = app.app().kernel.clone();
    assert!(!supporters::resume_tag_operation(&kernel).await.unwrap(), "its process may still be at it");
    app.advance(std::time::Duration::from_secs(31));
    assert!(supporters::resume_tag_operation(&kernel).await.unwrap());
    let done = editor.get(&format!("/api/v1/admin/tag-operations/{}", id.as_str().unwrap())).await.json();
    assert_eq!((&done["changed"], done["finished_at"].is_string()), (&json!(2_500), true));
    assert_eq!(app.count("SELECT count(*) AS n FROM supporter_tags").await, 2_500);
    assert!(!supporters::resume_tag_operation(&kernel).await.unwrap(), "once");
}

//! Custom fields: defined by staff, typed, filtered by.

use serde_json::json;

use crate::support::TestApp;

const FIELDS: &str = "/api/v1/admin/fields";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fields_are_defined_with_a_kind_and_what_does_not_hold_is_told() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let define = async |body| editor.post_json(FIELDS, &body).await;
    define(json!({ "slug": "union", "label": "Your union", "kind": "text" })).await.expect(201);
    define(json!({ "slug": "union", "label": "Again", "kind": "date" })).await.expect(409).problem();
    let bad = define(json!({ "slug": "No", "label": " ", "kind": "choice" })).await.faults();
    assert_eq!(bad, ["slug: invalid_slug", "label: required", "choices: out_of_range"]);
    let bad = define(json!({ "slug": "x", "label": "X", "kind": "text", "choices": ["a"] })).await.faults();
    assert_eq!(bad, ["choices: contradiction"]);
    let bad =
        define(json!({ "slug": "x", "label": "X", "kind": "choice", "choices": ["a", "a"] })).await.faults();
    assert_eq!(bad, ["choices: duplicate"]);
    assert_eq!(define(json!({ "slug": "x", "label": "X", "kind": "colour" })).await.faults().len(), 1);
    editor.patch_json(&format!("{FIELDS}/union"), &json!({ "label": "Union" })).await.expect(200);
    editor.patch_json(&format!("{FIELDS}/nothing"), &json!({ "label": "Union" })).await.expect(404).problem();
    let listed = editor.get(FIELDS).await.expect(200).json();
    assert_eq!(listed, json!([{ "slug": "union", "label": "Union", "kind": "text", "choices": [] }]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_are_typed_and_filters_ask_for_them_by_value_and_by_range() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    for (slug, kind) in [("union", "text"), ("years", "number"), ("born", "date"), ("driver", "yes_no")] {
        let field = json!({ "slug": slug, "label": slug, "kind": kind });
        editor.post_json(FIELDS, &field).await.expect(201);
    }
    let size = json!({ "slug": "size", "label": "Shirt", "kind": "choice", "choices": ["S", "M"] });
    editor.post_json(FIELDS, &size).await.expect(201);
    let (a, b) = (app.joined("a@example.org").await, app.joined("b@example.org").await);
    let set = async |id: &str, fields| editor.change(id, &json!({ "fields": fields })).await;
    let all =
        json!({ "union": "Local 12", "years": "012.50", "born": "1970-05-01", "driver": true, "size": "M" });
    let record = set(&a, all).await.expect(200).json();
    let stored =
        json!({ "union": "Local 12", "years": "12.5", "born": "1970-05-01", "driver": "true", "size": "M" });
    assert_eq!(record["fields"], stored);
    set(&b, json!({ "years": 3, "born": "1999-01-01", "driver": false })).await.expect(200);
    let bad = json!({ "years": "many", "born": "1970-13-01", "driver": "perhaps", "size": "XXL", "shoe": 1 });
    let mut faults = set(&a, bad).await.faults();
    faults.sort();
    assert_eq!(
        faults,
        [
            "fields.born: wrong_type",
            "fields.driver: wrong_type",
            "fields.shoe: unknown_field",
            "fields.size: unknown_value",
            "fields.years: wrong_type"
        ]
    );
    let (only_a, only_b) = (vec!["a@example.org"], vec!["b@example.org"]);
    for (query, expected) in [
        ("field.union=Local+12", only_a.clone()),
        ("field.union=local", vec![]),
        ("field.years=12.5", only_a.clone()),
        ("field.years=3..12", only_b.clone()),
        ("field.years=3..", vec!["b@example.org", "a@example.org"]),
        ("field.years=..3&field.driver=false", only_b.clone()),
        ("field.born=1970-01-01..1980-01-01", only_a.clone()),
        ("field.born=1999-01-01", only_b.clone()),
        ("field.size=M&q=a@", only_a.clone()),
        ("field=size%3DM", only_a),
    ] {
        assert_eq!(editor.emails(&format!("?{query}")).await, expected, "{query}");
        let mut exported: Vec<_> =
            editor.contacts(&format!("&{query}")).await.into_iter().map(|row| row["email"].clone()).collect();
        exported.reverse();
        assert_eq!(exported, expected, "{query}");
    }
    for (query, fault) in [
        ("field.shoe=1", "field: unknown_value"),
        ("field.years=many", "field.years: wrong_type"),
        ("field.years=5..1", "field.years: contradiction"),
        ("field.years=NaN", "field.years: wrong_type"),
        ("field=union", "field: wrong_type"),
        ("field.size=XXL", "field.size: unknown_value"),
        ("field.years=1&field.years=2", "field: contradiction"),
    ] {
        assert_eq!(editor.supporters(&format!("?{query}")).await.faults(), [fault], "{query}");
    }
    let fewer = json!({ "choices": ["S"] });
    assert_eq!(editor.patch_json(&format!("{FIELDS}/size"), &fewer).await.faults(), ["choices: in_use"]);
    set(&a, json!({ "size": null, "union": "" })).await.expect(200);
    editor.patch_json(&format!("{FIELDS}/size"), &fewer).await.expect(200);
    editor.delete(&format!("{FIELDS}/years")).await.expect(204);
    let left = json!({ "born": "1970-05-01", "driver": "true" });
    assert_eq!(editor.record(&a).await.0["fields"], left);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_takes_values_of_fields_checks_them_and_they_hold_once_confirmed() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    for (slug, kind) in [("union", "text"), ("years", "number"), ("gone", "text")] {
        let field = json!({ "slug": slug, "label": slug, "kind": kind });
        editor.post_json(FIELDS, &field).await.expect(201);
    }
    let signup =
        |fields| json!({ "email": "ada@example.org", "fields": fields, "consent": { "email": true } });
    let bad = app.client().join(&signup(json!({ "years": "many", "shoe": 1, "union": [] }))).await.faults();
    assert_eq!(bad, ["fields.shoe: unknown_field", "fields.union: wrong_type", "fields.years: wrong_type"]);
    let both = json!({ "email": "nobody", "fields": { "years": "many" }, "consent": { "email": true } });
    assert_eq!(app.client().join(&both).await.faults().len(), 2, "faults of both are told at once");
    let good = json!({ "years": 12, "union": " Local 12 ", "gone": "soon" });
    app.client().join(&signup(good)).await.expect(202);
    let asked = app.settle_one().await;
    assert_eq!(app.count("SELECT count(*) AS n FROM supporter_fields").await, 0, "nothing before the click");
    editor.delete(&format!("{FIELDS}/gone")).await.expect(204);
    app.client().confirm(&asked.link("/confirm/")).await.expect(200);
    let id = editor.supporters("?field.years=12").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(editor.record(&id).await.0["fields"], json!({ "union": "Local 12", "years": "12" }));
}

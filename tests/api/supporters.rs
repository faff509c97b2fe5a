//! One record: its history, changes by version, notes, and taking somebody out.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, person};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_says_where_it_came_from_and_where_it_went() {
    let app = TestApp::start().await;
    let id = app
        .joined_with(json!({
            "email": "ada@example.org", "given_name": "Ada", "postal_code": "44035",
            "source": { "code": "flyer-7" }, "consent": { "email": true }
        }))
        .await;
    let editor = app.editor().await;
    editor.contacts("").await;
    app.until_none("SELECT count(*) AS n FROM exports WHERE finished_at IS NULL").await;
    app.disclose_everybody().await;
    editor.change(&id, &json!({ "family_name": "Lovelace" })).await.expect(200);
    let (record, etag) = editor.record(&id).await;
    assert!(etag.len() > 10 && etag.starts_with('"'), "{etag}");
    assert_eq!((&record["given_name"], &record["region"]), (&json!("Ada"), &json!("OH")));
    let history = &record["history"];
    assert_eq!(history["signups"][0]["state"], "confirmed");
    assert_eq!(history["notices"][0]["id"], history["signups"][0]["notice_id"]);
    assert!(history["notices"][0]["wording"].as_str().unwrap().contains("I want to join"));
    let mails: Vec<_> = history["mails"].as_array().unwrap().iter().map(|mail| &mail["template"]).collect();
    assert_eq!(mails, ["welcome", "confirm"]);
    assert_eq!(history["exports"][0]["purpose"], "newsletter");
    let edit =
        history["edits"].as_array().unwrap().iter().find(|edit| edit["action"] == "supporter.edit").unwrap();
    assert_eq!(edit["details"], json!({ "fields": ["family_name"] }));
    assert_eq!(edit["staff_email"], "owner@example.org");
    assert!(!edit.to_string().contains("Lovelace"), "the trail names fields, not values");
    let nobody = uuid::Uuid::now_v7();
    for path in ["nobody".to_owned(), nobody.to_string()] {
        editor.get(&format!("/api/v1/admin/supporters/{path}")).await.expect(404).problem();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_needs_the_version_it_changes_and_the_second_of_two_is_told() {
    let app = TestApp::start().await;
    let id = app.joined("ada@example.org").await;
    let editor = app.editor().await;
    let (_, etag) = editor.record(&id).await;
    let change = |name: &str| json!({ "given_name": name });
    editor.on(Method::PATCH, &id, "", Some(&change("A"))).await.expect(428).problem();
    let first = editor.on(Method::PATCH, &id, &etag, Some(&change("A"))).await.expect(200);
    editor.on(Method::PATCH, &id, &etag, Some(&change("B"))).await.expect(412).problem();
    assert_eq!(first.json()["given_name"], "A");
    editor.on(Method::PATCH, &id, first.header("etag"), Some(&change("C"))).await.expect(200);
    assert_eq!(editor.record(&id).await.0["given_name"], "C");
    // What the person does themselves makes a version, too.
    let (_, etag) = editor.record(&id).await;
    app.execute("UPDATE supporters SET status = 'unsubscribed'").await;
    editor.on(Method::PATCH, &id, &etag, Some(&change("D"))).await.expect(412);
    for (method, path) in [(Method::DELETE, id.clone()), (Method::POST, format!("{id}/suppress"))] {
        editor.on(method.clone(), &path, "", None).await.expect(428).problem();
        editor.on(method, &path, &etag, None).await.expect(412).problem();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_are_checked_as_a_sign_ups_are_and_all_faults_told_at_once() {
    let app = TestApp::start().await;
    let id = app.joined("ada@example.org").await;
    let editor = app.editor().await;
    editor.post_json("/api/v1/admin/tags", &json!({ "slug": "steel" })).await.expect(201);
    let bad = json!({
        "given_name": "a\u{0}b", "phone": "12", "postal_code": "nowhere", "country": "US", "language": "!",
        "region": "x".repeat(65)
    });
    let faults = editor.change(&id, &bad).await.faults();
    assert_eq!(
        faults,
        [
            "given_name: control_characters",
            "phone: invalid_phone",
            "postal_code: invalid_zip_code",
            "region: too_long",
            "language: invalid_language"
        ]
    );
    for (change, fault) in [
        (json!({ "email": null }), "email: required"),
        (json!({ "email": " " }), "email: required"),
        (json!({ "language": null }), "language: required"),
        (json!({ "fields": null }), "fields: wrong_type"),
        (json!({ "phone_consent": true }), "phone_consent: contradiction"),
        (json!({ "phone": "", "phone_consent": true }), "phone_consent: contradiction"),
        (json!({ "phone": "12", "phone_consent": true }), "phone: invalid_phone"),
    ] {
        assert_eq!(editor.change(&id, &change).await.faults(), [fault], "{change}");
    }
    for (change, fault) in [
        (json!({ "email": "nobody" }), "email: missing_at"),
        (json!({ "tags": ["steel", "nothing"] }), "tags: unknown_value"),
        (json!({ "fields": { "nothing": 1 } }), "fields.nothing: unknown_field"),
        (json!({ "status": "confirmed" }), "status: unknown_field"),
        (json!({ "involvement": ["boss"] }), "involvement[0]: wrong_type"),
    ] {
        let found = editor.change(&id, &change).await.faults();
        let field = |fault: &str| fault.split(':').next().unwrap().to_owned();
        assert_eq!(field(&found[0]), field(fault), "{found:?}");
    }
    let good = json!({
        "given_name": " Ada ", "phone": "212-555-0123", "phone_consent": true, "postal_code": "44035", "country": "US",
        "language": "es", "involvement": ["worker", "frontline", "worker"], "tags": ["steel"]
    });
    let record = editor.change(&id, &good).await.expect(200).json();
    assert_eq!(record["phone"], "+12125550123");
    assert_eq!((&record["region"], &record["tags"]), (&json!("OH"), &json!(["steel"])));
    assert_eq!(record["involvement"], json!(["frontline", "worker"]));
    assert_eq!(editor.emails("?q=ada&tag=steel&has_phone=true").await, ["ada@example.org"]);
    let record =
        editor.change(&id, &json!({ "phone_consent": null, "tags": null, "involvement": null })).await;
    let record = record.expect(200).json();
    assert_eq!((&record["phone"], &record["phone_consent"]), (&json!("+12125550123"), &json!(false)));
    assert_eq!((&record["tags"], &record["involvement"]), (&json!([]), &json!([])));
    editor
        .change(&id, &json!({ "phone_consent": true, "tags": ["steel"], "region": " pa" }))
        .await
        .expect(200);
    assert_eq!(editor.emails("?region=Pa&tag=steel").await, ["ada@example.org"]);
    let record =
        editor.change(&id, &json!({ "phone": null, "given_name": "", "tags": [] })).await.expect(200).json();
    assert_eq!((&record["phone"], &record["phone_consent"]), (&Value::Null, &json!(false)));
    assert_eq!((&record["given_name"], &record["tags"]), (&Value::Null, &json!([])));
    assert_eq!(record["postal_code"], "44035", "what is left out stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_address_must_be_free_and_voids_the_old_links() {
    let app = TestApp::start().await;
    app.joined("other@example.org").await;
    let welcome = app.supporter("ada@example.org").await;
    let editor = app.editor().await;
    let id = editor.supporters("?q=ada").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    let token = welcome.link("/preferences/");
    app.client().get(&token).await.expect(200);
    editor.change(&id, &json!({ "email": "Other@example.org" })).await.expect(409).problem();
    let gone = app.joined("gone@example.org").await;
    let (_, etag) = editor.record(&gone).await;
    editor.on(Method::DELETE, &gone, &etag, None).await.expect(204);
    editor.change(&id, &json!({ "email": "gone@example.org" })).await.expect(409).problem();
    let record = editor.change(&id, &json!({ "email": "Ada.L@Example.org" })).await.expect(200).json();
    assert_eq!(record["email"], "Ada.L@Example.org");
    app.client().get(&token).await.expect(410);
    assert_eq!(editor.emails("?q=ada.l").await, ["Ada.L@Example.org"]);
    // Writing it otherwise is no other address.
    editor.change(&id, &json!({ "email": "ada.l@example.org" })).await.expect(200);
    app.client().join(&person("ada@example.org")).await.expect(202);
    assert_eq!(app.settle().await.len(), 1, "the old address is a stranger's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notes_are_kept_with_who_and_when_and_deleted() {
    let app = TestApp::start().await;
    let id = app.joined("ada@example.org").await;
    let editor = app.editor().await;
    let path = format!("/api/v1/admin/supporters/{id}/notes");
    for (text, fault) in [("  ", "text: required"), ("a\u{7}", "text: control_characters")] {
        assert_eq!(editor.post_json(&path, &json!({ "text": text })).await.faults(), [fault]);
    }
    let long = json!({ "text": "x".repeat(4001) });
    assert_eq!(editor.post_json(&path, &long).await.faults(), ["text: too_long"]);
    editor.post_json(&path, &json!({ "text": "Spoke at the hall.\nWants a sign." })).await.expect(201);
    let second = editor.post_json(&path, &json!({ "text": "Moved." })).await.expect(201).json();
    let notes = editor.get(&path).await.expect(200).json();
    assert_eq!((&notes[0]["text"], &notes[1]["author"]), (&json!("Moved."), &json!("owner@example.org")));
    let note = second["id"].as_str().unwrap();
    editor.delete(&format!("{path}/{note}")).await.expect(204);
    editor.delete(&format!("{path}/{note}")).await.expect(404);
    assert_eq!(editor.record(&id).await.0["notes"].as_array().unwrap().len(), 1);
    let trail =
        app.words("SELECT details AS word FROM audit_entries WHERE action LIKE 'note.%'").await.join("");
    assert!(!trail.contains("hall"), "{trail}");
}

/// Texts of a person that no table may hold after an erasure, searched for in every column of every table.
async fn traces(app: &TestApp, words: &[&str]) -> Vec<String> {
    use diesel::prelude::*;
    use openhearth::store::{Db, StoreError, schema};
    let read = |db: &mut Db| {
        let mut texts: Vec<(&str, Vec<String>)> = Vec::new();
        macro_rules! look {
            ($($table:ident . $column:ident),* $(,)?) => {$(
                let found: Vec<String> = schema::$table::table.select(schema::$table::$column).load(db)?;
                texts.push((stringify!($table.$column), found));
            )*};
        }
        look!(
            signups.email,
            signups.details,
            supporters.email,
            supporters.email_key,
            supporter_notes.text,
            supporter_fields.value,
            outbox.address,
            audit_entries.details,
            exports.filter,
        );
        Ok::<_, StoreError>(texts)
    };
    let texts = app.app().kernel.store.read(read).await.unwrap();
    let holds = |text: &String| words.iter().any(|word| text.to_lowercase().contains(word));
    texts
        .into_iter()
        .filter(|(_, found)| found.iter().any(holds))
        .map(|(column, _)| column.to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erased_by_staff_nothing_of_a_person_is_left_and_a_mark_stays() {
    let app = TestApp::start().await;
    let id = app
        .joined_with(
            json!({ "email": "wanda@example.org", "given_name": "Wanda", "consent": { "email": true } }),
        )
        .await;
    let editor = app.editor().await;
    editor.post_json("/api/v1/admin/tags", &json!({ "slug": "steel" })).await.expect(201);
    let field = json!({ "slug": "union", "label": "Union", "kind": "text" });
    editor.post_json("/api/v1/admin/fields", &field).await.expect(201);
    let change = json!({ "tags": ["steel"], "fields": { "union": "wanda's own local" } });
    editor.change(&id, &change).await.expect(200);
    let note = json!({ "text": "Wanda called" });
    editor.post_json(&format!("/api/v1/admin/supporters/{id}/notes"), &note).await.expect(201);
    app.client().join(&person("Wanda@example.org")).await.expect(202);
    app.triage().await;
    assert!(traces(&app, &["wanda"]).await.len() >= 5, "there is something to erase");
    let (_, etag) = editor.record(&id).await;
    editor.on(Method::DELETE, &id, &etag, None).await.expect(204);
    assert_eq!(traces(&app, &["wanda"]).await, [""; 0]);
    for table in ["SELECT count(*) AS n FROM supporter_tags", "SELECT count(*) AS n FROM supporter_fields"] {
        assert_eq!(app.count(table).await, 0);
    }
    assert_eq!(app.words("SELECT reason AS word FROM suppressions").await, ["erased"]);
    editor.get(&format!("/api/v1/admin/supporters/{id}")).await.expect(404);
    assert_eq!(
        app.words("SELECT action AS word FROM audit_entries WHERE action = 'supporter.erase'").await.len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suppressed_by_staff_somebody_is_owed_nothing_whatever_they_sign_up_for() {
    let app = TestApp::start().await;
    let id = app.joined("ada@example.org").await;
    let editor = app.editor().await;
    let (_, etag) = editor.record(&id).await;
    editor.on(Method::POST, &format!("{id}/suppress"), &etag, None).await.expect(204);
    let (record, _) = editor.record(&id).await;
    assert_eq!((&record["status"], &record["suppression_reason"]), (&json!("suppressed"), &json!("manual")));
    app.client().join(&person("ada@example.org")).await.expect(202);
    assert_eq!(app.settle().await.len(), 0);
}

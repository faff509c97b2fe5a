//! Erasure: nothing personal is left in any column of any table. The columns are the catalogue's, so that none can be
//! forgotten here.

use openhearth::staff::Role;
use reqwest::Method;
use serde_json::json;

use crate::{
    imports::{IMPORTS, already, id},
    support::{DAY, TestApp, person},
};

/// Whoever is erased, by all that is known of them: two addresses, names, phone, a note, a field's value, a source.
const TRACES: [&str; 9] = [
    "lovelace",
    "augusta",
    "byron-king",
    "2125550199",
    "555-0199",
    "owes us a call",
    "local 4711",
    "countess",
    "who=ada",
];

impl TestApp {
    async fn columns(&self) -> Vec<(String, String)> {
        let columns = if self.is_postgres().await {
            "SELECT table_name || '.' || column_name AS word FROM information_schema.columns \
             WHERE table_schema = 'public' AND data_type IN ('text', 'bytea', 'json', 'jsonb') ORDER BY 1"
        } else {
            "SELECT m.name || '.' || p.name AS word FROM sqlite_master AS m, pragma_table_info(m.name) AS p \
             WHERE m.type = 'table' AND p.type IN ('TEXT', 'BLOB') ORDER BY 1"
        };
        let columns = self.words(columns).await;
        assert!(columns.len() > 60, "{columns:?}");
        for known in
            ["audit_entries.details", "import_chunks.bytes", "outbox.address", "recalls.address_sha256"]
        {
            assert!(columns.iter().any(|column| column == known), "{known} is not in {columns:?}");
        }
        let split = |column: &String| {
            let (table, column) = column.split_once('.').unwrap();
            (table.to_owned(), column.to_owned())
        };
        columns.iter().map(split).collect()
    }

    /// Columns of any table that hold `text`, in whatever case.
    async fn columns_with(&self, text: &str) -> Vec<String> {
        let is_postgres = self.is_postgres().await;
        let mut found = Vec::new();
        for (table, column) in self.columns().await {
            let holds = if is_postgres {
                format!(
                    "strpos(lower(CASE WHEN pg_typeof(\"{column}\") = 'bytea'::regtype \
                     THEN encode(\"{column}\"::text::bytea, 'escape') ELSE \"{column}\"::text END), '{text}') > 0"
                )
            } else {
                format!("instr(lower(CAST(\"{column}\" AS TEXT)), '{text}') > 0")
            };
            let count = format!("SELECT count(*) AS n FROM \"{table}\" WHERE {holds}");
            if self.count(count.leak()).await > 0 {
                found.push(format!("{table}.{column}"));
            }
        }
        found
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_leaves_nothing_of_a_person_in_any_column_of_any_table() {
    let app = TestApp::start().await;
    let valley = app.group("valley").await;
    let (_, manager) = app.manager("manager@example.org", valley).await;
    let office = app.owner().await;
    let editor = office.token(&["supporters:read", "supporters:write", "exports", "forms", "imports"]).await;
    let field = json!({ "slug": "union", "label": "Union", "kind": "text" });
    editor.post_json("/api/v1/admin/fields", &field).await.expect(201);

    // A list that has them twice, so that a row is refused; and one that waits for somebody to start it.
    let list =
        b"email,first_name,last_name,phone\nAda.Lovelace@example.org,Augusta,Byron-King,212-555-0199\n\
                 ada.lovelace@EXAMPLE.org,Augusta,Byron-King,\nbo@example.org,Bo,Hammer,\n";
    let done = app.take_in(&editor, list, &already()).await;
    assert_eq!(editor.refused(id(&done), "").await, ["3: repeated"]);
    let waiting = app.preview(&editor, list, &already()).await;
    assert_eq!(waiting["state"], "previewed");

    // They join by the form, share, and somebody writes down what they say.
    let signup = json!({
        "email": "Ada.Lovelace@example.org", "given_name": "Augusta", "family_name": "Byron-King",
        "phone": "212-555-0199", "postal_code": "44035",
        "fields": { "union": "Local 4711" }, "consent": { "email": true, "phone": true },
        "source": { "page": "https://campaign.example.org/?who=ada", "code": "countess" },
    });
    app.supporter_of(&signup).await;
    app.share("ada.lovelace@example.org", valley).await;
    let ada = editor.supporters("?q=ada.lovelace").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    let note = json!({ "text": "She owes us a call" });
    editor.post_json(&format!("/api/v1/admin/supporters/{ada}/notes"), &note).await.expect(201);
    // Under another address, too, which is merged into the first.
    let other = json!({ "email": "countess@lovelace.example.org", "given_name": "Countess", "consent": { "email": true } });
    let other = app.joined_with(other).await;
    assert_ne!(other, ada);
    manager.export_csv("").await.expect(200);
    editor.export_csv("&q=lovelace").await.expect(200);
    let (_, etag) = editor.record(&ada).await;
    editor
        .on(Method::POST, &format!("{ada}/merge"), &etag, Some(&json!({ "other": other })))
        .await
        .expect(200);
    manager.export_csv("").await.expect(200);
    app.until_none("SELECT count(*) AS n FROM exports WHERE finished_at IS NULL").await;

    // Mails are on their way, and a sign-up waits for triage.
    app.advance(2 * DAY);
    let office = app.staff("other@example.org", Role::Owner).await;
    let editor = office.token(&["supporters:read", "supporters:write", "imports"]).await;
    app.client().join(&signup).await.expect(202);
    app.triage().await;
    app.client().join(&signup).await.expect(202);
    for (trace, places) in [
        (
            "lovelace",
            vec![
                "import_chunks.bytes",
                "import_refusals.cells",
                "imports.preview",
                "outbox.address",
                "signups.email",
                "supporters.email",
            ],
        ),
        ("owes us a call", vec!["supporter_notes.text"]),
        ("local 4711", vec!["signups.details", "supporter_fields.value"]),
        ("byron-king", vec!["import_chunks.bytes", "signups.details", "supporters.family_name"]),
    ] {
        let found = app.columns_with(trace).await;
        for place in places {
            assert!(
                found.iter().any(|column| column == place),
                "there is {trace} to erase in {place}: {found:?}"
            );
        }
    }

    let (_, etag) = editor.record(&ada).await;
    editor.on(Method::DELETE, &ada, &etag, None).await.expect(204);
    // What had just come in is void; triage, which would have been at it by itself, blanks it.
    app.triage().await;
    app.app().imports.purge().await.unwrap();
    // What somebody brought and nobody has started yet is theirs, and stays as it came for its seven days.
    for trace in TRACES {
        let left: Vec<String> = app
            .columns_with(trace)
            .await
            .into_iter()
            .filter(|column| column != "import_chunks.bytes")
            .collect();
        assert_eq!(left, [""; 0], "{trace}");
    }
    assert_eq!(app.count("SELECT count(DISTINCT import_id) AS n FROM import_chunks").await, 1);
    assert!(!app.columns_with("hammer").await.is_empty(), "others stay, and the look finds what is there");

    // Started after all, it brings nobody back; at its end, the file goes.
    editor.post_json(&format!("{IMPORTS}/{}/start", id(&waiting)), &json!({})).await.expect(202);
    while app.app().imports.work_once(&tokio_util::sync::CancellationToken::new()).await.unwrap() {}
    let reasons = editor.refused(id(&waiting), "").await;
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    app.advance(8 * DAY);
    app.app().imports.purge().await.unwrap();
    app.app().kernel.store.scrubbed().await;
    for trace in TRACES {
        assert_eq!(app.columns_with(trace).await, [""; 0], "{trace}");
        assert_eq!(app.backend.places_with(trace), [""; 0], "{trace}");
    }
    assert_eq!(app.deliver().await.iter().filter(|mail| mail.to.contains("lovelace")).count(), 0);
    assert_eq!(app.count("SELECT count(*) AS n FROM suppressions WHERE reason = 'erased'").await, 2);
    assert!(app.count("SELECT count(*) AS n FROM recalls").await >= 1, "the group is told by a fingerprint");
    app.client().join(&person("bo@example.org")).await.expect(202);
}

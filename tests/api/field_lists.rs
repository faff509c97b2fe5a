//! Custom fields in lists: columns of exports in every format, and of imports.

use reqwest::Method;
use serde_json::{Value, json};

use super::imports::{IMPORTS, already, counts, id};
use crate::support::{Answer, Client, TestApp};

const FIELDS: &str = "/api/v1/admin/fields";

impl TestApp {
    /// Somebody who may do all of this, with a field of each kind.
    async fn with_fields(&self) -> Client {
        let client = self
            .owner()
            .await
            .token(&["supporters:read", "supporters:write", "exports", "imports", "forms"])
            .await;
        for (slug, kind) in [("local", "text"), ("years", "number"), ("born", "date"), ("driver", "yes_no")] {
            let field = json!({ "slug": slug, "label": format!("Your {slug}"), "kind": kind });
            client.post_json(FIELDS, &field).await.expect(201);
        }
        let size = json!({ "slug": "size", "label": "Shirt", "kind": "choice", "choices": ["S", "M"] });
        client.post_json(FIELDS, &size).await.expect(201);
        client
    }

    async fn values(&self) -> Vec<String> {
        self.words(
            "SELECT email || ' ' || slug || ' ' || value AS word FROM supporter_fields \
             JOIN fields ON fields.number = field_number \
             JOIN supporters ON supporters.number = supporter_number ORDER BY email, slug",
        )
        .await
    }
}

impl Client {
    async fn list(&self, rest: &str) -> Answer {
        self.get(&format!("/api/v1/admin/exports/supporters.{rest}&purpose=a+test")).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fields_are_columns_of_every_format_typed_guarded_and_of_one_statement() {
    let app = TestApp::start().await;
    let client = app.with_fields().await;
    let ada = app.joined("ada@example.org").await;
    app.joined("bo@example.org").await;
    let values = json!({ "local": "=12", "years": -12.5, "born": "1970-05-01", "driver": true, "size": "M" });
    client.change(&ada, &json!({ "fields": values })).await.expect(200);

    let columns = "columns=email,field.local,field.years,field.born,field.driver,field.size";
    // A filter on the way takes PostgreSQL's other plan.
    for query in [columns.to_owned(), format!("{columns}&q=example")] {
        let csv = client.list(&format!("csv?{query}")).await.expect(200).text();
        assert_eq!(
            csv,
            "email,field.local,field.years,field.born,field.driver,field.size\n\
             ada@example.org,'=12,-12.5,1970-05-01,true,M\nbo@example.org,,,,,\n"
        );
    }
    let ndjson = client.list(&format!("ndjson?{columns}&q=ada")).await.expect(200).text();
    let expected = json!({ "email": "ada@example.org", "field.local": "=12", "field.years": -12.5,
        "field.born": "1970-05-01", "field.driver": true, "field.size": "M" });
    assert_eq!(serde_json::from_str::<Value>(&ndjson).unwrap(), expected);

    let whole = client.list("csv?q=ada").await.expect(200).text();
    let header = whole.lines().next().unwrap();
    assert!(
        header.ends_with(",notice_id,field.local,field.years,field.born,field.driver,field.size"),
        "{header}"
    );
    assert!(whole.trim_end().ends_with(",'=12,-12.5,1970-05-01,true,M"), "{whole}");

    let listmonk = client.list("ndjson?preset=listmonk").await.expect(200).text();
    let rows: Vec<Value> = listmonk.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let own = json!({ "local": "=12", "years": -12.5, "born": "1970-05-01", "driver": true, "size": "M" });
    assert_eq!((&rows[0]["attributes"]["fields"], rows[1]["attributes"].get("fields")), (&own, None));
    let tool = client.list("csv?preset=every_action").await.expect(200).text();
    assert!(!tool.contains("field"), "what a tool expects stays as it is: {tool}");

    let book = client.list(&format!("xlsx?{columns}")).await.expect(200);
    let seen = app.preview(&client, &book.body, &already()).await;
    assert_eq!(
        seen["preview"]["rows"][0],
        json!(["ada@example.org", "=12", "-12.5", "1970-05-01", "true", "M"])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_that_there_is_not_and_one_that_is_not_for_a_group_are_refused_by_name() {
    let app = TestApp::start().await;
    let client = app.with_fields().await;
    for (columns, code, said) in [
        ("field.shoe", "unknown_column", "there is no field shoe"),
        ("email,field.%3Cscript%3E", "unknown_column", "there is no such field"),
        ("field.size,field.size", "duplicate", "field.size is there twice"),
    ] {
        let answer = client.list(&format!("csv?columns={columns}")).await.expect(422);
        let fault = &answer.problem()["errors"][0];
        assert_eq!((&fault["code"], &fault["message"]), (&json!(code), &json!(said)), "{columns}");
    }
    assert_eq!(app.count("SELECT count(*) AS n FROM exports").await, 0);
    let group = app.group("valley").await;
    let (_, manager) = app.manager("m@example.org", group).await;
    let fault = manager.list("csv?columns=email,field.size").await.faults();
    assert_eq!(fault, ["columns: not_for_you"]);
    let own = manager.list("csv?q=ada").await.expect(200).text();
    assert!(!own.contains("field."), "{own}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_of_a_list_become_values_of_fields_by_their_headers_or_by_hand() {
    let app = TestApp::start().await;
    let client = app.with_fields().await;
    let list = b"email,field.years,Shirt,Your born,Driver,Union\n\
        ada@example.org,012.50,m,1970-05-01,Yes,Local 12\n\
        bo@example.org,many,XXL,1970-13-01,perhaps,\n";
    let seen = app.preview(&client, list, &already()).await;
    let mapped: Vec<&Value> =
        seen["mapping"].as_array().unwrap().iter().map(|column| &column["field"]).collect();
    let expected = json!(["email", "field.years", "field.size", "field.born", "field.driver", null]);
    assert_eq!(json!(mapped), expected);
    let at = |what: &str| format!("{IMPORTS}/{}/{what}", id(&seen));
    let wish = |field: &str| {
        json!({ "columns": [{ "column": 0, "field": "email" }, { "column": 1, "field": "field.years" },
            { "column": 2, "field": "field.size" }, { "column": 3, "field": "field.born" },
            { "column": 4, "field": "field.driver" }, { "column": 5, "field": field }] })
    };
    let fault = client.patch_json(&at("mapping"), &wish("field.shoe")).await.faults();
    assert_eq!(fault, ["columns[5]: unknown_field"]);
    let fault = client.patch_json(&at("mapping"), &wish("shoe")).await.faults();
    assert_eq!(fault, ["columns[5].field: unknown_value"]);
    client.patch_json(&at("mapping"), &wish("field.local")).await.expect(200);
    app.work().await;
    client
        .post_bytes(&format!("{IMPORTS}/{}/start", id(&seen)), "text/plain", b"{}".to_vec())
        .await
        .expect(415);
    // The options of the upload hold: there is nothing to send.
    client.post(&at("start")).await.expect(202);
    app.work().await;
    let done = client.get(&format!("{IMPORTS}/{}", id(&seen))).await.expect(200).json();
    assert_eq!((&done["state"], counts(&done)), (&json!("done"), [2, 0, 0, 0, 0, 1]));
    let expected = ["born 1970-05-01", "driver true", "local Local 12", "size M", "years 12.5"]
        .map(|one| format!("ada@example.org {one}"));
    assert_eq!(app.values().await, expected);
    let told = client.refused(id(&done), "?left_out=true").await;
    let told = told[0].split_once(": ").unwrap();
    assert_eq!(told.0, "3", "the line");
    for fault in [
        "field.years: wrong_type",
        "field.size: unknown_value",
        "field.born: wrong_type",
        "field.driver: wrong_type",
    ] {
        assert!(told.1.contains(fault), "{told:?}");
    }
    assert_eq!(client.emails("?field.years=12..13").await, ["ada@example.org"], "it is of its kind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_fills_fields_that_are_empty_and_its_preview_counts_that() {
    let app = TestApp::start().await;
    let client = app.with_fields().await;
    let ada = app.joined("ada@example.org").await;
    client.change(&ada, &json!({ "fields": { "local": "Local 1" } })).await.expect(200);
    let list =
        b"email,field.local,field.years,tags\nada@example.org,Local 2,3,steel\nbo@example.org,Local 4,,\n";
    // What the preview counts, the run must do: `take_in` compares them.
    assert_eq!(counts(&app.take_in(&client, list, &already()).await), [1, 1, 0, 0, 0, 0]);
    let first = ["ada@example.org local Local 1", "ada@example.org years 3", "bo@example.org local Local 4"];
    assert_eq!(app.values().await, first);
    assert_eq!(counts(&app.take_in(&client, list, &already()).await), [0, 0, 2, 0, 0, 0]);
    let mut options = already();
    options["overwrite"] = json!(true);
    assert_eq!(counts(&app.take_in(&client, list, &options).await), [0, 1, 1, 0, 0, 0]);
    assert_eq!(app.values().await[0], "ada@example.org local Local 2");

    // The default export of one is a list for another.
    let export = client.list("csv?q=ada").await.expect(200);
    app.execute("DELETE FROM supporter_fields").await;
    assert_eq!(counts(&app.take_in(&client, &export.body, &already()).await), [0, 1, 0, 0, 0, 0]);
    assert_eq!(app.values().await, ["ada@example.org local Local 2", "ada@example.org years 3"]);
    let listmonk = client.list("csv?preset=listmonk&q=ada").await.expect(200);
    app.execute("DELETE FROM supporter_fields").await;
    assert_eq!(counts(&app.take_in(&client, &listmonk.body, &already()).await), [0, 1, 0, 0, 0, 0]);
    assert_eq!(app.values().await, ["ada@example.org local Local 2", "ada@example.org years 3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_are_asked_get_their_values_with_their_click_and_a_field_that_is_gone_stops_the_start() {
    let app = TestApp::start().await;
    let client = app.with_fields().await;
    let invite = json!({ "consent": { "basis": "invite" } });
    let done = app.take_in(&client, b"email,field.local\nada@example.org,Local 12\n", &invite).await;
    assert_eq!(counts(&done), [0, 0, 0, 1, 0, 0]);
    assert!(app.values().await.is_empty());
    let mails = app.deliver().await;
    app.client().confirm(&mails[0].link("/confirm/")).await.expect(200);
    assert_eq!(app.values().await, ["ada@example.org local Local 12"]);

    let seen = app.preview(&client, b"email,field.size\nbo@example.org,M\n", &already()).await;
    client.delete(&format!("{FIELDS}/size")).await.expect(204);
    let start = format!("{IMPORTS}/{}/start", id(&seen));
    assert_eq!(client.post_json(&start, &json!({})).await.faults(), ["columns: unknown_field"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_of_a_merged_record_leads_to_the_survivor_and_revives_nobody() {
    let app = TestApp::start().await;
    let client = app.with_fields().await;
    let (old, new) = (app.joined("ada@old.example.org").await, app.joined("ada@new.example.org").await);
    let (_, etag) = client.record(&new).await;
    client.on(Method::POST, &format!("{new}/merge"), &etag, Some(&json!({ "other": old }))).await.expect(200);

    let list = b"email,first_name,tags,field.local\nada@old.example.org,Ada,steel,Local 12\n";
    assert_eq!(counts(&app.take_in(&client, list, &already()).await), [0, 1, 0, 0, 0, 0]);
    assert_eq!(client.emails("").await, ["ada@new.example.org"], "no second record");
    assert_eq!(client.emails("?q=ada&tag=steel&field.local=Local+12").await, ["ada@new.example.org"]);
    assert_eq!(counts(&app.take_in(&client, list, &already()).await), [0, 0, 1, 0, 0, 0]);
    let both = b"email,last_name\nada@new.example.org,Byron\nADA@old.example.org,Lovelace\n";
    let done = app.take_in(&client, both, &already()).await;
    assert_eq!(counts(&done), [0, 1, 0, 0, 1, 0], "two addresses of one person are two rows for one");
    assert_eq!(client.refused(id(&done), "").await, ["3: repeated"]);
    assert_eq!(client.emails("?q=byron").await, ["ada@new.example.org"]);
    let asked = app.take_in(&client, list, &json!({ "consent": { "basis": "invite" } })).await;
    assert_eq!(counts(&asked), [0, 0, 1, 0, 0, 0], "whoever is in is not asked");

    let leave = {
        let (id, now): (openhearth::id::Id, _) = (new.parse().unwrap(), app.clock.now());
        move |db: &mut _| Ok::<_, openhearth::store::StoreError>(openhearth::supporters::leave(db, id, now)?)
    };
    app.app().kernel.store.write(openhearth::store::Lane::Staff, leave).await.unwrap();
    let done = app.take_in(&client, list, &already()).await;
    assert_eq!(client.refused(id(&done), "").await, ["2: unsubscribed"]);
    let (_, etag) = client.record(&new).await;
    client.on(Method::POST, &format!("{new}/suppress"), &etag, None).await.expect(204);
    let done = app.take_in(&client, list, &already()).await;
    assert_eq!(client.refused(id(&done), "").await, ["2: suppressed"]);
    let (_, etag) = client.record(&new).await;
    client.on(Method::DELETE, &new, &etag, None).await.expect(204);
    let done = app.take_in(&client, list, &already()).await;
    assert_eq!(client.refused(id(&done), "").await, ["2: erased"]);
    assert_eq!(client.emails("").await, Vec::<String>::new());
}

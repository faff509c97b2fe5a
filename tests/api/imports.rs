//! Imports: uploads, previews, the job, consent, and every kind of bad file.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use openhearth::{
    staff::Role,
    store::{Db, Lane, StoreError},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::{Answer, Client, Mail, TestApp, person};

pub const IMPORTS: &str = "/api/v1/admin/imports";
const BOUNDARY: &str = "a-boundary-of-the-tests";

/// A form with a file, and options if there are any.
fn form(file: &[u8], options: Option<&Value>) -> Vec<u8> {
    let mut body = Vec::new();
    if let Some(options) = options {
        let part = "Content-Disposition: form-data; name=\"options\"\r\n\r\n";
        body.extend_from_slice(format!("--{BOUNDARY}\r\n{part}{options}\r\n").as_bytes());
    }
    let part = "Content-Disposition: form-data; name=\"file\"; filename=\"list.csv\"\r\n\
                Content-Type: application/octet-stream\r\n\r\n";
    body.extend_from_slice(format!("--{BOUNDARY}\r\n{part}").as_bytes());
    body.extend_from_slice(file);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    body
}

pub fn already() -> Value {
    json!({ "consent": { "basis": "already", "wording": "You may write to me.", "date": "2025-05-01" } })
}

pub fn invite() -> Value {
    json!({ "consent": { "basis": "invite" } })
}

impl Client {
    async fn upload(&self, file: &[u8], options: Option<&Value>) -> Answer {
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        self.post_bytes(IMPORTS, &kind, form(file, options)).await
    }

    pub async fn import(&self, id: &str) -> Value {
        self.get(&format!("{IMPORTS}/{id}")).await.expect(200).json()
    }

    /// Refused rows, as `line: reason`.
    pub async fn refused(&self, id: &str, query: &str) -> Vec<String> {
        let answer = self.get(&format!("{IMPORTS}/{id}/refused.csv{query}")).await.expect(200);
        assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(answer.body.as_slice());
        reader.records().map(|row| row.unwrap()).map(|row| format!("{}: {}", &row[0], &row[1])).collect()
    }
}

impl TestApp {
    /// Somebody who may bring lists and read supporters.
    pub async fn importer(&self) -> Client {
        self.owner().await.token(&["imports", "supporters:read"]).await
    }

    /// Works on all imports that wait.
    pub async fn work(&self) {
        while self.app().imports.work_once(&CancellationToken::new()).await.unwrap() {}
    }

    /// Uploads, and has the preview made; the import.
    pub async fn preview(&self, client: &Client, file: &[u8], options: &Value) -> Value {
        let made = client.upload(file, Some(options)).await.expect(202).json();
        self.work().await;
        client.import(made["id"].as_str().unwrap()).await
    }

    /// Uploads and takes all rows in; the import at its end.
    pub async fn take_in(&self, client: &Client, file: &[u8], options: &Value) -> Value {
        let seen = self.preview(client, file, options).await;
        assert_eq!(seen["state"], "previewed", "{seen}");
        let id = seen["id"].as_str().unwrap();
        client.post_json(&format!("{IMPORTS}/{id}/start"), &json!({})).await.expect(202);
        self.work().await;
        let done = client.import(id).await;
        assert_eq!(done["state"], "done", "{done}");
        // The preview has told what would happen.
        assert_eq!(seen["preview"]["counts"], done["counts"]);
        done
    }

    async fn statuses(&self) -> Vec<String> {
        self.words("SELECT email || ' ' || status AS word FROM supporters ORDER BY email").await
    }
}

pub fn counts(import: &Value) -> [i64; 6] {
    ["created", "updated", "unchanged", "invited", "refused", "left_out"]
        .map(|name| import["counts"][name].as_i64().unwrap())
}

pub fn id(import: &Value) -> &str {
    import["id"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_previewed_and_taken_in_with_its_consent_and_brought_again_changes_nothing() {
    let app = TestApp::start().await;
    let client = app.importer().await;
    let list = "\u{FEFF}Email Address,First Name,Last Name,Phone Number,TAGS,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP\r\n\
                ada@example.org,Ada,Furnace,212-555-0123,\"Steel, Ohio\",2024-01-02 03:04:05,,2024-01-03 00:00:00,\r\n\
                Bo@Example.org,\"Bo\r\nHammer\",,,,,,,\r\n\
                cy@example.org,Cy,,,,,,,\r\n";
    let seen = app.preview(&client, list.as_bytes(), &already()).await;
    assert_eq!((&seen["state"], &seen["preset"]), (&json!("previewed"), &json!("mailchimp")));
    assert_eq!(seen["layout"]["encoding"], "utf-8");
    assert_eq!(seen["mapping"][1], json!({"column": 1, "header": "First Name", "field": "given_name"}));
    assert_eq!(seen["preview"]["rows"][0][0], "ada@example.org");
    assert_eq!(seen["preview"]["counts"]["created"], 3);
    assert_eq!(seen["preview"]["examples"][0]["line"], 3, "{}", seen["preview"]);
    assert_eq!(client.emails("").await, Vec::<String>::new(), "a preview changes nothing");

    client.post_json(&format!("{IMPORTS}/{}/start", id(&seen)), &json!({})).await.expect(202);
    app.work().await;
    let done = client.import(id(&seen)).await;
    assert_eq!((&done["state"], counts(&done)), (&json!("done"), [3, 0, 0, 0, 0, 1]));
    assert_eq!(done["progress"], json!({"line": 5, "bytes": list.len(), "of_bytes": list.len()}));
    assert_eq!(client.refused(id(&done), "?left_out=true").await, ["3: given_name: control_characters"]);
    assert!(client.refused(id(&done), "").await.is_empty());

    let rows = client.supporters("?q=ada").await.expect(200).json()["data"].clone();
    assert_eq!(rows[0]["status"], "confirmed");
    assert_eq!(rows[0]["form"], "import");
    assert_eq!(rows[0]["signed_up_at"], "2024-01-02T03:04:05Z");
    assert_eq!(rows[0]["confirmed_at"], "2024-01-03T00:00:00Z");
    assert_eq!(rows[0]["phone_consent"], false, "the wording does not cover calls");
    let tags = "SELECT slug AS word FROM tags JOIN supporter_tags ON tag_number = tags.number ORDER BY slug";
    assert_eq!(app.words(tags).await, ["ohio", "steel"]);
    let notices = "SELECT n.wording AS word FROM supporters s JOIN notices n ON n.id = s.notice_id \
                   WHERE n.form = 'import'";
    assert_eq!(app.words(notices).await, ["You may write to me."; 3]);
    assert!(app.deliver().await.is_empty(), "nobody is written to");

    let again = app.take_in(&client, list.as_bytes(), &already()).await;
    assert_eq!(counts(&again), [0, 0, 3, 0, 0, 1]);
    assert_eq!(app.count("SELECT count(*) AS n FROM notices WHERE form = 'import'").await, 1);
    let acts = "SELECT action AS word FROM audit_entries WHERE action IN ('import.begin', 'import.end') ORDER BY number";
    assert_eq!(app.words(acts).await, ["import.begin", "import.end", "import.begin", "import.end"]);
    let ends = app
        .words("SELECT details AS word FROM audit_entries WHERE action = 'import.end' ORDER BY number")
        .await;
    assert!(ends[0].contains("\"created\":3") && !ends[0].contains("example.org"), "{ends:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_revived_and_nobody_is_made_to_leave() {
    let app = TestApp::start().await;
    let client = app.importer().await;
    let mut links = Vec::new();
    for name in ["left", "erased", "notme", "here"] {
        links.push(app.supporter(&format!("{name}@example.org")).await);
    }
    client.post(&links[0].link("/unsubscribe/")).await.expect(200);
    app.execute(
        "INSERT INTO suppressions SELECT address_hash, 'erased', 1 FROM supporters WHERE email LIKE 'erased%'",
    )
    .await;
    app.execute("DELETE FROM supporters WHERE email LIKE 'erased%'").await;
    app.execute(
        "UPDATE supporters SET status = 'suppressed', suppression_reason = 'manual' \
                 WHERE email = 'notme@example.org'",
    )
    .await;
    app.deliver().await;
    let list = b"email,status\nLEFT@example.org,subscribed\nerased@example.org,\nnotme@example.org,\n\
                 here@example.org,unsubscribed\nnew@example.org,unsubscribed\nleft@Example.org,\n";
    let before = app.statuses().await;
    for options in [already(), invite()] {
        let done = app.take_in(&client, list, &options).await;
        let refused = client.refused(id(&done), "").await;
        let is_already = options == already();
        let mut expected = vec![
            "2: unsubscribed".to_owned(),
            "3: erased".to_owned(),
            "4: suppressed".to_owned(),
            "5: left_elsewhere".to_owned(),
        ];
        if !is_already {
            // It came in by the first pass, as somebody who has left.
            assert_eq!(counts(&done), [0, 0, 1, 0, 5, 0]);
        }
        expected.push("7: repeated".to_owned());
        assert_eq!(refused, expected);
        if is_already {
            assert_eq!(counts(&done), [1, 0, 0, 0, 5, 0]);
        }
    }
    let mut after = before;
    after.push("new@example.org unsubscribed".to_owned());
    after.sort_unstable();
    assert_eq!(app.statuses().await, after);
    assert!(app.settle().await.is_empty(), "nobody of them is written to");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_are_asked_get_a_paced_mail_and_are_in_only_by_their_click() {
    let app = TestApp::start_with(|config| config.imports.invites_per_hour = 60).await;
    let client = app.importer().await;
    client.join(&person("asked@example.org")).await.expect(202);
    app.settle_one().await;
    let list = b"email,first_name,tags\nada@example.org,Ada,Steel\nasked@example.org,,\nbo@example.org,Bo,\n\
                 b.o+x@example.org,,\nno@example.org,,\n";
    let seen = app.preview(&client, list, &invite()).await;
    client.post_json(&format!("{IMPORTS}/{}/start", id(&seen)), &json!({})).await.expect(202);
    app.work().await;
    let done = client.import(id(&seen)).await;
    assert_eq!(counts(&done), [0, 0, 0, 3, 2, 0]);
    assert_eq!(seen["preview"]["counts"], done["counts"]);
    assert_eq!(client.refused(id(&done), "").await, ["3: asked_recently", "5: asked_recently"]);
    assert_eq!(client.emails("").await, Vec::<String>::new());

    let mut mails: Vec<Mail> = app.deliver().await;
    assert_eq!(mails.len(), 1, "one a minute: {mails:?}");
    app.advance(Duration::from_secs(61));
    mails.extend(app.deliver().await);
    assert_eq!(mails.len(), 2);
    app.advance(Duration::from_secs(61));
    assert_eq!(app.deliver().await.len(), 1);

    let page = client.get(&mails[0].link("/confirm/")).await.expect(200).page();
    assert!(page.contains("I want to join"), "they agree to what the join form says");
    client.confirm(&mails[0].link("/confirm/")).await.expect(200);
    assert_eq!(app.statuses().await, ["ada@example.org confirmed"]);
    assert_eq!(
        app.words("SELECT slug AS word FROM tags JOIN supporter_tags ON tag_number = number").await,
        ["steel"]
    );
    assert_eq!(app.words("SELECT given_name AS word FROM supporters").await, ["Ada"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_asks_the_limits_of_addresses_as_the_run_does() {
    let app = TestApp::start().await;
    let client = app.importer().await;
    let mut list = String::from("email\nada@example.org\nbo@example.org\n");
    // The same mailbox once more, behind more rows than a preview looks up at once.
    (0..600).for_each(|n| list.push_str(&format!("nobody {n}\n")));
    list.push_str("b.o+x@example.org\n");
    // `take_in` compares what is foretold with what is done.
    let done = app.take_in(&client, list.as_bytes(), &invite()).await;
    assert_eq!(counts(&done), [0, 0, 0, 2, 601, 0]);
    let seen = app.preview(&client, list.as_bytes(), &invite()).await;
    let foretold = &seen["preview"]["counts"];
    assert_eq!((&foretold["invited"], &foretold["refused"]), (&json!(0), &json!(603)));
    assert_eq!(seen["preview"]["reasons"]["asked_recently"], 3);
    assert_eq!(seen["preview"]["examples"][0]["code"], "asked_recently");
    app.advance(Duration::from_secs(86_400 + 7_200));
    let done = app.take_in(&client, list.as_bytes(), &invite()).await;
    assert_eq!(counts(&done), [0, 0, 0, 2, 601, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_fills_what_is_empty_and_wins_only_if_it_is_said() {
    let app = TestApp::start().await;
    let client = app.importer().await;
    let mut ada = person("ada@example.org");
    ada["given_name"] = json!("Ada");
    app.supporter_of(&ada).await;
    let list = b"email,first_name,last_name,zip\nada@example.org,Adelaide,Furnace,44035\n";
    let done = app.take_in(&client, list, &already()).await;
    assert_eq!(counts(&done), [0, 1, 0, 0, 0, 0]);
    let name = "SELECT given_name || ' ' || family_name || ' ' || region AS word FROM supporters";
    assert_eq!(app.words(name).await, ["Ada Furnace OH"]);
    assert_eq!(client.emails("?q=furnace").await, ["ada@example.org"], "they are found by what was added");
    assert_eq!(
        client.supporters("?q=ada").await.json()["data"][0]["form"],
        "join",
        "their consent stays theirs"
    );

    let mut options = already();
    options["overwrite"] = json!(true);
    options["tags"] = json!(["old-list"]);
    assert_eq!(counts(&app.take_in(&client, list, &options).await), [0, 1, 0, 0, 0, 0]);
    assert_eq!(app.words(name).await, ["Adelaide Furnace OH"]);
    assert_eq!(app.count("SELECT count(*) AS n FROM supporter_tags").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_rows_are_told_by_line_and_the_rest_goes_in() {
    let app = TestApp::start().await;
    let client = app.importer().await;
    let mut list =
        b"email,email,name\na@example.org,,A\nb@example.org,B\nc@example.org,,\"C\nd@example.org,,\"D\"\n\
                     e@example.org,,Zo\xEB\nf@example.org,,\xC3\xAB\n\n=1+1,,\nA@example.org,,again\n\
                     \xC3\xBC@example.org,,\xC3\xBC\nno address,,x\ng@example.org,,\0nul\n"
            .to_vec();
    list.extend_from_slice(&vec![b'x'; 600 * 1024]);
    list.extend_from_slice(b"\nh@example.org,,H");
    let done = app.take_in(&client, &list, &already()).await;
    assert_eq!(done["repeated_headers"], json!(["email"]));
    let expected = [
        "3: wrong_columns",
        "4: stray_quote",
        "6: name: encoding",
        "9: email: formula",
        "10: repeated",
        "12: email: invalid_email",
        "14: too_long",
    ];
    assert_eq!(client.refused(id(&done), "").await, expected);
    assert_eq!(client.refused(id(&done), "?left_out=true").await, ["13: name: control_characters"]);
    assert_eq!(counts(&done)[0], 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_list_is_refused_and_leaves_nothing() {
    let app = TestApp::start_with(|config| config.imports.max_bytes = 400 * 1024).await;
    let client = app.importer().await;
    let binary: Vec<u8> = (0..40_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[1]).collect();
    assert_eq!(client.upload(&binary, None).await.faults(), ["file: unsupported_file"]);
    assert_eq!(client.upload(b"%PDF-1.7\nemail", None).await.faults(), ["file: unsupported_file"]);
    assert_eq!(client.upload(b"", None).await.faults(), ["file: empty_file"]);
    let large = vec![b'x'; 500 * 1024];
    client.upload(&large, None).await.expect(413).problem();
    let options = json!({"consent": {"basis": "already"}, "tags": ["Not A Slug"]});
    let faults = client.upload(b"email\na@example.org\n", Some(&options)).await.faults();
    assert_eq!(faults, ["consent.wording: required", "consent.date: required", "tags[0]: invalid_slug"]);
    let options = json!({"colour": "red"});
    assert_eq!(client.upload(b"email\n", Some(&options)).await.faults(), ["options: invalid"]);
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    assert_eq!(
        client.post_bytes(IMPORTS, &kind, b"--x--".to_vec()).await.expect(400).problem()["status"],
        400
    );
    let cut_off = &form(b"email\na@example.org\n", None)[..120];
    client.post_bytes(IMPORTS, &kind, cut_off.to_vec()).await.expect(400).problem();
    client.post_json(IMPORTS, &json!({})).await.expect(415).problem();
    let none = format!("--{BOUNDARY}--\r\n").into_bytes();
    assert_eq!(client.post_bytes(IMPORTS, &kind, none).await.faults(), ["file: required"]);
    assert_eq!(app.count("SELECT count(*) AS n FROM imports").await, 0);
    assert_eq!(app.count("SELECT count(*) AS n FROM import_chunks").await, 0);
    client.get(&format!("{IMPORTS}/{}", openhearth::id::Id::new())).await.expect(404).problem();
    client.get(&format!("{IMPORTS}/none/refused.csv")).await.expect(404).problem();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_are_mapped_by_hand_and_no_basis_is_no_start() {
    let app = TestApp::start().await;
    let client = app.importer().await;
    let list = b"Wer;Wo;Wie\nada@example.org;44035;Ada Furnace\n";
    let seen = app.preview(&client, list, &json!({})).await;
    let at = |what: &str| format!("{IMPORTS}/{}/{what}", id(&seen));
    assert_eq!((&seen["layout"]["delimiter"], &seen["preset"]), (&json!(";"), &Value::Null));
    assert_eq!(client.post_json(&at("start"), &json!({})).await.faults(), ["consent: required"]);
    assert_eq!(client.post_json(&at("start"), &already()).await.faults(), ["columns: no_email"]);
    let wish = |columns: Value| json!({ "columns": columns });
    for (columns, fault) in [
        (json!([{"column": 3, "field": "email"}]), "columns[0]: out_of_range"),
        (json!([{"column": 0, "field": "email"}, {"column": 1, "field": "email"}]), "columns[1]: repeated"),
        (json!([{"column": 0, "field": "email"}, {"column": 0, "field": "name"}]), "columns[1]: repeated"),
    ] {
        assert_eq!(client.patch_json(&at("mapping"), &wish(columns)).await.faults(), [fault]);
    }
    let columns = json!([{"column": 0, "field": "email"}, {"column": 1, "field": "postal_code"}, {"column": 2, "field": "name"}]);
    let mapped = client.patch_json(&at("mapping"), &wish(columns)).await.expect(200).json();
    assert_eq!(mapped["state"], "uploaded", "the preview is made again");
    client.post_json(&at("start"), &already()).await.expect(409).problem();
    app.work().await;
    assert_eq!(client.import(id(&seen)).await["preview"]["counts"]["created"], 1);
    client.post_json(&at("start"), &already()).await.expect(202);
    client.post_json(&at("start"), &already()).await.expect(409).problem();
    app.work().await;
    assert_eq!(app.words("SELECT given_name || region AS word FROM supporters").await, ["AdaOH"]);
    client.post(&at("cancel")).await.expect(409).problem();
    assert_eq!(client.get(IMPORTS).await.expect(200).json()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_import_stops_and_an_old_one_is_erased() {
    let app = TestApp::start().await;
    let client = app.importer().await;
    let list = b"email\nada@example.org\nmarked-7391\n";
    let seen = app.preview(&client, list, &already()).await;
    let at = format!("{IMPORTS}/{}", id(&seen));
    client.post_json(&format!("{at}/start"), &json!({})).await.expect(202);
    let cancelled = client.post(&format!("{at}/cancel")).await.expect(200).json();
    assert_eq!(cancelled["state"], "cancelled");
    app.work().await;
    assert_eq!(app.statuses().await, Vec::<String>::new());

    app.take_in(&client, list, &already()).await;
    app.advance(Duration::from_secs(7 * 86_400 + 60));
    let client = app.staff("other@example.org", Role::Organizer).await.token(&["imports"]).await;
    assert_eq!(app.app().imports.purge().await.unwrap(), 2);
    assert_eq!(app.app().imports.purge().await.unwrap(), 0);
    for table in ["SELECT count(*) AS n FROM import_chunks", "SELECT count(*) AS n FROM import_refusals"] {
        assert_eq!(app.count(table).await, 0);
    }
    let old = client.import(id(&seen)).await;
    assert_eq!((&old["preview"], &old["file_name"]), (&Value::Null, &json!("")));
    client.get(&format!("{at}/refused.csv")).await.expect(410).problem();
    app.app().kernel.store.scrubbed().await;
    assert_eq!(app.backend.places_with("marked-7391"), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_process_left_undone_another_finishes_without_doubling() {
    let app = TestApp::start().await;
    let client = app.importer().await;
    let mut list = String::from("email,tags\n");
    for n in 0..3000 {
        list.push_str(&format!("person{n}@example.org,t{}\n", n % 3));
    }
    list.push_str("person7@example.org,\n");
    let seen = app.preview(&client, list.as_bytes(), &already()).await;
    client.post_json(&format!("{IMPORTS}/{}/start", id(&seen)), &json!({})).await.expect(202);
    // A process that stops after its first pieces: as by a kill, its claim stays.
    let other = app.second_process().await;
    let stop = CancellationToken::new();
    let working = tokio::spawn({
        let (imports, stop) = (other.imports.clone(), stop.clone());
        async move { imports.work_once(&stop).await }
    });
    app.until_none("SELECT CASE WHEN count(*) >= 400 THEN 0 ELSE 1 END AS n FROM supporters").await;
    working.abort();
    let _ = working.await;
    other.kernel.store.close().await;
    let part = app.count("SELECT count(*) AS n FROM supporters").await;
    let halfway = client.import(id(&seen)).await;
    assert!(counts(&halfway)[0] >= 400, "{halfway}");
    app.advance(Duration::from_secs(61));
    app.work().await;
    let done = client.import(id(&seen)).await;
    assert_eq!((&done["state"], counts(&done)), (&json!("done"), [3000, 0, 0, 0, 1, 0]), "after {part}");
    assert_eq!(app.count("SELECT count(*) AS n FROM supporters").await, 3000);
    assert_eq!(app.count("SELECT count(*) AS n FROM supporter_tags").await, 3000);
    assert_eq!(client.refused(id(&done), "").await, ["3002: repeated"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_the_database_refuses_costs_itself_alone_and_not_the_rows_behind_it() {
    let app = TestApp::start().await;
    let client = app.importer().await;
    let rows: String = (0..4500).map(|n| format!("person{n}@example.org,t{}\n", n % 3)).collect();
    let refuse = |db: &mut Db| {
        let statement = match db {
            Db::Pg(_) => "ALTER TABLE supporters ADD CHECK (email_key <> 'person1234@example.org')",
            Db::Sqlite(_) => {
                "CREATE TRIGGER refusing BEFORE INSERT ON supporters WHEN NEW.email_key = 'person1234@example.org' \
                 BEGIN SELECT RAISE(ABORT, 'not this one'); END"
            }
        };
        Ok::<_, StoreError>(db.batch_execute(statement)?)
    };
    app.app().kernel.store.write(Lane::Staff, refuse).await.unwrap();
    // Which no preview can foresee.
    let seen = app.preview(&client, format!("email,tags\n{rows}").as_bytes(), &already()).await;
    client.post_json(&format!("{IMPORTS}/{}/start", id(&seen)), &json!({})).await.expect(202);
    app.work().await;
    let done = client.import(id(&seen)).await;
    assert_eq!((&done["state"], counts(&done)), (&json!("done"), [4499, 0, 0, 0, 1, 0]));
    assert_eq!(client.refused(id(&done), "").await, ["1236: not_stored"]);
    assert_eq!(app.count("SELECT count(*) AS n FROM supporters").await, 4499);
    assert_eq!(app.count("SELECT count(*) AS n FROM supporter_tags").await, 4499);
}

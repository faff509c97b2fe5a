//! Exports beyond the plain CSV: formats, presets, columns, what a group gets, who is recorded, and how they end.

use std::{
    collections::HashMap,
    io::{Read, Write},
    net::TcpStream,
};

use flate2::read::GzDecoder;
use openhearth::{
    disclosures,
    id::Id,
    staff::Role,
    store::{Lane, StoreError, schema},
};
use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApp};

const EXPORTS: &str = "/api/v1/admin/exports";
const OURS: Id = Id::from_bytes(*b"the valley union");
const OTHERS: Id = Id::from_bytes(*b"the river league");

type Row = HashMap<String, String>;

fn rows(csv: &[u8]) -> Vec<Row> {
    csv::Reader::from_reader(csv).deserialize().map(Result::unwrap).collect()
}

impl Client {
    /// An export for a newsletter; `rest` begins with the extension.
    async fn export(&self, rest: &str) -> Answer {
        let (kind, query) = rest.split_once('?').unwrap_or((rest, ""));
        self.get(&format!("{EXPORTS}/supporters.{kind}?purpose=newsletter&{query}")).await
    }
}

impl TestApp {
    /// Ada, with tags and shares, and Grace, with none; a share of Ada's with a third group has ended.
    async fn ada_and_grace(&self) {
        let ada = json!({
            "email": "ada@example.org", "given_name": "Ada", "family_name": "Furnace", "phone": "+12125550123",
            "postal_code": "44035", "country": "US", "involvement": ["worker", "frontline"],
            "consent": { "email": true, "phone": true }, "source": { "code": "flyer" },
        });
        self.supporter_of(&ada).await;
        self.supporter("grace@example.org").await;
        let now = self.clock.now();
        let write = move |db: &mut _| {
            use diesel::prelude::*;
            let number: i64 = schema::supporters::table
                .filter(schema::supporters::email.eq("ada@example.org"))
                .select(schema::supporters::number)
                .first(db)?;
            for (place, slug) in [(1_i64, "steel"), (2, "ohio"), (3, "zinc")] {
                let tag = (schema::tags::number.eq(place), schema::tags::slug.eq(slug));
                diesel::insert_into(schema::tags::table)
                    .values((tag, schema::tags::created_at.eq(now)))
                    .execute(db)?;
                let given = schema::supporter_tags::created_at.eq(now);
                let both = (
                    schema::supporter_tags::tag_number.eq(place),
                    schema::supporter_tags::supporter_number.eq(number),
                );
                diesel::insert_into(schema::supporter_tags::table).values((both, given)).execute(db)?;
            }
            let ended = Id::new();
            for (group, slug, withdrawn) in
                [(OURS, "valley", None), (OTHERS, "river", None), (ended, "ended", Some(now))]
            {
                use schema::{groups, shares};
                diesel::insert_into(groups::table)
                    .values((
                        (groups::id.eq(group), groups::slug.eq(slug), groups::name.eq(slug)),
                        (groups::kind.eq("union"), groups::website.eq(""), groups::about.eq("")),
                        (groups::regions.eq(","), groups::sectors.eq(","), groups::status.eq("member")),
                        (groups::contact_name.eq("Ms Contact"), groups::is_listed.eq(true)),
                        (groups::contact_email.eq("c@example.org"), groups::contact_email_key.eq(slug)),
                        (groups::language.eq("en"), groups::terms_id.eq(Id::new())),
                        (groups::created_at.eq(now), groups::updated_at.eq(now)),
                    ))
                    .execute(db)?;
                diesel::insert_into(shares::table)
                    .values((
                        (
                            shares::id.eq(Id::new()),
                            shares::supporter_number.eq(number),
                            shares::group_id.eq(group),
                        ),
                        (
                            shares::notice_id.eq(Id::new()),
                            shares::given_at.eq(now),
                            shares::withdrawn_at.eq(withdrawn),
                        ),
                    ))
                    .execute(db)?;
            }
            Ok::<_, StoreError>(())
        };
        self.app().kernel.store.write(Lane::Staff, write).await.unwrap();
    }

    /// More than a client's and a server's sockets hold: 60,000 people with long names.
    async fn crowd(&self) {
        let statement = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
             INSERT INTO supporters (id, email, email_key, address_hash, status, given_name, phone_consent, language,
                 involvement, form, notice_id, link_version, signed_up_at, confirmed_at, created_at, updated_at)
             SELECT CAST(CAST(1000000000000000 + i AS TEXT) AS BLOB), 'p' || CAST(i AS TEXT) || '@example.org',
                 'p' || CAST(i AS TEXT) || '@example.org', CAST(CAST(1000000000000000 + i AS TEXT) AS BLOB),
                 'confirmed', '{}', TRUE, 'en', '', 'join', CAST('0123456789abcdef' AS BLOB), 1, 1, 1, 1, 1 FROM n",
            "long".repeat(100)
        );
        let people = self.execute(statement.leak()).await;
        assert_eq!(people, 60_000);
    }

    async fn ended(&self) {
        self.until_none("SELECT count(*) AS n FROM exports WHERE finished_at IS NULL").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_and_groups_fill_their_columns_whatever_the_plan() {
    let app = TestApp::start().await;
    app.ada_and_grace().await;
    let program = app.reader().await;
    // Everybody's are gathered at once on PostgreSQL, a region's one by one.
    for query in ["csv", "csv?region=OH", "csv?tag=steel&group=valley"] {
        let rows = rows(&program.export(query).await.expect(200).body);
        let ada = &rows[0];
        assert_eq!(
            (ada["tags"].as_str(), ada["groups"].as_str()),
            ("ohio;steel;zinc", "river;valley"),
            "{query}"
        );
        assert_eq!((ada["involvement"].as_str(), ada["source"].as_str()), ("worker;frontline", "flyer"));
        assert_eq!(
            (ada["region"].as_str(), ada["form"].as_str(), ada["status"].as_str()),
            ("OH", "join", "confirmed")
        );
        assert!(rows.get(1).is_none_or(|grace| grace["tags"].is_empty() && grace["groups"].is_empty()));
        assert_eq!(rows.len(), if query == "csv" { 2 } else { 1 });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn presets_fill_the_columns_their_tools_take() {
    let app = TestApp::start().await;
    app.ada_and_grace().await;
    let program = app.reader().await;
    let ada = async |preset: &str| {
        let answer = program.export(&format!("csv?preset={preset}")).await.expect(200);
        rows(&answer.body).remove(0)
    };
    let row = ada("action_network").await;
    for (column, cell) in [
        ("first_name", "Ada"),
        ("last_name", "Furnace"),
        ("can2_phone", "+12125550123"),
        ("zip_code", "44035"),
        ("can2_state_abbreviated", "OH"),
        ("can2_user_tags", "ohio,steel,zinc"),
        ("can2_subscription_status", "subscribed"),
    ] {
        assert_eq!(row[column], cell, "{column}");
    }
    assert_eq!(row["uuid"].parse::<Id>().unwrap().to_string(), row["uuid"]);
    let row = ada("every_action").await;
    assert_eq!(
        (row["Email Address"].as_str(), row["Email Subscription Status"].as_str()),
        ("ada@example.org", "Subscribed")
    );
    let row = ada("nationbuilder").await;
    assert_eq!((row["email_opt_in"].as_str(), row["nationbuilder_id"].as_str()), ("true", ""));
    assert_eq!((row["primary_zip"].as_str(), row["tag_list"].as_str()), ("44035", "ohio,steel,zinc"));
    let row = ada("mailchimp").await;
    assert_eq!(
        (row["OPTIN_IP"].as_str(), row["CONFIRM_IP"].as_str(), row["TAGS"].as_str()),
        ("", "", "ohio,steel,zinc")
    );
    let today = app.clock.now().to_string();
    assert!(
        row["OPTIN_TIME"].starts_with(&format!("{} ", &today[..10])) && row["CONFIRM_TIME"].len() == 19,
        "{row:?}"
    );
    let row = ada("listmonk").await;
    let attributes: Value = serde_json::from_str(&row["attributes"]).unwrap();
    assert_eq!((row["name"].as_str(), attributes["region"].as_str()), ("Ada Furnace", Some("OH")));
    assert_eq!(attributes["tags"], json!(["ohio", "steel", "zinc"]));
    assert_eq!(attributes["status"], "confirmed", "the columns themselves do not say it");
    for (query, fault) in [
        ("csv?preset=salesforce", "preset: unknown_value"),
        ("csv?preset=listmonk&columns=email", "columns: contradiction"),
        ("csv?columns=email,address", "columns: unknown_column"),
        ("csv?columns=email,email", "columns: duplicate"),
        ("csv?columns=shared_at", "columns: not_for_you"),
    ] {
        let faults = program.export(query).await.expect(422).faults();
        assert!(faults.len() == 1 && (faults[0] == fault || query.contains("salesforce")), "{faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ndjson_is_an_object_a_line_with_lists_as_lists() {
    let app = TestApp::start().await;
    app.ada_and_grace().await;
    let program = app.reader().await;
    let answer = program.export("ndjson?columns=email,given_name,tags,phone,confirmed_at").await.expect(200);
    assert_eq!(answer.header("content-type"), "application/x-ndjson; charset=utf-8");
    let lines: Vec<Value> = answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["tags"], json!(["ohio", "steel", "zinc"]));
    assert_eq!(lines[0]["given_name"], "Ada");
    assert_eq!((&lines[1]["tags"], &lines[1]["phone"]), (&Value::Null, &Value::Null));
    assert!(
        answer.text().starts_with(r#"{"email":"ada@example.org","given_name":"Ada","tags":["#),
        "in the order asked for"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_packed_when_asked_on_the_way_or_as_a_file() {
    let app = TestApp::start().await;
    app.ada_and_grace().await;
    let program = app.reader().await;
    let unpacked = |bytes: &[u8]| {
        let mut text = String::new();
        GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
        text
    };
    let plain = program.export("csv").await.expect(200);
    assert!(plain.headers.get("content-encoding").is_none());
    let file = program.export("csv?gzip=true").await.expect(200);
    assert_eq!(file.header("content-type"), "application/gzip");
    assert!(file.header("content-disposition").ends_with(".csv.gz\""), "{file:?}");
    assert_eq!(unpacked(&file.body), plain.text());
    let path = format!("{EXPORTS}/supporters.csv?purpose=x");
    for (accepted, is_packed) in
        [("gzip", true), ("br, GZIP;q=0.5", true), ("gzip;q=0", false), ("identity", false)]
    {
        let request = program.ask(Method::GET, &path).header(header::ACCEPT_ENCODING, accepted);
        let answer = program.send(request).await.expect(200);
        assert_eq!(answer.headers.get("content-encoding").is_some(), is_packed, "{accepted}");
        assert_eq!(if is_packed { unpacked(&answer.body) } else { answer.text() }, plain.text());
    }
    let before = app.count("SELECT count(*) AS n FROM exports").await;
    program.head(&path).await.expect(200);
    assert_eq!(app.count("SELECT count(*) AS n FROM exports").await, before, "a HEAD takes nothing out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_takes_out_contact_fields_of_its_own_people_alone() {
    let app = TestApp::start().await;
    app.ada_and_grace().await;
    let manager = app.staff("manager@example.org", Role::GroupManager).await;
    let bind = |db: &mut _| {
        use diesel::prelude::*;
        let manager = schema::staff::table.filter(schema::staff::role.eq("group_manager"));
        diesel::update(manager).set(schema::staff::group_id.eq(Some(OURS))).execute(db)?;
        Ok::<_, StoreError>(())
    };
    app.app().kernel.store.write(Lane::Staff, bind).await.unwrap();
    let program = manager.token(&["exports"]).await;
    let answer = program.export("csv").await.expect(200);
    let header = "id,email,given_name,family_name,phone,postal_code,region,country,language,shared_at\n";
    assert!(answer.text().starts_with(header), "{}", answer.text());
    let own = rows(&answer.body);
    assert_eq!(
        (own.len(), own[0]["email"].as_str(), own[0]["phone"].as_str()),
        (1, "ada@example.org", "+12125550123")
    );
    assert_eq!(
        own[0]["shared_at"],
        app.words("SELECT CAST(given_at / 1000000 AS TEXT) AS word FROM shares")
            .await
            .remove(0)
            .parse::<i64>()
            .map(|at| openhearth::clock::Timestamp::from_seconds(at).to_string())
            .unwrap()
    );
    // Presets have their headers, and in them nothing that is not the group's.
    let others = ["river", "ended", "steel", "flyer", "worker"];
    for preset in ["action_network", "every_action", "nationbuilder", "mailchimp", "listmonk"] {
        for kind in ["csv", "ndjson"] {
            let text = program.export(&format!("{kind}?preset={preset}")).await.expect(200).text();
            assert!(text.contains("ada@example.org") && !text.contains("grace"), "{text}");
            assert!(others.iter().all(|word| !text.contains(word)), "{text}");
        }
    }
    for column in
        ["tags", "groups", "source", "form", "involvement", "signed_up_at", "confirmed_at", "notice_id"]
    {
        let faults = program.export(&format!("csv?columns=email,{column}")).await.expect(422).faults();
        assert_eq!(faults, ["columns: not_for_you"], "{column}");
    }
    program.get(EXPORTS).await.expect(403);
    app.ended().await;
    let held = |db: &mut _| {
        use diesel::prelude::*;
        let numbers: Vec<i64> = schema::supporters::table
            .order(schema::supporters::number)
            .select(schema::supporters::number)
            .load(db)?;
        let groups = |number| disclosures::groups_holding(db, number);
        numbers.into_iter().map(groups).collect::<Result<Vec<_>, _>>().map_err(StoreError::from)
    };
    assert_eq!(app.app().kernel.store.read(held).await.unwrap(), [vec![OURS], vec![]]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_took_what_and_why_is_listed_and_in_the_trail() {
    let app = TestApp::start().await;
    app.ada_and_grace().await;
    let program = app.reader().await;
    program.export("csv?q=ada&region=OH").await.expect(200);
    program.export("xlsx?columns=email,tags").await.expect(200);
    app.ended().await;
    let page = program.get(&format!("{EXPORTS}?limit=1")).await.expect(200).json();
    let newest = &page["data"][0];
    assert_eq!(
        (newest["format"].as_str(), newest["columns"].as_str()),
        (Some("xlsx"), Some("columns:email,tags"))
    );
    assert_eq!((newest["rows"].as_i64(), newest["outcome"].as_str()), (Some(2), Some("complete")));
    assert_eq!(
        (newest["staff"].as_str(), newest["taken_by"].as_str()),
        (Some("owner@example.org"), Some("owner"))
    );
    let next = page["next_cursor"].as_str().unwrap();
    let page = program.get(&format!("{EXPORTS}?limit=1&cursor={next}")).await.expect(200).json();
    let older = &page["data"][0];
    assert_eq!(
        (older["purpose"].as_str(), older["filter"]["region"].as_str()),
        (Some("newsletter"), Some("OH"))
    );
    assert!(older["filter"]["q"].as_str().unwrap().starts_with("hash:"), "{older}");
    assert!(page["next_cursor"].is_null());
    program.get(&format!("{EXPORTS}?cursor=AAAA")).await.expect(422);

    let trail = "SELECT action || ' ' || details AS word FROM audit_entries WHERE action LIKE 'export.%' ORDER BY number";
    let trail = app.words(trail).await;
    assert_eq!(trail.len(), 4, "{trail:?}");
    assert!(
        trail[0].starts_with("export.begin") && trail[0].contains(r#""purpose":"newsletter""#),
        "{trail:?}"
    );
    assert!(trail[1].starts_with("export.end") && trail[1].contains(r#""rows":1"#), "{trail:?}");
    assert!(!trail.concat().contains("ada"), "{trail:?}");
}

/// A client that reads no faster than the test says.
fn open(app: &TestApp, token: &str) -> TcpStream {
    let address = app.client().origin().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "GET {EXPORTS}/supporters.csv?purpose=x&columns=email,given_name HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

async fn token(app: &TestApp) -> String {
    let office = app.owner().await;
    let body = json!({ "name": "slow", "scopes": ["exports"] });
    let made = office.session.post_json("/api/v1/admin/tokens", &body).await.expect(201).json();
    made["token"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_away_ends_the_reading_and_is_recorded_as_cut_off() {
    let app = TestApp::start().await;
    app.crowd().await;
    let token = token(&app).await;
    let mut stream = open(&app, &token);
    let mut some = [0; 4096];
    stream.read_exact(&mut some).unwrap();
    assert!(String::from_utf8_lossy(&some).contains("p1@example.org"));
    drop(stream);
    app.ended().await;
    let ended =
        "SELECT count(*) AS n FROM exports WHERE outcome = 'cut_off' AND row_count > 0 AND row_count < 60000";
    assert_eq!(app.count(ended).await, 1);
    let count = |db: &mut _| Ok::<_, StoreError>(disclosures::including(db, 1)?.len());
    assert_eq!(app.app().kernel.store.read(count).await.unwrap(), 1, "what had left is recorded");
}

/// PostgreSQL has not counted them yet: by its guess that there are hardly any, it would look through everybody's tags again
/// for each of them, which takes minutes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_who_have_just_come_in_their_thousands_can_be_taken_out_at_once() {
    let app = TestApp::start().await;
    app.crowd().await;
    app.execute("INSERT INTO tags (slug, created_at) VALUES ('new', 1), ('all', 1)").await;
    app.execute(
        "INSERT INTO supporter_tags (tag_number, supporter_number, created_at) \
         SELECT tags.number, supporters.number, 1 FROM supporters CROSS JOIN tags",
    )
    .await;
    let program = app.reader().await;
    let list = program.export("csv?columns=email,tags,groups").await.expect(200).body;
    assert_eq!(rows(&list).iter().filter(|row| row["tags"] == "all;new").count(), 60_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_of_one_moment_from_its_first_row_to_its_last() {
    let app = TestApp::start().await;
    app.crowd().await;
    let program = app.reader().await;
    let request =
        program.ask(Method::GET, &format!("{EXPORTS}/supporters.csv?purpose=x&columns=email,given_name"));
    let mut answer = request.send().await.unwrap();
    let mut whole = answer.chunk().await.unwrap().unwrap().to_vec();
    // Every row changes, and some go, while most of the list has not been read.
    app.execute("UPDATE supporters SET given_name = 'changed'").await;
    app.execute("DELETE FROM supporters WHERE email LIKE '%9@example.org'").await;
    while let Some(piece) = answer.chunk().await.unwrap() {
        whole.extend_from_slice(&piece);
    }
    let whole = String::from_utf8(whole).unwrap();
    assert_eq!(whole.matches("@example.org").count(), 60_000);
    assert!(!whole.contains("changed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_leaves_whose_leaving_cannot_be_recorded() {
    let app = TestApp::start().await;
    app.ada_and_grace().await;
    app.execute("ALTER TABLE export_members RENAME TO elsewhere").await;
    let token = token(&app).await;
    let mut stream = open(&app, &token);
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    let text = String::from_utf8_lossy(&all);
    assert!(!text.contains("ada@example.org"), "{text}");
    assert!(!text.ends_with("0\r\n\r\n"), "an answer that is cut off must not look whole: {text}");
    app.ended().await;
    assert_eq!(app.words("SELECT outcome AS word FROM exports").await, ["cut_off"]);
}

//! Pages of the list with each filter, over HTTP; the shares, tags and dates of many are those of the oldest rows, which a
//! walk from the newest would meet last. How long each takes among a million supporters, which a slow machine may fail:
//! `ROWS=1000000 cargo test --release --test api figures -- --nocapture`, and the same by `tests/with_postgres`.

use std::time::{Duration, Instant};

use diesel::RunQueryDsl;
use openhearth::{
    staff::Sight,
    store::{Db, Lane, StoreError},
    supporters::SupporterQuery,
};
use serde_json::json;

use crate::support::TestApp;

const PAGES: usize = 15;
const CEILING: Duration = Duration::from_millis(20);

/// Statements that both databases take, but for what `for_db` replaces.
fn statements(rows: u32) -> Vec<String> {
    let numbers = "WITH RECURSIVE numbers (n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < $ROWS)";
    let names = "given (g, given_name) AS (VALUES (0, 'Ada'), (1, 'Maria'), (2, 'Martin'), (3, 'Zoe'), (4, 'Carlos'), \
                 (5, 'Ngozi'), (6, 'Annika'), (7, 'Paul'), (8, 'Peter'), (9, 'Olga')), \
                 family (f, family_name) AS (VALUES (0, 'Lopez'), (1, 'Smith'), (2, 'Okafor'), (3, 'Novak'), (4, 'Miller'), \
                 (5, 'Marsh'), (6, 'Zimmer')), \
                 domains (d, domain) AS (VALUES (0, 'example.org'), (1, 'example.com'), (2, 'mail.example'), (3, 'union.example'))";
    let people = format!(
        "INSERT INTO supporters (id, email, email_key, address_hash, status, given_name, family_name, phone, phone_consent, \
         postal_code, region, country, language, involvement, form, notice_id, source_code, utm_campaign, word_1, word_2, \
         domain, link_version, signed_up_at, confirmed_at, unsubscribed_at, created_at, updated_at) \
         {numbers}, {names} \
         SELECT RANDOM16, 'p' || n || '@' || domain, 'p' || n || '@' || domain, RANDOM16, \
         CASE WHEN n % 20 = 0 THEN 'unsubscribed' WHEN n % 100 = 1 THEN 'suppressed' ELSE 'confirmed' END, \
         given_name, family_name, CASE WHEN n % 3 = 0 THEN '+12125550123' END, n % 2 = 0, \
         substr(CAST(100000 + (n * 7919) % 100000 AS TEXT), 2), \
         CASE WHEN n % 25 = 0 THEN 'OH' ELSE 'R' || (n % 50) END, CASE WHEN n % 50 = 0 THEN 'CA' ELSE 'US' END, \
         CASE WHEN n % 10 = 0 THEN 'es' ELSE 'en' END, \
         CASE WHEN n % 500 = 0 THEN 'researcher' WHEN n % 3 = 0 THEN 'worker,advocate' ELSE 'frontline' END, \
         CASE WHEN n <= 100000 THEN 'rally' ELSE 'join' END, RANDOM16, \
         CASE WHEN n % 2 = 0 THEN 'flyer-' || (n % 1000) END, CASE WHEN n % 10 = 0 THEN 'spring' END, \
         lower(given_name), lower(family_name), domain, 1, n * 30000000, n * 30000000, \
         CASE WHEN n % 20 = 0 THEN n * 30000000 END, n * 30000000, n * 30000000 \
         FROM numbers JOIN given ON g = n % 10 JOIN family ON f = n % 7 JOIN domains ON d = (n / 10) % 4"
    );
    let tagged = |slug: &str, which: &str| {
        format!(
            "INSERT INTO supporter_tags (tag_number, supporter_number, created_at) \
             SELECT (SELECT number FROM tags WHERE slug = '{slug}'), number, 0 FROM supporters WHERE {which}"
        )
    };
    let shared = |slug: &str, which: &str| {
        format!(
            "INSERT INTO shares (id, supporter_number, group_id, notice_id, given_at) \
             SELECT RANDOM16, number, (SELECT id FROM groups WHERE slug = '{slug}'), RANDOM16, created_at \
             FROM supporters WHERE {which}"
        )
    };
    let statements = vec![
        people,
        tagged("steel", "number <= 100000"),
        tagged("volunteer", "number % 10 = 0"),
        tagged("donor", "number % 2000 = 0"),
        shared("river-towns", "number <= 30000"),
        shared("local-12", "number % 20 = 3"),
        "INSERT INTO fields (slug, label, kind, choices, created_at) VALUES ('years', 'Y', 'number', '[]', 0)".to_owned(),
        "INSERT INTO supporter_fields (field_number, supporter_number, value, rank) \
         SELECT (SELECT number FROM fields), number, CAST(number % 40 AS TEXT), number % 40 FROM supporters \
         WHERE number <= 300000"
            .to_owned(),
    ];
    statements.into_iter().map(|statement| statement.replace("$ROWS", &rows.to_string())).collect()
}

/// Every filter, and a few together.
fn queries(rows: u32) -> Vec<String> {
    let middle = jiff::Timestamp::from_second(i64::from(rows) * 15).unwrap().to_string();
    let day = jiff::Timestamp::from_second(i64::from(rows) * 15 + 86_400).unwrap().to_string();
    vec![
        String::new(),
        "status=unsubscribed".into(),
        "status=suppressed".into(),
        "region=OH".into(),
        "postal_code=44035".into(),
        "postal_prefix=4".into(),
        "postal_prefix=44".into(),
        "postal_prefix=440".into(),
        "country=CA".into(),
        "country=FR".into(),
        "language=es".into(),
        "tag=steel".into(),
        "tag=volunteer".into(),
        "tag=donor".into(),
        "tag=steel&tag=donor".into(),
        "tag_all=steel&tag_all=donor".into(),
        "tag_none=volunteer".into(),
        "involvement=worker".into(),
        "involvement=researcher".into(),
        "involvement=faith".into(),
        "form=rally".into(),
        "group=river-towns".into(),
        "group=local-12".into(),
        "group=river-towns&shared_before=1970-01-05".into(),
        "source=flyer-8".into(),
        "utm_campaign=spring".into(),
        "has_phone=true".into(),
        "has_phone=false".into(),
        format!("signed_up_after={middle}"),
        format!("signed_up_before={middle}"),
        format!("confirmed_after={middle}&confirmed_before={day}"),
        format!("unsubscribed_before={middle}"),
        format!("created_before={middle}"),
        format!("created_before={middle}&region=OH"),
        format!("signed_up_before={middle}&q=ma"),
        format!("group=local-12&shared_before={middle}"),
        "created_before=1970-01-02".into(),
        "q=a".into(),
        "q=mar".into(),
        "q=maria+lopez".into(),
        "q=p123".into(),
        "q=p123456@example.com".into(),
        "q=@union".into(),
        "q=nobody".into(),
        "field.years=7".into(),
        "field.years=7..9".into(),
        "field.years=7..7".into(),
        "segment=ohio".into(),
        "status=confirmed&region=OH&tag=volunteer&q=ma".into(),
    ]
}

impl TestApp {
    async fn fill(&self, rows: u32) {
        for statement in statements(rows) {
            let write = move |db: &mut Db| {
                let random = match db {
                    Db::Pg(_) => "uuid_send(gen_random_uuid())",
                    Db::Sqlite(_) => "randomblob(16)",
                };
                let statement = statement.replace("RANDOM16", random);
                diesel::sql_query(statement).execute(db)?;
                Ok::<_, StoreError>(())
            };
            self.app().kernel.store.write(Lane::Staff, write).await.unwrap();
        }
        self.backend.settle();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_many_is_the_beginning_of_the_whole_however_it_is_found() {
    // More than are read and sorted at once, so that every way of finding the newest is gone.
    const ROWS: u32 = 12_000;
    let app = TestApp::start().await;
    app.populate(&[]).await;
    app.fill(ROWS).await;
    let editor = app.editor().await;
    let segment = json!({ "slug": "ohio", "name": "Ohio", "query": "region=OH&status=confirmed" });
    editor.post_json("/api/v1/admin/segments", &segment).await.expect(201);
    for text in queries(ROWS).into_iter().chain(["q=p".to_owned(), "q=p&region=OH".to_owned()]) {
        let query: SupporterQuery = openhearth::http::read_query(&text).unwrap();
        let mut whole = app.matched(&query, Sight::Everybody).await.unwrap();
        let page = editor.supporters(&format!("?limit=40&{text}")).await.expect(200).json();
        let mut found: Vec<String> = Vec::new();
        let rows = |page: &serde_json::Value| -> Vec<String> {
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["email"].as_str().unwrap().to_owned())
                .collect()
        };
        found.extend(rows(&page));
        if let Some(cursor) = page["next_cursor"].as_str() {
            let next =
                editor.supporters(&format!("?limit=40&{text}&cursor={cursor}")).await.expect(200).json();
            found.extend(rows(&next));
        }
        whole.truncate(80);
        assert_eq!(found, whole, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_filter_gives_its_pages_and_of_as_many_rows_as_are_asked_for_in_time() {
    let asked = std::env::var("ROWS").ok().map(|rows| rows.parse().unwrap());
    let rows = asked.unwrap_or(2_000);
    let app = TestApp::start().await;
    app.populate(&[]).await;
    let begun = Instant::now();
    app.fill(rows).await;
    println!("{rows} rows in {:.0} s", begun.elapsed().as_secs_f64());
    let editor = app.owner().await.token(&["supporters:read", "supporters:write", "stats"]).await;
    let segment = json!({ "slug": "ohio", "name": "Ohio", "query": "region=OH&status=confirmed" });
    let begun = Instant::now();
    editor.post_json("/api/v1/admin/segments", &segment).await.expect(201);
    println!("{:40} {:>8.1} ms", "a segment with its count", begun.elapsed().as_secs_f64() * 1e3);
    let mut slow = Vec::new();
    for query in queries(rows) {
        let mut times = Vec::new();
        let mut rows = 0;
        for page in 0..PAGES {
            let mut path = format!("?{query}");
            let begun = Instant::now();
            let answer = editor.supporters(&path).await.expect(200);
            times.push(begun.elapsed());
            let first = answer.json();
            rows = first["data"].as_array().unwrap().len();
            if page == 0
                && let Some(cursor) = first["next_cursor"].as_str()
            {
                path = format!("{path}&cursor={cursor}");
                editor.supporters(&path).await.expect(200);
            }
        }
        times.sort_unstable();
        let p50 = times[PAGES / 2];
        println!("{:60} {rows:>3} rows {:>8.1} ms", query, p50.as_secs_f64() * 1e3);
        if asked.is_some() && p50 > CEILING {
            slow.push(query);
        }
    }
    for query in ["tag=steel", "region=OH", "q=mar", ""] {
        let path = format!("/api/v1/admin/tags/donor/apply?{query}");
        let begun = Instant::now();
        let dry =
            editor.post_json(&path, &json!({ "action": "add", "dry_run": true })).await.expect(200).json();
        println!("{:60} counted {:>8.1} ms", format!("{query} {dry}"), begun.elapsed().as_secs_f64() * 1e3);
    }
    let begun = Instant::now();
    let path = "/api/v1/admin/tags/donor/apply?tag=steel";
    let done = editor.post_json(path, &json!({ "action": "add" })).await.expect(200).json();
    println!("tagged {} in {:.2} s", done["changed"], begun.elapsed().as_secs_f64());
    let again = editor.post_json(path, &json!({ "action": "add" })).await.expect(200).json();
    assert_eq!(again["changed"], 0, "whom it meets has it");
    let mut times = Vec::new();
    for _ in 0..PAGES {
        let begun = Instant::now();
        editor.get("/api/v1/admin/stats").await.expect(200);
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    println!("{:60} p50 {:>8.1} ms", "stats", times[PAGES / 2].as_secs_f64() * 1e3);
    assert_eq!(slow, [""; 0], "slower than 20 ms");
}

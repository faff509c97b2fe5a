//! The figures of the dashboard: exact whatever happens, and nothing but figures.

use openhearth::{counts, stats, store::StoreError};
use serde_json::{Value, json};

use crate::{
    imports,
    support::{Client, DAY, TestApp, person},
};

const STATS: &str = "/api/v1/admin/stats";

impl TestApp {
    /// What the figures lack to be what the rows say.
    async fn differences(&self) -> Vec<counts::Count> {
        let read = |db: &mut _| Ok::<_, StoreError>(stats::differences(db)?);
        self.app().kernel.store.read(read).await.unwrap()
    }

    /// Invites those of a list who may be; how many.
    async fn invite_list(&self, importer: &Client, list: &[u8]) -> i64 {
        let seen = self.preview(importer, list, &imports::invite()).await;
        let id = imports::id(&seen);
        importer.post_json(&format!("{}/{id}/start", imports::IMPORTS), &json!({})).await.expect(202);
        self.work().await;
        importer.import(id).await["counts"]["invited"].as_i64().unwrap()
    }

    async fn fold(&self) -> usize {
        counts::fold(&self.app().kernel.store).await.unwrap()
    }
}

/// A number after the other, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Acts as slices carry them out, and as bulk work does, many rows in one statement.
const ACTS: [&str; 12] = [
    "INSERT INTO supporters (id, email, email_key, address_hash, status, region, source_code, phone_consent, language,
         involvement, form, notice_id, link_version, signed_up_at, confirmed_at, created_at, updated_at)
     SELECT CAST(CAST(number + 1000000000000000 AS TEXT) AS BLOB), 'n' || CAST(number AS TEXT), 'n' || CAST(number AS TEXT),
         CAST(CAST(number + 1000000000000000 AS TEXT) AS BLOB), status, region, 'flyer', phone_consent, language, involvement, form,
         notice_id, 1, 1, 1, 1, 1 FROM supporters WHERE email LIKE 'p%' AND NOT EXISTS (SELECT 1 FROM supporters AS other
         WHERE other.email_key = 'n' || CAST(supporters.number AS TEXT))",
    "DELETE FROM supporters WHERE email LIKE 'n%' AND number % 2 = 0",
    "UPDATE supporters SET region = 'OH' WHERE number % 3 = 0",
    "UPDATE supporters SET region = NULL WHERE number % 5 = 0",
    "UPDATE supporters SET status = 'unsubscribed' WHERE number % 4 = 1",
    "UPDATE supporters SET status = 'confirmed', region = 'PA', source_code = 'web' WHERE number % 4 = 2",
    "UPDATE supporters SET status = 'suppressed' WHERE number % 7 = 3",
    "UPDATE supporters SET given_name = 'Ada'",
    "INSERT INTO shares (id, supporter_number, group_id, notice_id, given_at)
     SELECT CAST(CAST(number + 1000000000000000 AS TEXT) AS BLOB), number, (SELECT id FROM groups ORDER BY id LIMIT 1), notice_id, 1 FROM supporters
     WHERE NOT EXISTS (SELECT 1 FROM shares WHERE supporter_number = number) AND EXISTS (SELECT 1 FROM groups)",
    "UPDATE shares SET withdrawn_at = 5 WHERE supporter_number % 3 = 1",
    "DELETE FROM shares WHERE supporter_number % 5 = 2",
    "UPDATE signups SET state = 'expired' WHERE state = 'pending'",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_agree_with_a_recount_after_every_act() {
    let app = TestApp::start().await;
    app.execute(
        "INSERT INTO groups (id, slug, name, kind, website, regions, sectors, about, contact_name, contact_email,
             contact_email_key, status, is_listed, language, terms_id, created_at, updated_at)
         VALUES (CAST('the valley union' AS BLOB), 'valley', 'V', 'faith', '', ',', ',', '', '', 'g@example.org', 'g',
             'member', TRUE, 'en', CAST('the terms of ours' AS BLOB), 1, 1)",
    )
    .await;
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut links = Vec::new();
    let (importer, mut invited, mut seen) = (app.importer().await, 0, [0, 0]);
    for step in 0..60 {
        match dice.roll(8) {
            0 | 1 => {
                app.client().join(&person(&format!("p{}@example.org", dice.roll(12)))).await.expect(202);
            }
            2 => {
                for mail in app.settle().await {
                    links.extend(mail.find_link("/confirm/"));
                }
            }
            3 => {
                if let Some(link) = links.pop() {
                    app.client().confirm(&link).await;
                }
            }
            4 => drop(app.fold().await),
            5 => app.advance(DAY),
            6 => drop(app.purge().await),
            7 => {
                // Some of them are asked already, some are in: an import decides as it always does.
                let list = format!("email\np{0}@example.org\ni{step}@example.org\n", dice.roll(12));
                invited += app.invite_list(&importer, list.as_bytes()).await;
            }
            _ => {}
        }
        let act = usize::try_from(dice.roll(24)).unwrap();
        if let Some(act) = ACTS.get(act) {
            app.execute(act).await;
        }
        assert_eq!(app.differences().await, [], "step {step}");
        seen[0] += app.count("SELECT count(*) AS n FROM supporters").await;
        seen[1] += app.count("SELECT count(*) AS n FROM shares").await;
    }
    assert!(seen.iter().all(|rows| *rows > 0) && invited > 0, "{seen:?} {invited}");
    app.fold().await;
    assert_eq!(app.differences().await, []);
    assert_eq!(app.count("SELECT count(*) AS n FROM count_deltas").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_whom_an_import_invites_are_asked_and_no_rate_passes_one() {
    let app = TestApp::start().await;
    let importer = app.owner().await.token(&["imports", "stats"]).await;
    let list = b"email\nada@example.org\nbo@example.org\n";
    assert_eq!(app.invite_list(&importer, list).await, 2);
    app.advance(std::time::Duration::from_secs(3_600));
    let mails = app.deliver().await;
    let client = app.client();
    client.confirm(&mails[0].link("/confirm/")).await.expect(200);
    let stats = importer.get(&format!("{STATS}?days=7")).await.expect(200).json();
    let sum = |name: &str| {
        stats["periods"].as_array().unwrap().iter().map(|one| one[name].as_i64().unwrap()).sum::<i64>()
    };
    assert_eq!((sum("asked"), sum("answered"), &stats["confirmation_rate"]), (2, 1, &json!(0.5)));
    assert_eq!(app.differences().await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_has_invited_before_is_counted_right_once_it_is_migrated() {
    let app = TestApp::start().await;
    let importer = app.importer().await;
    app.client().join(&person("cy@example.org")).await.expect(202);
    app.settle().await;
    app.fold().await;
    assert_eq!(app.invite_list(&importer, b"email\nada@example.org\nbo@example.org\n").await, 2);
    // As it was before: they were counted by nobody.
    app.fold().await;
    app.execute("DELETE FROM counts WHERE dimension = 'asked'").await;
    app.execute("INSERT INTO counts (dimension, key, slot, amount) SELECT 'asked', '', min(created_at) / 900000000, 1 FROM signups").await;
    assert_eq!(app.differences().await.iter().map(|one| one.amount).sum::<i64>(), 2);
    let (sqlite, postgres) = (
        include_str!("../../migrations/sqlite/2026-11-25-000051_count_invited/up.sql"),
        include_str!("../../migrations/postgres/2026-11-25-000051_count_invited/up.sql"),
    );
    let marker = "-- Those who were invited before this";
    let correction = |up: &'static str| &up[up.find(marker).unwrap()..];
    assert_eq!(correction(sqlite), correction(postgres));
    app.execute(correction(sqlite)).await;
    assert_eq!(app.differences().await, []);
    app.fold().await;
    assert_eq!(app.differences().await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dashboard_shows_what_came_by_day_and_from_where() {
    let app = TestApp::start().await;
    let signup = |email: &str, code: &str, zip: &str| json!({ "email": email, "postal_code": zip, "country": "US", "consent": { "email": true }, "source": { "code": code } });
    app.supporter_of(&signup("a@example.org", "flyer", "44035")).await;
    app.supporter_of(&signup("b@example.org", "flyer", "44035")).await;
    let left = app.supporter_of(&signup("c@example.org", "web", "15201")).await;
    app.client().post(&left.link("/unsubscribe/")).await.expect(200);
    app.client().join(&person("d@example.org")).await.expect(202);
    app.client().join(&person("a@example.org")).await.expect(202);
    app.settle().await;
    app.advance(DAY);
    app.client().join(&person("e@example.org")).await.expect(202);

    let analyst = app.owner().await.token(&["stats"]).await;
    let stats = analyst.get(&format!("{STATS}?days=7")).await.expect(200);
    assert!(!stats.text().contains("example.org"));
    let stats = stats.json();
    assert_eq!(stats["totals"], json!({ "confirmed": 2, "unsubscribed": 1, "suppressed": 0, "all": 3 }));
    assert_eq!(stats["top_sources"], json!([{ "key": "flyer", "supporters": 2 }]));
    assert_eq!(stats["by_region"], json!([{ "key": "OH", "supporters": 2 }]));
    assert_eq!(stats["by_form"], json!([{ "key": "join", "supporters": 2 }]));
    let periods = stats["periods"].as_array().unwrap();
    assert_eq!(periods.len(), 7);
    let (yesterday, today) = (&periods[5], &periods[6]);
    assert_eq!(yesterday["signups"], 5);
    assert_eq!(
        (&yesterday["asked"], &yesterday["answered"], &yesterday["confirmations"]),
        (&json!(4), &json!(3), &json!(3))
    );
    assert_eq!((&yesterday["confirmation_rate"], &stats["confirmation_rate"]), (&json!(0.75), &json!(0.75)));
    assert_eq!(today["signups"], 0, "intake counts nothing; triage does");
    app.triage().await;
    let after = analyst.get(STATS).await.expect(200).json();
    let days = after["periods"].as_array().unwrap();
    assert_eq!((days.len(), &days[29]["signups"]), (30, &json!(1)));
    let weeks = analyst.get(&format!("{STATS}?days=28&by=week")).await.expect(200).json();
    assert!(matches!(weeks["periods"].as_array().unwrap().len(), 4 | 5), "{weeks}");
    for query in ["days=0", "days=371", "by=month", "since=2026"] {
        analyst.get(&format!("{STATS}?{query}")).await.expect(422);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_corrects_what_is_wrong_and_nothing_else() {
    let app = TestApp::start().await;
    app.supporter("ada@example.org").await;
    app.fold().await;
    assert_eq!(stats::rebuild(&app.app().kernel).await.unwrap(), 0);
    app.execute("UPDATE counts SET amount = 7 WHERE dimension = 'status'").await;
    app.execute("DELETE FROM counts WHERE dimension = 'form'").await;
    app.execute("INSERT INTO counts (dimension, key, slot, amount) VALUES ('region', 'ZZ', 0, 3)").await;
    assert_eq!(app.differences().await.len(), 3);
    assert_eq!(stats::rebuild(&app.app().kernel).await.unwrap(), 3);
    assert_eq!(app.differences().await, []);
    let stats: Value = app.owner().await.token(&["stats"]).await.get(STATS).await.expect(200).json();
    assert_eq!((&stats["totals"]["confirmed"], stats["by_region"].as_array().unwrap().len()), (&json!(1), 1));
}

//! Recalls: whoever withdraws, leaves, is erased or suppressed is recalled from every group that ever exported them;
//! the feed, its acknowledgement, the webhook, and what staff see.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use openhearth::{
    groups::{self, shares},
    id::Id,
    keys::sha256_hex,
    supporters,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, DAY, HOUR, MINUTE, Receiver, Says, TestApp};

/// `(number, address_sha256)` of what waits for the group.
async fn feed(program: &Client, slug: &str, since: i64) -> Vec<(i64, String)> {
    let page = program.get(&format!("/api/v1/groups/{slug}/recalls?since={since}")).await.expect(200).json();
    let row =
        |row: &Value| (row["number"].as_i64().unwrap(), row["address_sha256"].as_str().unwrap().to_owned());
    page["data"].as_array().unwrap().iter().map(row).collect()
}

fn hashes(emails: &[&str]) -> Vec<String> {
    emails.iter().map(sha256_hex).collect()
}

impl TestApp {
    async fn withdraw(&self, email: &str, group: Id) {
        let (key, now) = (email.to_owned(), self.clock.now());
        self.write(move |db| {
            let person = supporters::find_by_key(db, &key)?.unwrap();
            shares::withdraw(db, person.number, group, now)
        })
        .await;
    }

    /// A group whose webhook is `receiver`, three people in its export, and its secret.
    async fn group_with_webhook(&self, receiver: &Receiver) -> (Id, Client, String) {
        let group = self.group("valley").await;
        let (_, program) = self.manager("manager@example.org", group).await;
        for email in ["ada@example.org", "bea@example.org", "cyd@example.org"] {
            self.supporter(email).await;
            self.share(email, group).await;
        }
        self.hold(group, &["ada@example.org", "bea@example.org", "cyd@example.org"]).await;
        let set = program.post_json("/api/v1/groups/valley/webhook", &json!({ "url": receiver.url })).await;
        let secret = set.expect(201).json()["secret"].as_str().unwrap().to_owned();
        (group, program, secret)
    }

    async fn deliver_recalls(&self) -> usize {
        self.app().recalls.deliver_due().await.unwrap()
    }

    async fn start_trusting(receiver: &Receiver, allow_private: bool) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &receiver.certificate.pem).unwrap();
        Self::start_with(|config| {
            config.groups.webhook_allow_private = allow_private;
            config.groups.webhook_ca_file = Some(file.path().to_owned());
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_out_is_recalled_from_those_who_exported_the_person_and_from_nobody_else() {
    let app = TestApp::start().await;
    let (a, b, c) = (app.group("aspen").await, app.group("birch").await, app.group("cedar").await);
    let everybody =
        ["withdraws@example.org", "leaves@example.org", "erases@example.org", "suppressed@example.org"];
    let mut welcomes = Vec::new();
    for email in everybody {
        welcomes.push(app.supporter(email).await);
        for group in [a, b, c] {
            app.share(email, group).await;
        }
    }
    app.hold(a, &everybody).await;
    app.hold(b, &everybody).await;
    let owner = app.owner().await.token(&["groups"]).await;

    app.withdraw(everybody[0], a).await;
    assert_eq!(feed(&owner, "aspen", 0).await.len(), 1);
    assert_eq!(feed(&owner, "birch", 0).await, [], "shared still, and so not to be forgotten");

    let client = app.client();
    client.post(&welcomes[1].link("/unsubscribe/")).await.expect(200);
    client.post(&welcomes[1].link("/unsubscribe/")).await.expect(200);
    let preferences = welcomes[2].link("/preferences/");
    client.post(&format!("{preferences}/link")).await.expect(200);
    let fresh = app.settle_one().await.link("/preferences/");
    client.delete(&format!("/api/v1{fresh}")).await.expect(204);
    let (keys, now) = (app.app().kernel.keys.clone(), app.clock.now());
    let suppressed = keys.address_hash(everybody[3]);
    app.write(move |db| supporters::suppress(db, suppressed, "manual", now)).await;

    let seen = feed(&owner, "aspen", 0).await;
    assert_eq!(seen.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(seen.into_iter().map(|(_, hash)| hash).collect::<Vec<_>>(), hashes(&everybody));
    let birch: Vec<_> = feed(&owner, "birch", 0).await.into_iter().map(|(_, hash)| hash).collect();
    assert_eq!(birch, hashes(&everybody[1..]));
    assert_eq!(feed(&owner, "cedar", 0).await, [], "never had them");

    let active = "SELECT count(*) AS n FROM shares WHERE withdrawn_at IS NULL";
    assert_eq!(app.count(active).await, 2, "the first one's with birch and cedar");
    app.app().kernel.store.scrubbed().await;
    assert_eq!(app.backend.places_with("erases@example.org"), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_reads_its_feed_in_pages_and_acknowledges_it_whole_or_in_parts() {
    let app = TestApp::start().await;
    let (valley, mill) = (app.group("valley").await, app.group("mill").await);
    let (_, program) = app.manager("manager@example.org", valley).await;
    let emails: Vec<String> = (0..5).map(|n| format!("p{n}@example.org")).collect();
    for email in &emails {
        app.supporter(email).await;
        app.share(email, valley).await;
    }
    let all: Vec<&str> = emails.iter().map(String::as_str).collect();
    app.hold(valley, &all).await;
    for email in &all {
        app.withdraw(email, valley).await;
    }

    let page = program.get("/api/v1/groups/valley/recalls?limit=2").await.expect(200).json();
    assert_eq!(page["next_cursor"], "2");
    let row = &page["data"][0];
    let names: Vec<&String> = row.as_object().unwrap().keys().collect();
    assert_eq!(names, ["address_sha256", "created_at", "number", "supporter_id"]);
    let last = program.get("/api/v1/groups/valley/recalls?limit=2&since=4").await.expect(200).json();
    assert_eq!((last["data"].as_array().unwrap().len(), &last["next_cursor"]), (1, &Value::Null));
    let lines = program.get("/api/v1/groups/valley/recalls.ndjson?since=3").await.expect(200);
    assert_eq!(lines.header("content-type"), "application/x-ndjson");
    assert_eq!(lines.header("cache-control"), "no-store");
    let asked = program.ask(Method::GET, "/api/v1/groups/valley/recalls?since=3");
    let accepted = program.send(asked.header("accept", "application/x-ndjson")).await.expect(200);
    assert_eq!(accepted.body, lines.body);
    let numbers: Vec<Value> = lines
        .text()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["number"].clone())
        .collect();
    assert_eq!(numbers, [4, 5]);

    let acknowledge =
        async |body: Value| program.post_json("/api/v1/groups/valley/recalls/acknowledge", &body).await;
    assert_eq!(acknowledge(json!({ "numbers": [4, 99] })).await.expect(200).json()["acknowledged"], 1);
    assert_eq!(acknowledge(json!({ "up_to": 2 })).await.expect(200).json()["acknowledged"], 2);
    assert_eq!(acknowledge(json!({ "up_to": 2 })).await.expect(200).json()["acknowledged"], 0);
    assert_eq!(feed(&program, "valley", 0).await.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [3, 5]);
    assert_eq!(acknowledge(json!({})).await.faults(), ["up_to: required"]);
    assert_eq!(acknowledge(json!({ "up_to": 0 })).await.faults(), ["up_to: out_of_range"]);
    assert_eq!(acknowledge(json!({ "up_to": 1, "numbers": [1] })).await.faults(), ["numbers: contradiction"]);
    assert_eq!(acknowledge(json!({ "numbers": vec![1; 1001] })).await.faults(), ["numbers: too_many"]);
    let since = program.get("/api/v1/groups/valley/recalls?since=-1").await;
    assert_eq!(since.faults(), ["since: out_of_range"]);
    program.get("/api/v1/groups/valley/recalls?since=x").await.expect(422);

    // Acknowledged people who share again and are withdrawn again are owed again; sharing again settles what waits.
    app.share(all[2], valley).await;
    assert_eq!(feed(&program, "valley", 0).await.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [5]);
    app.withdraw(all[2], valley).await;
    assert_eq!(feed(&program, "valley", 0).await.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [5, 6]);

    // Another group's, and one that is not there, are the same to them.
    app.hold(mill, &all).await;
    for slug in ["mill", "nowhere"] {
        program.get(&format!("/api/v1/groups/{slug}/recalls")).await.expect(404);
        let body = json!({ "up_to": 9 });
        program.post_json(&format!("/api/v1/groups/{slug}/recalls/acknowledge"), &body).await.expect(404);
        program.get(&format!("/api/v1/groups/{slug}/webhook")).await.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recall_that_waits_too_long_is_shown_and_one_that_waits_for_30_days_ends() {
    let app = TestApp::start().await;
    let valley = app.group("valley").await;
    app.group("mill").await;
    let owner = app.owner().await.token(&["groups"]).await;
    for email in ["ada@example.org", "bea@example.org"] {
        app.supporter(email).await;
        app.share(email, valley).await;
    }
    app.hold(valley, &["ada@example.org", "bea@example.org"]).await;
    app.withdraw("ada@example.org", valley).await;
    app.advance(8 * DAY);
    app.withdraw("bea@example.org", valley).await;

    let overdue = owner.get("/api/v1/admin/recalls?overdue=true").await.expect(200).json();
    let standing = &overdue["data"][0];
    assert_eq!(
        (&standing["slug"], &standing["waiting"], &standing["overdue"]),
        (&json!("valley"), &json!(2), &json!(1))
    );
    assert_eq!(app.app().recalls.count_overdue().await.unwrap(), 1);
    owner.post_json("/api/v1/groups/valley/recalls/acknowledge", &json!({ "up_to": 1 })).await.expect(200);
    let overdue = owner.get("/api/v1/admin/recalls?overdue=true").await.expect(200).json();
    assert_eq!(overdue["data"], json!([]));

    app.advance(29 * DAY);
    assert_eq!(app.app().recalls.expire().await.unwrap(), 0);
    app.advance(2 * DAY);
    assert_eq!(app.app().recalls.expire().await.unwrap(), 1);
    let all = owner.get("/api/v1/admin/recalls").await.expect(200).json();
    let standing = &all["data"][0];
    assert_eq!(all["data"].as_array().unwrap().len(), 1, "mill was never owed any");
    assert_eq!(
        (&standing["waiting"], &standing["acknowledged"], &standing["expired"]),
        (&json!(0), &json!(1), &json!(1))
    );
    let acts = app.words("SELECT action AS word FROM audit_entries ORDER BY number").await;
    assert!(acts.contains(&"recall.acknowledge".to_owned()) && acts.contains(&"recall.expire".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_fails_twice_gets_its_recalls_signed_and_acknowledges_them() {
    let receiver = Receiver::start().await;
    let app = TestApp::start_trusting(&receiver, true).await;
    let (group, program, secret) = app.group_with_webhook(&receiver).await;
    assert_eq!(app.deliver_recalls().await, 0, "nothing is owed");
    app.withdraw("ada@example.org", group).await;
    app.withdraw("bea@example.org", group).await;

    receiver.order([Says::Answer(500, String::new()), Says::Answer(404, String::new())]);
    assert_eq!(app.deliver_recalls().await, 1);
    assert_eq!(app.deliver_recalls().await, 0, "not before its delay");
    let view = program.get("/api/v1/groups/valley/webhook").await.expect(200).json();
    assert_eq!(view["last_error"], "it answered 500");
    app.advance(MINUTE);
    assert_eq!(app.deliver_recalls().await, 1);
    app.advance(MINUTE);
    assert_eq!(app.deliver_recalls().await, 0, "the delay has grown");
    app.advance(MINUTE);
    assert_eq!(feed(&program, "valley", 0).await.len(), 2);
    assert_eq!(app.deliver_recalls().await, 1);
    assert_eq!(feed(&program, "valley", 0).await, []);

    let deliveries = receiver.take();
    assert_eq!(deliveries.len(), 3);
    for delivery in &deliveries {
        assert!(delivery.head.starts_with("POST /recalls?from=openhearth HTTP/1.1\r\n"), "{}", delivery.head);
        assert_eq!(delivery.header("content-type"), "application/json");
        let signature = delivery.header("openhearth-signature");
        let (time, hex) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{time}.").as_bytes());
        mac.update(&delivery.body);
        let expected: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected);
    }
    let body = deliveries[2].json();
    assert_eq!((&body["type"], &body["group"]), (&json!("recalls"), &json!("valley")));
    let sent: Vec<&str> = body["recalls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|recall| recall["address_sha256"].as_str().unwrap())
        .collect();
    assert_eq!(sent, hashes(&["ada@example.org", "bea@example.org"]));
    let view = program.get("/api/v1/groups/valley/webhook").await.expect(200).json();
    assert_eq!((&view["last_error"], &view["failing_since"]), (&Value::Null, &Value::Null));
    assert_eq!(app.backend.places_with(&secret), Vec::<String>::new(), "nothing secret is stored");

    // Part of a delivery, acknowledged by number.
    app.withdraw("cyd@example.org", group).await;
    app.share("ada@example.org", group).await;
    app.withdraw("ada@example.org", group).await;
    receiver.order([Says::Answer(200, json!({ "acknowledged_up_to": 3 }).to_string())]);
    app.deliver_recalls().await;
    assert_eq!(feed(&program, "valley", 0).await.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_is_given_up_after_three_days_and_begins_again_when_staff_say_so() {
    let receiver = Receiver::start().await;
    let app = TestApp::start_trusting(&receiver, true).await;
    let (group, program, _) = app.group_with_webhook(&receiver).await;
    let owner = app.owner().await.token(&["groups"]).await;
    app.withdraw("ada@example.org", group).await;
    receiver.say(Says::Answer(503, String::new()));
    let mut tries = 0;
    for _ in 0..100 {
        tries += app.deliver_recalls().await;
        app.advance(HOUR);
    }
    assert!((10..40).contains(&tries), "{tries}");
    let view = program.get("/api/v1/groups/valley/webhook").await.expect(200).json();
    assert!(view["given_up_at"].is_string(), "{view}");
    let standing = owner.get("/api/v1/admin/recalls").await.expect(200).json()["data"][0].clone();
    assert_eq!(
        (&standing["webhook_given_up"], &standing["webhook_error"]),
        (&json!(true), &json!("it answered 503"))
    );

    let replay = format!("/api/v1/admin/groups/{group}/recalls/replay");
    program.post(&replay).await.expect(403);
    owner.post(&replay).await.expect(202);
    owner.post(&format!("/api/v1/admin/groups/{}/recalls/replay", Id::new())).await.expect(404);
    receiver.say(Says::Answer(204, String::new()));
    assert_eq!(app.deliver_recalls().await, 1);
    assert_eq!(feed(&program, "valley", 0).await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_redirects_floods_or_hangs_acknowledges_nothing_and_holds_nobody_up() {
    let receiver = Receiver::start().await;
    let quick = Receiver::start().await;
    let app = TestApp::start_trusting(&receiver, true).await;
    let (group, program, _) = app.group_with_webhook(&receiver).await;
    app.withdraw("ada@example.org", group).await;
    let last_error =
        async || program.get("/api/v1/groups/valley/webhook").await.expect(200).json()["last_error"].clone();
    for (says, error) in [
        (Says::Redirect(quick.url.clone()), "it answered 302"),
        (Says::Flood, "its answer is longer than 64 KiB"),
        (
            Says::Answer(200, json!({ "acknowledged_up_to": "all" }).to_string()),
            "acknowledged_up_to in its answer is not the number of a recall",
        ),
        (Says::Answer(200, "x".repeat(70_000)), "its answer is longer than 64 KiB"),
        (Says::Nothing, "it did not answer within 10 seconds"),
    ] {
        receiver.order([says]);
        let begun = std::time::Instant::now();
        assert_eq!(app.deliver_recalls().await, 1);
        assert!(begun.elapsed() < Duration::from_secs(15));
        assert_eq!(last_error().await, error);
        app.advance(6 * HOUR);
    }
    assert_eq!(quick.take().len(), 0, "a redirect is not followed");
    assert_eq!(feed(&program, "valley", 0).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_must_be_https_with_a_known_certificate_and_lead_out() {
    let receiver = Receiver::start().await;
    let stranger = Receiver::start().await;
    let app = TestApp::start_trusting(&receiver, false).await;
    let group = app.group("valley").await;
    let (_, program) = app.manager("manager@example.org", group).await;
    let set =
        async |url: &str| program.post_json("/api/v1/groups/valley/webhook", &json!({ "url": url })).await;
    for url in ["http://example.org/", "ftp://example.org/", "https://a:b@example.org/", "", "x", "https://"]
    {
        assert_eq!(set(url).await.faults(), ["url: invalid_url"], "{url}");
    }
    for url in [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://10.0.0.1/",
        "https://169.254.169.254/",
        "https://192.168.1.1:8443/",
        "https://[fd00::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://0.0.0.0/",
    ] {
        assert_eq!(set(url).await.faults(), ["url: private_address"], "{url}");
    }
    set("https://hooks.invalid/").await.expect(201);
    program.delete("/api/v1/groups/valley/webhook").await.expect(204);
    program.delete("/api/v1/groups/valley/webhook").await.expect(404);
    program.get("/api/v1/groups/valley/webhook").await.expect(404);

    // A name that was public when it was set, and is not any more: the delivery looks again.
    set("https://hooks.invalid/").await.expect(201);
    app.supporter("ada@example.org").await;
    app.share("ada@example.org", group).await;
    app.hold(group, &["ada@example.org"]).await;
    app.withdraw("ada@example.org", group).await;
    let url = receiver.url.clone();
    let point_at = async |app: &TestApp, url: String| {
        app.write(move |db| {
            use diesel::{ExpressionMethods, RunQueryDsl};
            use openhearth::store::schema::group_webhooks;
            diesel::update(group_webhooks::table).set(group_webhooks::url.eq(url)).execute(db)
        })
        .await
    };
    point_at(&app, url).await;
    let last_error =
        async || program.get("/api/v1/groups/valley/webhook").await.expect(200).json()["last_error"].clone();
    app.deliver_recalls().await;
    assert_eq!(last_error().await, "its name has an address that is not public");
    assert_eq!(receiver.take().len(), 0, "no connection was made");

    let app = TestApp::start_trusting(&receiver, true).await;
    let (group, program, _) = app.group_with_webhook(&stranger).await;
    app.withdraw("ada@example.org", group).await;
    app.deliver_recalls().await;
    let view = program.get("/api/v1/groups/valley/webhook").await.expect(200).json();
    assert_eq!(view["last_error"], "its certificate was not accepted, or it does not speak TLS");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_leaves_is_recalled_all_its_people_and_can_do_nothing_else() {
    let app = TestApp::start().await;
    let valley = app.group("valley").await;
    let (office, program) = app.manager("manager@example.org", valley).await;
    let emails: Vec<String> = (0..230).map(|n| format!("p{n:03}@example.org")).collect();
    for email in &emails {
        app.client().join(&crate::support::person(email)).await.expect(202);
    }
    for mail in app.settle().await {
        app.client().confirm(&mail.link("/confirm/")).await.expect(200);
    }
    app.deliver().await;
    for email in &emails {
        app.share(email, valley).await;
    }
    // The last one shares, and was in no export yet.
    let held: Vec<&str> = emails[..229].iter().map(String::as_str).collect();
    app.hold(valley, &held).await;
    let set = json!({ "url": "https://hooks.invalid/" });
    program.post_json("/api/v1/groups/valley/webhook", &set).await.expect(201);
    app.write(move |db| groups::begin_departure(db, valley)).await;
    app.execute("UPDATE groups SET status = 'left'").await;

    program.get("/api/v1/groups/valley/webhook").await.expect(403);
    program.post_json("/api/v1/groups/valley/webhook", &set).await.expect(403);
    assert!(app.app().recalls.depart().await.unwrap() >= 5, "in pieces");
    assert_eq!(app.app().recalls.depart().await.unwrap(), 0);
    assert_eq!(app.count("SELECT count(*) AS n FROM shares WHERE withdrawn_at IS NULL").await, 0);
    let page = program.get("/api/v1/groups/valley/recalls?limit=500").await.expect(200).json();
    assert_eq!(page["data"].as_array().unwrap().len(), 229);
    let body = json!({ "up_to": 500 });
    let acknowledged =
        program.post_json("/api/v1/groups/valley/recalls/acknowledge", &body).await.expect(200);
    assert_eq!(acknowledged.json()["acknowledged"], 229);
    office.session.get("/api/v1/admin/me").await.expect(200);
    office.session.get("/api/v1/admin/supporters").await.expect(403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn recalls_of_a_group_commit_in_the_order_of_their_numbers() {
    let app = TestApp::start().await;
    let valley = app.group("valley").await;
    let owner = app.owner().await.token(&["groups"]).await;
    let emails: Vec<String> = (0..24).map(|n| format!("p{n:02}@example.org")).collect();
    for email in &emails {
        app.client().join(&crate::support::person(email)).await.expect(202);
    }
    let asked = app.settle().await;
    for mail in asked {
        app.client().confirm(&mail.link("/confirm/")).await.expect(200);
    }
    for email in &emails {
        app.share(email, valley).await;
    }
    let all: Vec<&str> = emails.iter().map(String::as_str).collect();
    app.hold(valley, &all).await;
    let withdrawals = futures_util::future::join_all(all.iter().map(|email| app.withdraw(email, valley)));
    let reading = async {
        let (mut since, mut read) = (0, Vec::new());
        while read.len() < all.len() {
            for (number, hash) in feed(&owner, "valley", since).await {
                read.push(hash);
                since = number;
            }
        }
        (since, read)
    };
    let (_, (last, mut read)) = tokio::join!(withdrawals, reading);
    assert_eq!(last, 24, "no number was skipped, and none given twice");
    let mut expected = hashes(&all);
    read.sort_unstable();
    expected.sort_unstable();
    assert_eq!(read, expected);
}

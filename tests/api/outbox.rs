//! The outbox: retries, dead letters, leases, and mails that nobody is owed any more.

use std::{
    collections::BTreeSet,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use openhearth::{
    app::App,
    mail::transport::SendError,
    store::{StoreError, dialect},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{DAY, HOUR, Mail, TestApp, person};

const ADA: &str = "ada@example.org";

impl TestApp {
    /// A confirmation mail that is owed and not sent.
    async fn owe(&self, email: &str) {
        self.client().join(&person(email)).await.expect(202);
        self.triage().await;
    }

    /// The Message-ID of the only mail, made from its row.
    async fn message_id(&self) -> String {
        let ids = self.words("SELECT lower(hex(id)) AS word FROM outbox").await;
        assert_eq!(ids.len(), 1);
        let id: uuid::Uuid = ids[0].parse().unwrap();
        format!("{id}@example.org")
    }
}

fn deferred() -> SendError {
    SendError::Deferred("451 4.7.1 try again later".to_owned())
}

/// Sends everything that is due for one process of several.
async fn drain(app: App) {
    let mut crew = app.crew(2);
    while crew.deliver_due(&CancellationToken::new()).await.unwrap() > 0 {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deferred_mail_is_tried_again_later_and_not_before_under_the_same_message_id() {
    let app = TestApp::start().await;
    for error in [deferred(), SendError::Unreachable("connection refused".to_owned())] {
        app.mails.fail_next(1, error);
    }
    app.owe(ADA).await;
    let id = app.message_id().await;
    for attempts in [1, 2] {
        assert!(app.deliver().await.is_empty());
        assert_eq!(app.outbox_states().await, ["due"]);
        assert_eq!(app.count("SELECT attempts AS n FROM outbox").await, attempts);
        assert!(app.deliver().await.is_empty(), "its time has not come");
        assert_eq!(app.count("SELECT attempts AS n FROM outbox").await, attempts, "it was not even tried");
        app.advance(HOUR);
    }
    let mails = app.deliver().await;
    assert_eq!(mails.iter().map(|mail| &mail.message_id).collect::<Vec<_>>(), [&id]);
    assert_eq!(app.outbox_states().await, ["sent"]);
    assert_eq!(
        app.words("SELECT address AS word FROM outbox").await,
        [""],
        "what was sent needs it no longer"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pause_between_tries_is_at_least_twenty_seconds() {
    let app = TestApp::start().await;
    app.mails.fail_next(1, deferred());
    app.owe(ADA).await;
    app.deliver().await;
    app.advance(std::time::Duration::from_secs(20));
    assert!(app.deliver().await.is_empty());
    app.advance(std::time::Duration::from_secs(20));
    assert_eq!(app.deliver().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_mail_is_dead_at_once_and_does_not_hold_up_others() {
    let app = TestApp::start().await;
    app.mails.fail_next(1, SendError::Refused("550 5.1.1 no such user".to_owned()));
    app.owe("nobody@example.org").await;
    app.deliver().await;
    app.owe(ADA).await;
    assert_eq!(app.deliver().await.len(), 1);
    app.advance(30 * DAY);
    assert!(app.deliver().await.is_empty());
    assert_eq!(app.outbox_states().await, ["dead", "sent"]);
    let reasons = app.words("SELECT last_error AS word FROM outbox ORDER BY id").await;
    assert!(reasons[0].contains("550 5.1.1"), "staff can see why: {reasons:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_twenty_four_tries_a_mail_is_dead_and_its_address_goes_with_the_purge() {
    let app = TestApp::start().await;
    app.mails.fail_next(24, deferred());
    app.owe(ADA).await;
    for tries in 1..=24 {
        assert_eq!(app.outbox_states().await, ["due"], "before try {tries}");
        assert!(app.deliver().await.is_empty());
        assert_eq!(app.count("SELECT attempts AS n FROM outbox").await, tries);
        app.advance(6 * HOUR);
    }
    assert_eq!(app.outbox_states().await, ["dead"]);
    assert!(app.deliver().await.is_empty());
    app.advance(8 * DAY);
    assert_eq!(app.purge().await, 1);
    app.app().kernel.store.scrubbed().await;
    assert_eq!(app.backend.places_with(ADA), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_at_once_send_each_mail_once() {
    let app = TestApp::start().await;
    let second = app.second_process().await;
    let all: BTreeSet<_> = (0..150).map(|n| format!("person{n}@example.org")).collect();
    for email in &all {
        app.client().join(&person(email)).await.expect(202);
    }
    app.triage().await;
    let crews = [app.app().clone(), app.app().clone(), second.clone(), second.clone()];
    let crews = crews.map(|process| tokio::spawn(drain(process)));
    for crew in crews {
        crew.await.unwrap();
    }
    let sent: Vec<_> = app.mails.take().iter().map(Mail::parse).collect();
    assert_eq!(sent.len(), all.len(), "none twice");
    assert_eq!(sent.into_iter().map(|mail| mail.to).collect::<BTreeSet<_>>(), all);
    second.kernel.store.close().await;
}

/// A turn at the only reading connection of a process, taken or queued for: who comes later waits for its drop.
type Turn = Pin<Box<dyn Future<Output = Result<(), StoreError>>>>;

fn turn(process: &App) -> Turn {
    let store = process.kernel.store.clone();
    let mut turn: Turn = Box::pin(async move { store.read(|_| Ok(())).await });
    let _ = step(turn.as_mut());
    turn
}

fn step<T>(work: Pin<&mut (impl Future<Output = T> + ?Sized)>) -> Poll<T> {
    work.poll(&mut Context::from_waker(Waker::noop()))
}

/// Lets `work`, of `process`, claim the only mail. It goes no further before the returned turn is dropped: to
/// write the mail, it has to read.
async fn claim_only<T>(app: &TestApp, process: &App, mut work: Pin<&mut impl Future<Output = T>>) -> Turn {
    let first = turn(process);
    assert!(step(work.as_mut()).is_pending());
    let last = turn(process);
    drop(first);
    while app.count("SELECT count(*) AS n FROM outbox WHERE lease IS NOT NULL").await == 0 {
        assert!(step(work.as_mut()).is_pending());
    }
    last
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_claimed_by_a_process_that_died_is_sent_after_its_lease() {
    let app = TestApp::start().await;
    app.owe(ADA).await;
    let id = app.message_id().await;
    {
        let dying = app.second_process().await;
        let mut crew = dying.crew(1);
        let stop = CancellationToken::new();
        let mut work = pin!(crew.deliver_due(&stop));
        let _turn = claim_only(&app, &dying, work.as_mut()).await;
    }
    assert!(app.deliver().await.is_empty(), "the lease holds");
    app.advance(std::time::Duration::from_secs(29));
    assert!(app.deliver().await.is_empty(), "the lease holds for thirty seconds");
    app.advance(std::time::Duration::from_secs(2));
    let mails = app.deliver().await;
    assert_eq!(mails.iter().map(|mail| &mail.message_id).collect::<Vec<_>>(), [&id]);
    assert_eq!(app.outbox_states().await, ["sent"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_between_sending_and_marking_repeats_the_mail_under_the_same_message_id() {
    let app = TestApp::start().await;
    app.owe(ADA).await;
    let dying = app.second_process().await;
    let mut crew = dying.crew(1);
    let stop = CancellationToken::new();
    let mut work = pin!(crew.deliver_due(&stop));
    let turn = claim_only(&app, &dying, work.as_mut()).await;
    // From here on this process writes nothing.
    dying.kernel.store.close().await;
    drop(turn);
    work.await.unwrap();
    let first = app.mails.take();
    assert_eq!(first.len(), 1);
    assert_eq!(app.outbox_states().await, ["due"]);
    assert!(app.deliver().await.is_empty());
    app.advance(std::time::Duration::from_secs(31));
    let again = app.deliver().await;
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].message_id, Mail::parse(&first[0]).message_id);
    assert!(app.deliver().await.is_empty());
    assert_eq!(app.outbox_states().await, ["sent"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crew_that_is_told_to_stop_gives_back_what_it_has_not_begun() {
    let app = TestApp::start().await;
    app.owe(ADA).await;
    let stop = CancellationToken::new();
    stop.cancel();
    assert_eq!(app.app().crew(1).deliver_due(&stop).await.unwrap(), 1);
    assert!(app.mails.sent().is_empty());
    assert_eq!(app.count("SELECT attempts AS n FROM outbox").await, 0, "no try was spent");
    assert_eq!(app.deliver().await.len(), 1, "another may begin at once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_that_nobody_is_owed_any_more_are_dropped() {
    let app = TestApp::start().await;
    let link = app.supporter(ADA).await.link("/unsubscribe/");
    // "Already in" is owed, and the person leaves before it is sent.
    app.owe(ADA).await;
    app.client().post(&link).await.expect(200);
    assert!(app.deliver().await.is_empty());
    assert_eq!(app.outbox_states().await, ["sent", "sent", "dropped"]);
    // A confirmation is owed, and its sign-up is gone before it is sent.
    app.advance(2 * DAY);
    app.owe("bob@example.org").await;
    app.execute("UPDATE signups SET state = 'expired', email = '' WHERE state = 'pending'").await;
    assert!(app.deliver().await.is_empty());
    assert_eq!(app.outbox_states().await, ["sent", "sent", "dropped", "dropped"]);
    assert_eq!(app.count("SELECT count(*) AS n FROM outbox WHERE address <> ''").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_welcome_is_dropped_when_the_person_leaves_before_it_is_sent() {
    let app = TestApp::start().await;
    let unsubscribe = app.supporter(ADA).await.link("/unsubscribe/");
    app.client().post(&unsubscribe).await.expect(200);
    app.advance(2 * DAY);
    app.client().join(&person(ADA)).await.expect(202);
    let asked = app.settle_one().await;
    app.client().confirm(&asked.link("/confirm/")).await.expect(200);
    app.client().post(&unsubscribe).await.expect(200);
    assert!(app.settle().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_is_due_from_the_very_moment_it_is_owed() {
    let app = TestApp::start().await;
    let clock = app.clock.clone();
    let look = move |db: &mut _| {
        // By the millisecond, nearly every one of these would lie in the future.
        (0..100).try_for_each(|_| {
            let owed = clock.now();
            assert!(dialect::now(db, &clock)? >= owed, "a worker that is woken now would find nothing");
            Ok::<_, StoreError>(())
        })
    };
    app.app().kernel.store.read(look).await.unwrap();
}

const OUTBOX: &str = "/api/v1/admin/outbox";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_list_mails_by_state_in_pages_and_reading_them_is_noted() {
    let app = TestApp::start().await;
    app.mails.fail_next(1, SendError::Refused("550 5.1.1 no such mailbox".to_owned()));
    app.owe(ADA).await;
    app.deliver().await;
    for n in 0..3 {
        app.owe(&format!("p{n}@example.org")).await;
    }
    let reader = app.reader().await;
    let dead = reader.get(&format!("{OUTBOX}?state=dead")).await.expect(200).json();
    let mail = &dead["data"][0];
    assert_eq!(dead["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&mail["address"], &mail["template"], &mail["attempts"]),
        (&json!(ADA), &json!("confirm"), &json!(1))
    );
    assert!(mail["last_error"].as_str().unwrap().contains("no such mailbox"), "{mail}");
    assert_eq!((&mail["due_at"], mail["finished_at"].is_string()), (&serde_json::Value::Null, true));
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = reader.get(&format!("{OUTBOX}?limit=2{cursor}")).await.expect(200).json();
        pages.extend(
            page["data"].as_array().unwrap().iter().map(|mail| mail["state"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(pages, ["due", "due", "due", "dead"], "newest first");
    app.deliver().await;
    let sent = reader.get(&format!("{OUTBOX}?state=sent")).await.expect(200).json();
    assert_eq!(
        (sent["data"].as_array().unwrap().len(), &sent["data"][0]["address"]),
        (3, &serde_json::Value::Null)
    );
    for query in ["?state=lost", "?cursor=AAAA", "?limit=0", "?to=ada"] {
        reader.get(&format!("{OUTBOX}{query}")).await.expect(422).problem();
    }
    let acts = app.words("SELECT action AS word FROM audit_entries ORDER BY number").await;
    assert!(acts.contains(&"outbox.list".to_owned()), "{acts:?}");
    let analyst = app.staff("analyst@example.org", openhearth::staff::Role::Analyst).await;
    analyst.session.get(OUTBOX).await.expect(403).problem();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_that_were_given_up_are_owed_once_more_when_staff_say_so() {
    let app = TestApp::start().await;
    app.mails.fail_next(3, SendError::Refused("550 5.7.1 not today".to_owned()));
    for n in 0..3 {
        app.owe(&format!("p{n}@example.org")).await;
    }
    app.deliver().await;
    assert_eq!(app.outbox_states().await, ["dead", "dead", "dead"]);
    let office = app.owner().await;
    let editor = office.token(&["supporters:read", "supporters:write"]).await;
    let dead = editor.get(&format!("{OUTBOX}?state=dead")).await.expect(200).json();
    let retry = async |body| editor.post_json(&format!("{OUTBOX}/retry"), &body).await;
    let one = retry(json!({ "ids": [dead["data"][0]["id"]] })).await.expect(200).json();
    assert_eq!(one["retried"], 1);
    assert_eq!(app.deliver().await.len(), 1);
    // One whose address is forgotten stays as it is.
    app.execute("UPDATE outbox SET address = '' WHERE id = (SELECT id FROM outbox ORDER BY id LIMIT 1)")
        .await;
    assert_eq!(retry(json!({})).await.expect(200).json()["retried"], 1);
    assert_eq!(app.deliver().await.len(), 1);
    assert_eq!(app.outbox_states().await, ["dead", "sent", "sent"]);
    for again in [json!({}), json!({ "ids": [dead["data"][0]["id"]] })] {
        assert_eq!(retry(again).await.expect(200).json()["retried"], 0);
    }
    assert_eq!(retry(json!({ "ids": "all" })).await.faults(), ["ids: wrong_type"]);
    let many = vec![openhearth::id::Id::new().to_string(); 501];
    assert_eq!(retry(json!({ "ids": many })).await.faults(), ["ids: too_many"]);
    let acts = app.words("SELECT details AS word FROM audit_entries WHERE action = 'outbox.retry'").await;
    assert_eq!(acts, [r#"{"mails":1}"#; 2]);
}

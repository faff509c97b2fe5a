//! Triage: what each address is owed, how often it may be asked, and what is erased when nobody clicks.

use openhearth::{contact::EmailAddress, periodic, store::Lane, supporters};
use serde_json::json;

use crate::support::{DAY, HOUR, MINUTE, TestApp, person};

const ADA: &str = "ada@example.org";

impl TestApp {
    /// Leaves `email` alone, as a bounce, a complaint or staff would.
    async fn suppress(&self, email: &str, reason: &'static str) {
        let kernel = &self.app().kernel;
        let key = EmailAddress::parse(email).unwrap().key();
        let (hash, now) = (kernel.keys.address_hash(&key), kernel.clock.now());
        let write = move |db: &mut _| supporters::suppress(db, hash, reason, now);
        kernel
            .store
            .write(Lane::Staff, move |db| Ok::<_, openhearth::store::StoreError>(write(db)?))
            .await
            .unwrap();
    }

    /// Signs `email` up and returns the subjects of what it got for that.
    async fn join_and_settle(&self, email: &str) -> Vec<String> {
        self.client().join(&person(email)).await.expect(202);
        let mails = self.settle().await;
        mails.into_iter().map(|mail| mail.subject).collect()
    }
}

const CONFIRM: &str = "Please confirm: do you want to join Openhearth?";
const ALREADY_IN: &str = "You are already with Openhearth";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_address_gets_a_confirmation_mail_that_says_nothing_the_visitor_typed() {
    let app = TestApp::start().await;
    let signup = json!({
        "email": ADA, "given_name": "Grotesque-Given", "family_name": "Grotesque-Family", "postal_code": "44035",
        "phone": "212-555-0123", "consent": { "email": true }, "source": { "code": "grotesque-code" },
    });
    app.client().join(&signup).await.expect(202);
    let mail = app.settle_one().await;
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), (ADA, CONFIRM));
    for typed in ["Grotesque", "grotesque", "44035", "5550123", ADA] {
        assert!(!mail.text.contains(typed) && !mail.html.contains(typed), "{typed} stands in {}", mail.text);
    }
    assert_eq!(mail.header("Auto-Submitted"), Some("auto-generated"));
    assert_eq!(mail.header("List-Unsubscribe"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmed_supporter_who_asks_nothing_new_is_told_so_at_the_stored_address() {
    let app = TestApp::start().await;
    app.supporter("Ada@example.org").await;
    app.client().join(&person("ADA@EXAMPLE.ORG")).await.expect(202);
    let mail = app.settle_one().await;
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("Ada@example.org", ALREADY_IN));
    assert_eq!(app.signup_states().await, ["confirmed", "repeated"]);
    assert_eq!(mail.find_link("/confirm/"), None);
    app.client().get(&mail.link("/preferences/")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmed_supporter_who_asks_for_another_form_is_asked_to_confirm_that() {
    let app = TestApp::start().await;
    app.supporter(ADA).await;
    app.execute("INSERT INTO forms (slug, title, created_at) VALUES ('picnic', 'Picnic', 1)").await;
    let notice = "INSERT INTO notices (id, form, language, wording, sha256, created_at) \
                  SELECT CAST('0123456789abcdef' AS BLOB), 'picnic', language, wording, sha256, 1 FROM notices WHERE form = 'join' \
                  ORDER BY id LIMIT 1";
    app.execute(notice).await;
    let app = app.restart().await;
    let signup = json!({ "email": ADA, "form": "picnic", "consent": { "email": true } });
    app.client().join(&signup).await.expect(202);
    let mail = app.settle_one().await;
    assert_eq!(mail.subject, CONFIRM);
    app.client().confirm(&mail.link("/confirm/")).await.expect(200);
    app.settle_one().await;
    app.client().join(&signup).await.expect(202);
    assert_eq!(app.settle_one().await.subject, ALREADY_IN, "the second form is no longer new");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unsubscribed_supporter_gets_a_confirmation_mail_and_is_back_only_by_its_click() {
    let app = TestApp::start().await;
    let welcome = app.supporter(ADA).await;
    app.client().post(&welcome.link("/unsubscribe/")).await.expect(200);
    app.advance(MINUTE);
    app.client().join(&person(ADA)).await.expect(202);
    let mail = app.settle_one().await;
    assert_eq!(mail.subject, CONFIRM);
    let status = "SELECT status AS word FROM supporters";
    assert_eq!(app.words(status).await, ["unsubscribed"]);
    app.client().confirm(&mail.link("/confirm/")).await.expect(200);
    assert_eq!(app.words(status).await, ["confirmed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suppressed_address_gets_nothing_whatever_the_reason_and_whether_or_not_it_is_a_supporter() {
    for reason in ["bounce", "complaint", "manual", "not_me"] {
        let app = TestApp::start().await;
        app.supporter("known@example.org").await;
        app.suppress("known@example.org", reason).await;
        app.suppress("stranger@example.org", reason).await;
        app.advance(31 * DAY);
        assert!(app.join_and_settle("known@example.org").await.is_empty(), "{reason}");
        assert!(app.join_and_settle("Stranger@EXAMPLE.org").await.is_empty(), "{reason}");
        assert_eq!(app.signup_states().await, ["confirmed", "repeated", "repeated"], "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_asked_once_in_a_day_and_three_times_in_thirty_days() {
    let app = TestApp::start().await;
    assert_eq!(app.join_and_settle(ADA).await, [CONFIRM]);
    assert!(app.join_and_settle(ADA).await.is_empty());
    app.advance(DAY - MINUTE);
    assert!(app.join_and_settle(ADA).await.is_empty());
    app.advance(2 * MINUTE);
    assert_eq!(app.join_and_settle(ADA).await, [CONFIRM], "a day has passed");
    app.advance(DAY + MINUTE);
    assert_eq!(app.join_and_settle(ADA).await, [CONFIRM]);
    app.advance(2 * DAY);
    assert!(app.join_and_settle(ADA).await.is_empty(), "three were sent");
    app.purge().await;
    app.advance(26 * DAY - 10 * MINUTE);
    assert!(app.join_and_settle(ADA).await.is_empty(), "thirty days have not passed since the first");
    app.advance(20 * MINUTE);
    assert_eq!(app.join_and_settle(ADA).await, [CONFIRM]);
    assert!(app.join_and_settle("bob@example.org").await == [CONFIRM], "others are not held back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_dots_and_case_share_one_limit() {
    let app = TestApp::start().await;
    assert_eq!(app.join_and_settle("ada.b+one@example.org").await, [CONFIRM]);
    for same in ["adab@example.org", "a.d.a.b@example.org", "ADAB+two@EXAMPLE.ORG", "ada.b+one@example.org"] {
        assert!(app.join_and_settle(same).await.is_empty(), "{same}");
    }
    assert_eq!(
        app.join_and_settle("adab@mail.example.org").await,
        [CONFIRM],
        "another domain is another box"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_ups_in_one_batch_share_the_limit_too() {
    let app = TestApp::start().await;
    for _ in 0..3 {
        app.client().join(&person(ADA)).await.expect(202);
    }
    assert_eq!(app.settle().await.len(), 1);
    assert_eq!(app.signup_states().await, ["pending", "repeated", "repeated"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_click_clears_the_limit_and_its_answers_do_not_count() {
    let app = TestApp::start().await;
    let welcome = app.supporter(ADA).await;
    assert_eq!(app.join_and_settle(ADA).await, [ALREADY_IN], "the click made room for a mail");
    assert!(app.join_and_settle(ADA).await.is_empty(), "which is the one of this day");
    app.client().post(&format!("{}/link", welcome.link("/preferences/"))).await.expect(200);
    assert_eq!(app.settle().await.len(), 1, "the fresh link answers a click and is not held back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_up_from_before_an_unsubscribe_is_void_triaged_or_not() {
    let app = TestApp::start().await;
    app.client().join(&person(ADA)).await.expect(202);
    let first = app.settle_one().await;
    app.advance(DAY + HOUR);
    app.client().join(&person(ADA)).await.expect(202);
    let second = app.settle_one().await;
    app.client().confirm(&second.link("/confirm/")).await.expect(200);
    let welcome = app.settle_one().await;
    // One more is on its way when the person leaves.
    app.client().join(&person(ADA)).await.expect(202);
    app.client().post(&welcome.link("/unsubscribe/")).await.expect(200);
    assert!(app.settle().await.is_empty());
    app.client().confirm(&first.link("/confirm/")).await.expect(410);
    app.client().confirm(&second.link("/confirm/")).await.expect(410);
    assert_eq!(app.words("SELECT status AS word FROM supporters").await, ["unsubscribed"]);
    assert_eq!(app.signup_states().await, ["pending", "confirmed", "expired"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_confirmed_is_erased_seven_days_after_its_mail_and_its_row_stays_countable() {
    let app = TestApp::start().await;
    let signup = json!({
        "email": "Zebulon@example.org", "given_name": "Zebulonius", "postal_code": "44035",
        "consent": { "email": true }, "source": { "code": "zebra-leaflet" },
    });
    app.client().join(&signup).await.expect(202);
    // The mail leaves two days late, and the days count from there.
    app.triage().await;
    app.client().join(&signup).await.expect(202);
    app.triage().await;
    app.advance(2 * DAY);
    assert_eq!(app.deliver().await.len(), 1);
    app.advance(7 * DAY - MINUTE);
    assert_eq!(app.purge().await, 1, "the repeated one, which was owed no mail, goes first");
    assert!(!app.backend.places_with("zebulon").is_empty());
    app.advance(2 * MINUTE);
    assert_eq!(app.purge().await, 1);
    assert_eq!(app.signup_states().await, ["expired", "repeated"]);
    let held = "SELECT count(*) AS n FROM signups WHERE email <> '' OR details <> '{}' OR client_hash IS NOT NULL \
                OR address_hash IS NOT NULL OR supporter_id IS NOT NULL";
    assert_eq!(app.count(held).await, 0);
    assert_eq!(app.count("SELECT count(*) AS n FROM signups").await, 2);
    app.app().kernel.store.scrubbed().await;
    for text in ["zebulon", "zebra-leaflet"] {
        assert_eq!(app.backend.places_with(text), [""; 0], "{text}");
    }
    assert_eq!(app.purge().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_up_whose_mail_is_still_on_its_way_is_not_purged() {
    let app = TestApp::start().await;
    app.client().join(&person(ADA)).await.expect(202);
    app.triage().await;
    app.advance(30 * DAY);
    assert_eq!(app.purge().await, 0);
    let mail = app.deliver().await.remove(0);
    app.client().confirm(&mail.link("/confirm/")).await.expect(200);
    app.advance(30 * DAY);
    assert_eq!(app.purge().await, 0, "what was confirmed is not erased");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_see_each_status_of_sign_ups_and_every_one_without_a_filter() {
    let app = TestApp::start().await;
    let program = app.reader().await;
    app.supporter(ADA).await;
    app.client().join(&person(ADA)).await.expect(202);
    app.client().join(&person("old@example.org")).await.expect(202);
    app.settle().await;
    app.advance(8 * DAY);
    app.purge().await;
    app.client().join(&person("new@example.org")).await.expect(202);
    for (status, emails) in [
        ("pending", vec!["new@example.org"]),
        ("confirmed", vec![ADA]),
        ("repeated", vec![""]),
        ("expired", vec![""]),
    ] {
        let rows = program.signups(&format!("?status={status}")).await;
        let shown: Vec<_> =
            rows.as_array().unwrap().iter().map(|row| row["email"].as_str().unwrap()).collect();
        assert_eq!(shown, emails, "{status}");
        assert!(rows.as_array().unwrap().iter().all(|row| row["status"] == status), "{rows}");
    }
    let all = program.signups("").await;
    let statuses: Vec<_> =
        all.as_array().unwrap().iter().map(|row| row["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["pending", "expired", "repeated", "confirmed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_periodic_job_is_due_once_in_a_period_whichever_process_asks() {
    let app = TestApp::start().await;
    let second = app.second_process().await;
    let due = async || {
        let mut turns = 0;
        for process in [app.app(), &second, app.app(), &second] {
            let kernel = &process.kernel;
            turns += u32::from(periodic::is_due(&kernel.store, &kernel.clock, "test", HOUR).await.unwrap());
        }
        turns
    };
    assert_eq!(due().await, 1);
    app.advance(HOUR - MINUTE);
    assert_eq!(due().await, 0, "the period is not over");
    app.advance(2 * MINUTE);
    assert_eq!(due().await, 1);
    second.kernel.store.close().await;
}

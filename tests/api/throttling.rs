//! Logins: the same answer in the same time for everybody, slowed down for whoever guesses, and never for long.

use std::time::{Duration, Instant};

use openhearth::staff::Role;
use reqwest::{Method, header};
use serde_json::json;

use crate::support::{Answer, Client, HOUR, MINUTE, PASSWORD, TestApp, person};

const SESSION: &str = "/api/v1/admin/session";
const WRONG: &str = "not the password at all";

impl TestApp {
    /// A login through a proxy, from the client address `from`.
    async fn login_from(&self, from: &str, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password });
        let request = self.client().ask(Method::POST, SESSION).header("x-forwarded-for", from).json(&body);
        self.client().send(request).await
    }

    async fn behind_a_proxy() -> Self {
        Self::start_with(|config| {
            config.server.trusted_proxies = vec!["127.0.0.1".to_owned().try_into().unwrap()];
        })
        .await
    }
}

fn wait(answer: &Answer) -> u64 {
    assert_eq!(answer.status, 429, "{answer:?}");
    assert_eq!(answer.problem()["code"], "too_many_tries");
    answer.header("retry-after").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_at_an_account_is_slowed_down_whether_or_not_it_is_there() {
    let app = TestApp::behind_a_proxy().await;
    app.app().staff.create_by_command("owner@example.org", PASSWORD.into(), Role::Owner).await.unwrap();
    for (at, email) in ["nobody@example.org", "not an address", "owner@example.org"].into_iter().enumerate() {
        let mut waits = Vec::new();
        for round in 0..12 {
            // From another address every time: what is counted is the account.
            let from = format!("198.51.{at}.{round}");
            let mut answer = app.login_from(&from, email, WRONG).await;
            if answer.status == 429 {
                let seconds = wait(&answer);
                waits.push(seconds);
                // What is refused is not counted: waiting so long is enough.
                app.login_from(&from, email, WRONG).await.expect(429);
                app.advance(Duration::from_secs(seconds));
                answer = app.login_from(&from, email, WRONG).await;
            }
            answer.expect(401);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32], "{email}");
    }
    // The right password, too, waits its turn, and begins anew with it.
    let refused = app.login_from("203.0.113.1", "owner@example.org", PASSWORD).await;
    app.advance(Duration::from_secs(wait(&refused)));
    app.login_from("203.0.113.1", "owner@example.org", PASSWORD).await.expect(200);
    for _ in 0..5 {
        app.login_from("203.0.113.1", "owner@example.org", WRONG).await.expect(401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_guesses_from_elsewhere_does_not_keep_the_owner_out() {
    let app = TestApp::behind_a_proxy().await;
    let owner = app.owner().await.session;
    for round in 0..6 {
        app.login_from(&format!("198.51.100.{round}"), "owner@example.org", WRONG).await;
    }
    wait(&app.login_from("203.0.113.9", "owner@example.org", PASSWORD).await);
    // In the browser that was logged in before.
    owner.login("owner@example.org", PASSWORD).await.expect(200);
    // In a new one, by way of the mailbox.
    let browser = app.browser();
    wait(&browser.login("owner@example.org", PASSWORD).await);
    let ask = json!({ "email": "owner@example.org" });
    browser.post_json("/api/v1/admin/password-resets", &ask).await.expect(202);
    let link = app.settle_one().await.link("/reset/");
    let new = "twelve geese at the quarry gate";
    browser.post_form(&link, &[("password", new)]).await.expect(200);
    browser.login("owner@example.org", new).await.expect(200);
    // A mark that was not made for this account counts for nothing.
    let other = app.staff("other@example.org", Role::Analyst).await.session;
    wait(&other.login("owner@example.org", new).await);
    // Nor is a mark a way to guess on: it has a count of its own.
    let mut statuses = Vec::new();
    for _ in 0..14 {
        statuses.push(browser.login("owner@example.org", WRONG).await.status);
    }
    assert_eq!((statuses[0], statuses[13]), (401, 429), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_at_many_accounts_from_one_place_is_slowed_down_there_alone() {
    let app = TestApp::behind_a_proxy().await;
    app.app().staff.create_by_command("owner@example.org", PASSWORD.into(), Role::Owner).await.unwrap();
    let mut waits = Vec::new();
    for round in 0..40 {
        let guess = app.client().login(&format!("person{round}@example.org"), WRONG).await;
        if guess.status == 429 {
            waits.push(wait(&guess));
            app.advance(Duration::from_secs(wait(&guess)));
        }
    }
    assert_eq!(waits, [1, 2, 4, 8, 16], "thirty are free, since an office may share an address");
    app.login_from("203.0.113.1", "owner@example.org", PASSWORD).await.expect(200);
    // Replicas agree, and so does a server that was started again.
    let app = app.restart().await;
    app.client().login("person1@example.org", WRONG).await.expect(401);
    assert!(wait(&app.client().login("person2@example.org", WRONG).await) > 16);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_guesses_at_once_are_a_hundred_guesses() {
    let app = TestApp::start().await;
    app.app().staff.create_by_command("owner@example.org", PASSWORD.into(), Role::Owner).await.unwrap();
    let guesses = (0..100).map(|_| app.client().login("owner@example.org", WRONG));
    let answers = futures_util::future::join_all(guesses).await;
    let looked_at = answers.iter().filter(|answer| answer.status == 401).count();
    // Five are free, and the sixth is what the first second of waiting follows.
    assert!(looked_at <= 8, "{looked_at}");
    assert!(answers.iter().all(|answer| matches!(answer.status, 401 | 429 | 503)));
    app.advance(HOUR);
    app.client().login("owner@example.org", PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_logins_at_once_keep_neither_health_nor_sign_ups_waiting() {
    let app = TestApp::start().await;
    app.app().staff.create_by_command("owner@example.org", PASSWORD.into(), Role::Owner).await.unwrap();
    let storm: Vec<_> = (0..500)
        .map(|number| {
            let client = app.client().clone();
            tokio::spawn(async move { client.login(&format!("p{number}@example.org"), PASSWORD).await })
        })
        .collect();
    let (mut waits, mut under_way) = (Vec::new(), 0);
    for number in 0..20 {
        let since = Instant::now();
        app.client().join(&person(&format!("ada{number}@example.org"))).await.expect(202);
        app.client().get("/healthz").await.expect(200);
        waits.push(since.elapsed());
        under_way += u32::from(storm.iter().any(|login| !login.is_finished()));
    }
    waits.sort_unstable();
    println!("a sign-up and a look at the health during the storm: {:?}, at most {:?}", waits[10], waits[19]);
    assert!(under_way > 0, "the storm was over before");
    // One password takes some 30 ms of a core; five hundred of them one after the other 15 s.
    assert!(waits[10] < Duration::from_secs(1) && waits[19] < Duration::from_secs(4), "{waits:?}");
    let mut busy = 0;
    for login in storm {
        let answer = login.await.unwrap();
        match answer.status {
            503 => {
                assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
                busy += 1;
            }
            status => assert!(matches!(status, 401 | 429), "{answer:?}"),
        }
    }
    assert!(busy > 0, "the queue of passwords is short, and says so");
    app.advance(HOUR);
    app.client().login("owner@example.org", PASSWORD).await.expect(200);
    assert_eq!(app.count("SELECT count(*) AS n FROM signups").await, 20);
}

/// Asks `times` times each, in turns, by an address that has an account and one that has none, until the medians agree once:
/// who listens from outside has to tell them apart by any such series. An oracle differs in all of them.
async fn take_as_long(app: &TestApp, times: usize, ask: impl AsyncFn(&'static str)) {
    app.app().staff.create_by_command("owner@example.org", PASSWORD.into(), Role::Owner).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..8 {
        let mut taken = [Vec::new(), Vec::new()];
        for round in 0..times {
            app.execute("DELETE FROM login_attempts").await;
            let mut emails = [(0, "owner@example.org"), (1, "nobody@example.org")];
            emails.rotate_left(round % 2);
            for (at, email) in emails {
                let begin = Instant::now();
                ask(email).await;
                taken[at].push(begin.elapsed());
            }
        }
        let [known, unknown] = taken.map(|mut times| {
            times.sort_unstable();
            times[times.len() / 2].as_secs_f64()
        });
        let ratio = known / unknown;
        println!("known {known:.4} s, unknown {unknown:.4} s, ratio {ratio:.3}");
        if (0.85..1.18).contains(&ratio) {
            return;
        }
        seen.push(ratio);
    }
    panic!("the medians differ every time: {seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_takes_as_long_for_an_unknown_account_as_for_a_known_one() {
    let app = TestApp::start().await;
    take_as_long(&app, 9, async |email| drop(app.client().login(email, WRONG).await.expect(401))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_takes_as_long_for_an_unknown_account_as_for_a_known_one() {
    let app = TestApp::start().await;
    let ask = async |email| {
        let body = json!({ "email": email });
        app.client().post_json("/api/v1/admin/password-resets", &body).await.expect(202);
    };
    take_as_long(&app, 25, ask).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_replica_has_counted_the_other_refuses() {
    let app = TestApp::behind_a_proxy().await;
    app.app().staff.create_by_command("owner@example.org", PASSWORD.into(), Role::Owner).await.unwrap();
    let other = app.second_process().await.serve(false).unwrap();
    let direct = Client::new(other.address);
    // An account: three guesses at the one, three at the other, from six addresses.
    for round in 0..3 {
        app.login_from(&format!("198.51.100.{round}"), "owner@example.org", WRONG).await.expect(401);
        direct.login("owner@example.org", WRONG).await.expect(401);
    }
    let waits = [
        wait(&direct.login("owner@example.org", PASSWORD).await),
        wait(&app.login_from("203.0.113.1", "owner@example.org", PASSWORD).await),
    ];
    assert_eq!(waits, [1, 1]);
    app.advance(HOUR);
    direct.login("owner@example.org", PASSWORD).await.expect(200);

    // A client: what it guesses at many accounts by both is one count. Three it has from above.
    for round in 0..28 {
        let at = if round % 2 == 0 { app.client() } else { &direct };
        at.login(&format!("person{round}@example.org"), WRONG).await.expect(401);
    }
    for at in [&direct, app.client()] {
        assert_eq!(wait(&at.login("person99@example.org", WRONG).await), 1);
    }
    app.login_from("203.0.113.1", "owner@example.org", PASSWORD).await.expect(200);
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_says_the_same_to_everybody_and_mails_only_who_is_there_a_few_times() {
    let app = TestApp::start().await;
    let owner = app.owner().await.session;
    let path = "/api/v1/admin/password-resets";
    let ask = async |email: &str| app.client().post_json(path, &json!({ "email": email })).await;
    let reset = |mail: &crate::support::Mail| mail.find_link("/reset/").is_some();
    let known = ask("owner@example.org").await.expect(202);
    let unknown = ask("nobody@example.org").await.expect(202);
    assert_eq!((known.text(), known.headers.len()), (unknown.text(), unknown.headers.len()));
    assert_eq!(ask("nonsense").await.faults(), ["email: invalid_email"]);
    // The same rows are written for both.
    assert_eq!(app.count("SELECT count(*) AS n FROM outbox WHERE template = 'staff_reset'").await, 2);
    let first = app.settle_one().await;
    assert_eq!(first.to, "owner@example.org");
    assert_eq!(app.backend.places_with("nobody@example.org"), [""; 0]);
    let mut mails = 0;
    for _ in 0..5 {
        ask("owner@example.org").await.expect(202);
        mails += app.settle().await.len();
    }
    assert_eq!(mails, 3, "a few in a row, then slower, and nobody is told");

    // The page asks the same, without JavaScript.
    let browser = app.browser();
    app.advance(HOUR);
    let page = browser.get("/reset").await.expect(200).page();
    assert!(page.contains(r#"action="/reset""#) && page.contains(r#"autocomplete="username""#), "{page}");
    browser.post_form("/reset", &[("email", "x")]).await.expect(422);
    let said = browser.post_form("/reset", &[("email", "owner@example.org")]).await.expect(200).page();
    assert!(said.contains("If there is an account"), "{said}");
    let link = app.settle_one().await.link("/reset/");

    // A link is void once the password has changed by whichever way, and when its hour is over.
    let new = "nine lanterns on the coke oven";
    browser.post_form(&link, &[("password", new)]).await.expect(200);
    owner.get("/api/v1/admin/me").await.expect(401);
    for used in [&link, &first.link("/reset/")] {
        let code = app.client().get(used).await.expect(410).problem()["code"].clone();
        assert!(code == "link_void" || code == "link_expired", "{code}");
    }
    app.advance(HOUR);
    // What was done is told to the mailbox.
    assert_eq!(app.settle_one().await.subject, "Openhearth: your password was set");
    ask("owner@example.org").await.expect(202);
    let late = app.settle_one().await;
    assert!(reset(&late), "{late:?}");
    let late = late.link("/reset/");
    app.advance(61 * MINUTE);
    assert_eq!(app.client().get(&late).await.expect(410).problem()["code"], "link_expired");
    let simple = app.client().ask(Method::POST, "/reset").header(header::ORIGIN, "https://evil.example.org");
    let simple = simple.form(&[("email", "owner@example.org")]);
    app.client().send(simple).await.expect(403);
}

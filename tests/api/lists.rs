//! Contact lists: the supporters list with its filters and pages, and the CSV export with its record.

use openhearth::{
    contact::EmailAddress,
    store::{Lane, StoreError},
    supporters::{self, Confirmed, Profile},
};
use serde_json::{Value, json};

use crate::support::{Client, DAY, MINUTE, TestApp};

/// A person as `(address, given name, region)`.
type Seed<'a> = (&'a str, &'a str, &'a str);

impl TestApp {
    /// Supporters, without the mails.
    async fn seed(&self, people: &[Seed<'_>]) {
        let kernel = &self.app().kernel;
        let now = kernel.clock.now();
        let notice = self
            .words("SELECT lower(hex(id)) AS word FROM notices WHERE form = 'join'")
            .await
            .remove(0)
            .parse::<uuid::Uuid>();
        let notice_id = openhearth::id::Id::from_bytes(notice.unwrap().into_bytes());
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let confirmed: Vec<_> = people
            .iter()
            .map(|(email, given_name, region)| Confirmed {
                email: EmailAddress::parse(email).unwrap(),
                profile: Profile { given_name: text(given_name), region: text(region), ..Profile::default() },
                phone: None,
                phone_consent: false,
                country: None,
                language: "en".to_owned(),
                involvement: Vec::new(),
                form: "join".to_owned(),
                notice_id,
                source: Default::default(),
                signed_up_at: now,
            })
            .collect();
        let keys = kernel.keys.clone();
        let write = move |db: &mut _| {
            confirmed.into_iter().try_for_each(|one| {
                supporters::confirm(db, &keys, one, now)?;
                Ok::<_, StoreError>(())
            })
        };
        kernel.store.write(Lane::Staff, write).await.unwrap();
    }

    async fn seed_numbered(&self, numbers: std::ops::Range<u32>) {
        let emails: Vec<_> = numbers.map(|n| format!("person{n:03}@example.org")).collect();
        let people: Vec<_> = emails.iter().map(|email| (email.as_str(), "", "")).collect();
        self.seed(&people).await;
    }
}

async fn sorted(program: &Client, query: &str) -> Vec<String> {
    let mut emails = program.emails(query).await;
    emails.sort();
    emails
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paging_walks_everyone_exactly_once_while_rows_are_added() {
    let app = TestApp::start().await;
    app.seed_numbered(0..25).await;
    let program = app.reader().await;
    for limit in [1, 7, 24, 25, 26] {
        let (mut seen, mut query, mut added) = (Vec::new(), format!("?limit={limit}"), 0);
        loop {
            let page = program.supporters(&query).await.expect(200).json();
            let rows = page["data"].as_array().unwrap();
            assert!(rows.len() <= limit, "{page}");
            seen.extend(rows.iter().map(|row| row["email"].as_str().unwrap().to_owned()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            assert_eq!(rows.len(), limit, "only the last page is short");
            query = format!("?limit={limit}&cursor={cursor}");
            added += 1;
            app.seed(&[(&format!("late{limit}-{added}@example.org"), "", "")]).await;
        }
        seen.retain(|email| email.starts_with("person"));
        let expected: Vec<_> = (0..25).rev().map(|n| format!("person{n:03}@example.org")).collect();
        assert_eq!(seen, expected, "newest first, limit {limit}");
        app.execute("DELETE FROM supporters WHERE email LIKE 'late%'").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_ups_are_paged_exactly_once_too_across_their_states() {
    let app = TestApp::start().await;
    for n in 0..6 {
        app.client().join(&crate::support::person(&format!("p{n}@example.org"))).await.expect(202);
        if n % 2 == 0 {
            let asked = app.settle_one().await;
            app.client().confirm(&asked.link("/confirm/")).await.expect(200);
        }
        app.settle().await;
    }
    let program = app.reader().await;
    let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = program.get(&format!("/api/v1/admin/signups{query}")).await.expect(200).json();
        seen.extend(
            page["data"].as_array().unwrap().iter().map(|row| row["email"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, (0..6).rev().map(|n| format!("p{n}@example.org")).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_finds_what_begins_a_name_an_address_or_a_domain() {
    let app = TestApp::start().await;
    app.seed(&[
        ("ada@example.org", "Ada", ""),
        ("a_b@example.org", "Per 100% sure", ""),
        ("axb@example.org", "Per 1000 sure", ""),
        ("back@union.example", r"Back\slash", ""),
        ("zoe@example.org", "Zoë ÉMILIE", ""),
        ("Zoë@Bücher.example", "Beate", ""),
    ])
    .await;
    let program = app.reader().await;
    for (q, mut expected) in [
        ("ada", vec!["ada@example.org"]),
        ("ADA@EXAMPLE", vec!["ada@example.org"]),
        ("da", vec![]),
        ("100%25", vec!["a_b@example.org", "axb@example.org"]),
        ("per+1000", vec!["axb@example.org"]),
        ("sure+per", vec!["a_b@example.org", "axb@example.org"]),
        ("%25", vec![]),
        ("a_b", vec!["a_b@example.org"]),
        ("_", vec![]),
        ("Back%5Cslash", vec!["back@union.example"]),
        ("slash", vec!["back@union.example"]),
        ("@union", vec!["back@union.example"]),
        ("union.ex", vec!["back@union.example"]),
        ("back+%40union", vec!["back@union.example"]),
        ("zo%C3%8B+%C3%A9milie", vec!["zoe@example.org"]),
        ("zoe+emil", vec!["zoe@example.org"]),
        // An international domain as it is written, by whole labels; and as it is on the wire.
        ("zo%C3%AB@b%C3%BCcher.example", vec!["Zoë@Bücher.example"]),
        ("zo%C3%AB@B%C3%9Ccher", vec!["Zoë@Bücher.example"]),
        ("zoe%CC%88@bu%CC%88cher.ex", vec!["Zoë@Bücher.example"]),
        ("@b%C3%BCcher.example", vec!["Zoë@Bücher.example"]),
        ("b%C3%BCcher", vec!["Zoë@Bücher.example"]),
        ("@xn--b", vec!["Zoë@Bücher.example"]),
        ("@b%C3%BC", vec![]),
        ("%C2%AD", vec![]),
        ("@%C2%AD", vec![]),
        ("nobody", vec![]),
        ("'+OR+1=1+--", vec![]),
    ] {
        expected.sort_unstable();
        assert_eq!(sorted(&program, &format!("?q={q}")).await, expected, "{q}");
    }
    assert_eq!(program.supporters("?q=").await.faults(), ["q: required"], "a blank search is a mistake");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_by_status_region_and_date_hold_together() {
    let app = TestApp::start().await;
    app.seed(&[("old@example.org", "", "OH"), ("both@example.org", "", "PA")]).await;
    let before = app.clock.now().after(MINUTE).to_string();
    app.advance(2 * DAY);
    app.seed(&[("new@example.org", "", "OH")]).await;
    app.execute("UPDATE supporters SET status = 'unsubscribed' WHERE email = 'both@example.org'").await;
    app.execute("UPDATE supporters SET status = 'suppressed' WHERE email = 'new@example.org'").await;
    let program = app.reader().await;
    let after_day = {
        // The day, in the campaign's zone, between the two.
        let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
        let at = jiff::Timestamp::from_second(app.clock.now().as_seconds()).unwrap();
        zone.to_datetime(at - jiff::SignedDuration::from_hours(24)).date().to_string()
    };
    let everybody: &[&str] = &["both@example.org", "new@example.org", "old@example.org"];
    let cases: [(String, &[&str]); 18] = [
        (String::new(), &["both@example.org", "new@example.org", "old@example.org"]),
        ("?status=confirmed".into(), &["old@example.org"]),
        ("?status=unsubscribed".into(), &["both@example.org"]),
        ("?status=suppressed".into(), &["new@example.org"]),
        ("?region=OH".into(), &["new@example.org", "old@example.org"]),
        ("?region=OH&status=confirmed".into(), &["old@example.org"]),
        ("?region=%20oh".into(), &["new@example.org", "old@example.org"]),
        (format!("?created_after={before}"), &["new@example.org"]),
        (format!("?created_before={before}"), &["both@example.org", "old@example.org"]),
        (format!("?created_after={after_day}"), &["new@example.org"]),
        (format!("?created_before={after_day}&region=PA"), &["both@example.org"]),
        // The ends of the calendar, whose beginning no clock shows, are the ends of time.
        ("?created_after=9999-12-31".into(), &[]),
        ("?created_before=9999-12-31".into(), everybody),
        ("?created_after=-009999-01-01".into(), everybody),
        ("?created_before=-009999-01-01".into(), &[]),
        ("?created_after=0001-01-01&created_before=9999-12-31".into(), everybody),
        ("?signed_up_after=9999-12-31".into(), &[]),
        ("?confirmed_before=9999-12-31&created_after=9999-12-30".into(), &[]),
    ];
    for (query, expected) in cases {
        assert_eq!(sorted(&program, &query).await, expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_that_do_not_hold_are_refused_and_never_ignored() {
    let app = TestApp::start().await;
    app.seed_numbered(0..3).await;
    let program = app.reader().await;
    let long = format!("q={}", "x".repeat(201));
    let region = format!("region={}", "x".repeat(65));
    let both = [
        "status=gone",
        "stauts=confirmed",
        "created_after=yesterday",
        "created_after=2026-13-01",
        "created_after=2026-05-02&created_before=2026-05-02",
        "created_after=2026-05-02&created_before=2026-05-01",
        "created_after=9999-12-31T23:59:59Z",
        "created_before=9999-12-30T20:00:00-12:00",
        "created_after=10000-01-01",
        "status=confirmed&status=unsubscribed",
        "q=a%00",
        "region=%00",
        &long,
        &region,
    ];
    for query in both {
        program.supporters(&format!("?{query}")).await.expect(422).problem();
        program.export_csv(&format!("&{query}")).await.expect(422).problem();
    }
    for field in ["created_after", "signed_up_before"] {
        let beyond = program.supporters(&format!("?{field}=9999-12-31T23:59:59Z")).await;
        assert_eq!(beyond.faults(), [format!("{field}: wrong_type")]);
    }
    let signup_cursor = "AAAAAAAAAAAAAAAAAAAAAA";
    for query in [
        "limit=0",
        "limit=501",
        "limit=x",
        "limit=-1",
        "cursor=!",
        "cursor=AAAA",
        &format!("cursor={signup_cursor}"),
    ] {
        program.supporters(&format!("?{query}")).await.expect(422).problem();
    }
    for query in ["status=new", "limit=0", "cursor=AAAAAAAAAAA", "stauts=pending"] {
        program.get(&format!("/api/v1/admin/signups?{query}")).await.expect(422).problem();
    }
    assert_eq!(app.count("SELECT count(*) AS n FROM exports").await, 0, "what is refused is no export");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_says_what_it_is_for() {
    let app = TestApp::start().await;
    let program = app.reader().await;
    let path = "/api/v1/admin/exports/supporters.csv";
    let long = format!("?purpose={}", "x".repeat(201));
    for (query, fault) in [
        ("", "purpose: required"),
        ("?purpose=", "purpose: required"),
        ("?purpose=++", "purpose: required"),
        (long.as_str(), "purpose: too_long"),
        ("?purpose=a%0Ab", "purpose: control_characters"),
    ] {
        assert_eq!(program.get(&format!("{path}{query}")).await.faults(), [fault]);
    }
    let answer = program.export_csv("").await.expect(200);
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert!(
        answer.header("content-disposition").starts_with("attachment; filename=\"supporters-2"),
        "{answer:?}"
    );
    assert_eq!(answer.header("cache-control"), "no-store");
    let columns = "id,email,given_name,family_name,phone,postal_code,region,country,language,status,tags,involvement,\
                   groups,source,form,signed_up_at,confirmed_at,unsubscribed_at,notice_id\n";
    assert_eq!(answer.text(), columns);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cells_that_a_spreadsheet_would_run_are_guarded_unless_raw_is_asked() {
    let app = TestApp::start().await;
    let formulas = ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "－1", "plain", "it's, \"quoted\""];
    let emails: Vec<_> = (0..formulas.len()).map(|n| format!("p{n}@example.org")).collect();
    let people: Vec<_> =
        emails.iter().zip(formulas).map(|(email, name)| (email.as_str(), name, "")).collect();
    app.seed(&people).await;
    app.seed(&[("=cmd@example.org", "", "")]).await;
    let program = app.reader().await;
    let (guarded, raw) = (program.contacts("").await, program.contacts("&raw=true").await);
    for (n, formula) in formulas.into_iter().enumerate() {
        let expected = if n < 6 { format!("'{formula}") } else { formula.to_owned() };
        assert_eq!(guarded[n]["given_name"], expected);
        assert_eq!(raw[n]["given_name"], formula);
    }
    assert_eq!(guarded[8]["email"], "'=cmd@example.org");
    assert_eq!(raw[8]["email"], "=cmd@example.org");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_is_exported_only_with_its_own_consent_and_keeps_its_plus() {
    let app = TestApp::start().await;
    let signup =
        |email: &str, consent: Value| json!({ "email": email, "phone": "212-555-0123", "consent": consent });
    app.supporter_of(&signup("yes@example.org", json!({ "email": true, "phone": true }))).await;
    app.supporter_of(&signup("no@example.org", json!({ "email": true }))).await;
    let contacts = app.reader().await.contacts("").await;
    let phones: Vec<_> = contacts.iter().map(|row| (row["email"].as_str(), row["phone"].as_str())).collect();
    assert_eq!(phones, [("yes@example.org", "+12125550123"), ("no@example.org", "")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_left_are_in_no_export_unless_asked_for_by_status() {
    let app = TestApp::start().await;
    app.supporter("stays@example.org").await;
    let welcome = app.supporter("leaves@example.org").await;
    app.client().post(&welcome.link("/unsubscribe/")).await.expect(200);
    let program = app.reader().await;
    let emails = async |query: &str| -> Vec<String> {
        program.contacts(query).await.into_iter().map(|row| row["email"].clone()).collect()
    };
    assert_eq!(emails("").await, ["stays@example.org"]);
    assert_eq!(emails("&status=unsubscribed").await, ["leaves@example.org"]);
    assert_eq!(emails("&q=leaves").await, [""; 0]);
    assert_eq!(program.emails("").await.len(), 2, "the list shows every status");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_is_recorded_with_who_why_how_many_and_how_it_ended() {
    let app = TestApp::start().await;
    app.seed_numbered(0..700).await;
    let program = app.reader().await;
    let contacts = program.contacts("&q=PERSON1&region=PA&created_after=2026-01-01").await;
    assert_eq!(contacts.len(), 0, "nobody has that region");
    assert_eq!(program.contacts("&q=person1").await.len(), 100);
    assert_eq!(program.contacts("").await.len(), 700);
    // The record's end is written beside the answer.
    app.until_none("SELECT count(*) AS n FROM exports WHERE finished_at IS NULL").await;
    let rows = "SELECT concat_ws('|', format, purpose, outcome, row_count) AS word FROM exports ORDER BY id";
    let expected =
        ["csv|newsletter|complete|0", "csv|newsletter|complete|100", "csv|newsletter|complete|700"];
    assert_eq!(app.words(rows).await, expected);
    let staff = "SELECT count(*) AS n FROM exports JOIN staff ON staff.id = exports.staff_id";
    assert_eq!(app.count(staff).await, 3);
    let filters = app.words("SELECT filter AS word FROM exports ORDER BY id").await;
    for filter in &filters[..2] {
        let filter: Value = serde_json::from_str(filter).unwrap();
        let q = filter["q"].as_str().unwrap();
        assert!(q.starts_with("hash:") && q.len() == 37, "a search text may name a person: {q}");
    }
    assert!(!filters.join("").to_lowercase().contains("person1"), "{filters:?}");
}

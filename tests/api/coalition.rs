//! The coalition's promise: a group sees those who share with it, as contacts and nothing more, and nobody else sees
//! them through it. The story with two groups, and the same for shares and filters drawn at random.

use std::collections::BTreeSet;

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use crate::support::{Client, TestApp};

async fn listed(program: &Client, query: &str) -> BTreeSet<String> {
    program.emails(query).await.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_lists_those_who_share_with_it_as_contacts_and_another_group_never_sees_them() {
    let app = TestApp::start().await;
    let (a, b) = (app.group("aspen").await, app.group("birch").await);
    let (_, of_a) = app.manager("a@example.org", a).await;
    let (office_b, of_b) = app.manager("b@example.org", b).await;
    let signup = json!({
        "email": "ada@example.org", "given_name": "Ada", "family_name": "Adams", "postal_code": "15104",
        "phone": "+14125550100", "involvement": ["worker"], "consent": { "email": true },
        "source": { "code": "flyer" },
    });
    let masked = app.supporter_of(&signup).await.link("/preferences/");
    app.supporter("bea@example.org").await;
    app.share("ada@example.org", a).await;

    let page = of_a.supporters("").await.expect(200).json();
    let row = &page["data"][0];
    let columns: Vec<&String> = row.as_object().unwrap().keys().collect();
    let contact = [
        "country",
        "email",
        "family_name",
        "given_name",
        "id",
        "language",
        "phone",
        "postal_code",
        "region",
        "shared_at",
    ];
    assert_eq!(columns, contact);
    assert_eq!(
        (&row["email"], &row["phone"]),
        (&json!("ada@example.org"), &Value::Null),
        "no consent to call"
    );
    assert!(row["shared_at"].is_string());
    assert_eq!(page["data"].as_array().unwrap().len(), 1);

    let id = row["id"].as_str().unwrap();
    for query in ["", "?q=ada", "?region=PA", "?status=confirmed", "?postal_code=15104", "?has_phone=false"] {
        assert_eq!(listed(&of_b, query).await, BTreeSet::new(), "{query}");
    }
    for query in ["?tag=x", "?involvement=worker", "?source=flyer", "?form=join", "?created_after=2020-01-01"]
    {
        of_b.supporters(query).await.expect(422);
        of_a.supporters(query).await.expect(422);
    }
    of_b.supporters("?group=aspen").await.expect(422);
    for path in [
        format!("/api/v1/admin/supporters/{id}"),
        format!("/api/v1/admin/supporters/{id}/consent.html"),
        "/api/v1/admin/signups".to_owned(),
        "/api/v1/admin/recalls".to_owned(),
    ] {
        of_b.get(&path).await.expect(403);
        of_a.get(&path).await.expect(403);
    }
    for path in [
        format!("/api/v1/admin/groups/{a}/stats"),
        "/api/v1/groups/aspen/invite".to_owned(),
        "/api/v1/groups/aspen/qr.svg".to_owned(),
        "/api/v1/groups/aspen/recalls".to_owned(),
    ] {
        of_b.get(&path).await.expect(404);
        office_b.session.get(&path).await.expect(404);
    }

    let figures = of_a.get(&format!("/api/v1/admin/groups/{a}/stats")).await.expect(200).json();
    assert_eq!((&figures["active"], &figures["new_this_week"]), (&json!(1), &json!(1)));
    assert_eq!(figures["days"].as_array().unwrap().len(), 30);
    assert_eq!(figures["days"][29]["given"], 1);
    let figures = of_b.get(&format!("/api/v1/admin/groups/{b}/stats")).await.expect(200).json();
    assert_eq!((&figures["active"], &figures["withdrawn"]), (&json!(0), &json!(0)));
    let invite = of_a.get("/api/v1/groups/aspen/invite").await.expect(200).json();
    assert_eq!(invite["join_url"], "http://join.example.org/join?group=aspen");
    let qr = of_a.get("/api/v1/groups/aspen/qr.svg").await.expect(200);
    assert_eq!(qr.header("content-type"), "image/svg+xml");

    app.hold(a, &["ada@example.org"]).await;
    app.client().post_form(&format!("{masked}/withdraw"), &[("group", "aspen")]).await.expect(200);
    assert_eq!(listed(&of_a, "").await, BTreeSet::new(), "gone at once");
    let recalls = of_a.get("/api/v1/groups/aspen/recalls").await.expect(200).json();
    assert_eq!(recalls["data"][0]["supporter_id"], id);
    let birch = of_b.get("/api/v1/groups/birch/recalls").await.expect(200).json();
    assert_eq!(birch["data"], json!([]));
    let figures = of_a.get(&format!("/api/v1/admin/groups/{a}/stats")).await.expect(200).json();
    assert_eq!((&figures["active"], &figures["withdrawn"]), (&json!(0), &json!(1)));
}

/// What becomes of a person with a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tie {
    Never,
    Shares,
    Withdrew,
}

/// Whom a filter means, by their numbers.
type Means = fn(usize) -> bool;

/// Addresses in an export of this format; nothing in it may name what is not the group's.
async fn exported(program: &Client, format: &str, query: &str) -> BTreeSet<String> {
    let joined = query.replacen('?', "&", 1);
    let path = format!("/api/v1/admin/exports/supporters.{format}?purpose=news{joined}");
    let answer = program.get(&path).await.expect(200);
    let text = match format {
        "xlsx" => {
            let mut book = zip::ZipArchive::new(std::io::Cursor::new(answer.body)).unwrap();
            let mut text = String::new();
            for at in 0..book.len() {
                std::io::Read::read_to_string(&mut book.by_index(at).unwrap(), &mut text).unwrap();
            }
            text
        }
        _ => answer.text(),
    };
    assert_tells_nothing(&text);
    let words = text.split(|c: char| !(c.is_alphanumeric() || "@.".contains(c)));
    words.filter(|word| word.contains('@')).map(str::to_owned).collect()
}

/// No other group, tag, source or field's value stands in what a group sees, nor its own name.
#[track_caller]
fn assert_tells_nothing(text: &str) {
    for secret in ["aspen", "birch", "cedar", "tag-of-staff", "leaflet-of-staff", "value-of-staff"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_shares_with_whom_and_whatever_is_asked_a_group_sees_its_own_and_nobody_else() {
    const PEOPLE: usize = 6;
    const SLUGS: [&str; 3] = ["aspen", "birch", "cedar"];
    let app = TestApp::start().await;
    let mut groups = Vec::new();
    let mut programs = Vec::new();
    for (n, slug) in SLUGS.into_iter().enumerate() {
        groups.push(app.group(slug).await);
        programs.push(app.manager(&format!("manager{n}@example.org"), groups[n]).await.1);
    }
    let editor = app.editor().await;
    editor.post_json("/api/v1/admin/tags", &json!({ "slug": "tag-of-staff" })).await.expect(201);
    let field = json!({ "slug": "union", "label": "Union", "kind": "text" });
    editor.post_json("/api/v1/admin/fields", &field).await.expect(201);
    let emails: Vec<String> = (0..PEOPLE).map(|n| format!("p{n}@example.org")).collect();
    let mut ids = Vec::new();
    for (n, email) in emails.iter().enumerate() {
        let code = if n % 2 == 0 { "15104" } else { "44101" };
        let source = json!({ "code": "leaflet-of-staff", "group": "cedar" });
        let signup =
            json!({ "email": email, "postal_code": code, "consent": { "email": true }, "source": source });
        let id = app.joined_with(signup).await;
        let staffs = json!({ "tags": ["tag-of-staff"], "fields": { "union": "value-of-staff" } });
        editor.change(&id, &staffs).await.expect(200);
        ids.push(id.parse::<openhearth::id::Id>().unwrap());
    }
    let tie = prop_oneof![Just(Tie::Never), Just(Tie::Shares), Just(Tie::Withdrew)];
    let ties =
        proptest::collection::vec((proptest::array::uniform3(tie), proptest::bool::weighted(0.2)), PEOPLE);
    // What is asked, and whom it means by their numbers.
    let asked: [(&str, Means); 9] = [
        ("", |_| true),
        ("?q=p1", |n| n == 1),
        ("?q=example.org", |_| true),
        ("?region=PA", |n| n % 2 == 0),
        ("?region=OH&limit=1", |n| n % 2 == 1),
        ("?status=confirmed", |_| true),
        ("?status=unsubscribed", |_| false),
        ("?postal_prefix=151", |n| n % 2 == 0),
        ("?q=p0&region=PA", |n| n == 0),
    ];
    let mut runner = TestRunner::new(Config { cases: 10, ..Config::default() });
    let handle = tokio::runtime::Handle::current();
    let checked = tokio::task::block_in_place(|| {
        runner.run(&(ties, 0..asked.len()), |(ties, query)| {
            handle.block_on(async {
                let (query, means) = asked[query];
                app.execute("DELETE FROM shares").await;
                app.execute("UPDATE supporters SET status = 'confirmed', unsubscribed_at = NULL").await;
                for (n, (of_person, has_left)) in ties.iter().enumerate() {
                    for (group, tie) in groups.iter().zip(of_person) {
                        if *tie != Tie::Never {
                            app.share(&emails[n], *group).await;
                        }
                        if *tie == Tie::Withdrew {
                            app.execute(
                                "UPDATE shares SET withdrawn_at = 1 WHERE id = (SELECT id FROM shares ORDER BY id DESC LIMIT 1)",
                            )
                            .await;
                        }
                    }
                    if *has_left {
                        let (id, now) = (ids[n], app.clock.now());
                        app.write(move |db| openhearth::supporters::leave(db, id, now)).await;
                    }
                }
                for (at, program) in programs.iter().enumerate() {
                    let is_own = |n: usize| ties[n].0[at] == Tie::Shares && !ties[n].1;
                    let those = |means: Means| -> BTreeSet<String> {
                        (0..PEOPLE).filter(|n| is_own(*n) && means(*n)).map(|n| emails[n].clone()).collect()
                    };
                    let (own, expected) = (those(|_| true), those(means));
                    let page = program.supporters(query).await.expect(200);
                    assert_tells_nothing(&page.text());
                    let seen = listed(program, query).await;
                    if query.contains("limit=1") {
                        prop_assert_eq!(seen.len(), expected.len().min(1), "{}", query);
                        prop_assert!(seen.is_subset(&expected), "{}: {:?} of {:?}", query, seen, expected);
                    } else {
                        prop_assert_eq!(&seen, &expected, "{}", query);
                    }
                    let query = query.replace("&limit=1", "");
                    for format in ["csv", "ndjson", "xlsx"] {
                        let taken = exported(program, format, &query).await;
                        prop_assert_eq!(&taken, &expected, "{} {}", format, &query);
                    }
                    let figures = format!("/api/v1/admin/groups/{}/stats", groups[at]);
                    let figures = program.get(&figures).await.expect(200).json();
                    prop_assert_eq!(&figures["active"], &json!(own.len()));
                    for (other, group) in groups.iter().enumerate().filter(|(other, _)| *other != at) {
                        program.get(&format!("/api/v1/admin/groups/{group}/stats")).await.expect(404);
                        program.get(&format!("/api/v1/groups/{}/recalls", SLUGS[other])).await.expect(404);
                    }
                    let other = format!("?group={}", SLUGS[(at + 1) % SLUGS.len()]);
                    let hidden = ["?tag=tag-of-staff", "?source=leaflet-of-staff", "?field.union=x"];
                    for hidden in hidden.into_iter().chain([other.as_str()]) {
                        program.supporters(hidden).await.expect(422);
                        let taken = format!("/api/v1/admin/exports/supporters.csv?purpose=x&{}", &hidden[1..]);
                        program.get(&taken).await.expect(422);
                    }
                }
                Ok(())
            })
        })
    });
    checked.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_prove_a_consent_by_one_file_and_that_is_noted() {
    let app = TestApp::start().await;
    let valley = app.group("valley").await;
    app.supporter("ada@example.org").await;
    app.share("ada@example.org", valley).await;
    let owner = app.owner().await.token(&["supporters:read"]).await;
    let id = owner.supporters("").await.expect(200).json()["data"][0]["id"].as_str().unwrap().to_owned();
    let proof = owner.get(&format!("/api/v1/admin/supporters/{id}/consent.html")).await.expect(200);
    assert_eq!(proof.header("content-disposition"), "attachment; filename=\"consent.html\"");
    let html = proof.page();
    let sha256 = app
        .words("SELECT sha256 AS word FROM notices WHERE form = 'join' AND language = 'en' ORDER BY id")
        .await
        .remove(0);
    for said in
        ["ada@example.org", sha256.as_str(), "nobody I have not named", "The valley", "owner@example.org"]
    {
        assert!(html.contains(said), "{said}: {html}");
    }
    assert!(
        !html.contains("<script") && !html.contains(" src=") && !html.contains("<link"),
        "needs nothing else"
    );
    let acts = app.words("SELECT action AS word FROM audit_entries ORDER BY number").await;
    assert!(acts.contains(&"consent.prove".to_owned()), "{acts:?}");
    owner
        .get(&format!("/api/v1/admin/supporters/{}/consent.html", openhearth::id::Id::new()))
        .await
        .expect(404);
}

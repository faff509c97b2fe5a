//! Organisations: from the application to membership, and what staff decide.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, DAY, Mail, TestApp, application};

const COUNT: &str = "SELECT count(*) AS n FROM groups";

async fn review(app: &TestApp, owner: &Client, form: &Value) -> String {
    app.client().post_json("/api/v1/groups", form).await.expect(202);
    let mail = app.settle_one().await;
    app.client().post(&mail.link("/groups/confirm/")).await.expect(200).page();
    let listed = owner.get("/api/v1/admin/groups?status=in_review").await.expect(200).json();
    listed["data"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organization_applies_confirms_is_approved_and_its_manager_let_in() {
    let app = TestApp::start().await;
    let owner = app.owner().await.token(&["groups"]).await;
    let answer = app.client().post_json("/api/v1/groups", &application("Valley Clean Air")).await;
    assert_eq!(answer.expect(202).json(), json!({ "status": "accepted" }));

    // Strangers are mailed nothing that was typed, and looking at the link changes nothing.
    let mail = app.settle_one().await;
    assert_eq!(mail.to, "grace@example.org");
    assert!(!mail.text.contains("Valley") && !mail.html.contains("Valley"), "{}", mail.text);
    let link = mail.link("/groups/confirm/");
    for _ in 0..2 {
        let page = app.client().get(&link).await.expect(200).page();
        assert!(page.contains("Valley Clean Air") && page.contains("We measure the air."), "{page}");
        app.client().head(&link).await.expect(200);
    }
    assert_eq!(app.words("SELECT status AS word FROM groups").await, ["applied"]);
    assert_eq!(owner.get("/api/v1/admin/groups?status=in_review").await.json()["data"], json!([]));
    app.client().get(&link.replace("confirm/", "confirm/x")).await.expect(404);

    // The click brings it before staff, once.
    for _ in 0..2 {
        app.client().post(&link).await.expect(200).page();
    }
    let listed = owner.get("/api/v1/admin/groups?status=in_review").await.expect(200).json();
    let group = &listed["data"][0];
    assert_eq!(group["slug"], "valley-clean-air");
    assert_eq!((&group["regions"], &group["sectors"]), (&json!(["OH", "PA"]), &json!(["steel"])));
    assert_eq!(app.client().get("/api/v1/groups").await.expect(200).json()["data"], json!([]));

    // Something is asked first; then it is a member, in the directory, with an invitation to log in.
    let at = |act: &str| format!("/api/v1/admin/groups/{}{act}", group["id"].as_str().unwrap());
    let question = json!({ "question": "Where do you publish it?" });
    let asked = owner.post_json(&at("/ask"), &question).await.expect(200).json();
    assert_eq!(asked["status"], "in_review");
    let mail = app.settle_one().await;
    assert!(mail.text.contains("Where do you publish it?"), "{}", mail.text);
    let approved = owner.post(&at("/approve")).await.expect(200).json();
    assert_eq!(approved["status"], "member");
    let mut mails = app.settle().await;
    mails.sort_by_key(|mail| mail.subject.clone());
    assert_eq!(mails.len(), 2, "{mails:?}");
    let welcome = mails.iter().find(|mail| mail.subject.starts_with("Welcome: Valley Clean Air")).unwrap();
    assert_eq!(welcome.link("/join?group="), "/join?group=valley-clean-air");
    assert_eq!(welcome.link("/groups/"), "/groups/valley-clean-air");
    let manager = "SELECT count(*) AS n FROM staff JOIN groups ON groups.id = staff.group_id \
         WHERE staff.role = 'group_manager' AND staff.email = 'grace@example.org'";
    assert_eq!(app.count(manager).await, 1);
    let directory = app.client().get("/api/v1/groups").await.expect(200).json();
    assert_eq!(directory["data"][0]["name"], "Valley Clean Air");
    assert!(!directory.to_string().contains("grace"), "the contact is nobody's business: {directory}");

    let acts = "SELECT action AS word FROM audit_entries WHERE action LIKE 'group.%' ORDER BY number";
    assert_eq!(app.words(acts).await, ["group.apply", "group.ask", "group.approve"]);
    for again in [at("/approve"), at("/decline"), at("/ask")] {
        let body = if again.ends_with("ask") { &question } else { &json!({ "reason": "x" }) };
        owner.post_json(&again, body).await.expect(409).problem();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contact_answers_what_staff_ask_by_the_link_in_the_mail_until_it_is_decided() {
    let app = TestApp::start().await;
    let owner = app.owner().await.token(&["groups"]).await;
    let id = review(&app, &owner, &application("Valley Clean Air")).await;
    let at = |act: &str| format!("/api/v1/admin/groups/{id}{act}");
    let ask = async |question: &str| {
        owner.post_json(&at("/ask"), &json!({ "question": question })).await.expect(200);
        app.settle_one().await.link("/groups/answer/")
    };
    let link = ask("Where do you publish <it>?").await;
    let page = app.client().get(&link).await.expect(200).page();
    assert!(
        page.contains("Where do you publish &#60;it&#62;?") && page.contains("Valley Clean Air"),
        "{page}"
    );
    assert_eq!(owner.get(&at("")).await.json()["answer"], Value::Null, "looking answers nothing");
    let refused = app.client().post_form(&link, &[("answer", " ")]).await.expect(422).page();
    assert!(refused.contains("id=\"answer-error\"") && refused.contains("Where do you publish"), "{refused}");
    let long = "x".repeat(2001);
    let refused = app.client().post_form(&link, &[("answer", &long)]).await.expect(422).page();
    assert!(refused.contains(&long), "what was typed is kept");
    for answer in ["On paper.", "On our website,\nevery month."] {
        app.client().post_form(&link, &[("answer", answer)]).await.expect(200).page();
        assert_eq!(owner.get(&at("")).await.json()["answer"], answer);
    }
    let page = app.client().get(&link).await.expect(200).page();
    assert!(page.contains("every month."), "what was answered can be changed: {page}");
    app.client().get(&link.replace("answer/", "answer/x")).await.expect(404);
    let confirm = link.replace("/groups/answer/", "/groups/confirm/");
    app.client().get(&confirm).await.expect(404);

    // Another question is answered anew; a decision ends it.
    let second = ask("Since when?").await;
    assert_eq!(owner.get(&at("")).await.json()["answer"], Value::Null);
    app.client().post_form(&second, &[("answer", "Since 1999.")]).await.expect(200);
    owner.post(&at("/approve")).await.expect(200);
    app.client().get(&second).await.expect(410).page();
    app.client().post_form(&second, &[("answer", "Too late.")]).await.expect(410).page();
    let group = owner.get(&at("")).await.json();
    assert_eq!((&group["question"], &group["answer"]), (&json!("Since when?"), &json!("Since 1999.")));
    let acts = "SELECT action AS word FROM audit_entries WHERE action = 'group.answer'";
    assert_eq!(app.words(acts).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_mailed_with_its_reason_and_needs_one() {
    let app = TestApp::start().await;
    let owner = app.owner().await.token(&["groups"]).await;
    let id = review(&app, &owner, &application("Valley Clean Air")).await;
    let decline = format!("/api/v1/admin/groups/{id}/decline");
    let empty = owner.post_json(&decline, &json!({ "reason": " " })).await;
    assert_eq!(empty.faults(), ["reason: required"]);
    let reason = json!({ "reason": "Nobody answers at <that> number.\nTry again." });
    let declined = owner.post_json(&decline, &reason).await.expect(200).json();
    assert_eq!(declined["status"], "declined");
    let mail = app.settle_one().await;
    assert!(mail.text.contains("Nobody answers at <that> number."), "{}", mail.text);
    assert!(mail.html.contains("&#60;that&#62;"), "{}", mail.html);
    assert_eq!(app.count("SELECT count(*) AS n FROM staff WHERE role = 'group_manager'").await, 0);
    for odd in [
        "/api/v1/admin/groups/x/approve",
        "/api/v1/admin/groups/01900000-0000-7000-8000-000000000001/approve",
    ] {
        owner.post(odd).await.expect(404);
    }

    // It may apply again.
    review(&app, &owner, &application("Valley Clean Air")).await;
    let slugs = "SELECT slug AS word FROM groups ORDER BY id";
    assert_eq!(app.words(slugs).await, ["valley-clean-air", "valley-clean-air-2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_decide_at_once_one_gets_a_conflict() {
    let app = TestApp::start().await;
    let owner = app.owner().await.token(&["groups"]).await;
    for round in 0..6 {
        let id = review(&app, &owner, &application(&format!("Group {round}"))).await;
        let at = |act: &str| format!("/api/v1/admin/groups/{id}/{act}");
        let (approve, decline) = (at("approve"), at("decline"));
        let reason = json!({ "reason": "No." });
        let (yes, no) = tokio::join!(owner.post(&approve), owner.post_json(&decline, &reason));
        let mut statuses = [yes.status, no.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{yes:?} {no:?}");
        let expected = if yes.status == 200 { "member" } else { "declined" };
        let stored = owner.get(&format!("/api/v1/admin/groups/{id}")).await.expect(200).json();
        assert_eq!(stored["status"], expected);
        let subjects: Vec<String> = app.settle().await.into_iter().map(|mail| mail.subject).collect();
        let is_welcome = |subject: &String| subject.starts_with("Welcome: Group");
        let is_refusal = |subject: &String| subject.starts_with("About the application");
        assert_eq!(subjects.iter().any(is_welcome), expected == "member", "{subjects:?}");
        assert_eq!(subjects.iter().any(is_refusal), expected == "declined", "{subjects:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organization_that_applies_twice_has_one_application_and_one_mail() {
    let app = TestApp::start().await;
    let owner = app.owner().await.token(&["groups"]).await;
    let mut form = application("Valley  Clean air");
    app.client().post_json("/api/v1/groups", &application("Valley Clean Air")).await.expect(202);
    app.client().post_json("/api/v1/groups", &form).await.expect(202);
    assert_eq!((app.count(COUNT).await, app.settle().await.len()), (1, 1));

    // A day later there may be another mail, for what was typed last.
    app.advance(DAY);
    form["website"] = json!("https://other.example.org/");
    app.client().post_json("/api/v1/groups", &form).await.expect(202);
    let mail = app.settle_one().await;
    assert_eq!(app.words("SELECT website AS word FROM groups").await, ["https://other.example.org/"]);
    app.client().post(&mail.link("/groups/confirm/")).await.expect(200);

    // In review and as a member nothing more is made or mailed, and the answer is the same.
    app.client().post_json("/api/v1/groups", &form).await.expect(202);
    let id = owner.get("/api/v1/admin/groups").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    owner.post(&format!("/api/v1/admin/groups/{id}/approve")).await.expect(200);
    app.settle().await;
    app.client().post_json("/api/v1/groups", &form).await.expect(202);
    assert_eq!((app.count(COUNT).await, app.settle().await.len()), (1, 0));

    // The same name with another contact is another application, under another slug.
    form["contact_email"] = json!("linus@example.org");
    app.client().post_json("/api/v1/groups", &form).await.expect(202);
    let slugs = app.words("SELECT slug AS word FROM groups ORDER BY id").await;
    assert_eq!(slugs, ["valley-clean-air", "valley-clean-air-2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_an_application_is_named() {
    let app = TestApp::start().await;
    let faults = |change: Value| {
        let mut form = application("Valley Clean Air");
        form.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let client = app.client().clone();
        async move { client.post_json("/api/v1/groups", &form).await.faults() }
    };
    for (change, expected) in [
        (json!({ "website": "javascript:alert(1)" }), "website: invalid_scheme"),
        (json!({ "website": "ftp://example.org/" }), "website: invalid_scheme"),
        (json!({ "website": "valley" }), "website: invalid_url"),
        (json!({ "kind": "choir" }), "kind: unknown_value"),
        (json!({ "regions": ["OH", "Ohio"] }), "regions[1]: unknown_value"),
        (json!({ "regions": [] }), "regions: required"),
        (json!({ "sectors": ["gold"] }), "sectors[0]: unknown_value"),
        (json!({ "about": "x".repeat(2001) }), "about: too_long"),
        (json!({ "name": "a\u{0}b" }), "name: control_characters"),
        (json!({ "agree": false }), "agree: required"),
        (json!({ "agree": "yes" }), "agree: wrong_type"),
        (json!({ "terms": "01900000-0000-7000-8000-000000000001" }), "terms: unknown_notice"),
        (json!({ "nmae": "x" }), "nmae: unknown_field"),
    ] {
        assert_eq!(faults(change).await, [expected]);
    }
    assert_eq!(app.client().post_json("/api/v1/groups", &json!({})).await.faults().len(), 9);
    let terms = "SELECT count(*) AS n FROM notices WHERE form = 'groups'";
    assert_eq!(app.count(terms).await, 1, "the terms are a notice of their own");
    // And nobody signs up by it.
    let terms = json!({ "email": "ada@example.org", "consent": { "email": true }, "form": "groups" });
    assert_eq!(app.client().join(&terms).await.faults(), ["form: unknown_form"]);
    assert_eq!(app.count(COUNT).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_confirms_is_erased_and_its_link_is_over() {
    let app = TestApp::start().await;
    app.client().post_json("/api/v1/groups", &application("Valley Clean Air")).await.expect(202);
    let link = app.settle_one().await.link("/groups/confirm/");
    app.advance(DAY * 6);
    assert_eq!(app.app().groups.purge().await.unwrap(), 0);
    app.client().get(&link).await.expect(200);
    app.advance(DAY * 2);
    assert_eq!(app.app().groups.purge().await.unwrap(), 1);
    app.client().post(&link).await.expect(410).page();
    app.client().get(&link).await.expect(410).page();
    assert_eq!(app.count(COUNT).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_says_that_was_not_me_is_left_alone() {
    let app = TestApp::start().await;
    app.client().post_json("/api/v1/groups", &application("Valley Clean Air")).await.expect(202);
    let mail = app.settle_one().await;
    app.client().post(&mail.link("/not-me/")).await.expect(200);
    assert_eq!(app.count(COUNT).await, 0);
    app.client().post(&mail.link("/groups/confirm/")).await.expect(410);
    app.advance(DAY * 40);
    app.client().post_json("/api/v1/groups", &application("Another")).await.expect(202);
    assert_eq!((app.count(COUNT).await, app.settle().await.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_takes_an_application_keeps_what_was_typed_and_names_what_is_wrong() {
    let app = TestApp::start().await;
    let browser = app.browser();
    let first = browser.get("/groups/apply").await.expect(200).page();
    let terms = first.split("name=\"terms\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let good = [
        ("terms", terms),
        ("name", "Valley <Clean> Air"),
        ("kind", "faith"),
        ("website", "https://valley.example.org/"),
        ("regions", "OH"),
        ("regions", "WV"),
        ("sectors", "cement"),
        ("about", "First.\r\nSecond & last."),
        ("contact_name", "Grace Hopper"),
        ("contact_email", "grace@example.org"),
    ];
    let page = browser.post_form("/groups/apply", &good).await.expect(422).page();
    for part in [
        r##"<a href="#agree">"##,
        r#"id="agree-error""#,
        "<title>Error: ",
        r#"value="Valley &#60;Clean&#62; Air""#,
        r#"value="faith" selected"#,
        r#"value="OH" checked"#,
        r#"value="WV" checked"#,
        r#"value="cement" checked"#,
        "Second &#38; last.</textarea>",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let whole: Vec<_> = good.into_iter().chain([("agree", "yes")]).collect();
    let sent = browser.post_form("/groups/apply", &whole).await.expect(303);
    assert_eq!(sent.header("location"), "/groups/apply/sent");
    browser.get("/groups/apply/sent").await.expect(200).page();
    assert_eq!(app.words("SELECT regions AS word FROM groups").await, [",OH,WV,"]);
    assert_eq!(
        app.count("SELECT count(*) AS n FROM groups WHERE is_listed = FALSE").await,
        1,
        "it was not ticked"
    );
    let elsewhere =
        browser.ask(Method::POST, "/groups/apply").form(&whole).header("origin", "https://evil.example.org");
    browser.send(elsewhere).await.expect(403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_change_an_entry_and_end_a_membership() {
    let app = TestApp::start().await;
    let owner = app.owner().await.token(&["groups"]).await;
    let group = app.member("Valley Clean Air").await;
    let at = format!("/api/v1/admin/groups/{}", group.id);
    let change = json!({ "name": "Valley Air", "is_listed": false, "regions": ["US"] });
    let changed = owner.patch_json(&at, &change).await.expect(200).json();
    assert_eq!((&changed["name"], &changed["slug"]), (&json!("Valley Air"), &json!("valley-clean-air")));
    assert_eq!(app.client().get("/api/v1/groups").await.json()["data"], json!([]), "not listed");
    app.client().get("/groups/valley-clean-air").await.expect(404);
    let odd = owner.patch_json(&at, &json!({ "website": "gopher://x", "kind": "x" })).await.faults();
    assert_eq!(odd, ["kind: unknown_value", "website: invalid_scheme"]);
    owner.patch_json(&at, &json!({ "status": "member" })).await.expect(422);

    owner.post(&format!("{at}/leave")).await.expect(200);
    owner.post(&format!("{at}/leave")).await.expect(409);
    assert_eq!(owner.get(&at).await.json()["status"], "left");
    assert!(app.app().groups.members().iter().next().is_none());
    let acts = "SELECT action AS word FROM audit_entries WHERE action IN ('group.edit', 'group.leave') ORDER BY number";
    assert_eq!(app.words(acts).await, ["group.edit", "group.leave"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manager_changes_what_the_group_says_of_itself_and_nothing_else() {
    let app = TestApp::start().await;
    let owner = app.owner().await.token(&["groups"]).await;
    let (own, other) = (app.member("Valley").await, app.member("Mill").await);
    let manager = app.manager_of(&own).await;
    let at = |group: &crate::support::Member| format!("/api/v1/admin/groups/{}", group.id);
    assert_eq!(manager.get(&at(&own)).await.expect(200).json()["name"], "Valley");
    manager.get(&at(&other)).await.expect(404);
    manager.get("/api/v1/admin/groups").await.expect(403);
    manager.patch_json(&at(&own), &json!({ "about": "We also plant trees." })).await.expect(200);
    manager.patch_json(&at(&own), &json!({ "name": "The Valley" })).await.expect(403);
    manager.patch_json(&at(&other), &json!({ "about": "Ha." })).await.expect(404);
    manager.post(&format!("{}/leave", at(&own))).await.expect(403);

    owner.post(&format!("{}/leave", at(&own))).await.expect(200);
    manager.patch_json(&at(&own), &json!({ "about": "Back." })).await.expect(403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_knows_a_new_member_within_seconds() {
    let app = TestApp::start().await;
    let other = app.second_process().await;
    assert_eq!(other.groups.members().iter().count(), 0);
    app.member("Valley").await;
    assert_eq!(app.app().groups.members().iter().count(), 1, "at once, here");
    let known = async {
        while other.groups.members().iter().count() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), known).await.expect("the other one reads again");
    other.kernel.store.close().await;
}

fn digests(mails: &[Mail]) -> Vec<&str> {
    let digests = mails.iter().filter(|mail| mail.subject.starts_with("What waits for you"));
    digests.map(|mail| mail.to.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_hear_once_a_day_what_waits_and_nothing_when_nothing_does() {
    use openhearth::staff::Role;

    let app = TestApp::start().await;
    let owner = app.owner().await.token(&["groups"]).await;
    app.staff("organizer@example.org", Role::Organizer).await;
    app.staff("analyst@example.org", Role::Analyst).await;
    let groups = app.app().groups.clone();
    groups.digest_if_due().await.unwrap();
    assert_eq!(digests(&app.settle().await), [""; 0], "nothing waits");

    app.advance(DAY);
    let id = review(&app, &owner, &application("Valley")).await;
    let other = app.second_process().await;
    for groups in [&groups, &other.groups, &groups] {
        groups.digest_if_due().await.unwrap();
    }
    let mails = app.settle().await;
    let mut to = digests(&mails);
    to.sort_unstable();
    assert_eq!(to, ["organizer@example.org", "owner@example.org"], "once, whichever process");
    assert!(mails[0].text.contains("- 1 application of organizations to review"), "{}", mails[0].text);

    // What is done before the mail leaves is not told any more.
    app.advance(DAY);
    groups.digest_if_due().await.unwrap();
    owner.post(&format!("/api/v1/admin/groups/{id}/approve")).await.expect(200);
    assert_eq!(digests(&app.settle().await), [""; 0]);

    // A mail that could not be delivered.
    app.advance(DAY);
    let now = app.app().kernel.clock.now().as_micros();
    let dead =
        format!("UPDATE outbox SET state = 'dead', finished_at = {now} WHERE template = 'group_approved'");
    app.execute(dead.leak()).await;
    groups.digest_if_due().await.unwrap();
    let mails = app.settle().await;
    assert_eq!(digests(&mails).len(), 2, "{mails:?}");
    assert!(mails[0].text.contains("- 1 mail that could not be delivered"), "{}", mails[0].text);
    other.kernel.store.close().await;
}

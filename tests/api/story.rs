//! The main job from end to end: join, mail, confirm, welcome, the owner's account, token, list, CSV.

use serde_json::json;

use crate::support::{PASSWORD, TestApp};

const FORM: [(&str, &str); 7] = [
    ("email", "Ada@Example.org"),
    ("given_name", "Ada"),
    ("family_name", "Lovelace"),
    ("postal_code", "44035"),
    ("involvement", "worker"),
    ("involvement", "frontline"),
    ("consent_email", "yes"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_joins_confirms_and_is_on_the_owners_contact_list() {
    let app = TestApp::start().await;

    // The person fills in the form and is told to look at the inbox.
    let person = app.browser();
    let home = person.get("/").await.expect(200).page();
    assert!(home.contains(r#"action="/join""#), "{home}");
    let joined = person.join_page(&FORM).await.expect(303);
    assert_eq!(joined.header("location"), "/join/check-inbox");
    person.get("/join/check-inbox").await.expect(200).page();

    // One mail comes, and looking at its link changes nothing.
    let asked = app.settle_one().await;
    assert_eq!(asked.to, "Ada@Example.org");
    let link = asked.link("/confirm/");
    person.get(&link).await.expect(200).page();
    app.client().get(&link).await.expect(200).page();
    app.client().head(&link).await.expect(200);
    assert_eq!(app.signup_states().await, ["pending"]);
    assert_eq!(app.count("SELECT count(*) AS n FROM supporters").await, 0);

    // The click does; the welcome mail has the receipt.
    person.confirm(&link).await.expect(200).page();
    let welcome = app.settle_one().await;
    let wording = app.words("SELECT wording AS word FROM notices WHERE form = 'join'").await.remove(0);
    let sha256 = app.words("SELECT sha256 AS word FROM notices WHERE form = 'join'").await.remove(0);
    // The text part is wrapped; its words are the wording's.
    let text = welcome.text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(&wording), "{}", welcome.text);
    assert!(welcome.text.contains(&sha256), "{}", welcome.text);
    assert!(welcome.html.contains(&sha256), "{}", welcome.html);

    // The first start's link makes the owner, once.
    let setup = app.app().staff.setup_url().await.unwrap().unwrap();
    let setup = setup.strip_prefix("http://join.example.org").unwrap();
    let owner = app.browser();
    owner.get(setup).await.expect(200).page();
    let account = [("email", "owner@example.org"), ("password", PASSWORD)];
    owner.post_form(setup, &account).await.expect(200).page();
    owner.post_form(setup, &account).await.expect(410);
    assert_eq!(app.app().staff.setup_url().await.unwrap(), None);

    // The owner logs in, makes a token, lists and downloads.
    owner.login("owner@example.org", PASSWORD).await.expect(200);
    let scopes = json!({ "name": "my computer", "scopes": ["supporters:read", "exports"] });
    let made = owner.post_json("/api/v1/admin/tokens", &scopes).await.expect(201).json();
    let program = app.client().with_token(made["token"].as_str().unwrap());
    let list = program.supporters("").await.expect(200).json();
    assert_eq!(list["data"][0]["email"], "Ada@Example.org", "{list}");
    assert_eq!(list["data"][0]["region"], "OH", "{list}");
    assert_eq!(list["next_cursor"], json!(null));
    let contacts = program.contacts("").await;
    assert_eq!(contacts.len(), 1, "{contacts:?}");
    let expected = [
        ("email", "Ada@Example.org"),
        ("given_name", "Ada"),
        ("family_name", "Lovelace"),
        ("postal_code", "44035"),
        ("region", "OH"),
        ("status", "confirmed"),
        ("involvement", "worker;frontline"),
        ("form", "join"),
        ("language", "en"),
    ];
    for (column, value) in expected {
        assert_eq!(contacts[0][column], value, "{column} of {contacts:?}");
    }
}

//! Consent by name: what the join form offers, what the click begins, and what it never does by itself.

use serde_json::{Value, json};

use crate::support::{DAY, TestApp, application, person};

const ACTIVE: &str = "SELECT groups.slug AS word FROM shares JOIN groups ON groups.id = shares.group_id \
     WHERE shares.withdrawn_at IS NULL ORDER BY shares.id";
const GIVEN: &str = "SELECT count(*) AS n FROM shares";

fn sharing(email: &str, groups: &[&str]) -> Value {
    let mut signup = person(email);
    signup["share_with"] = json!(groups);
    signup
}

/// The boxes of a page that name groups, as `value` or `value checked`.
fn boxes(page: &str) -> Vec<String> {
    let tags = page.split("<input ").skip(1).map(|rest| rest.split('>').next().unwrap());
    let offered = tags.filter(|tag| tag.contains("name=\"share_with\""));
    offered
        .map(|tag| {
            let value = tag.split("value=\"").nth(1).unwrap().split('"').next().unwrap();
            format!("{value}{}", if tag.contains(" checked") { " checked" } else { "" })
        })
        .collect()
}

async fn four_groups(app: &TestApp) {
    app.member("Abbey").await;
    app.member("Mill").await;
    let mut form = application("River");
    form["regions"] = json!(["WV"]);
    app.member_of(&form).await;
    form["name"] = json!("Union");
    form["regions"] = json!(["US"]);
    form["is_listed"] = json!(false);
    app.member_of(&form).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_are_offered_by_the_forms_setting_the_region_and_the_link_and_none_is_ticked() {
    let app = TestApp::start().await;
    four_groups(&app).await;
    let staff = app.owner().await.token(&["forms"]).await;
    let offered = |path: &'static str| {
        let browser = app.browser();
        async move { boxes(&browser.get(path).await.expect(200).page()) }
    };
    assert_eq!(offered("/join").await, [""; 0], "nothing is set");
    assert_eq!(offered("/join?zip=44035").await, ["abbey", "mill"]);

    let set = json!({ "offered_groups": ["union", "river"] });
    let form = staff.patch_json("/api/v1/admin/forms/join", &set).await.expect(200).json();
    assert_eq!(form["offered_groups"], json!(["union", "river"]));
    assert_eq!(staff.get("/api/v1/admin/forms/join").await.expect(200).json(), form);
    assert_eq!(offered("/join").await, ["union", "river"]);
    assert_eq!(offered("/").await, ["union", "river"]);
    assert_eq!(offered("/join?zip=44035").await, ["union", "abbey", "mill"]);
    assert_eq!(offered("/join?zip=25301&group=mill").await, ["mill", "union", "river"]);
    assert_eq!(offered("/join?group=nobody").await, ["union", "river"]);
    let page = app.browser().get("/join?group=abbey").await.expect(200).page();
    for part in
        ["Abbey may have my contact.", r#"href="/groups/abbey""#, r#"name="source_group" value="abbey""#]
    {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(!page.contains(r#"href="/groups/union""#), "it is not listed: {page}");

    let odd = json!({ "offered_groups": ["abbey", "nobody"] });
    let odd = staff.patch_json("/api/v1/admin/forms/join", &odd).await;
    assert_eq!(odd.faults(), ["offered_groups[1]: unknown_group"]);
    staff.patch_json("/api/v1/admin/forms/groups", &set).await.expect(404);
    staff.patch_json("/api/v1/admin/forms/nowhere", &set).await.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_begins_with_the_click_and_is_named_in_the_receipt() {
    let app = TestApp::start().await;
    four_groups(&app).await;
    let browser = app.browser();
    let typed = [
        ("email", "ada@example.org"),
        ("postal_code", "44035"),
        ("source_group", "abbey"),
        ("share_with", "abbey"),
        ("share_with", "mill"),
    ];
    let again = browser.join_page(&typed).await.expect(422).page();
    assert_eq!(boxes(&again), ["abbey checked", "mill checked"], "what was ticked is kept");
    let whole: Vec<_> = typed.into_iter().chain([("consent_email", "yes")]).collect();
    browser.join_page(&whole).await.expect(303);
    let link = app.settle_one().await.link("/confirm/");
    let page = app.client().get(&link).await.expect(200).page();
    assert_eq!(boxes(&page).len(), 2);
    assert!(boxes(&page).iter().all(|one| one.ends_with(" checked")), "{page}");
    assert!(page.contains("Abbey may have my contact.") && page.contains("Mill may"), "{page}");
    assert_eq!(app.count(GIVEN).await, 0, "nothing begins before the click");

    let done = app.client().confirm(&link).await.expect(200).page();
    assert!(done.contains("<li>Abbey</li>") && done.contains("<li>Mill</li>"), "{done}");
    assert_eq!(app.words(ACTIVE).await, ["abbey", "mill"]);
    let welcome = app.settle_one().await;
    let named: Vec<_> = welcome.text.lines().filter_map(|line| line.strip_prefix("- ")).collect();
    assert_eq!(named, ["Abbey", "Mill"], "{}", welcome.text);
    // Once more changes nothing and says the same.
    assert_eq!(app.client().confirm(&link).await.expect(200).page(), done);
    assert_eq!(app.count(GIVEN).await, 2);
    assert_eq!(app.words("SELECT source_group AS word FROM supporters").await, ["abbey"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tick_that_is_taken_away_on_the_confirmation_page_drops_the_group() {
    let app = TestApp::start().await;
    four_groups(&app).await;
    app.client().join(&sharing("ada@example.org", &["abbey", "mill"])).await.expect(202);
    let link = app.settle_one().await.link("/confirm/");
    let page = app.client().get(&link).await.expect(200).page();
    let abbey = boxes(&page)[0].replace(" checked", "");
    let done = app.client().post_form(&link, &[("choose", "yes"), ("share_with", &abbey)]).await;
    let done = done.expect(200).page();
    assert!(done.contains("<li>Abbey</li>") && !done.contains("Mill"), "{done}");
    assert_eq!(app.words(ACTIVE).await, ["abbey"]);
    assert!(!app.settle_one().await.text.contains("Mill"));

    app.client().join(&sharing("grace@example.org", &["abbey", "mill"])).await.expect(202);
    let link = app.settle_one().await.link("/confirm/");
    app.client().post_form(&link, &[("choose", "yes")]).await.expect(200);
    assert_eq!(app.count(GIVEN).await, 1, "all were taken away");
    // A group that was never named cannot be added by the form.
    app.client().join(&sharing("linus@example.org", &["mill"])).await.expect(202);
    let link = app.settle().await.iter().find_map(|mail| mail.find_link("/confirm/")).unwrap();
    app.client().post_form(&link, &[("choose", "yes"), ("share_with", &abbey)]).await.expect(200);
    assert_eq!(app.count(GIVEN).await, 1);
    // By token all are confirmed as chosen, as by a button without a body.
    app.client().join(&sharing("alan@example.org", &["mill"])).await.expect(202);
    let token = app.settle().await.iter().find_map(|mail| mail.find_link("/confirm/")).unwrap();
    app.client().confirm_token(&token["/confirm/".len()..]).await.expect(200);
    assert_eq!(app.words(ACTIVE).await, ["abbey", "mill"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_says_at_the_click_which_of_the_named_groups_are_kept() {
    let app = TestApp::start().await;
    four_groups(&app).await;
    app.client().join(&sharing("ada@example.org", &["abbey", "mill"])).await.expect(202);
    let token = app.settle_one().await.token("/confirm/");
    let confirm = async |groups: Value| {
        let body = json!({ "token": token, "share_with": groups });
        app.client().post_json("/api/v1/confirmations", &body).await
    };
    let faults = confirm(json!(["abbey", "river", "nobody"])).await.faults();
    assert_eq!(faults, ["share_with[1]: unknown_group", "share_with[2]: unknown_group"]);
    assert_eq!(confirm(json!("abbey")).await.faults(), ["share_with: wrong_type"]);
    assert_eq!(app.count(GIVEN).await, 0, "a fault confirms nothing");
    confirm(json!(["abbey"])).await.expect(200);
    assert_eq!(app.words(ACTIVE).await, ["abbey"]);
    for again in [json!(["abbey"]), json!(["abbey", "mill"]), json!([])] {
        confirm(again).await.expect(200);
    }
    assert_eq!(app.words(ACTIVE).await, ["abbey"], "once more changes nothing");
    app.settle().await;

    app.client().join(&sharing("grace@example.org", &["mill"])).await.expect(202);
    let token = app.settle_one().await.token("/confirm/");
    let none = json!({ "token": token, "share_with": [] });
    app.client().post_json("/api/v1/confirmations", &none).await.expect(200);
    assert_eq!(app.words(ACTIVE).await, ["abbey"], "an empty list keeps none");
    let unknown = json!({ "token": "nonsense", "share_with": ["abbey"] });
    app.client().post_json("/api/v1/confirmations", &unknown).await.expect(404).problem();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_left_before_the_click_gets_nothing_and_is_named() {
    let app = TestApp::start().await;
    let (abbey, mill) = (app.member("Abbey").await, app.member("Mill").await);
    app.client().join(&sharing("ada@example.org", &["abbey", "mill"])).await.expect(202);
    let link = app.settle_one().await.link("/confirm/");
    let owner = app.owner().await.token(&["groups"]).await;
    owner.post(&format!("/api/v1/admin/groups/{}/leave", mill.id)).await.expect(200);
    let page = app.client().get(&link).await.expect(200).page();
    assert_eq!(boxes(&page), [format!("{} checked", abbey.id)]);
    assert!(page.contains("Mill is no longer a member"), "{page}");
    let done = app.client().confirm(&link).await.expect(200).page();
    assert!(done.contains("<li>Abbey</li>") && done.contains("Mill is no longer a member"), "{done}");
    assert_eq!(app.words(ACTIVE).await, ["abbey"]);
    let welcome = app.settle_one().await.text;
    let welcome = welcome.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(welcome.contains("Mill is no longer a member and gets nothing."), "{welcome}");

    // From then on nobody can name it.
    let late = app.client().join(&sharing("grace@example.org", &["mill"])).await;
    assert_eq!(late.faults(), ["share_with[0]: unknown_group"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_members_can_be_named_and_at_most_five() {
    let app = TestApp::start().await;
    four_groups(&app).await;
    app.client().post_json("/api/v1/groups", &application("Only applied")).await.expect(202);
    let faults = |groups: Vec<&'static str>| {
        let client = app.client().clone();
        async move { client.join(&sharing("ada@example.org", &groups)).await.faults() }
    };
    assert_eq!(faults(vec!["abbey", "nobody"]).await, ["share_with[1]: unknown_group"]);
    assert_eq!(faults(vec!["only-applied"]).await, ["share_with[0]: unknown_group"]);
    assert_eq!(faults(vec!["Abbey", "mi\u{0}ll"]).await.len(), 2);
    assert_eq!(faults(vec!["abbey"; 6]).await, ["share_with: too_many"]);
    let page = [("email", "ada@example.org"), ("consent_email", "yes"), ("share_with", "nobody")];
    let page = app.browser().join_page(&page).await.expect(422).page();
    assert!(page.contains("There is no such member group"), "{page}");
    app.client().join(&sharing("ada@example.org", &["abbey", "abbey"])).await.expect(202);
    let link = app.settle().await.iter().find_map(|mail| mail.find_link("/confirm/")).unwrap();
    app.client().confirm(&link).await.expect(200);
    assert_eq!(app.words(ACTIVE).await, ["abbey"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supporter_who_names_a_new_group_is_asked_to_confirm_that_and_nothing_else() {
    let app = TestApp::start().await;
    four_groups(&app).await;
    app.supporter_of(&sharing("ada@example.org", &["abbey"])).await;
    app.advance(DAY * 2);
    app.client().join(&sharing("Ada@Example.org", &["abbey"])).await.expect(202);
    assert!(app.settle_one().await.find_link("/confirm/").is_none(), "it has that one already");
    app.advance(DAY * 2);
    app.client().join(&sharing("ada@example.org", &["abbey", "mill"])).await.expect(202);
    let asked = app.settle_one().await;
    assert_eq!(app.words(ACTIVE).await, ["abbey"]);
    app.client().confirm(&asked.link("/confirm/")).await.expect(200);
    assert_eq!(app.words(ACTIVE).await, ["abbey", "mill"]);
    assert_eq!(app.count(GIVEN).await, 2, "the first share stays as it was");
}

//! Imports, cell by cell: formulas and their guards, days without a zone, words on the status.

use serde_json::json;

use super::{
    imports::{IMPORTS, already, counts, id},
    workbooks::workbook::workbook,
};
use crate::support::{Client, TestApp};

const EXPORTS: &str = "/api/v1/admin/exports";
const PEOPLE: &str = "SELECT email || ' ' || coalesce(given_name, '-') || ' ' || coalesce(family_name, '-') AS word \
     FROM supporters ORDER BY email";

impl TestApp {
    /// Somebody who may bring lists and take them out.
    async fn carrier(&self) -> Client {
        self.owner().await.token(&["imports", "supporters:read", "exports"]).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_rows_brought_again_unmended_are_refused_again_and_mended_they_go_in() {
    let app = TestApp::start().await;
    let client = app.carrier().await;
    let list = b"email,first_name,last_name\n=cmd@example.org,Cy,\n\t=tab@example.org,Ty,\n\
                 nobody,\"=HYPERLINK(\"\"http://example.org\"\")\",-Dash\nada@example.org,=1+1,Furnace\n";
    let done = app.take_in(&client, list, &already()).await;
    let formulas = ["2: email: formula", "3: email: formula"];
    let refused = client.refused(id(&done), "").await;
    assert_eq!(refused, [formulas[0], formulas[1], "4: email: invalid_email"]);
    assert_eq!(client.refused(id(&done), "?left_out=true").await, ["5: given_name: formula"]);

    let path = format!("{IMPORTS}/{}/refused.csv", id(&done));
    let file = client.get(&path).await.expect(200).text();
    assert!(file.contains("'=cmd@example.org") && file.contains("'=HYPERLINK"), "{file}");
    let again = app.take_in(&client, file.as_bytes(), &already()).await;
    assert_eq!(counts(&again), [0, 0, 0, 0, 3, 0]);
    assert_eq!(client.refused(id(&again), "").await, refused);

    let mended = file.replace("'=cmd@", "cmd@").replace("nobody", "somebody@example.org");
    let again = app.take_in(&client, mended.as_bytes(), &already()).await;
    assert_eq!(counts(&again), [2, 0, 0, 0, 1, 1]);
    let expected = ["ada@example.org - Furnace", "cmd@example.org Cy -", "somebody@example.org - -Dash"];
    assert_eq!(app.words(PEOPLE).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_looks_like_a_formula_comes_back_from_every_kind_of_export() {
    let app = TestApp::start().await;
    let client = app.carrier().await;
    let list = b"email,given_name,family_name\n'=ada@example.org,'@Ada,'=1+1\n";
    assert_eq!(counts(&app.take_in(&client, list, &already()).await), [1, 0, 0, 0, 0, 0]);
    let expected = ["=ada@example.org @Ada =1+1"];
    assert_eq!(app.words(PEOPLE).await, expected);
    for format in ["xlsx", "csv"] {
        let export = client.get(&format!("{EXPORTS}/supporters.{format}?purpose=a+move")).await.expect(200);
        app.execute("DELETE FROM supporters").await;
        let done = app.take_in(&client, &export.body, &already()).await;
        assert_eq!(counts(&done), [1, 0, 0, 0, 0, 0], "{format}");
        assert_eq!(app.words(PEOPLE).await, expected, "{format}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_formula_in_a_workbook_the_value_is_taken_and_its_text_is_text() {
    let app = TestApp::start().await;
    let client = app.carrier().await;
    let text = |text: &str| format!(r#"<c t="inlineStr"><is><t>{text}</t></is></c>"#);
    let rows = [
        format!(r#"<row r="1">{}{}{}</row>"#, text("email"), text("first name"), text("last name")),
        format!(
            r#"<row r="2">{}<c t="str"><f>"Ad"&amp;"a"</f><v>Ada</v></c>{}</row>"#,
            text("ada@example.org"),
            text("=1+1")
        ),
    ];
    let done = app.take_in(&client, &workbook(&rows.concat(), &[]), &already()).await;
    assert_eq!(counts(&done), [1, 0, 0, 0, 0, 0]);
    assert_eq!(app.words(PEOPLE).await, ["ada@example.org Ada =1+1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_of_a_list_are_days_of_the_campaign_as_those_of_filters_are() {
    let app = TestApp::start_with(|config| config.campaign.timezone = "America/New_York".to_owned()).await;
    let client = app.carrier().await;
    let list = b"email,signed_up_at,confirmed_at\nada@example.org,2020-01-01,2020-01-01 12:00:00\n\
                 bo@example.org,2019-12-31T23:59:59-05:00,\n";
    let done = app.take_in(&client, list, &already()).await;
    assert_eq!(counts(&done), [2, 0, 0, 0, 0, 0]);
    assert_eq!(client.emails("?signed_up_after=2020-01-01").await, ["ada@example.org"]);
    assert_eq!(client.emails("?signed_up_before=2020-01-01").await, ["bo@example.org"]);
    let ada = client.supporters("?q=ada").await.json()["data"][0].clone();
    assert_eq!(
        (&ada["signed_up_at"], &ada["confirmed_at"]),
        (&json!("2020-01-01T05:00:00Z"), &json!("2020-01-01T17:00:00Z"))
    );

    // Mailchimp's times are in UTC, and so are those of an export for it.
    let mailchimp = "preset=mailchimp&purpose=a+move";
    let export = client.get(&format!("{EXPORTS}/supporters.csv?{mailchimp}")).await.expect(200);
    assert!(export.text().contains("2020-01-01 05:00:00"));
    app.execute("DELETE FROM supporters").await;
    app.take_in(&client, &export.body, &already()).await;
    assert_eq!(client.supporters("?q=ada").await.json()["data"][0]["signed_up_at"], ada["signed_up_at"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_left_is_in_no_list_for_another_program_without_that_word() {
    let app = TestApp::start().await;
    let client = app.carrier().await;
    let list = b"email,status\nada@example.org,unsubscribed\nbo@example.org,\n";
    app.take_in(&client, list, &already()).await;
    let statuses = "SELECT email || ' ' || status AS word FROM supporters ORDER BY email";
    let expected = ["ada@example.org unsubscribed", "bo@example.org confirmed"];
    for preset in ["listmonk", "action_network", "every_action", "nationbuilder", "default"] {
        let mut lists = Vec::new();
        for status in ["unsubscribed", "confirmed"] {
            let query = format!("preset={preset}&status={status}&purpose=a+move");
            lists.push(client.get(&format!("{EXPORTS}/supporters.csv?{query}")).await.expect(200).body);
        }
        app.execute("DELETE FROM supporters").await;
        for list in lists {
            assert_eq!(counts(&app.take_in(&client, &list, &already()).await)[0], 1, "{preset}");
        }
        assert_eq!(app.words(statuses).await, expected, "{preset}");
    }
}

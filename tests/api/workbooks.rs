//! Imports of workbooks.

use serde_json::json;

use super::imports::{IMPORTS, already, counts, id};
use crate::support::TestApp;

#[path = "../support/workbook.rs"]
pub mod workbook;
use workbook::{book_of, workbook};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workbook_is_taken_in_like_any_list() {
    let app = TestApp::start().await;
    let client = app.importer().await;
    let text = |at: &str, text: &str| format!(r#"<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>"#);
    let rows = [
        format!(
            r#"<row r="1"><c r="A1" t="s"><v>0</v></c>{}{}{}</row>"#,
            text("B1", "First Name"),
            text("C1", "Zip"),
            text("D1", "Phone")
        ),
        format!(
            r#"<row r="2">{}{}<c r="C2"><v>2134</v></c><c r="D2"><v>2125550123</v></c></row>"#,
            text("A2", "ada@example.org"),
            text("B2", "Ada")
        ),
        format!(r#"<row r="5">{}</row>"#, text("A5", "nobody")),
        format!(r#"<row r="9">{}</row>"#, text("A9", "bo@example.org")),
    ];
    let done = app.take_in(&client, &workbook(&rows.concat(), &["Email"]), &already()).await;
    assert_eq!((&done["layout"]["kind"], counts(&done)), (&json!("xlsx"), [2, 0, 0, 0, 1, 0]));
    assert_eq!(done["progress"]["line"], 9);
    assert_eq!(client.refused(id(&done), "").await, ["5: email: invalid_email"]);
    let ada = "SELECT given_name || ' ' || postal_code || ' ' || region || ' ' || phone AS word FROM supporters \
               WHERE email = 'ada@example.org'";
    assert_eq!(app.words(ada).await, ["Ada 02134 MA +12125550123"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_on_a_further_sheet_is_told_with_its_sheet() {
    let app = TestApp::start().await;
    let client = app.importer().await;
    let row = |line: u32, text: &str| {
        format!(r#"<row r="{line}"><c t="inlineStr"><is><t>{text}</t></is></c></row>"#)
    };
    let list = |name: &str| row(1, "email") + &row(2, &format!("{name}@example.org")) + &row(4, "nobody");
    let (ohio, maine) = (list("ada"), list("bo"));
    let book = book_of(&[("Ohio", &ohio), ("Notes", &row(1, "x")), ("Maine &amp; more", &maine)], &[]);
    let done = app.take_in(&client, &book, &already()).await;
    assert_eq!(counts(&done), [2, 0, 0, 0, 2, 0]);
    assert_eq!(
        client.refused(id(&done), "").await,
        ["4: email: invalid_email", "Maine & more!4: email: invalid_email"]
    );
    let examples = &done["preview"]["examples"];
    assert_eq!((&examples[0]["line"], examples[0].get("sheet")), (&json!(4), None));
    assert_eq!((&examples[1]["line"], &examples[1]["sheet"]), (&json!(4), &json!("Maine & more")));
    assert_eq!((&done["progress"]["line"], &done["progress"]["sheet"]), (&json!(4), &json!("Maine & more")));
    assert_eq!(done["layout"]["other_sheets"], json!(["Notes"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_workbook_fails_with_a_reason() {
    let app = TestApp::start().await;
    let client = app.importer().await;
    let mut book = workbook(r#"<row r="1"><c r="A1" t="s"><v>0</v></c></row>"#, &["email"]);
    book.truncate(book.len() / 2);
    let seen = app.preview(&client, &book, &already()).await;
    assert_eq!((&seen["state"], &seen["fault"]["code"]), (&json!("failed"), &json!("unreadable_workbook")));
    client.post_json(&format!("{IMPORTS}/{}/start", id(&seen)), &json!({})).await.expect(409).problem();
    client.post(&format!("{IMPORTS}/{}/cancel", id(&seen))).await.expect(409).problem();
}

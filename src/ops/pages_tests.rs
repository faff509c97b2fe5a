//! Tests of the operations pages: sound HTML, and a mail's text shown exactly, escaped, with its links.

use askama::Template;
use proptest::prelude::*;

use super::*;
use crate::site::soundness::{check, sample_site as site};

fn message(text: &str) -> MailboxMessagePage {
    MailboxMessagePage {
        site: site(),
        subject: "Please confirm: do you want to join Good Steel Coalition?".into(),
        from: "Good Steel Coalition <hello@example.org>".into(),
        to: "ada@example.org".into(),
        at: "1 March 2026, 14:02:07 UTC".into(),
        text: text.into(),
        html_url: Some("/dev/mailbox/1/html".into()),
        eml_url: "/dev/mailbox/1/raw.eml".into(),
    }
}

fn operation(method: &str, path: &str, summary: &str) -> OperationView {
    OperationView {
        method: method.into(),
        path: path.into(),
        summary: summary.into(),
        ..OperationView::default()
    }
}

fn docs() -> ApiDocsPage {
    let answer = |status: &str, description: &str| ResponseView {
        status: status.into(),
        description: description.into(),
    };
    let accept = OperationView {
        description: "Answers the same for everybody, whoever the address belongs to.\n\nNothing is owed twice."
            .into(),
        request_schema_json: Some(
            "{\n  \"type\": \"object\",\n  \"required\": [\"email\", \"consent\"],\n  \"properties\": {\n    \
             \"email\": { \"type\": \"string\" }\n  }\n}"
                .into(),
        ),
        responses: vec![answer("202", "Accepted."), answer("422", "Something is wrong; `errors` says what.")],
        ..operation("POST", "/api/v1/signups", "Sign up")
    };
    let list = OperationView {
        parameters: vec![
            ParameterView {
                name: "limit".into(),
                location: "query".into(),
                kind: "integer".into(),
                required: false,
                description: "At most 500; 50 if absent.".into(),
            },
            ParameterView {
                name: "cursor".into(),
                location: "query".into(),
                kind: "string".into(),
                required: false,
                description: "`next_cursor` of the page before.".into(),
            },
        ],
        responses: vec![answer("200", "A page of supporters.")],
        ..operation("get", "/api/v1/admin/supporters", "List supporters")
    };
    ApiDocsPage {
        site: site(),
        info: ApiInfo {
            title: "Openhearth API".into(),
            version: "0.1.0".into(),
            description: "Sign-ups, supporters and contact lists.\n\nErrors are problem+json.".into(),
        },
        openapi_url: "/api/v1/openapi.json".into(),
        tags: vec![
            TagView { name: "Public".into(), operations: vec![accept] },
            TagView {
                name: "Supporters".into(),
                operations: vec![
                    list,
                    operation("DELETE", "/api/v1/admin/supporters/{id}", "Erase a supporter at their wish"),
                ],
            },
        ],
        schemas: vec![SchemaView { name: "JoinForm".into(), json: "{\n  \"type\": \"object\"\n}".into() }],
    }
}

#[test]
fn pages_are_sound() -> askama::Result<()> {
    check("mailbox_empty", &MailboxPage { site: site(), messages: Vec::new() })?;
    let row = |n: u8, subject: &str| MailboxRow {
        url: format!("/dev/mailbox/{n}"),
        subject: subject.into(),
        to: "ada@example.org".into(),
        at: format!("1 March 2026, 14:0{n} UTC"),
    };
    let messages = vec![
        row(5, "Welcome to Good Steel Coalition"),
        row(2, "Please confirm: do you want to join Good Steel Coalition?"),
    ];
    check("mailbox", &MailboxPage { site: site(), messages })?;
    check(
        "mailbox_message",
        &message(
            "Hello,\n\nto join, open this link:\n\nhttps://join.example.org/confirm/k1.Ab3\n\nWarm regards",
        ),
    )?;
    check("api_docs", &docs())
}

#[test]
fn an_operation_has_an_id_of_its_own() {
    assert_eq!(
        operation("GET", "/api/v1/admin/supporters/{id}", "").anchor(),
        "op-get-api-v1-admin-supporters-id"
    );
}

/// What stands in the only `<pre>` of a page.
fn shown(html: &str) -> Option<&str> {
    html.split_once("<pre class=\"mail\">\n")?.1.split_once("</pre>").map(|(inside, _)| inside)
}

/// Reads the HTML the mailbox writes: only links, and the five escapes. `None`: there is anything else.
fn read_back(html: &str) -> Option<String> {
    let (mut text, mut rest) = (String::new(), html);
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        let (tag, after) = after.split_once('>')?;
        let link = tag.strip_prefix("a href=\"").and_then(|tag| tag.strip_suffix("\" rel=\"noreferrer\""));
        let plain = link.is_some_and(|link| link.starts_with("http") && !link.contains(['"', '<', '\'']));
        if tag != "/a" && !plain {
            return None;
        }
        rest = after;
    }
    text.push_str(rest);
    if text.contains(['>', '"', '\'']) {
        return None;
    }
    let unescaped =
        text.replace("&#60;", "<").replace("&#62;", ">").replace("&#34;", "\"").replace("&#39;", "'");
    Some(unescaped.replace("&#38;", "&"))
}

proptest! {
    #[test]
    fn a_mail_is_shown_exactly_and_escaped(
        text in prop_oneof!["(https?://x|<a |</pre>|<script>|[<>\"'&;().a-z/#0-9]{0,5}| |\n){0,12}", "\\PC{0,40}"],
    ) {
        let html = message(&text).render().map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(shown(&html).and_then(read_back), Some(text));
    }
}

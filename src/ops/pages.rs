//! The pages of operations: the development mailbox and the API documentation.
//! Called by this slice's routes; must not read the mailbox or the OpenAPI document, only show them.

use askama::Template;

use super::linkify::{Piece, pieces};
use crate::site::Site;

/// `/dev/mailbox`: the mails kept on this machine, the newest first.
#[derive(Debug, Clone, Template)]
#[template(path = "ops/mailbox.html")]
pub struct MailboxPage {
    /// The frame.
    pub site: Site,
    /// The mails.
    pub messages: Vec<MailboxRow>,
}

/// One mail in the list.
#[derive(Debug, Clone, Default)]
pub struct MailboxRow {
    /// The page that shows it.
    pub url: String,
    /// Its subject.
    pub subject: String,
    /// Whom it is to.
    pub to: String,
    /// When it was sent, for people to read.
    pub at: String,
}

/// One mail of the development mailbox.
#[derive(Debug, Clone, Template)]
#[template(path = "ops/mailbox_message.html")]
pub struct MailboxMessagePage {
    /// The frame.
    pub site: Site,
    /// Its subject.
    pub subject: String,
    /// Whom it is from.
    pub from: String,
    /// Whom it is to.
    pub to: String,
    /// When it was sent, for people to read.
    pub at: String,
    /// The text part; its http and https links can be clicked.
    pub text: String,
    /// The HTML part, if there is one; to be served under a policy of its own that lets inline styles in.
    pub html_url: Option<String>,
    /// The raw message.
    pub eml_url: String,
}

impl MailboxMessagePage {
    /// The text part, cut into text and links.
    fn pieces(&self) -> Vec<Piece> {
        pieces(&self.text)
    }
}

/// `/api/docs`: the OpenAPI document, to read.
#[derive(Debug, Clone, Template)]
#[template(path = "ops/api_docs.html")]
pub struct ApiDocsPage {
    /// The frame.
    pub site: Site,
    /// What the API is.
    pub info: ApiInfo,
    /// The document itself, for programs.
    pub openapi_url: String,
    /// The operations, by tag.
    pub tags: Vec<TagView>,
    /// The shapes that requests and answers have.
    pub schemas: Vec<SchemaView>,
}

/// What the API is.
#[derive(Debug, Clone, Default)]
pub struct ApiInfo {
    /// Its title.
    pub title: String,
    /// Its version.
    pub version: String,
    /// What it is for; blank lines part paragraphs.
    pub description: String,
}

/// Operations that belong together.
#[derive(Debug, Clone, Default)]
pub struct TagView {
    /// What they are about.
    pub name: String,
    /// The operations.
    pub operations: Vec<OperationView>,
}

/// One operation.
#[derive(Debug, Clone, Default)]
pub struct OperationView {
    /// The HTTP method; shown in capitals.
    pub method: String,
    /// The path, with `{parameters}`.
    pub path: String,
    /// One line.
    pub summary: String,
    /// More than one line; may be empty.
    pub description: String,
    /// The parameters.
    pub parameters: Vec<ParameterView>,
    /// The schema of the request's body, as indented JSON.
    pub request_schema_json: Option<String>,
    /// The possible answers.
    pub responses: Vec<ResponseView>,
}

impl OperationView {
    /// An id of this operation's own on the page, which links can name.
    fn anchor(&self) -> String {
        let whole = format!("{}{}", self.method.to_ascii_lowercase(), self.path);
        let words = whole.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        format!("op-{}", words.collect::<Vec<_>>().join("-"))
    }

    /// The class of the method's badge: reading, writing or deleting.
    fn kind(&self) -> &'static str {
        match self.method.to_ascii_uppercase().as_str() {
            "GET" | "HEAD" | "OPTIONS" => "reads",
            "DELETE" => "deletes",
            _ => "writes",
        }
    }
}

/// One parameter of an operation.
#[derive(Debug, Clone, Default)]
pub struct ParameterView {
    /// Its name.
    pub name: String,
    /// Where it stands: `path`, `query` or `header`.
    pub location: String,
    /// Its type, for people to read; may be empty.
    pub kind: String,
    /// Whether it has to be there.
    pub required: bool,
    /// What it means; may be empty.
    pub description: String,
}

/// One possible answer.
#[derive(Debug, Clone, Default)]
pub struct ResponseView {
    /// The status code, or `default`.
    pub status: String,
    /// What it means.
    pub description: String,
}

/// One named schema.
#[derive(Debug, Clone, Default)]
pub struct SchemaView {
    /// Its name.
    pub name: String,
    /// The schema, as indented JSON.
    pub json: String,
}

#[cfg(test)]
#[path = "pages_tests.rs"]
mod tests;

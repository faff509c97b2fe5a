//! [`Mail`]: a message as its reader gets it.

use std::collections::HashMap;

use mail_parser::MessageParser;
use openhearth::mail::transport::Outgoing;

use super::app::BASE_URL;

/// A mail that left.
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub message_id: String,
    pub text: String,
    pub html: String,
    headers: HashMap<String, String>,
}

impl Mail {
    pub fn parse(mail: &Outgoing) -> Self {
        let message = MessageParser::default().parse(&mail.bytes).unwrap();
        let headers =
            message.headers_raw().map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
        Self {
            to: mail.envelope.to()[0].to_string(),
            subject: message.subject().unwrap().to_owned(),
            message_id: message.message_id().unwrap().to_owned(),
            text: message.body_text(0).unwrap().into_owned(),
            html: message.body_html(0).unwrap().into_owned(),
            headers: headers.collect(),
        }
    }

    /// A header as it stands, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(&name.to_lowercase()).map(String::as_str)
    }

    /// The link that begins with `prefix`, as a path; it must stand in both parts.
    #[track_caller]
    pub fn link(&self, prefix: &str) -> String {
        let link = self.find_link(prefix).unwrap_or_else(|| panic!("no {prefix} in {}", self.text));
        assert!(self.html.contains(&format!("{BASE_URL}{link}")), "{link} is not in {}", self.html);
        link
    }

    /// The same, where there may be none.
    pub fn find_link(&self, prefix: &str) -> Option<String> {
        let links = self.text.split_whitespace().filter_map(|word| word.strip_prefix(BASE_URL));
        let mut links = links.filter(|path| path.starts_with(prefix));
        let found = links.next().map(str::to_owned);
        assert!(links.next().is_none(), "{prefix} stands there twice");
        found
    }

    /// The last part of the link that begins with `prefix`.
    #[track_caller]
    pub fn token(&self, prefix: &str) -> String {
        self.link(prefix)[prefix.len()..].to_owned()
    }

    /// The address of List-Unsubscribe, as a path.
    #[track_caller]
    pub fn one_click(&self) -> String {
        let value = self.header("List-Unsubscribe").expect("a List-Unsubscribe header");
        let url = value.strip_prefix('<').and_then(|value| value.strip_suffix('>')).unwrap();
        url.strip_prefix(BASE_URL).unwrap().to_owned()
    }
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {}", self.subject, self.to)
    }
}

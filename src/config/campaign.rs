//! `[campaign]`: what the pages and mails call the coalition.

use serde::Deserialize;

use crate::contact::EmailAddress;

/// `[campaign]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CampaignConfig {
    /// Its name, as people know it.
    pub name: String,
    /// One line under the name.
    pub tagline: String,
    /// Paragraphs of the front page.
    pub about: Vec<String>,
    /// The line in Spanish; empty to show the English one.
    pub tagline_es: String,
    /// The paragraphs in Spanish; none to show the English ones.
    pub about_es: Vec<String>,
    /// IANA time zone of date filters and daily figures.
    pub timezone: String,
    /// Where security problems are reported: an address or an https URL; empty for nowhere.
    pub security_contact: String,
}

impl CampaignConfig {
    /// The security contact as a URI (RFC 9116, section 2.5.3), if one is set and holds.
    #[must_use]
    pub fn security_contact_uri(&self) -> Option<String> {
        let text = self.security_contact.trim();
        let is_plain = !text.chars().any(|c| c.is_whitespace() || c.is_control());
        if text.starts_with("https://") && text.len() > 8 && is_plain {
            return Some(text.to_owned());
        }
        let address = EmailAddress::parse(text.strip_prefix("mailto:").unwrap_or(text)).ok()?;
        address.as_str().is_ascii().then(|| format!("mailto:{}", address.as_str()))
    }
}

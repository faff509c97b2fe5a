//! `[campaign]`: what the pages and mails call the coalition.

use serde::Deserialize;

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
    /// IANA time zone of date filters and daily figures.
    pub timezone: String,
}

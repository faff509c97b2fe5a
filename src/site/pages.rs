//! The home page, and the page that says one thing (an error, an expired link).
//! Called by routes and by the error responder; must not look anything up.

use askama::Template;

use super::join_form::JoinFormView;
use super::layout::Site;
use crate::speech::Speech;

/// `/`: what the campaign is, with the join form.
#[derive(Debug, Clone, Template)]
#[template(path = "site/home.html")]
pub struct HomePage {
    /// The frame.
    pub site: Site,
    /// One short line under the campaign's name.
    pub tagline: String,
    /// Paragraphs about the campaign.
    pub about: Vec<String>,
    /// The language of both.
    pub about_speech: Speech,
    /// The join form.
    pub form: JoinFormView,
}

impl HomePage {
    /// Says in which language the campaign's own words are, where the page is in another.
    fn about_lang(&self) -> String {
        if self.about_speech == self.site.speech {
            String::new()
        } else {
            format!(" lang=\"{}\"", self.about_speech.tag())
        }
    }
}

/// A page that says one thing.
#[derive(Debug, Clone, Template)]
#[template(path = "site/message.html")]
pub struct MessagePage {
    /// The frame.
    pub site: Site,
    /// The title in the browser's tab.
    pub title: String,
    /// The heading.
    pub heading: String,
    /// What there is to say.
    pub paragraphs: Vec<String>,
    /// Where to go from here.
    pub link: Option<PageLink>,
}

/// A link to go on with.
#[derive(Debug, Clone, Default)]
pub struct PageLink {
    /// What it says.
    pub label: String,
    /// Where it leads.
    pub href: String,
}

#[cfg(test)]
mod tests {
    use super::{HomePage, MessagePage, PageLink};
    use crate::site::soundness::{check, sample_form, sample_site};

    #[test]
    fn pages_are_sound() -> askama::Result<()> {
        check(
            "home",
            &HomePage {
                site: sample_site(),
                tagline: "Good work and clean air, decided where the plants stand.".into(),
                about: vec![
                    "We are neighbours of mills and refineries, the people who work in them, and groups that have \
                     argued for both for years. We want the next plant to be one we can live beside and retire from."
                        .into(),
                    "Join and we will write when there is something to decide, to sign or to turn up for.".into(),
                ],
                about_speech: crate::speech::Speech::English,
                form: sample_form(),
            },
        )?;
        check(
            "message",
            &MessagePage {
                site: sample_site(),
                title: "Page not found".into(),
                heading: "There is nothing here".into(),
                paragraphs: vec!["The address may be mistyped, or the page has moved.".into()],
                link: Some(PageLink { label: "Go to the home page".into(), href: "/".into() }),
            },
        )
    }
}

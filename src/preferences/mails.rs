//! The mails a supporter gets in answer to a click: the welcome, and the fresh link to their details.
//! Called by the outbox when it sends; must go to the stored address only.

use super::words::LinkMailWords;
use crate::{
    mail::{render::mail_templates, words::MailWords},
    speech::Speech,
};

/// The fresh link, valid for one hour, that shows and changes what is stored.
#[derive(Debug, Clone)]
pub struct PreferencesLinkMail {
    /// The language it is written in.
    pub speech: Speech,
    /// The campaign's name.
    pub campaign_name: String,
    /// The campaign's postal address, for the foot.
    pub postal_address: Option<String>,
    /// The fresh link.
    pub link_url: String,
    /// Where one leaves with a click.
    pub unsubscribe_url: String,
}

impl PreferencesLinkMail {
    const fn words(&self) -> &'static LinkMailWords {
        LinkMailWords::of(self.speech)
    }

    const fn frame(&self) -> &'static MailWords {
        MailWords::of(self.speech)
    }
}

mail_templates!(
    PreferencesLinkMail,
    "mail/preferences_link/subject.txt",
    "mail/preferences_link/body.txt",
    "mail/preferences_link/body.html"
);

#[cfg(test)]
mod tests {
    use super::PreferencesLinkMail;
    use crate::{mail::render::soundness::check, speech::Speech};

    fn postal_address() -> Option<String> {
        Some("Good Steel Coalition\n12 Furnace Street\nExampleville, OH 00000".into())
    }

    #[test]
    fn preferences_link() -> askama::Result<()> {
        let mail = PreferencesLinkMail {
            speech: Speech::English,
            campaign_name: "Good Steel Coalition".into(),
            postal_address: postal_address(),
            link_url: "https://join.example.org/preferences/k1.Cd4Cd4Cd4".into(),
            unsubscribe_url: "https://join.example.org/unsubscribe/k1.Ab3Ab3".into(),
        };
        insta::assert_snapshot!("preferences_link", check("preferences_link", &mail.render()?)?);
        let spanish = PreferencesLinkMail { speech: Speech::Spanish, ..mail };
        insta::assert_snapshot!("preferences_link_es", check("preferences_link_es", &spanish.render()?)?);
        Ok(())
    }
}

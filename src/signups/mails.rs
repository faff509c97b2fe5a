//! The mails a sign-up is owed: the confirmation, "you are already in", and the welcome with its receipt.
//! Called by the outbox when it sends; must never hold anything the visitor typed.

use super::words::{AlreadyInWords, ConfirmWords, WelcomeWords};
use crate::{
    forms::ConsentReceipt,
    mail::{render::mail_templates, words::MailWords},
    speech::Speech,
};

/// Asks whether the person behind an address wants to join. Goes to strangers, so it says nothing they typed.
#[derive(Debug, Clone)]
pub struct ConfirmMail {
    /// The language it is written in.
    pub speech: Speech,
    /// The campaign's name.
    pub campaign_name: String,
    /// The campaign's postal address, for the foot.
    pub postal_address: Option<String>,
    /// The link that leads to the one button.
    pub confirm_url: String,
    /// The link for somebody who never signed up.
    pub not_me_url: String,
    /// Days until the link to the button runs out.
    pub link_days: u16,
}

impl ConfirmMail {
    const fn words(&self) -> &'static ConfirmWords {
        ConfirmWords::of(self.speech)
    }

    const fn frame(&self) -> &'static MailWords {
        MailWords::of(self.speech)
    }
}

impl ConfirmMail {
    /// How long the link works.
    fn lifetime(&self) -> String {
        match self.link_days {
            1 => self.words().one_day.to_owned(),
            days => self.words().days.replace("{days}", &days.to_string()),
        }
    }
}

mail_templates!(ConfirmMail, "mail/confirm/subject.txt", "mail/confirm/body.txt", "mail/confirm/body.html");

/// Tells a supporter who signed up again that nothing is left to do.
#[derive(Debug, Clone)]
pub struct AlreadyInMail {
    /// The language it is written in.
    pub speech: Speech,
    /// The campaign's name.
    pub campaign_name: String,
    /// The campaign's postal address, for the foot.
    pub postal_address: Option<String>,
    /// Where choices are seen and changed.
    pub preferences_url: String,
    /// Where one leaves with a click.
    pub unsubscribe_url: String,
}

impl AlreadyInMail {
    const fn words(&self) -> &'static AlreadyInWords {
        AlreadyInWords::of(self.speech)
    }

    const fn frame(&self) -> &'static MailWords {
        MailWords::of(self.speech)
    }
}

mail_templates!(
    AlreadyInMail,
    "mail/already_in/subject.txt",
    "mail/already_in/body.txt",
    "mail/already_in/body.html"
);

/// Says thank you and hands over the consent receipt.
#[derive(Debug, Clone)]
pub struct WelcomeMail {
    /// The language it is written in.
    pub speech: Speech,
    /// The campaign's name.
    pub campaign_name: String,
    /// The campaign's postal address, for the foot.
    pub postal_address: Option<String>,
    /// What was agreed to.
    pub receipt: ConsentReceipt,
    /// Names of the groups that may have the contact; none is fine.
    pub groups: Vec<String>,
    /// Names of groups that were named too and get nothing, since they are no longer members.
    pub dropped: Vec<String>,
    /// Where choices are seen and changed.
    pub preferences_url: String,
    /// Where one leaves with a click.
    pub unsubscribe_url: String,
}

impl WelcomeMail {
    const fn words(&self) -> &'static WelcomeWords {
        WelcomeWords::of(self.speech)
    }

    const fn frame(&self) -> &'static MailWords {
        MailWords::of(self.speech)
    }
}

mail_templates!(WelcomeMail, "mail/welcome/subject.txt", "mail/welcome/body.txt", "mail/welcome/body.html");

#[cfg(test)]
mod tests {
    use super::{AlreadyInMail, ConfirmMail, WelcomeMail};
    use crate::{
        forms::ConsentReceipt,
        mail::{render::soundness::check, stencil::Stencil},
        speech::Speech,
    };

    #[test]
    fn confirm() -> askama::Result<()> {
        let mail = ConfirmMail {
            speech: Speech::English,
            campaign_name: "Good Steel Coalition".into(),
            postal_address: Some("Good Steel Coalition\n12 Furnace Street\nExampleville, OH 00000".into()),
            confirm_url: format!("https://join.example.org/confirm/k1.{}", "Ab3".repeat(30)),
            not_me_url: format!("https://join.example.org/not-me/k1.{}", "Ab3".repeat(30)),
            link_days: 7,
        };
        insta::assert_snapshot!("confirm", check("confirm", &mail.render()?)?);
        let spanish = ConfirmMail { speech: Speech::Spanish, ..mail.clone() };
        insta::assert_snapshot!("confirm_es", check("confirm_es", &spanish.render()?)?);
        for mail in [&mail, &spanish] {
            let stencil = Stencil::of(|[confirm_url, not_me_url]| {
                ConfirmMail { confirm_url, not_me_url, ..mail.clone() }.render()
            })?;
            assert_eq!(stencil.with(&[mail.confirm_url.clone(), mail.not_me_url.clone()])?, mail.render()?);
        }
        let bare = ConfirmMail { postal_address: None, ..mail };
        assert!(!bare.render()?.text.contains("Furnace"));
        Ok(())
    }

    #[test]
    fn already_in() -> askama::Result<()> {
        let mail = AlreadyInMail {
            speech: Speech::English,
            campaign_name: "Good Steel Coalition".into(),
            postal_address: Some("Good Steel Coalition\n12 Furnace Street\nExampleville, OH 00000".into()),
            preferences_url: "https://join.example.org/preferences/k1.Ab3Ab3".into(),
            unsubscribe_url: "https://join.example.org/unsubscribe/k1.Ab3Ab3".into(),
        };
        insta::assert_snapshot!("already_in", check("already_in", &mail.render()?)?);
        let spanish = AlreadyInMail { speech: Speech::Spanish, ..mail };
        insta::assert_snapshot!("already_in_es", check("already_in_es", &spanish.render()?)?);
        Ok(())
    }

    #[test]
    fn welcome() -> askama::Result<()> {
        let mail = WelcomeMail {
            speech: Speech::English,
            campaign_name: "Good Steel Coalition".into(),
            postal_address: Some("Good Steel Coalition\n12 Furnace Street\nExampleville, OH 00000".into()),
            receipt: ConsentReceipt {
                wording: "The Good Steel Coalition may e-mail me news & ways to take part.\nI can leave at any time; \
                          this line is long enough that it has to be filled over two lines."
                    .into(),
                sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
                at: "1 March 2026, 14:05 UTC".into(),
                language: "English".into(),
            },
            groups: vec!["Valley Clean Air".into(), "Mill Workers' Local 12".into()],
            dropped: vec!["River Watch".into()],
            preferences_url: "https://join.example.org/preferences/k1.Ab3Ab3".into(),
            unsubscribe_url: "https://join.example.org/unsubscribe/k1.Ab3Ab3".into(),
        };
        insta::assert_snapshot!("welcome", check("welcome", &mail.render()?)?);
        let spanish = WelcomeMail { speech: Speech::Spanish, ..mail.clone() };
        insta::assert_snapshot!("welcome_es", check("welcome_es", &spanish.render()?)?);
        let alone = WelcomeMail { groups: Vec::new(), dropped: Vec::new(), ..mail };
        insta::assert_snapshot!("welcome_without_groups", alone.render()?.text);
        Ok(())
    }
}

//! The mails an organisation's contact gets: the confirmation, what staff decided, what they ask.
//! Called by the outbox when it sends; the first must not hold anything that was typed, since anybody may type it.

use super::digest::ToDo;
use crate::mail::render::mail_templates;

/// Asks whether the contact wants to apply. Goes to strangers, so it says nothing they typed.
#[derive(Debug, Clone)]
pub struct ApplicationMail {
    /// The campaign's name.
    pub campaign_name: String,
    /// The campaign's postal address, for the foot.
    pub postal_address: Option<String>,
    /// The link that leads to the application and its one button.
    pub confirm_url: String,
    /// The link for somebody who never applied.
    pub not_me_url: Option<String>,
    /// Days until the link to the button runs out.
    pub link_days: u16,
}

mail_templates!(
    ApplicationMail,
    "mail/group_application/subject.txt",
    "mail/group_application/body.txt",
    "mail/group_application/body.html"
);

/// The organisation is a member.
#[derive(Debug, Clone)]
pub struct ApprovedMail {
    /// The campaign's name.
    pub campaign_name: String,
    /// The campaign's postal address, for the foot.
    pub postal_address: Option<String>,
    /// The organisation.
    pub group_name: String,
    /// Whom to talk to.
    pub contact_name: String,
    /// Its page, where it is listed.
    pub directory_url: Option<String>,
    /// The join form that offers it first.
    pub join_url: String,
}

mail_templates!(
    ApprovedMail,
    "mail/group_approved/subject.txt",
    "mail/group_approved/body.txt",
    "mail/group_approved/body.html"
);

/// The organisation is not taken in, and why.
#[derive(Debug, Clone)]
pub struct DeclinedMail {
    /// The campaign's name.
    pub campaign_name: String,
    /// The campaign's postal address, for the foot.
    pub postal_address: Option<String>,
    /// The organisation.
    pub group_name: String,
    /// Whom to talk to.
    pub contact_name: String,
    /// What staff wrote.
    pub reason: String,
}

mail_templates!(
    DeclinedMail,
    "mail/group_declined/subject.txt",
    "mail/group_declined/body.txt",
    "mail/group_declined/body.html"
);

/// Staff want to know more before they decide.
#[derive(Debug, Clone)]
pub struct QuestionMail {
    /// The campaign's name.
    pub campaign_name: String,
    /// The campaign's postal address, for the foot.
    pub postal_address: Option<String>,
    /// The organisation.
    pub group_name: String,
    /// Whom to talk to.
    pub contact_name: String,
    /// What staff wrote.
    pub question: String,
    /// The link that answers it.
    pub answer_url: String,
    /// Days until that runs out.
    pub link_days: u16,
}

mail_templates!(
    QuestionMail,
    "mail/group_question/subject.txt",
    "mail/group_question/body.txt",
    "mail/group_question/body.html"
);

/// Tells the staff what waits for them.
#[derive(Debug, Clone)]
pub struct DigestMail {
    /// The campaign's name.
    pub campaign_name: String,
    /// The campaign's postal address, for the foot.
    pub postal_address: Option<String>,
    /// What waits.
    pub todo: ToDo,
    /// Where the routes are described by which it is done.
    pub api_url: String,
}

mail_templates!(
    DigestMail,
    "mail/staff_digest/subject.txt",
    "mail/staff_digest/body.txt",
    "mail/staff_digest/body.html"
);

impl DeclinedMail {
    /// The reason with its later lines indented like the first, for the text mail.
    fn indented(&self) -> String {
        indented(&self.reason)
    }
}

impl QuestionMail {
    /// The question with its later lines indented like the first, for the text mail.
    fn indented(&self) -> String {
        indented(&self.question)
    }
}

fn indented(text: &str) -> String {
    text.lines().collect::<Vec<_>>().join("\n    ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::render::soundness::check;

    fn campaign() -> (String, Option<String>) {
        let address = "Good Steel Coalition\n12 Furnace Street\nExampleville, OH 00000";
        ("Good Steel Coalition".into(), Some(address.into()))
    }

    #[test]
    fn application() -> askama::Result<()> {
        let (campaign_name, postal_address) = campaign();
        let mail = ApplicationMail {
            campaign_name,
            postal_address,
            confirm_url: format!("https://join.example.org/groups/confirm/{}", "Ab3".repeat(21)),
            not_me_url: Some(format!("https://join.example.org/not-me/{}", "Ab3".repeat(21))),
            link_days: 7,
        };
        insta::assert_snapshot!("group_application", check("group_application", &mail.render()?)?);
        Ok(())
    }

    #[test]
    fn approved() -> askama::Result<()> {
        let (campaign_name, postal_address) = campaign();
        let mail = ApprovedMail {
            campaign_name,
            postal_address,
            group_name: "Valley Clean Air".into(),
            contact_name: "Grace Hopper".into(),
            directory_url: Some("https://join.example.org/groups/valley-clean-air".into()),
            join_url: "https://join.example.org/join?group=valley-clean-air".into(),
        };
        insta::assert_snapshot!("group_approved", check("group_approved", &mail.render()?)?);
        Ok(())
    }

    #[test]
    fn digest() -> askama::Result<()> {
        let (campaign_name, postal_address) = campaign();
        let mail = DigestMail {
            campaign_name,
            postal_address,
            todo: ToDo { applications: 2, dead_mails: 1, overdue_recalls: 3 },
            api_url: "https://join.example.org/api/docs".into(),
        };
        insta::assert_snapshot!("staff_digest", check("staff_digest", &mail.render()?)?);
        Ok(())
    }

    #[test]
    fn declined_and_question() -> askama::Result<()> {
        let (campaign_name, postal_address) = campaign();
        let mail = DeclinedMail {
            campaign_name: campaign_name.clone(),
            postal_address: postal_address.clone(),
            group_name: "Valley Clean Air".into(),
            contact_name: "Grace Hopper".into(),
            reason: "We could not find out who stands behind it.\nPlease tell us <more> & apply again."
                .into(),
        };
        insta::assert_snapshot!("group_declined", check("group_declined", &mail.render()?)?);
        let mail = QuestionMail {
            campaign_name,
            postal_address,
            group_name: "Valley Clean Air".into(),
            contact_name: "Grace Hopper".into(),
            question: "Where do you publish what you measure?".into(),
            answer_url: format!("https://join.example.org/groups/answer/{}", "Ab3".repeat(21)),
            link_days: 7,
        };
        insta::assert_snapshot!("group_question", check("group_question", &mail.render()?)?);
        Ok(())
    }
}

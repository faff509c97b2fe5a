//! The mails to the staff: the invitation, and the link to set a new password.
//! Called by the outbox when it sends; must hold nothing that somebody typed.

use crate::mail::render::mail_templates;

/// Lets somebody in: the link to set their first password.
#[derive(Debug, Clone)]
pub struct StaffInviteMail {
    /// The campaign's name.
    pub campaign_name: String,
    /// The campaign's postal address, for the foot.
    pub postal_address: Option<String>,
    /// What they will be able to do, in words.
    pub role: &'static str,
    /// The link.
    pub link_url: String,
    /// Days until it runs out.
    pub link_days: u16,
}

mail_templates!(
    StaffInviteMail,
    "mail/staff_invite/subject.txt",
    "mail/staff_invite/body.txt",
    "mail/staff_invite/body.html"
);

/// Lets somebody who has lost their password set another.
#[derive(Debug, Clone)]
pub struct StaffResetMail {
    /// The campaign's name.
    pub campaign_name: String,
    /// The campaign's postal address, for the foot.
    pub postal_address: Option<String>,
    /// The link.
    pub link_url: String,
    /// Minutes until it runs out.
    pub link_minutes: u16,
}

mail_templates!(
    StaffResetMail,
    "mail/staff_reset/subject.txt",
    "mail/staff_reset/body.txt",
    "mail/staff_reset/body.html"
);

#[cfg(test)]
mod tests {
    use super::{StaffInviteMail, StaffResetMail};
    use crate::mail::render::soundness::check;

    #[test]
    fn staff_invite() -> askama::Result<()> {
        let mail = StaffInviteMail {
            campaign_name: "Good Steel Coalition".into(),
            postal_address: Some("Good Steel Coalition\n12 Furnace Street\nExampleville, OH 00000".into()),
            role: "see and export the people who share their contact with your group",
            link_url: format!("https://join.example.org/invite/{}", "Ab3".repeat(21)),
            link_days: 7,
        };
        insta::assert_snapshot!("staff_invite", check("staff_invite", &mail.render()?)?);
        Ok(())
    }

    #[test]
    fn staff_reset() -> askama::Result<()> {
        let mail = StaffResetMail {
            campaign_name: "Good Steel Coalition".into(),
            postal_address: Some("Good Steel Coalition\n12 Furnace Street\nExampleville, OH 00000".into()),
            link_url: format!("https://join.example.org/reset/{}", "Ab3".repeat(21)),
            link_minutes: 60,
        };
        insta::assert_snapshot!("staff_reset", check("staff_reset", &mail.render()?)?);
        Ok(())
    }
}

//! The mails to the staff: the invitation, the link to set a new password, and the notice that something was done to
//! their account.
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

/// What was done to an account that its holder must hear of by another way than the account itself (OWASP, changing a
/// password or a second factor): if it was not they, they can act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// A password was set by another way than the invitation.
    PasswordSet,
    /// A second factor was turned on, or replaced.
    TotpOn,
    /// It was turned off.
    TotpOff,
    /// Other recovery codes were made.
    RecoveryCodes,
    /// A bearer token was made.
    TokenMade,
}

impl Notice {
    /// Each.
    pub const ALL: [Self; 5] =
        [Self::PasswordSet, Self::TotpOn, Self::TotpOff, Self::RecoveryCodes, Self::TokenMade];

    /// Its name in the outbox.
    pub const fn template(self) -> &'static str {
        match self {
            Self::PasswordSet => "staff_password_set",
            Self::TotpOn => "staff_totp_on",
            Self::TotpOff => "staff_totp_off",
            Self::RecoveryCodes => "staff_recovery_codes",
            Self::TokenMade => "staff_token_made",
        }
    }

    /// What was done, in a few words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::PasswordSet => "your password was set",
            Self::TotpOn => "your second factor was turned on",
            Self::TotpOff => "your second factor was turned off",
            Self::RecoveryCodes => "you have other recovery codes",
            Self::TokenMade => "a token was made for your account",
        }
    }

    /// What follows from it.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::PasswordSet => {
                "A new password was set for your account. Wherever somebody was logged in with it, they have been \
                 logged out."
            }
            Self::TotpOn => {
                "A second factor was turned on for your account. From now on a login asks for a code of that \
                 authenticator app, too."
            }
            Self::TotpOff => {
                "The second factor of your account was turned off. From now on a login asks for the password alone."
            }
            Self::RecoveryCodes => {
                "Ten recovery codes were made for your account. Those from before are worth nothing any more."
            }
            Self::TokenMade => {
                "A bearer token was made for your account. A program that has it can do what it was made for, \
                 without a login, until it is revoked."
            }
        }
    }
}

/// Tells somebody what was done to their account.
#[derive(Debug, Clone)]
pub struct StaffChangedMail {
    /// The campaign's name.
    pub campaign_name: String,
    /// The campaign's postal address, for the foot.
    pub postal_address: Option<String>,
    /// What it was.
    pub notice: Notice,
    /// Where a new password is asked for.
    pub reset_url: String,
}

mail_templates!(
    StaffChangedMail,
    "mail/staff_changed/subject.txt",
    "mail/staff_changed/body.txt",
    "mail/staff_changed/body.html"
);

#[cfg(test)]
mod tests {
    use super::{Notice, StaffChangedMail, StaffInviteMail, StaffResetMail};
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

    #[test]
    fn staff_changed() -> askama::Result<()> {
        for notice in Notice::ALL {
            let mail = StaffChangedMail {
                campaign_name: "Good Steel Coalition".into(),
                postal_address: Some(
                    "Good Steel Coalition\n12 Furnace Street\nExampleville, OH 00000".into(),
                ),
                notice,
                reset_url: "https://join.example.org/reset".into(),
            };
            let name = notice.template();
            insta::assert_snapshot!(name, check(name, &mail.render()?)?);
        }
        Ok(())
    }
}

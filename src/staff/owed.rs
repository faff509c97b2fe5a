//! The mails of this slice as the outbox asks for them. Links are made at sending, so that their time begins then.

use std::collections::HashMap;

use diesel::QueryResult;

use super::{
    Role,
    accounts::{MailedLink, queries},
    mails::{StaffInviteMail, StaffResetMail},
};
use crate::{
    clock::Timestamp,
    id::Id,
    kernel::Kernel,
    outbox::{Compose, Template},
    store::Db,
};

/// Lets somebody in; its subject is the account.
pub(super) const INVITE: &str = "staff_invite";

/// Lets somebody set a new password; its subject is the account, or nobody.
pub(super) const RESET: &str = "staff_reset";

/// The mails that the staff are owed.
#[must_use]
pub fn templates(kernel: &Kernel) -> Vec<Box<dyn Template>> {
    vec![Box::new(Invite(kernel.clone())), Box::new(Reset(kernel.clone()))]
}

struct Invite(Kernel);

impl Template for Invite {
    fn name(&self) -> &'static str {
        INVITE
    }

    fn load(&self, db: &mut Db, subjects: &[Id]) -> QueryResult<HashMap<Id, Compose>> {
        let mut owed: HashMap<Id, Compose> = HashMap::new();
        for account in queries::list_invited(db, subjects)? {
            let (kernel, id) = (self.0.clone(), account.id);
            let compose = move |now: Timestamp| {
                let config = &kernel.config;
                let until = now.after(config.staff.invitation());
                let path = MailedLink::Invite.make(&kernel.keys, account.id, account.link_version, until);
                let mail = StaffInviteMail {
                    campaign_name: config.campaign.name.clone(),
                    postal_address: kernel.postal_address(),
                    role: account.role.parse().map_or("log in", Role::allows),
                    link_url: kernel.url(&path),
                    link_days: config.staff.invite_days,
                };
                mail.render().map(|parts| parts.into_content(None))
            };
            owed.insert(id, Box::new(compose));
        }
        Ok(owed)
    }
}

struct Reset(Kernel);

impl Template for Reset {
    fn name(&self) -> &'static str {
        RESET
    }

    fn load(&self, db: &mut Db, subjects: &[Id]) -> QueryResult<HashMap<Id, Compose>> {
        let mut owed: HashMap<Id, Compose> = HashMap::new();
        for account in queries::list_linked(db, subjects)? {
            let (kernel, id) = (self.0.clone(), account.id);
            let compose = move |now: Timestamp| {
                let config = &kernel.config;
                let until = now.after(config.staff.reset());
                let path = MailedLink::Reset.make(&kernel.keys, account.id, account.link_version, until);
                let mail = StaffResetMail {
                    campaign_name: config.campaign.name.clone(),
                    postal_address: kernel.postal_address(),
                    link_url: kernel.url(&path),
                    link_minutes: config.staff.reset_minutes,
                };
                mail.render().map(|parts| parts.into_content(None))
            };
            owed.insert(id, Box::new(compose));
        }
        Ok(owed)
    }
}

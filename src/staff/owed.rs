//! The mails of this slice as the outbox asks for them. Links are made at sending, so that their time begins then.

use std::collections::HashMap;

use diesel::QueryResult;

pub(super) use super::mails::Notice;
use super::{
    Role,
    accounts::{MailedLink, queries},
    mails::{StaffChangedMail, StaffInviteMail, StaffResetMail},
};
use crate::{
    clock::Timestamp,
    id::Id,
    kernel::Kernel,
    outbox::{self, Compose, NewMail, Template},
    store::Db,
};

/// Lets somebody in; its subject is the account.
pub(super) const INVITE: &str = "staff_invite";

/// Lets somebody set a new password; its subject is the account, or nobody.
pub(super) const RESET: &str = "staff_reset";

/// The mails that the staff are owed.
#[must_use]
pub fn templates(kernel: &Kernel) -> Vec<Box<dyn Template>> {
    let notices =
        Notice::ALL.map(|notice| -> Box<dyn Template> { Box::new(Changed(kernel.clone(), notice)) });
    let links: [Box<dyn Template>; 2] = [Box::new(Invite(kernel.clone())), Box::new(Reset(kernel.clone()))];
    links.into_iter().chain(notices).collect()
}

/// Owes `address`, which has the account `id`, the mail that this was done to it, in the caller's transaction; the
/// caller wakes the outbox after the commit.
pub(super) fn notice(
    db: &mut Db,
    notice: Notice,
    id: Id,
    address: String,
    now: Timestamp,
) -> QueryResult<()> {
    outbox::enqueue(db, &[NewMail { template: notice.template(), subject_id: id, address }], now)
}

struct Changed(Kernel, Notice);

impl Template for Changed {
    fn name(&self) -> &'static str {
        self.1.template()
    }

    fn load(&self, db: &mut Db, subjects: &[Id]) -> QueryResult<HashMap<Id, Compose>> {
        let mut owed: HashMap<Id, Compose> = HashMap::new();
        for account in queries::list_linked(db, subjects)? {
            let (kernel, notice) = (self.0.clone(), self.1);
            let compose = move |_: Timestamp| {
                let mail = StaffChangedMail {
                    campaign_name: kernel.config.campaign.name.clone(),
                    postal_address: kernel.postal_address(),
                    notice,
                    reset_url: kernel.url(MailedLink::Reset.path()),
                };
                mail.render().map(|parts| parts.into_content(None))
            };
            owed.insert(account.id, Box::new(compose));
        }
        Ok(owed)
    }
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

//! The mails of this slice as the outbox asks for them: what each needs is read here, its links are made at sending.

use std::collections::HashMap;

use diesel::QueryResult;

use super::{
    answer,
    application::confirm_path,
    digest::Digest,
    mails::{ApplicationMail, ApprovedMail, DeclinedMail, QuestionMail},
    model::Group,
    queries,
    words::GroupStatus,
};
use crate::{
    contact::EmailAddress,
    id::Id,
    kernel::Kernel,
    keys::{Keys, Link, Purpose},
    outbox::{Compose, Template},
    store::Db,
};

/// Asks the contact for the click; the subject of each of these is the organisation.
pub(super) const APPLICATION: &str = "group_application";
/// It is a member.
pub(super) const APPROVED: &str = "group_approved";
/// It is not, and why.
pub(super) const DECLINED: &str = "group_declined";
/// Staff want to know more.
pub(super) const QUESTION: &str = "group_question";

/// The mails that groups owe.
#[must_use]
pub fn templates(kernel: &Kernel) -> Vec<Box<dyn Template>> {
    let letter = |name, status, compose| -> Box<dyn Template> {
        Box::new(Letter { name, status, compose, kernel: kernel.clone() })
    };
    vec![
        letter(APPLICATION, GroupStatus::Applied, application),
        letter(APPROVED, GroupStatus::Member, approved),
        letter(DECLINED, GroupStatus::Declined, declined),
        letter(QUESTION, GroupStatus::InReview, question),
        Box::new(Digest(kernel.clone())),
    ]
}

/// A letter to an organisation, owed as long as it stands where it stood.
struct Letter {
    name: &'static str,
    status: GroupStatus,
    compose: fn(Kernel, Group) -> Compose,
    kernel: Kernel,
}

impl Template for Letter {
    fn name(&self) -> &'static str {
        self.name
    }

    fn load(&self, db: &mut Db, subjects: &[Id]) -> QueryResult<HashMap<Id, Compose>> {
        let groups = queries::find_all(db, subjects)?.into_iter();
        let owed = groups.filter(|group| group.status == self.status);
        Ok(owed.map(|group| (group.id, (self.compose)(self.kernel.clone(), group))).collect())
    }
}

fn application(kernel: Kernel, group: Group) -> Compose {
    Box::new(move |now| {
        let link_days = kernel.config.signups.link_days;
        let mail = ApplicationMail {
            campaign_name: kernel.config.campaign.name.clone(),
            postal_address: kernel.postal_address(),
            confirm_url: kernel.url(&confirm_path(&kernel.keys, group.id, link_days, now)),
            not_me_url: not_me_path(&kernel.keys, &group.contact_email).map(|path| kernel.url(&path)),
            link_days,
        };
        mail.render().map(|parts| parts.into_content(None))
    })
}

/// Where whoever has this address says that it was not them, as in the mails of sign-ups.
pub(super) fn not_me_path(keys: &Keys, email: &str) -> Option<String> {
    let address = keys.address_hash(&EmailAddress::parse(email).ok()?.key());
    let ever = Link { subject: address.as_subject(), version: 0, expires_at: None };
    Some(format!("/not-me/{}", keys.sign(Purpose::NotMe, &ever)))
}

fn approved(kernel: Kernel, group: Group) -> Compose {
    Box::new(move |_| {
        let mail = ApprovedMail {
            campaign_name: kernel.config.campaign.name.clone(),
            postal_address: kernel.postal_address(),
            group_name: group.name,
            contact_name: group.contact_name,
            directory_url: group.is_listed.then(|| kernel.url(&format!("/groups/{}", group.slug))),
            join_url: kernel.url(&format!("/join?group={}", group.slug)),
        };
        mail.render().map(|parts| parts.into_content(None))
    })
}

fn declined(kernel: Kernel, group: Group) -> Compose {
    Box::new(move |_| {
        let mail = DeclinedMail {
            campaign_name: kernel.config.campaign.name.clone(),
            postal_address: kernel.postal_address(),
            group_name: group.name,
            contact_name: group.contact_name,
            reason: group.reason.unwrap_or_default(),
        };
        mail.render().map(|parts| parts.into_content(None))
    })
}

fn question(kernel: Kernel, group: Group) -> Compose {
    Box::new(move |now| {
        let link_days = kernel.config.signups.link_days;
        let mail = QuestionMail {
            answer_url: kernel.url(&answer::path(&kernel.keys, group.id, link_days, now)),
            link_days,
            campaign_name: kernel.config.campaign.name.clone(),
            postal_address: kernel.postal_address(),
            group_name: group.name,
            contact_name: group.contact_name,
            question: group.question.unwrap_or_default(),
        };
        mail.render().map(|parts| parts.into_content(None))
    })
}

//! The mails of this slice as the outbox asks for them: what each needs is read here, its links are made at
//! sending.

use std::{collections::HashMap, sync::Arc, time::Duration};

use diesel::QueryResult;

use super::{
    confirmation::{NamedGroup, Sharing, sharing},
    mails::{AlreadyInMail, ConfirmMail, WelcomeMail},
    queries,
};
use crate::{
    clock::Timestamp,
    forms::{ConsentReceipt, Forms},
    id::Id,
    kernel::Kernel,
    keys::{AddressHash, Keys, Link, Purpose},
    mail::{message::Content, stencil::Stencils},
    outbox::{Compose, Template},
    speech::Speech,
    store::Db,
    supporters::{self, Links, Status},
};

/// Asks for the click; its subject is the sign-up.
pub(super) const CONFIRM: &str = "confirm";
/// "Already in, here are your choices"; its subject is the supporter.
pub(super) const ALREADY_IN: &str = "already_in";
/// Welcome with the consent receipt; its subject is the confirmed sign-up.
pub(super) const WELCOME: &str = "welcome";

/// The mails that sign-ups owe.
#[must_use]
pub fn templates(kernel: &Kernel, forms: &Forms) -> Vec<Box<dyn Template>> {
    let kernel = Arc::new(kernel.clone());
    vec![
        Box::new(Confirm(Arc::new(ConfirmParts {
            kernel: Arc::clone(&kernel),
            stencils: Stencils::default(),
        }))),
        Box::new(AlreadyIn(Arc::clone(&kernel))),
        Box::new(Welcome(kernel, forms.clone())),
    ]
}

struct Confirm(Arc<ConfirmParts>);

/// Shared, since each mail in hand holds them.
struct ConfirmParts {
    kernel: Arc<Kernel>,
    stencils: Stencils<2>,
}

impl Template for Confirm {
    fn name(&self) -> &'static str {
        CONFIRM
    }

    fn load(&self, db: &mut Db, subjects: &[Id]) -> QueryResult<HashMap<Id, Compose>> {
        let pending = queries::list_pending(db, subjects)?;
        let compose = |(id, address, language): (Id, AddressHash, String)| -> (Id, Compose) {
            let parts = Arc::clone(&self.0);
            (id, Box::new(move |now| parts.compose(id, address, Speech::of(&language), now)))
        };
        Ok(pending.into_iter().map(compose).collect())
    }
}

impl ConfirmParts {
    fn compose(
        &self,
        signup: Id,
        address: AddressHash,
        speech: Speech,
        now: Timestamp,
    ) -> askama::Result<Content> {
        let Self { kernel, stencils } = self;
        let link_days = kernel.config.signups.link_days;
        let good = Link {
            subject: signup,
            version: 0,
            expires_at: Some(now.after(Duration::from_secs(u64::from(link_days) * 86_400))),
        };
        let links = [
            kernel.url(&format!("/confirm/{}", kernel.keys.sign(Purpose::Confirm, &good))),
            kernel.url(&not_me_path(&kernel.keys, address)),
        ];
        let render = |[confirm_url, not_me_url]: [String; 2]| {
            let (campaign_name, postal_address) =
                (kernel.config.campaign.name.clone(), kernel.postal_address());
            ConfirmMail { speech, campaign_name, postal_address, confirm_url, not_me_url, link_days }.render()
        };
        Ok(stencils.in_speech(speech, render)?.with(&links)?.into_content(None))
    }
}

/// Where whoever has this address says that it was not them; also long after the sign-up was erased.
pub(super) fn not_me_path(keys: &Keys, address: AddressHash) -> String {
    let ever = Link { subject: address.as_subject(), version: 0, expires_at: None };
    format!("/not-me/{}", keys.sign(Purpose::NotMe, &ever))
}

struct AlreadyIn(Arc<Kernel>);

impl Template for AlreadyIn {
    fn name(&self) -> &'static str {
        ALREADY_IN
    }

    fn load(&self, db: &mut Db, subjects: &[Id]) -> QueryResult<HashMap<Id, Compose>> {
        let mut owed: HashMap<Id, Compose> = HashMap::new();
        for id in subjects {
            if let Some(supporter) =
                supporters::find(db, *id)?.filter(|known| known.status == Status::Confirmed)
            {
                let (kernel, version) = (Arc::clone(&self.0), supporter.link_version);
                let id = *id;
                let compose = move |_| {
                    let links = Links::of(&kernel, id, version);
                    let mail = AlreadyInMail {
                        speech: Speech::of(&supporter.language),
                        campaign_name: kernel.config.campaign.name.clone(),
                        postal_address: kernel.postal_address(),
                        preferences_url: links.preferences,
                        unsubscribe_url: links.unsubscribe.clone(),
                    };
                    mail.render().map(|parts| parts.into_content(Some(links.unsubscribe)))
                };
                owed.insert(id, Box::new(compose));
            }
        }
        Ok(owed)
    }
}

struct Welcome(Arc<Kernel>, Forms);

impl Template for Welcome {
    fn name(&self) -> &'static str {
        WELCOME
    }

    fn load(&self, db: &mut Db, subjects: &[Id]) -> QueryResult<HashMap<Id, Compose>> {
        let mut owed: HashMap<Id, Compose> = HashMap::new();
        for signup in queries::find_all(db, subjects)? {
            let Some(supporter) = signup.supporter_id else { continue };
            let Some(supporter) = supporters::find(db, supporter)? else { continue };
            let Some(receipt) = self.receipt(signup.notice_id, signup.confirmed_at) else { continue };
            if supporter.status != Status::Confirmed {
                continue;
            }
            let sharing = sharing(db, &signup)?;
            let kernel = Arc::clone(&self.0);
            let speech = Speech::of(&supporter.language);
            let compose =
                move |_| welcome(&kernel, (supporter.id, supporter.link_version), speech, receipt, sharing);
            owed.insert(signup.id, Box::new(compose));
        }
        Ok(owed)
    }
}

impl Welcome {
    fn receipt(&self, notice: Id, confirmed_at: Option<Timestamp>) -> Option<ConsentReceipt> {
        Some(ConsentReceipt::of(&*self.1.notice(notice)?, confirmed_at?))
    }
}

fn welcome(
    kernel: &Kernel,
    (id, version): (Id, i32),
    speech: Speech,
    receipt: ConsentReceipt,
    sharing: Sharing,
) -> askama::Result<Content> {
    let names = |groups: Vec<NamedGroup>| groups.into_iter().map(|group| group.name).collect();
    let links = Links::of(kernel, id, version);
    let mail = WelcomeMail {
        speech,
        campaign_name: kernel.config.campaign.name.clone(),
        postal_address: kernel.postal_address(),
        receipt,
        groups: names(sharing.with),
        dropped: names(sharing.dropped),
        preferences_url: links.preferences,
        unsubscribe_url: links.unsubscribe.clone(),
    };
    mail.render().map(|parts| parts.into_content(Some(links.unsubscribe)))
}

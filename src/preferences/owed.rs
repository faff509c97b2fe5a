//! The mail of this slice: a fresh link, made at sending, good for an hour.

use std::collections::HashMap;

use diesel::QueryResult;

use super::mails::PreferencesLinkMail;
use crate::{
    id::Id,
    kernel::Kernel,
    outbox::{Compose, Template},
    speech::Speech,
    store::Db,
    supporters::{self, Status},
};

/// Its subject is the supporter.
pub(super) const FRESH_LINK: &str = "preferences_link";

/// The mails that preferences owe.
#[must_use]
pub fn templates(kernel: &Kernel) -> Vec<Box<dyn Template>> {
    vec![Box::new(FreshLink(kernel.clone()))]
}

struct FreshLink(Kernel);

impl Template for FreshLink {
    fn name(&self) -> &'static str {
        FRESH_LINK
    }

    fn load(&self, db: &mut Db, subjects: &[Id]) -> QueryResult<HashMap<Id, Compose>> {
        let mut owed: HashMap<Id, Compose> = HashMap::new();
        for id in subjects {
            let found = supporters::find(db, *id)?.filter(|known| known.status != Status::Suppressed);
            if let Some(supporter) = found {
                let kernel = self.0.clone();
                let compose = move |now| {
                    let unsubscribe_url = supporters::unsubscribe_url(&kernel, supporter.id);
                    let mail = PreferencesLinkMail {
                        speech: Speech::of(&supporter.language),
                        campaign_name: kernel.config.campaign.name.clone(),
                        postal_address: kernel.postal_address(),
                        link_url: supporters::fresh_preferences_url(
                            &kernel,
                            supporter.id,
                            supporter.link_version,
                            now,
                        ),
                        unsubscribe_url: unsubscribe_url.clone(),
                    };
                    mail.render().map(|parts| parts.into_content(Some(unsubscribe_url)))
                };
                owed.insert(*id, Box::new(compose));
            }
        }
        Ok(owed)
    }
}

//! A lost password: asking for the mail with the link. The answer, the work and the time are the same whether or not
//! there is an account with the address: a mail is owed in any case, and one about nobody is dropped by the outbox.

use std::net::IpAddr;

use super::queries;
use crate::{
    audit::{self, Act, Actor},
    contact::EmailAddress,
    error::AppError,
    id::Id,
    outbox::{self, NewMail},
    staff::{
        Staff, owed,
        throttle::{Counted, Try},
    },
    store::Lane,
};

impl Staff {
    /// Owes the mail to whoever has an account with `email`, if it was not asked for too often.
    ///
    /// # Errors
    /// 422 for what is no address; 429 when too many were asked for from one client.
    pub(in crate::staff) async fn request_reset(&self, email: &str, client: IpAddr) -> Result<(), AppError> {
        let address = EmailAddress::parse(email)
            .map_err(|error| AppError::field("email", error.code(), error.to_string()))?;
        let keys = self.kernel.keys.clone();
        let asker = format!("reset {}", keys.client_hash(client));
        let asker = Try::default().and(&keys, Counted::Client, &asker);
        let mailbox = Try::default().and(&keys, Counted::Mail, &address.key());
        let (clock, key) = (self.kernel.clock.clone(), address.key());
        self.kernel
            .store
            .write(Lane::Visitor, move |db| {
                asker.begin(db, &clock)?;
                let now = clock.now();
                let found = queries::find_for_reset(db, &key)?;
                let (subject_id, address) = found.clone().unwrap_or_else(|| (Id::new(), String::new()));
                match mailbox.begin(db, &clock) {
                    Ok(()) => {
                        outbox::enqueue(db, &[NewMail { template: owed::RESET, subject_id, address }], now)?;
                    }
                    // Said to nobody: it would tell that there is a mailbox to fill.
                    Err(AppError::TooMany { .. }) => {}
                    Err(error) => return Err(error),
                }
                let act = Act::new(Actor::Unknown, "staff.reset_request");
                let act = match found {
                    Some((id, _)) => act.on("staff", id),
                    None => {
                        let hash = keys.attempt_hash(Counted::Account.as_str(), &key).to_string();
                        act.with(serde_json::json!({ "address": hash }))
                    }
                };
                Ok(audit::append(db, &keys, &[act], now)?)
            })
            .await?;
        self.kernel.outbox.wake();
        Ok(())
    }
}

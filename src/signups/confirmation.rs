//! Confirmation: the click that turns a sign-up into a supporter.

use super::{Signups, model::Stored, owed, queries};
use crate::{
    clock::Timestamp,
    contact::EmailAddress,
    error::AppError,
    id::Id,
    keys::{AddressHash, Keys, Link, LinkError, Purpose},
    outbox::{self, NewMail, limits},
    store::{Db, Lane, StoreError, lock},
    supporters::{self, Confirmed, Profile},
};

/// What the page before the click says.
#[derive(Clone, Debug)]
pub struct Confirmation {
    /// The sign-up.
    pub signup: Id,
    /// Whether it is confirmed already.
    pub is_confirmed: bool,
    /// The notice that was agreed to.
    pub notice_id: Id,
    /// The address it was sent for.
    pub address: AddressHash,
}

/// Why a link does not confirm.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// Not a link of ours.
    #[error("this link is not complete; open it again from the mail, or sign up once more")]
    Invalid,
    /// Genuine, but too old, or the person has left or asked not to be written to since.
    #[error("this link is no longer good; please sign up once more and we will mail a new one")]
    Over,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<diesel::result::Error> for ConfirmError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<LinkError> for ConfirmError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Invalid => Self::Invalid,
            LinkError::Expired => Self::Over,
        }
    }
}

impl From<ConfirmError> for AppError {
    fn from(error: ConfirmError) -> Self {
        let sentence = error.to_string();
        match error {
            ConfirmError::Invalid => Self::NotFound(sentence),
            ConfirmError::Over => Self::Gone(sentence),
            ConfirmError::Store(error) => error.into(),
        }
    }
}

impl Signups {
    /// What the link would confirm. Changes nothing: mail scanners open links.
    ///
    /// # Errors
    /// [`ConfirmError`] when it would confirm nothing.
    pub async fn preview(&self, token: &str) -> Result<Confirmation, ConfirmError> {
        let link = self.confirm_link(token)?;
        let keys = self.kernel().keys.clone();
        self.kernel()
            .store
            .read(move |db| {
                let (signup, address) = confirmable(db, &keys, link.subject)?;
                Ok(Confirmation {
                    signup: signup.id,
                    is_confirmed: signup.state == "confirmed",
                    notice_id: signup.notice_id,
                    address,
                })
            })
            .await
    }

    /// Confirms the sign-up that the link was mailed for; once more changes nothing.
    ///
    /// # Errors
    /// [`ConfirmError`] when it confirms nothing.
    pub async fn confirm(&self, token: &str) -> Result<(), ConfirmError> {
        let link = self.confirm_link(token)?;
        let kernel = self.kernel();
        let (keys, now) = (kernel.keys.clone(), kernel.clock.now());
        let is_first =
            kernel.store.write(Lane::Visitor, move |db| confirm(db, &keys, link.subject, now)).await?;
        if is_first {
            kernel.metrics.confirmation();
            kernel.outbox.wake();
        }
        Ok(())
    }

    fn confirm_link(&self, token: &str) -> Result<Link, LinkError> {
        self.kernel().keys.verify(Purpose::Confirm, token, self.kernel().clock.now())
    }
}

/// The sign-up, if a click may confirm it (or has), and its address.
fn confirmable(db: &mut Db, keys: &Keys, id: Id) -> Result<(Stored, AddressHash), ConfirmError> {
    let signup = queries::find(db, id)?.ok_or(ConfirmError::Over)?;
    let is_open = matches!(signup.state.as_str(), "pending" | "confirmed") && !signup.email.is_empty();
    let email = EmailAddress::parse(&signup.email).ok().filter(|_| is_open).ok_or(ConfirmError::Over)?;
    let key = email.key();
    let address = keys.address_hash(&key);
    let standing = supporters::standings(db, &[(key, address)])?.pop().unwrap_or_default();
    let is_void = standing.is_suppressed || standing.voided_at.is_some_and(|at| signup.created_at <= at);
    if is_void { Err(ConfirmError::Over) } else { Ok((signup, address)) }
}

/// Returns whether this click was the first.
fn confirm(db: &mut Db, keys: &Keys, id: Id, now: Timestamp) -> Result<bool, ConfirmError> {
    let (_, address) = confirmable(db, keys, id)?;
    lock::addresses(db, [address])?;
    // Read again: another click may have been faster.
    let (signup, _) = confirmable(db, keys, id)?;
    if signup.state == "confirmed" {
        return Ok(false);
    }
    let email = EmailAddress::parse(&signup.email).map_err(|_| ConfirmError::Over)?;
    limits::forget_asked(db, keys.limit_hash(&email.limit_key()))?;
    let address = signup.email.clone();
    let details = signup.details();
    let (key, tags, fields) = (email.key(), details.tags, details.fields);
    let supporter = supporters::confirm(db, keys, confirmed(signup, email), now)?;
    let wishes: Vec<_> = tags.iter().map(|tag| (key.as_str(), tag.as_str())).collect();
    supporters::tag_listed(db, &wishes, now)?;
    supporters::give_fields(db, supporter, &fields)?;
    queries::set_confirmed(db, id, supporter, now)?;
    let address = supporters::find(db, supporter)?.map_or(address, |known| known.email);
    outbox::enqueue(db, &[NewMail { template: owed::WELCOME, subject_id: id, address }], now)?;
    Ok(true)
}

fn confirmed(signup: Stored, email: EmailAddress) -> Confirmed {
    let details = signup.details();
    let source = details.source;
    Confirmed {
        email,
        profile: Profile {
            given_name: details.given_name,
            family_name: details.family_name,
            postal_code: details.postal_code,
            region: details.region,
        },
        phone: details.phone,
        phone_consent: details.phone_consent,
        country: details.country,
        language: signup.language,
        involvement: details.involvement,
        form: signup.form,
        notice_id: signup.notice_id,
        source: [
            source.code,
            source.group,
            source.page,
            source.utm_source,
            source.utm_medium,
            source.utm_campaign,
        ],
        signed_up_at: signup.created_at,
    }
}

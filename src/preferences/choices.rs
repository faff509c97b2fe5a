//! [`Preferences`]: what each link allows, and what each choice does, in one transaction each.

use super::owed;
use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    error::AppError,
    forms::Forms,
    groups,
    id::Id,
    kernel::Kernel,
    keys::{AddressHash, LinkError, Purpose},
    outbox::{self, NewMail},
    speech::Speech,
    store::{Lane, StoreError, lock},
    supporters::{self, Profile, Status, Supporter},
};

/// What a preferences link allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// A masked view; only taking away.
    TakeAway,
    /// Everything, for an hour.
    Everything,
}

/// Why a link does nothing.
#[derive(Debug, thiserror::Error)]
pub enum LinkFault {
    /// Not a link of ours.
    #[error("this link is not complete; open it again from the mail")]
    Invalid,
    /// Genuine, but void: the person left, erased themselves, or asked for new links.
    #[error("this link is no longer good; use the link in our latest mail, or sign up again")]
    Void,
    /// What was asked needs a fresh link.
    #[error("this needs a fresh link; ask for one on the preferences page and we mail it to you")]
    NeedsFresh,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<diesel::result::Error> for LinkFault {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<LinkFault> for AppError {
    fn from(fault: LinkFault) -> Self {
        let sentence = fault.to_string();
        match fault {
            LinkFault::Invalid => Self::NotFound(sentence),
            LinkFault::Void => Self::Gone(sentence),
            LinkFault::NeedsFresh => Self::Forbidden(sentence),
            LinkFault::Store(error) => error.into(),
        }
    }
}

/// The choices people have. Cheap to clone.
#[derive(Clone)]
pub struct Preferences {
    pub(super) kernel: Kernel,
    pub(super) forms: Forms,
}

/// A person who came by a good link.
pub struct Visitor {
    /// Who it is.
    pub supporter: Supporter,
    /// What the link allows.
    pub power: Power,
    /// Whether it was a fresh link whose hour is over.
    pub was_fresh: bool,
}

impl Preferences {
    /// The facade.
    #[must_use]
    pub fn new(kernel: &Kernel, forms: &Forms) -> Self {
        Self { kernel: kernel.clone(), forms: forms.clone() }
    }

    /// Who comes by this preferences link, and what it allows. A fresh link whose hour is over still takes away.
    ///
    /// # Errors
    /// [`LinkFault`].
    pub async fn visitor(&self, token: &str) -> Result<Visitor, LinkFault> {
        let keys = &self.kernel.keys;
        let now = self.kernel.clock.now();
        let hours_ago = Timestamp::from_micros(0);
        let (link, power, was_fresh) = match keys.verify(Purpose::FreshPreferences, token, now) {
            Ok(link) => (link, Power::Everything, false),
            Err(LinkError::Expired) => {
                let link = keys.verify(Purpose::FreshPreferences, token, hours_ago);
                (link.map_err(|_| LinkFault::Invalid)?, Power::TakeAway, true)
            }
            Err(LinkError::Invalid) => {
                let link = keys.verify(Purpose::Preferences, token, now).map_err(|_| LinkFault::Invalid)?;
                (link, Power::TakeAway, false)
            }
        };
        let find =
            move |db: &mut _| Ok::<_, LinkFault>(supporters::find_linked(db, link.subject, link.version)?);
        let supporter = self.kernel.store.read(find).await?.ok_or(LinkFault::Void)?;
        // A link of a record that was merged into this one was mailed to another address.
        let power = if supporter.id == link.subject { power } else { Power::TakeAway };
        // An import in another process may have made it since this one started.
        self.forms.find_notice(supporter.notice_id).await?;
        Ok(Visitor { supporter, power, was_fresh })
    }

    /// Who comes by this link, which must be fresh.
    ///
    /// # Errors
    /// [`LinkFault`].
    pub async fn fresh_visitor(&self, token: &str) -> Result<Supporter, LinkFault> {
        let visitor = self.visitor(token).await?;
        if visitor.power == Power::Everything { Ok(visitor.supporter) } else { Err(LinkFault::NeedsFresh) }
    }

    /// Mails a fresh link to the stored address, at most one in five minutes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn mail_fresh_link(&self, supporter: Supporter) -> Result<(), LinkFault> {
        let now = self.kernel.clock.now();
        self.kernel
            .store
            .write(Lane::Visitor, move |db| {
                let recent = now.before(std::time::Duration::from_secs(300));
                if !outbox::was_owed_since(db, owed::FRESH_LINK, supporter.id, recent)? {
                    let mail = NewMail {
                        template: owed::FRESH_LINK,
                        subject_id: supporter.id,
                        address: supporter.email,
                    };
                    outbox::enqueue(db, &[mail], now)?;
                }
                Ok::<_, LinkFault>(())
            })
            .await?;
        self.kernel.outbox.wake();
        Ok(())
    }

    /// The supporter leaves; leaving twice changes nothing.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn leave(&self, supporter: Id) -> Result<(), LinkFault> {
        let (keys, now) = (self.kernel.keys.clone(), self.kernel.clock.now());
        self.kernel
            .store
            .write(Lane::Visitor, move |db| {
                let is_in =
                    supporters::find(db, supporter)?.is_some_and(|known| known.status == Status::Confirmed);
                supporters::leave(db, supporter, now)?;
                let act = Act::new(Actor::Supporter(supporter), "supporter.leave").on("supporter", supporter);
                if is_in {
                    audit::append(db, &keys, &[act], now)?;
                }
                Ok::<_, LinkFault>(())
            })
            .await
    }

    /// Whom this unsubscribe link unsubscribes. It never expires and is not versioned.
    ///
    /// # Errors
    /// [`LinkFault::Invalid`].
    pub fn unsubscribe_subject(&self, token: &str) -> Result<Id, LinkFault> {
        let link = self.kernel.keys.verify(Purpose::Unsubscribe, token, self.kernel.clock.now());
        link.map(|link| link.subject).map_err(|_| LinkFault::Invalid)
    }

    /// The language of the supporter with this id; `otherwise`, when nobody has it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn speech_of(&self, id: Id, otherwise: Speech) -> Result<Speech, LinkFault> {
        let found = self.kernel.store.read(move |db| Ok::<_, LinkFault>(supporters::find(db, id)?)).await?;
        Ok(found.map_or(otherwise, |supporter| Speech::of(&supporter.language)))
    }

    /// Which address this not-me link is about.
    ///
    /// # Errors
    /// [`LinkFault::Invalid`].
    pub fn not_me_subject(&self, token: &str) -> Result<AddressHash, LinkFault> {
        let link = self.kernel.keys.verify(Purpose::NotMe, token, self.kernel.clock.now());
        link.map(|link| AddressHash::from_subject(link.subject)).map_err(|_| LinkFault::Invalid)
    }

    /// This address is left alone for good, and what unconfirmed sign-ups hold of it is erased.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn not_me(&self, address: AddressHash) -> Result<(), LinkFault> {
        let (keys, now) = (self.kernel.keys.clone(), self.kernel.clock.now());
        self.kernel
            .store
            .write(Lane::Visitor, move |db| {
                lock::addresses(db, [address])?;
                supporters::suppress(db, address, "not_me", now)?;
                let mut erased = supporters::forget_signups(db, address, false)?;
                erased.extend(groups::erase_applications_of(db, address)?);
                outbox::forget(db, &erased)?;
                let act = Act::new(Actor::Unknown, "address.not_me").on("address", address.as_subject());
                Ok::<_, LinkFault>(audit::append(db, &keys, &[act], now)?)
            })
            .await?;
        self.kernel.store.scrub();
        Ok(())
    }

    /// Erases the person: the supporter, what every sign-up holds of them, and mails on their way.
    ///
    /// # Errors
    /// When the database does not answer; nothing is then erased.
    pub async fn erase(&self, supporter: Supporter) -> Result<(), LinkFault> {
        let (keys, now) = (self.kernel.keys.clone(), self.kernel.clock.now());
        self.kernel
            .store
            .write(Lane::Visitor, move |db| {
                supporters::erase(db, &keys, &supporter, now)?;
                let act = Act::new(Actor::Supporter(supporter.id), "supporter.erase");
                Ok::<_, LinkFault>(audit::append(db, &keys, &[act.on("supporter", supporter.id)], now)?)
            })
            .await?;
        self.kernel.store.scrub();
        Ok(())
    }
}

/// Names of the fields that `profile` changes.
pub(super) fn changed(supporter: &Supporter, profile: &Profile) -> Vec<&'static str> {
    let fields = [
        ("given_name", &supporter.given_name, &profile.given_name),
        ("family_name", &supporter.family_name, &profile.family_name),
        ("postal_code", &supporter.postal_code, &profile.postal_code),
        ("region", &supporter.region, &profile.region),
    ];
    fields.into_iter().filter(|(_, before, after)| before != after).map(|(name, ..)| name).collect()
}

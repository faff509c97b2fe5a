//! Confirmation: the click that turns a sign-up into a supporter.

use super::{Signups, model::Stored, owed, queries};
use crate::{
    clock::Timestamp,
    contact::EmailAddress,
    error::{AppError, FieldError},
    groups::{self, GroupStatus},
    id::Id,
    keys::{AddressHash, Keys, Link, LinkError, Purpose},
    outbox::{self, NewMail, limits},
    speech::Speech,
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
    /// The language of the sign-up.
    pub speech: Speech,
    /// Whom it shares with, or would.
    pub sharing: Sharing,
}

/// What a click did, now or before.
#[derive(Clone, Debug)]
pub struct Joined {
    /// Whom the contact is shared with.
    pub sharing: Sharing,
    /// The language of the sign-up.
    pub speech: Speech,
}

/// A group by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedGroup {
    /// Names it in tables.
    pub id: Id,
    /// Names it in links and in the API.
    pub slug: String,
    /// What people call it.
    pub name: String,
}

/// What became of the wish to share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sharing {
    /// Groups that have the contact, or will have it with the click.
    pub with: Vec<NamedGroup>,
    /// Groups that were named and are no longer members.
    pub dropped: Vec<NamedGroup>,
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
                    sharing: sharing(db, &signup)?,
                    signup: signup.id,
                    is_confirmed: signup.state == "confirmed",
                    notice_id: signup.notice_id,
                    speech: Speech::of(&signup.language),
                    address,
                })
            })
            .await
    }

    /// The groups of these slugs, as far as the sign-up of the link names them: a click may leave out, never add. Of a
    /// sign-up that is confirmed already nothing is asked, since nothing changes.
    ///
    /// # Errors
    /// 422 for a slug of no group that it names, and those of [`ConfirmError`].
    pub async fn kept(&self, token: &str, slugs: &[String]) -> Result<Vec<Id>, AppError> {
        let preview = self.preview(token).await?;
        let Sharing { with, dropped } = &preview.sharing;
        let (mut kept, mut faults) = (Vec::new(), Vec::new());
        for (at, slug) in slugs.iter().enumerate() {
            match with.iter().chain(dropped).find(|group| group.slug == *slug) {
                Some(group) => kept.push(group.id),
                None => faults.push(FieldError::new(
                    format!("share_with[{at}]"),
                    "unknown_group",
                    "this sign-up names no such group; leave it out",
                )),
            }
        }
        if faults.is_empty() || preview.is_confirmed { Ok(kept) } else { Err(AppError::Invalid(faults)) }
    }

    /// Confirms the sign-up that the link was mailed for; once more changes nothing. Of the groups it names, only those
    /// among `kept` get the contact, if that is said.
    ///
    /// # Errors
    /// [`ConfirmError`] when it confirms nothing.
    pub async fn confirm(&self, token: &str, kept: Option<Vec<Id>>) -> Result<Joined, ConfirmError> {
        let link = self.confirm_link(token)?;
        let kernel = self.kernel();
        let (keys, now) = (kernel.keys.clone(), kernel.clock.now());
        let work = move |db: &mut Db| confirm(db, &keys, link.subject, kept.as_deref(), now);
        let (is_first, joined) = kernel.store.write(Lane::Visitor, work).await?;
        if is_first {
            kernel.metrics.confirmation();
            kernel.outbox.wake();
        }
        Ok(joined)
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

/// Returns whether this click was the first, and whom the contact is shared with.
fn confirm(
    db: &mut Db,
    keys: &Keys,
    id: Id,
    kept: Option<&[Id]>,
    now: Timestamp,
) -> Result<(bool, Joined), ConfirmError> {
    let (_, address) = confirmable(db, keys, id)?;
    lock::addresses(db, [address])?;
    // Read again: another click may have been faster.
    let (mut signup, _) = confirmable(db, keys, id)?;
    let speech = Speech::of(&signup.language);
    if signup.state == "confirmed" {
        return Ok((false, Joined { sharing: sharing(db, &signup)?, speech }));
    }
    let email = EmailAddress::parse(&signup.email).map_err(|_| ConfirmError::Over)?;
    limits::forget_asked(db, keys.limit_hash(&email.limit_key()))?;
    let key = email.key();
    let supporter = supporters::confirm(db, keys, confirmed(&signup, email), now)?;
    let known = supporters::find(db, supporter)?.ok_or(ConfirmError::Over)?;
    let mut details = signup.details();
    let wishes: Vec<_> = details.tags.iter().map(|tag| (key.as_str(), tag.as_str())).collect();
    supporters::tag_listed(db, &wishes, now)?;
    supporters::give_fields(db, supporter, &details.fields)?;
    details.share_with.retain(|group| kept.is_none_or(|kept| kept.contains(group)));
    let begun = groups::begin_shares(db, known.number, &details.share_with, signup.notice_id, Some(id), now)?;
    details.share_with.retain(|group| !begun.dropped.contains(group));
    details.dropped = begun.dropped;
    signup.details =
        serde_json::to_string(&details).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    queries::set_confirmed(db, &signup, supporter, now)?;
    let mail = NewMail { template: owed::WELCOME, subject_id: id, address: known.email };
    outbox::enqueue(db, &[mail], now)?;
    signup.state = "confirmed".to_owned();
    Ok((true, Joined { sharing: sharing(db, &signup)?, speech }))
}

/// Whom a sign-up shares with: before its click, those of its groups that are members still.
pub(super) fn sharing(db: &mut Db, signup: &Stored) -> diesel::QueryResult<Sharing> {
    let details = signup.details();
    let named: Vec<Id> = details.share_with.iter().chain(&details.dropped).copied().collect();
    if named.is_empty() {
        return Ok(Sharing::default());
    }
    let groups = groups::find_all(db, &named)?;
    let is_confirmed = signup.state == "confirmed";
    let mut sharing = Sharing::default();
    for id in named {
        let Some(group) = groups.iter().find(|group| group.id == id) else { continue };
        let is_dropped =
            if is_confirmed { details.dropped.contains(&id) } else { group.status != GroupStatus::Member };
        let named = NamedGroup { id, slug: group.slug.clone(), name: group.name.clone() };
        if is_dropped { sharing.dropped.push(named) } else { sharing.with.push(named) }
    }
    Ok(sharing)
}

fn confirmed(signup: &Stored, email: EmailAddress) -> Confirmed {
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
        language: signup.language.clone(),
        involvement: details.involvement,
        form: signup.form.clone(),
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

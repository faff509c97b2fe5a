//! Applying: the form, the contact's click, and what is erased when nobody clicks. The answer to an application is the
//! same whoever the address belongs to, and a mail to a stranger holds nothing that was typed.

use std::time::Duration;

use super::{
    Groups,
    domain::{Application, ApplicationForm},
    model::{Group, NewGroup},
    naming, owed, queries,
    words::{GroupStatus, join},
};
use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    contact::EmailAddress,
    error::{AppError, FieldError},
    id::Id,
    keys::{AddressHash, Keys, Link, LinkError, Purpose},
    outbox::{self, NewMail, limits},
    store::{Db, Lane, StoreError, lock},
};

/// Applications of one contact that may wait for a click.
const MOST_WAITING: usize = 5;
/// Applications in one transaction of the purge.
const BATCH: i64 = 200;

/// Why a link does not confirm an application.
#[derive(Debug, thiserror::Error)]
pub enum ApplicationError {
    /// Not a link of ours.
    #[error("this link is not complete; open it again from the mail, or apply once more")]
    Invalid,
    /// Genuine, but too old, or the application was erased.
    #[error("this link is no longer good; please apply once more and we will mail a new one")]
    Over,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<diesel::result::Error> for ApplicationError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<LinkError> for ApplicationError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Invalid => Self::Invalid,
            LinkError::Expired => Self::Over,
        }
    }
}

impl From<ApplicationError> for AppError {
    fn from(error: ApplicationError) -> Self {
        let sentence = error.to_string();
        match error {
            ApplicationError::Invalid => Self::NotFound(sentence),
            ApplicationError::Over => Self::Gone(sentence),
            ApplicationError::Store(error) => error.into(),
        }
    }
}

impl Groups {
    /// Takes an application and owes its contact a mail, if one may be sent. A second one of the same contact and name
    /// changes what the first says, until it is confirmed, and makes no other.
    ///
    /// # Errors
    /// The fields that do not hold, or that the database does not answer.
    pub async fn apply(&self, form: ApplicationForm) -> Result<(), AppError> {
        let application = self.check(form).map_err(AppError::Invalid)?;
        let (keys, now) = (self.kernel.keys.clone(), self.kernel.clock.now());
        let terms = application.terms.unwrap_or(self.terms.current.id);
        self.kernel
            .store
            .write(Lane::Visitor, move |db| Ok::<_, AppError>(apply(db, &keys, application, terms, now)?))
            .await?;
        self.kernel.outbox.wake();
        Ok(())
    }

    /// Checks an application against the terms there are.
    ///
    /// # Errors
    /// The fields that do not hold.
    pub(super) fn check(&self, form: ApplicationForm) -> Result<Application, Vec<FieldError>> {
        let is_unknown = form.terms.is_some_and(|id| self.terms.find(id).is_none());
        let checked = form.check();
        if !is_unknown {
            return checked;
        }
        let message = "these are not terms of ours; load the form again and read them";
        let mut faults = checked.err().unwrap_or_default();
        faults.push(FieldError::new("terms", "unknown_notice", message));
        Err(faults)
    }

    /// The application that this link would confirm. Changes nothing: mail scanners open links.
    ///
    /// # Errors
    /// [`ApplicationError`] when it would confirm nothing.
    pub async fn application(&self, token: &str) -> Result<Group, ApplicationError> {
        let (id, keys) = (self.application_link(token)?, self.kernel.keys.clone());
        self.kernel.store.read(move |db| confirmable(db, &keys, id)).await
    }

    /// Confirms the application that the link was mailed for; once more changes nothing.
    ///
    /// # Errors
    /// [`ApplicationError`] when it confirms nothing.
    pub async fn confirm_application(&self, token: &str) -> Result<(), ApplicationError> {
        let id = self.application_link(token)?;
        let (keys, now) = (self.kernel.keys.clone(), self.kernel.clock.now());
        self.kernel.store.write(Lane::Visitor, move |db| confirm(db, &keys, id, now)).await
    }

    fn application_link(&self, token: &str) -> Result<Id, LinkError> {
        let link = self.kernel.keys.verify(Purpose::GroupApplication, token, self.kernel.clock.now())?;
        Ok(link.subject)
    }

    /// Erases applications that nobody confirmed in time, in pieces; how many there were.
    ///
    /// # Errors
    /// When the database does not answer; what was erased by then stays erased.
    pub async fn purge(&self) -> Result<usize, StoreError> {
        let keep = Duration::from_secs(u64::from(self.kernel.config.signups.purge_days) * 86_400);
        let now = self.kernel.clock.now();
        let before = now.before(keep);
        let (mut total, mut skip) = (0, 0);
        loop {
            let keys = self.kernel.keys.clone();
            let (seen, erased) = self
                .kernel
                .store
                .write(Lane::Worker, move |db| {
                    let stale = queries::list_stale(db, before, skip, BATCH)?;
                    // The days count from the mail; one that is still on its way is waited for.
                    let settled = outbox::is_settled_before(db, &stale, before)?;
                    let erased = queries::delete_applications(db, &settled)?;
                    let act = Act::new(Actor::System, "group.purge");
                    let act = act.with(serde_json::json!({ "applications": erased }));
                    if erased > 0 {
                        audit::append(db, &keys, &[act], now)?;
                    }
                    Ok::<_, StoreError>((stale.len(), erased))
                })
                .await?;
            if seen == 0 {
                break;
            }
            total += erased;
            skip += i64::try_from(seen - erased).unwrap_or(0);
        }
        self.kernel.store.scrub();
        Ok(total)
    }
}

/// Erases the unconfirmed applications whose contact has this address; their ids, for the mails that are owed about
/// them.
///
/// # Errors
/// When a statement fails.
pub fn erase_applications_of(db: &mut Db, contact: AddressHash) -> diesel::QueryResult<Vec<Id>> {
    let ids = queries::list_unconfirmed_of(db, contact)?;
    queries::delete_applications(db, &ids)?;
    Ok(ids)
}

/// Names that people would take for the same.
fn is_same_name(one: &str, other: &str) -> bool {
    let folded = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    folded(one) == folded(other)
}

fn apply(
    db: &mut Db,
    keys: &Keys,
    application: Application,
    terms: Id,
    now: Timestamp,
) -> diesel::QueryResult<()> {
    let email = application.contact_email.clone();
    let key = email.key();
    let (address, limit) = (keys.address_hash(&key), keys.limit_hash(&email.limit_key()));
    lock::addresses(db, [address, limit])?;
    lock::once(db, lock::Once::Groups)?;
    if queries::is_suppressed(db, address)? {
        return Ok(());
    }
    let earlier = queries::list_of_contact(db, &key)?;
    let same = earlier.iter().find(|group| {
        let is_open =
            matches!(group.status, GroupStatus::Applied | GroupStatus::InReview | GroupStatus::Member);
        is_open && is_same_name(&group.name, &application.name)
    });
    let id = match same {
        Some(group) if group.status == GroupStatus::Applied => {
            queries::update(db, keys, group.id, application.into(), now)?;
            group.id
        }
        // It waits for us, or is a member already.
        Some(_) => return Ok(()),
        None => {
            let waiting = earlier.iter().filter(|group| group.status == GroupStatus::Applied).count();
            if waiting >= MOST_WAITING {
                return Ok(());
            }
            insert(db, application, (key, address), terms, now)?
        }
    };
    let asked = limits::asked(db, &[limit])?.get(&limit).copied().unwrap_or_default();
    if asked.is_over_limit(now) {
        return Ok(());
    }
    limits::set_asked(db, &[(limit, asked)], now)?;
    let mail = NewMail { template: owed::APPLICATION, subject_id: id, address: email.as_str().to_owned() };
    outbox::enqueue(db, &[mail], now)
}

fn insert(
    db: &mut Db,
    application: Application,
    (contact_email_key, address): (String, AddressHash),
    terms: Id,
    now: Timestamp,
) -> diesel::QueryResult<Id> {
    let wanted = naming::of(&application.name);
    let taken = queries::slugs_like(db, &wanted)?;
    let row = NewGroup {
        id: Id::new(),
        slug: naming::free(&wanted, &taken),
        name: application.name,
        kind: application.kind,
        website: application.website,
        regions: join(application.regions.iter().map(String::as_str)),
        sectors: join(application.sectors.iter().map(|sector| sector.as_str())),
        about: application.about,
        contact_name: application.contact_name,
        contact_email: application.contact_email.as_str().to_owned(),
        contact_email_key,
        contact_hash: Some(address),
        status: GroupStatus::Applied,
        is_listed: application.is_listed,
        language: "en".to_owned(),
        terms_id: terms,
        created_at: now,
        updated_at: now,
    };
    queries::insert(db, &row)?;
    Ok(row.id)
}

/// The application, if a click may confirm it, or has.
fn confirmable(db: &mut Db, keys: &Keys, id: Id) -> Result<Group, ApplicationError> {
    let group = queries::find(db, id)?.ok_or(ApplicationError::Over)?;
    let email = EmailAddress::parse(&group.contact_email).map_err(|_| ApplicationError::Over)?;
    if group.status == GroupStatus::Applied && queries::is_suppressed(db, keys.address_hash(&email.key()))? {
        return Err(ApplicationError::Over);
    }
    Ok(group)
}

fn confirm(db: &mut Db, keys: &Keys, id: Id, now: Timestamp) -> Result<(), ApplicationError> {
    let group = confirmable(db, keys, id)?;
    if group.status != GroupStatus::Applied {
        return Ok(());
    }
    if let Ok(email) = EmailAddress::parse(&group.contact_email) {
        let limit = keys.limit_hash(&email.limit_key());
        lock::addresses(db, [limit])?;
        limits::forget_asked(db, limit)?;
    }
    if queries::set_confirmed(db, id, now)? {
        audit::append(db, keys, &[Act::new(Actor::Group(id), "group.apply").on("group", id)], now)?;
    }
    Ok(())
}

/// The link that confirms an application.
pub(super) fn confirm_path(keys: &Keys, id: Id, link_days: u16, now: Timestamp) -> String {
    let good = Link {
        subject: id,
        version: 0,
        expires_at: Some(now.after(Duration::from_secs(u64::from(link_days) * 86_400))),
    };
    format!("/groups/confirm/{}", keys.sign(Purpose::GroupApplication, &good))
}

//! Invitations: people of a list who are asked as if they had just signed up. Called by `imports`, which has decided that
//! they may be; the limits per address hold here as everywhere.

use std::{
    collections::{BTreeMap, HashSet},
    net::{IpAddr, Ipv4Addr},
};

use diesel::{QueryResult, prelude::*};

use super::{
    domain::{Details, Source},
    owed,
    standing::{Verdict, verdict},
};
use crate::{
    clock::Timestamp,
    contact::EmailAddress,
    each,
    id::Id,
    keys::{AddressHash, Keys},
    outbox::{
        self, NewMail,
        limits::{Asked, asked as asked_of, set_asked},
    },
    store::{Db, schema::signups},
    supporters::{Confirmed, Standing},
};

/// Somebody to ask.
pub struct Invitee<'a> {
    /// What the list says of them; the notice is the one they are asked to agree to.
    pub confirmed: &'a Confirmed,
    /// Stands for their address.
    pub address: AddressHash,
    /// Tags for once they confirm.
    pub tags: &'a [String],
    /// Values of fields, by slug, likewise.
    pub fields: BTreeMap<String, String>,
}

/// Makes a pending sign-up for each, and owes the mail that asks, to be sent when `due` says; false for those who were
/// asked too recently. The caller holds the locks of the addresses and of their limits.
///
/// # Errors
/// When a statement fails.
pub fn invite(
    db: &mut Db,
    keys: &Keys,
    invitees: &[Invitee<'_>],
    mut due: impl FnMut() -> Timestamp,
    now: Timestamp,
) -> QueryResult<Vec<bool>> {
    let limits: Vec<AddressHash> =
        invitees.iter().map(|one| keys.limit_hash(&one.confirmed.email.limit_key())).collect();
    let mut asked = asked_of(db, &limits)?;
    let mut invited = Vec::with_capacity(invitees.len());
    for (invitee, limit) in invitees.iter().zip(limits) {
        let before = asked.get(&limit).copied().unwrap_or_default();
        if !may_be_asked(before, now) {
            invited.push(false);
            continue;
        }
        let due_at = due();
        let id = insert(db, keys, invitee, now)?;
        set_asked(db, &[(limit, before)], due_at)?;
        asked.insert(limit, before.again(due_at));
        let address = invitee.confirmed.email.as_str().to_owned();
        outbox::enqueue_at(db, &NewMail { template: owed::CONFIRM, subject_id: id, address }, due_at, now)?;
        invited.push(true);
    }
    Ok(invited)
}

/// The one rule of [`invite`] and [`Rehearsal`].
fn may_be_asked(before: Asked, now: Timestamp) -> bool {
    verdict(&Standing::default(), true, now, before, now) == Verdict::Confirm
}

/// Says who would be asked if all of a list were, and changes nothing. It keeps eight bytes of each limit's hash: of
/// two addresses with the same limit only the first is asked.
#[derive(Debug, Default)]
pub struct Rehearsal {
    asked: HashSet<i64>,
}

impl Rehearsal {
    /// Whether [`invite`] would ask these, who follow those it was given before.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn invite(
        &mut self,
        db: &mut Db,
        keys: &Keys,
        addresses: &[&EmailAddress],
        now: Timestamp,
    ) -> QueryResult<Vec<bool>> {
        if addresses.is_empty() {
            return Ok(Vec::new());
        }
        let limits: Vec<AddressHash> =
            addresses.iter().map(|address| keys.limit_hash(&address.limit_key())).collect();
        let asked = asked_of(db, &limits)?;
        let would = limits.iter().map(|limit| {
            let before = asked.get(limit).copied().unwrap_or_default();
            may_be_asked(before, now) && self.asked.insert(limit.lock_key())
        });
        Ok(would.collect())
    }
}

fn insert(db: &mut Db, keys: &Keys, invitee: &Invitee<'_>, now: Timestamp) -> QueryResult<Id> {
    let person = invitee.confirmed;
    let [code, ..] = person.source.clone();
    let details = Details {
        given_name: person.profile.given_name.clone(),
        family_name: person.profile.family_name.clone(),
        postal_code: person.profile.postal_code.clone(),
        country: person.country.clone(),
        region: person.profile.region.clone(),
        phone: person.phone.clone(),
        phone_consent: false,
        involvement: person.involvement.clone(),
        source: Source { code, ..Source::default() },
        tags: invitee.tags.to_vec(),
        fields: invitee.fields.clone(),
        share_with: Vec::new(),
        dropped: Vec::new(),
    };
    let details = serde_json::to_string(&details)
        .map_err(|error| diesel::result::Error::SerializationError(Box::new(error)))?;
    let id = Id::new();
    let row = (
        signups::id.eq(id),
        signups::state.eq("pending"),
        signups::email.eq(person.email.as_str()),
        signups::form.eq(&person.form),
        signups::notice_id.eq(person.notice_id),
        signups::language.eq(&person.language),
        signups::details.eq(details),
        // No client sent it.
        signups::client_hash.eq(keys.client_hash(IpAddr::V4(Ipv4Addr::UNSPECIFIED))),
        signups::created_at.eq(now),
        signups::address_hash.eq(invitee.address),
        signups::triaged_at.eq(now),
    );
    each!(db, c => diesel::insert_into(signups::table).values(&row).execute(c))?;
    Ok(id)
}

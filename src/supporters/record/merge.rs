//! Two records of one person made one: the survivor keeps its address and what it says, and takes over what it does not
//! know, with the history, tags, fields, notes and shares of the other. The more restrictive status wins. Links that were
//! mailed to the other are the survivor's from then on.

use diesel::{QueryResult, prelude::*};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{Record, RecordView, lock_addresses, whole};
use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    error::AppError,
    groups,
    http::{Etag, IfMatch},
    id::Id,
    kernel::Kernel,
    keys::{Keys, sha256},
    store::{
        Db, Lane, lock,
        schema::{
            outbox, shares, signups, supporter_aliases, supporter_fields, supporter_notes, supporter_tags,
            supporters, tags,
        },
    },
    supporters::{SearchWords, Status, Supporter, queries, tags::give_tag},
};

/// The version of nobody's links.
const VOID: i32 = 0;

/// Which record is merged into the one of the path.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeForm {
    /// Id of the record that goes.
    #[schema(value_type = String)]
    pub other: Id,
}

/// The supporter that a versioned link is of: their own, or one of a record that was merged into theirs, for as long as
/// their own links of that time are good.
///
/// # Errors
/// When the database does not answer.
pub fn find_linked(db: &mut Db, id: Id, version: u32) -> QueryResult<Option<Supporter>> {
    let is = |known: i32| u32::try_from(known) == Ok(version);
    if let Some(known) = queries::find_own(db, id)? {
        return Ok(Some(known).filter(|known| is(known.link_version)));
    }
    let alias: Option<(i64, i32, i32)> = supporter_aliases::table
        .filter(supporter_aliases::id.eq(id))
        .select((
            supporter_aliases::supporter_number,
            supporter_aliases::link_version,
            supporter_aliases::survivor_version,
        ))
        .first(db)
        .optional()?;
    let Some((number, _, survivors)) = alias.filter(|(_, own, _)| is(*own)) else { return Ok(None) };
    let survivor: Option<Supporter> = supporters::table
        .filter(supporters::number.eq(number))
        .select(Supporter::as_select())
        .first(db)
        .optional()?;
    Ok(survivor.filter(|survivor| survivor.link_version == survivors))
}

/// Merges `form.other` into `id`, if that is the version that is known.
pub(super) async fn merge(
    kernel: &Kernel,
    id: Id,
    known: IfMatch,
    form: MergeForm,
    actor: Actor,
) -> Result<(RecordView, Etag), AppError> {
    let (keys, now) = (kernel.keys.clone(), kernel.clock.now());
    let write = move |db: &mut Db| {
        lock_addresses(db, &keys, &[id, form.other], None)?;
        let survivor = Record::lock(db, id)?;
        known.check(&survivor.etag()?)?;
        let other = match Record::lock(db, form.other) {
            Ok(other) if other.supporter.number != survivor.supporter.number => other,
            Ok(_) => return Err(AppError::field("other", "contradiction", "this is the same record")),
            Err(AppError::NotFound(_)) => {
                return Err(AppError::field("other", "unknown_value", "there is no such supporter"));
            }
            Err(error) => return Err(error),
        };
        unite(db, &keys, survivor, other, now)?;
        let shown = whole(db, id)?;
        let act = Act::new(actor, "supporter.merge").on("supporter", id).with(json!({ "other": form.other }));
        audit::append(db, &keys, &[act], now)?;
        Ok(shown)
    };
    let shown = kernel.store.write(Lane::Staff, write).await?;
    kernel.store.scrub();
    Ok(shown)
}

fn unite(db: &mut Db, keys: &Keys, survivor: Record, other: Record, now: Timestamp) -> QueryResult<()> {
    let (reason, other_reason) = (survivor.suppression_reason, other.suppression_reason);
    let (survivor, other) = (survivor.supporter, other.supporter);
    let hashes = [keys.address_hash(&survivor.email_key), keys.address_hash(&other.email_key)];
    lock::addresses(db, hashes)?;
    move_shares(db, &survivor, &other, now)?;
    move_tags_fields_and_notes(db, &survivor, &other, now)?;
    diesel::update(signups::table.filter(signups::supporter_id.eq(Some(other.id))))
        .set(signups::supporter_id.eq(Some(survivor.id)))
        .execute(db)?;
    // What is on its way would go to the other's address.
    crate::outbox::forget(db, &[other.id])?;
    diesel::update(outbox::table.filter(outbox::subject_id.eq(other.id)))
        .set(outbox::subject_id.eq(survivor.id))
        .execute(db)?;
    let earlier = supporter_aliases::table.filter(supporter_aliases::supporter_number.eq(other.number));
    diesel::update(earlier.filter(supporter_aliases::survivor_version.ne(other.link_version)))
        .set((
            supporter_aliases::supporter_number.eq(survivor.number),
            supporter_aliases::survivor_version.eq(VOID),
        ))
        .execute(db)?;
    diesel::update(earlier)
        .set((
            supporter_aliases::supporter_number.eq(survivor.number),
            supporter_aliases::survivor_version.eq(survivor.link_version),
        ))
        .execute(db)?;
    diesel::insert_into(supporter_aliases::table)
        .values((
            supporter_aliases::id.eq(other.id),
            supporter_aliases::supporter_number.eq(survivor.number),
            supporter_aliases::number.eq(other.number),
            supporter_aliases::address_hash.eq(hashes[1]),
            supporter_aliases::link_version.eq(other.link_version),
            supporter_aliases::survivor_version.eq(survivor.link_version),
            supporter_aliases::created_at.eq(now),
            supporter_aliases::address_sha256.eq(Some(sha256(&other.email_key))),
        ))
        .execute(db)?;
    let columns = columns(&survivor, &other, reason.or(other_reason), now);
    let (number, status) = (survivor.number, columns.status);
    let words =
        SearchWords::of(columns.given_name.as_deref(), columns.family_name.as_deref(), &survivor.email_key);
    // First the other goes: it is in no list twice.
    diesel::delete(supporters::table.filter(supporters::number.eq(other.number))).execute(db)?;
    diesel::update(supporters::table.filter(supporters::number.eq(number)))
        .set((columns, words))
        .execute(db)?;
    if status == Status::Suppressed {
        // Whatever is signed up for under either address: it must be left alone.
        for hash in hashes {
            queries::set_mark(db, hash, "manual", now)?;
        }
    }
    if status != Status::Confirmed {
        groups::withdraw_all_shares(db, number, now)?;
    }
    Ok(())
}

#[derive(AsChangeset)]
#[diesel(table_name = supporters, treat_none_as_null = true)]
struct Merged {
    status: Status,
    suppression_reason: Option<String>,
    given_name: Option<String>,
    family_name: Option<String>,
    phone: Option<String>,
    phone_consent: bool,
    postal_code: Option<String>,
    region: Option<String>,
    country: Option<String>,
    involvement: String,
    source_code: Option<String>,
    voided_at: Option<Timestamp>,
    signed_up_at: Timestamp,
    confirmed_at: Timestamp,
    unsubscribed_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// What the survivor says from then on.
fn columns(survivor: &Supporter, other: &Supporter, reason: Option<String>, now: Timestamp) -> Merged {
    let (a, b) = (survivor.clone(), other.clone());
    let rank = |status: Status| match status {
        Status::Confirmed => 0,
        Status::Unsubscribed => 1,
        Status::Suppressed => 2,
    };
    let status = if rank(b.status) > rank(a.status) { b.status } else { a.status };
    let has_place = a.postal_code.is_some() || a.region.is_some();
    let (phone, phone_consent) =
        if a.phone.is_some() { (a.phone, a.phone_consent) } else { (b.phone, b.phone_consent) };
    let mut involvement: Vec<&str> =
        a.involvement.split(',').chain(b.involvement.split(',')).filter(|one| !one.is_empty()).collect();
    let mut seen = std::collections::BTreeSet::new();
    involvement.retain(|one| seen.insert(*one));
    Merged {
        status,
        suppression_reason: reason.filter(|_| status == Status::Suppressed),
        given_name: a.given_name.or(b.given_name),
        family_name: a.family_name.or(b.family_name),
        phone,
        phone_consent,
        postal_code: if has_place { a.postal_code } else { b.postal_code },
        region: if has_place { a.region } else { b.region },
        country: a.country.or(b.country),
        involvement: involvement.join(","),
        source_code: if a.created_at <= b.created_at { a.source_code } else { b.source_code },
        voided_at: a.voided_at.max(b.voided_at),
        signed_up_at: a.signed_up_at.min(b.signed_up_at),
        confirmed_at: a.confirmed_at.min(b.confirmed_at),
        unsubscribed_at: match (a.unsubscribed_at, b.unsubscribed_at) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        },
        created_at: a.created_at.min(b.created_at),
        updated_at: now,
    }
}

/// Groups that exported the other are told to forget that record; its shares go on as the survivor's.
fn move_shares(db: &mut Db, survivor: &Supporter, other: &Supporter, now: Timestamp) -> QueryResult<()> {
    let active_of = |db: &mut Db, number: i64| -> QueryResult<Vec<(Id, Id)>> {
        shares::table
            .filter(shares::supporter_number.eq(number))
            .filter(shares::withdrawn_at.is_null())
            .select((shares::id, shares::group_id))
            .load(db)
    };
    let (own, theirs) = (active_of(db, survivor.number)?, active_of(db, other.number)?);
    groups::withdraw_all_shares(db, other.number, now)?;
    diesel::update(shares::table.filter(shares::supporter_number.eq(other.number)))
        .set(shares::supporter_number.eq(survivor.number))
        .execute(db)?;
    let go_on: Vec<Id> = theirs
        .into_iter()
        .filter(|(_, group)| !own.iter().any(|(_, active)| active == group))
        .map(|(share, _)| share)
        .collect();
    diesel::update(shares::table.filter(shares::id.eq_any(go_on)))
        .set(shares::withdrawn_at.eq(None::<Timestamp>))
        .execute(db)
        .map(drop)
}

fn move_tags_fields_and_notes(
    db: &mut Db,
    survivor: &Supporter,
    other: &Supporter,
    now: Timestamp,
) -> QueryResult<()> {
    let theirs: Vec<i64> = supporter_tags::table
        .inner_join(tags::table)
        .filter(supporter_tags::supporter_number.eq(other.number))
        .select(tags::number)
        .load(db)?;
    for tag in theirs {
        give_tag(db, tag, &[survivor.number], now)?;
    }
    let known: Vec<i64> = supporter_fields::table
        .filter(supporter_fields::supporter_number.eq(survivor.number))
        .select(supporter_fields::field_number)
        .load(db)?;
    diesel::update(supporter_fields::table.filter(supporter_fields::supporter_number.eq(other.number)))
        .filter(supporter_fields::field_number.ne_all(known))
        .set(supporter_fields::supporter_number.eq(survivor.number))
        .execute(db)?;
    diesel::update(supporter_notes::table.filter(supporter_notes::supporter_number.eq(other.number)))
        .set(supporter_notes::supporter_number.eq(survivor.number))
        .execute(db)
        .map(drop)
}

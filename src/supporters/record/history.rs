//! The history of a record, from the tables that hold its parts. Reads only; each part is bounded.

use diesel::{QueryResult, prelude::*};

use super::view::{EditView, ExportedView, History, MailView, NoticeView, ShareView, SignupRecord};
use crate::{
    clock::Timestamp,
    disclosures,
    id::Id,
    store::{
        Db,
        schema::{
            audit_entries, groups, notices, outbox, shares, signups, staff, supporter_aliases, supporters,
        },
    },
    supporters::Supporter,
};

/// Most entries of each part.
const MOST: i64 = 200;

pub(super) fn read(db: &mut Db, supporter: &Supporter) -> QueryResult<History> {
    let merged: Vec<(Id, i64)> = supporter_aliases::table
        .filter(supporter_aliases::supporter_number.eq(supporter.number))
        .select((supporter_aliases::id, supporter_aliases::number))
        .load(db)?;
    let mut ids: Vec<Id> = merged.iter().map(|(id, _)| *id).collect();
    ids.push(supporter.id);
    let signups = signups_of(db, supporter)?;
    let mut agreed: Vec<Id> = signups.iter().map(|signup| signup.notice_id).collect();
    agreed.push(supporter.notice_id);
    let shares = shares_of(db, supporter.number)?;
    agreed.extend(shares.iter().map(|share| share.notice_id));
    let mut subjects: Vec<Id> = signups.iter().map(|signup| signup.id).collect();
    subjects.extend(&ids);
    let mut numbers: Vec<i64> = merged.iter().map(|(_, number)| *number).collect();
    numbers.push(supporter.number);
    Ok(History {
        notices: notices_of(db, &agreed)?,
        mails: mails_of(db, &subjects)?,
        exports: exports_of(db, &numbers)?,
        edits: edits_of(db, &ids)?,
        signups,
        shares,
    })
}

fn signups_of(db: &mut Db, supporter: &Supporter) -> QueryResult<Vec<SignupRecord>> {
    let address: Vec<u8> = supporters::table
        .filter(supporters::number.eq(supporter.number))
        .select(supporters::address_hash)
        .first(db)?;
    signups::table
        .filter(signups::supporter_id.eq(Some(supporter.id)).or(signups::address_hash.eq(Some(address))))
        .order(signups::id.desc())
        .limit(MOST)
        .select((
            signups::id,
            signups::state,
            signups::form,
            signups::language,
            signups::notice_id,
            signups::created_at,
            signups::confirmed_at,
        ))
        .load(db)
}

fn notices_of(db: &mut Db, ids: &[Id]) -> QueryResult<Vec<NoticeView>> {
    notices::table
        .filter(notices::id.eq_any(ids))
        .order(notices::id.desc())
        .limit(MOST)
        .select((notices::id, notices::form, notices::language, notices::wording, notices::sha256))
        .load(db)
}

fn shares_of(db: &mut Db, number: i64) -> QueryResult<Vec<ShareView>> {
    shares::table
        .inner_join(groups::table)
        .filter(shares::supporter_number.eq(number))
        .order((shares::given_at.desc(), shares::id.desc()))
        .limit(MOST)
        .select((groups::slug, groups::name, shares::notice_id, shares::given_at, shares::withdrawn_at))
        .load(db)
}

fn mails_of(db: &mut Db, subjects: &[Id]) -> QueryResult<Vec<MailView>> {
    outbox::table
        .filter(outbox::subject_id.eq_any(subjects))
        .order(outbox::id.desc())
        .limit(MOST)
        .select((outbox::template, outbox::state, outbox::created_at, outbox::finished_at))
        .load(db)
}

fn exports_of(db: &mut Db, numbers: &[i64]) -> QueryResult<Vec<ExportedView>> {
    let mut found = Vec::new();
    for number in numbers {
        found.extend(disclosures::including(db, *number)?);
    }
    found.sort_by_key(|export| std::cmp::Reverse((export.at, export.id)));
    found.dedup_by_key(|export| export.id);
    let most = usize::try_from(MOST).unwrap_or(0);
    let view = |export: disclosures::ExportSummary| ExportedView {
        id: export.id,
        at: export.at,
        taken_by: export.taken_by,
        group_id: export.group_id,
        purpose: export.purpose,
        format: export.format,
    };
    Ok(found.into_iter().take(most).map(view).collect())
}

fn edits_of(db: &mut Db, ids: &[Id]) -> QueryResult<Vec<EditView>> {
    type Row = (Timestamp, String, String, Option<String>, String);
    let ids: Vec<Option<Id>> = ids.iter().copied().map(Some).collect();
    let rows: Vec<Row> = audit_entries::table
        .left_join(staff::table.on(audit_entries::actor_id.eq(staff::id.nullable())))
        .filter(audit_entries::subject_id.eq_any(ids))
        .order(audit_entries::number.desc())
        .limit(MOST)
        .select((
            audit_entries::at,
            audit_entries::action,
            audit_entries::actor_kind,
            staff::email.nullable(),
            audit_entries::details,
        ))
        .load(db)?;
    let view = |(at, action, actor, staff_email, details): Row| EditView {
        at,
        action,
        actor,
        staff_email,
        details: serde_json::from_str(&details).unwrap_or_default(),
    };
    Ok(rows.into_iter().map(view).collect())
}

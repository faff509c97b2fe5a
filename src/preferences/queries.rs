//! What every table holds of one person. Reads only.

use std::collections::{BTreeSet, HashMap};

use diesel::{QueryResult, prelude::*};

use super::holdings::{
    ActRecord, AnswerRecord, ExportRecord, Holdings, MailRecord, NoteRecord, NoticeRecord, RecallRecord,
    ShareRecord, SignupRecord, SourceRecord,
};
use crate::{
    clock::Timestamp,
    disclosures,
    id::Id,
    keys::AddressHash,
    store::{
        Db,
        schema::{
            audit_entries, fields, groups, notices, outbox, recalls, shares, signups, supporter_aliases,
            supporter_fields, supporter_notes, supporter_tags, supporters, tags,
        },
    },
    supporters::Supporter,
};

/// All that is stored of `supporter`, whose address has this hash, beside their own row.
pub(super) fn holdings(db: &mut Db, supporter: &Supporter, address: AddressHash) -> QueryResult<Holdings> {
    // Records of theirs that were merged into this one: lists and mails may have those.
    let merged: Vec<(Id, i64)> = supporter_aliases::table
        .filter(supporter_aliases::supporter_number.eq(supporter.number))
        .select((supporter_aliases::id, supporter_aliases::number))
        .load(db)?;
    let ids: Vec<Id> = merged.iter().map(|(id, _)| *id).chain([supporter.id]).collect();
    let numbers: Vec<i64> = merged.iter().map(|(_, number)| *number).chain([supporter.number]).collect();
    let signups = signups_of(db, supporter.id, address)?;
    let shares = shares_of(db, supporter.number)?;
    let agreed: BTreeSet<Id> = signups
        .iter()
        .map(|signup| signup.notice_id)
        .chain(shares.iter().map(|share| share.notice_id))
        .chain([supporter.notice_id])
        .collect();
    let subjects: Vec<Id> = signups.iter().map(|signup| signup.id).chain(ids.iter().copied()).collect();
    Ok(Holdings {
        source: source_of(db, supporter.id)?,
        notices: notices_of(db, agreed)?,
        shares,
        exports: exports_of(db, &numbers)?,
        recalls: recalls_of(db, &ids)?,
        tags: tags_of(db, supporter.number)?,
        fields: answers_of(db, supporter.number)?,
        notes: notes_on(db, supporter.number)?,
        mails: mails_about(db, &subjects)?,
        acts: acts_on(db, &ids)?,
        signups,
    })
}

/// Slug and name of every member, by name.
pub(super) fn members(db: &mut Db) -> QueryResult<Vec<(String, String)>> {
    groups::table
        .filter(groups::status.eq("member"))
        .order((groups::name, groups::id))
        .select((groups::slug, groups::name))
        .load(db)
}

fn source_of(db: &mut Db, id: Id) -> QueryResult<SourceRecord> {
    type Row =
        (Option<String>, Option<String>, Option<String>, Option<String>, Option<String>, Option<String>);
    let row: Option<Row> = supporters::table
        .filter(supporters::id.eq(id))
        .select((
            supporters::source_code,
            supporters::source_group,
            supporters::source_page,
            supporters::utm_source,
            supporters::utm_medium,
            supporters::utm_campaign,
        ))
        .first(db)
        .optional()?;
    let (code, group, page, utm_source, utm_medium, utm_campaign) = row.unwrap_or_default();
    Ok(SourceRecord { code, group, page, utm_source, utm_medium, utm_campaign })
}

fn signups_of(db: &mut Db, id: Id, address: AddressHash) -> QueryResult<Vec<SignupRecord>> {
    type Row = (Id, String, String, Id, String, String, Timestamp, Option<Timestamp>);
    let rows: Vec<Row> = signups::table
        .filter(signups::address_hash.eq(Some(address)).or(signups::supporter_id.eq(Some(id))))
        .order(signups::id)
        .select((
            signups::id,
            signups::state,
            signups::form,
            signups::notice_id,
            signups::language,
            signups::details,
            signups::created_at,
            signups::confirmed_at,
        ))
        .load(db)?;
    let record = |(id, state, form, notice_id, language, details, created_at, confirmed_at): Row| {
        let details = serde_json::from_str(&details).unwrap_or_default();
        SignupRecord { id, state, form, notice_id, language, details, created_at, confirmed_at }
    };
    Ok(rows.into_iter().map(record).collect())
}

fn shares_of(db: &mut Db, supporter: i64) -> QueryResult<Vec<ShareRecord>> {
    let rows: Vec<(String, String, Id, Timestamp, Option<Timestamp>)> = shares::table
        .inner_join(groups::table)
        .filter(shares::supporter_number.eq(supporter))
        .order(shares::id)
        .select((groups::slug, groups::name, shares::notice_id, shares::given_at, shares::withdrawn_at))
        .load(db)?;
    let record = |(slug, name, notice_id, given_at, withdrawn_at)| ShareRecord {
        slug,
        name,
        notice_id,
        given_at,
        withdrawn_at,
    };
    Ok(rows.into_iter().map(record).collect())
}

fn notices_of(db: &mut Db, ids: BTreeSet<Id>) -> QueryResult<Vec<NoticeRecord>> {
    let rows: Vec<(Id, String, String, String)> = notices::table
        .filter(notices::id.eq_any(ids))
        .order(notices::id)
        .select((notices::id, notices::language, notices::wording, notices::sha256))
        .load(db)?;
    let record = |(id, language, wording, sha256)| NoticeRecord { id, language, wording, sha256 };
    Ok(rows.into_iter().map(record).collect())
}

fn exports_of(db: &mut Db, numbers: &[i64]) -> QueryResult<Vec<ExportRecord>> {
    let mut exports = Vec::new();
    for number in numbers {
        exports.extend(disclosures::including(db, *number)?);
    }
    exports.sort_by_key(|export| std::cmp::Reverse((export.at, export.id)));
    exports.dedup_by_key(|export| export.id);
    let ids: BTreeSet<Id> = exports.iter().filter_map(|export| export.group_id).collect();
    let names: HashMap<Id, String> = groups::table
        .filter(groups::id.eq_any(ids))
        .select((groups::id, groups::name))
        .load::<(Id, String)>(db)?
        .into_iter()
        .collect();
    let record = |export: disclosures::ExportSummary| ExportRecord {
        at: export.at,
        taken_by: export.taken_by,
        group: export.group_id.and_then(|id| names.get(&id).cloned()),
        purpose: export.purpose,
    };
    Ok(exports.into_iter().map(record).collect())
}

fn recalls_of(db: &mut Db, ids: &[Id]) -> QueryResult<Vec<RecallRecord>> {
    let rows: Vec<(String, Timestamp)> = recalls::table
        .inner_join(groups::table.on(groups::id.eq(recalls::group_id)))
        .filter(recalls::supporter_id.eq_any(ids))
        .order(groups::name)
        .select((groups::name, recalls::created_at))
        .load(db)?;
    Ok(rows.into_iter().map(|(group, created_at)| RecallRecord { group, created_at }).collect())
}

fn tags_of(db: &mut Db, supporter: i64) -> QueryResult<Vec<String>> {
    supporter_tags::table
        .inner_join(tags::table)
        .filter(supporter_tags::supporter_number.eq(supporter))
        .order(tags::slug)
        .select(tags::slug)
        .load(db)
}

fn answers_of(db: &mut Db, supporter: i64) -> QueryResult<Vec<AnswerRecord>> {
    let rows: Vec<(String, String)> = supporter_fields::table
        .inner_join(fields::table)
        .filter(supporter_fields::supporter_number.eq(supporter))
        .order(fields::number)
        .select((fields::label, supporter_fields::value))
        .load(db)?;
    Ok(rows.into_iter().map(|(label, value)| AnswerRecord { label, value }).collect())
}

fn notes_on(db: &mut Db, supporter: i64) -> QueryResult<Vec<NoteRecord>> {
    let rows: Vec<(String, Timestamp)> = supporter_notes::table
        .filter(supporter_notes::supporter_number.eq(supporter))
        .order(supporter_notes::id)
        .select((supporter_notes::text, supporter_notes::created_at))
        .load(db)?;
    Ok(rows.into_iter().map(|(text, created_at)| NoteRecord { text, created_at }).collect())
}

fn mails_about(db: &mut Db, subjects: &[Id]) -> QueryResult<Vec<MailRecord>> {
    let rows: Vec<(String, String, Timestamp)> = outbox::table
        .filter(outbox::subject_id.eq_any(subjects))
        .order(outbox::id)
        .select((outbox::template, outbox::state, outbox::created_at))
        .load(db)?;
    Ok(rows.into_iter().map(|(kind, state, created_at)| MailRecord { kind, state, created_at }).collect())
}

fn acts_on(db: &mut Db, ids: &[Id]) -> QueryResult<Vec<ActRecord>> {
    let those: Vec<Option<Id>> = ids.iter().copied().map(Some).collect();
    let rows: Vec<(Timestamp, String, String)> = audit_entries::table
        .filter(audit_entries::subject_id.eq_any(those.clone()).or(audit_entries::actor_id.eq_any(those)))
        .order(audit_entries::number)
        .select((audit_entries::at, audit_entries::action, audit_entries::actor_kind))
        .load(db)?;
    Ok(rows.into_iter().map(|(at, action, by)| ActRecord { at, action, by }).collect())
}

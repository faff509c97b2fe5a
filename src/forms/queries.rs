//! Statements over forms and notices.

use diesel::{QueryResult, prelude::*};

use super::Notice;
use crate::{
    clock::Timestamp,
    each,
    groups::TERMS,
    id::Id,
    store::{
        Db,
        schema::{forms, notices},
    },
};

pub(super) fn insert_missing(db: &mut Db, title: &str, notice: &Notice) -> QueryResult<()> {
    each!(db, c => {
        diesel::insert_into(forms::table)
            .values((forms::slug.eq(&notice.form), forms::title.eq(title), forms::created_at.eq(notice.created_at)))
            .on_conflict_do_nothing()
            .execute(c)?;
        diesel::insert_into(notices::table)
            .values((
                notices::id.eq(notice.id),
                notices::form.eq(&notice.form),
                notices::language.eq(&notice.language),
                notices::wording.eq(&notice.wording),
                notices::sha256.eq(&notice.sha256),
                notices::created_at.eq(notice.created_at),
            ))
            .on_conflict_do_nothing()
            .execute(c)?;
        Ok(())
    })
}

pub(super) fn list_forms(db: &mut Db) -> QueryResult<Vec<String>> {
    forms::table.filter(forms::slug.ne(TERMS)).select(forms::slug).load(db)
}

type Row = (Id, String, String, String, String, Timestamp);

fn notice((id, form, language, wording, sha256, created_at): Row) -> Notice {
    Notice { id, form, language, wording, sha256, created_at }
}

pub(super) fn list_notices(db: &mut Db) -> QueryResult<Vec<Notice>> {
    let rows: Vec<Row> = notices::table.filter(notices::form.ne(TERMS)).load(db)?;
    Ok(rows.into_iter().map(notice).collect())
}

pub(super) fn find_notice(db: &mut Db, id: Id) -> QueryResult<Option<Notice>> {
    let row: Option<Row> = notices::table.filter(notices::id.eq(id)).first(db).optional()?;
    Ok(row.map(notice))
}

/// The id under which the wording of `notice` is stored.
pub(super) fn find_wording(db: &mut Db, notice: &Notice) -> QueryResult<Id> {
    notices::table
        .filter(notices::form.eq(&notice.form))
        .filter(notices::language.eq(&notice.language))
        .filter(notices::sha256.eq(&notice.sha256))
        .select(notices::id)
        .first(db)
}

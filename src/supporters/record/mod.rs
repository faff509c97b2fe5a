//! One supporter's record, as staff work on it: everything known of them with where it came from, changes with optimistic
//! locking, notes, merging two records into one, and taking somebody out for good.

mod change;
mod erase;
mod history;
mod merge;
mod notes;
pub(crate) mod routes;
mod view;

pub use change::RecordChange;
pub use erase::{blank_signups, erase, forget_signups};
pub use merge::{MergeForm, find_linked};
pub use notes::{NoteForm, NoteView};
pub use view::{EditView, ExportedView, History, MailView, NoticeView, RecordView, ShareView, SignupRecord};

use diesel::prelude::*;

use super::{Supporter, fields, queries, tags};
use crate::{
    error::AppError,
    http::Etag,
    id::Id,
    kernel::Kernel,
    keys::{AddressHash, Keys},
    store::{Db, lock, schema::supporters},
};

/// What a version of a record is taken of.
#[derive(serde::Serialize)]
struct Versioned<'a> {
    supporter: &'a super::SupporterView,
    suppression_reason: &'a Option<String>,
    link_version: i32,
    tags: &'a [String],
    fields: &'a [(String, String)],
}

/// A record without its history.
struct Record {
    supporter: Supporter,
    suppression_reason: Option<String>,
    tags: Vec<String>,
    fields: Vec<(String, String)>,
}

impl Record {
    fn read(db: &mut Db, id: Id) -> Result<Self, AppError> {
        let none = || AppError::NotFound("there is no such supporter".to_owned());
        let supporter = queries::find(db, id)?.ok_or_else(none)?;
        let number = supporter.number;
        let reason =
            supporters::table.filter(supporters::number.eq(number)).select(supporters::suppression_reason);
        Ok(Self {
            suppression_reason: reason.first(db)?,
            tags: tags::tags_of(db, &[number])?.remove(&number).unwrap_or_default(),
            fields: fields::fields_of(db, &[number])?.remove(&number).unwrap_or_default(),
            supporter,
        })
    }

    /// The same, and on PostgreSQL nobody else changes the row until the end of the transaction. After [`lock_addresses`].
    fn lock(db: &mut Db, id: Id) -> Result<Self, AppError> {
        if let Some(known) = queries::find(db, id)? {
            let row =
                supporters::table.filter(supporters::number.eq(known.number)).select(supporters::number);
            let _: Vec<i64> = crate::each!(db, pg c => row.for_update().load(c)?, sqlite c => row.load(c)?);
        }
        Self::read(db, id)
    }

    fn etag(&self) -> Result<Etag, AppError> {
        Etag::of(&Versioned {
            supporter: &self.supporter.clone().into(),
            suppression_reason: &self.suppression_reason,
            link_version: self.supporter.link_version,
            tags: &self.tags,
            fields: &self.fields,
        })
    }
}

/// Waits until nobody else decides anything about the addresses of these supporters, or about `new` ones: before any row is
/// locked, since triage and imports lock addresses first, too. An address that is changed in between is another version.
fn lock_addresses(
    db: &mut Db,
    keys: &Keys,
    ids: &[Id],
    new: impl IntoIterator<Item = AddressHash>,
) -> Result<(), AppError> {
    let mut hashes: Vec<AddressHash> = new.into_iter().collect();
    for id in ids {
        hashes.extend(queries::find(db, *id)?.map(|known| keys.address_hash(&known.email_key)));
    }
    Ok(lock::addresses(db, hashes)?)
}

/// Everything that is known of a supporter.
async fn show(kernel: &Kernel, id: Id) -> Result<(RecordView, Etag), AppError> {
    kernel.store.read(move |db| whole(db, id)).await
}

fn whole(db: &mut Db, id: Id) -> Result<(RecordView, Etag), AppError> {
    let record = Record::read(db, id)?;
    let etag = record.etag()?;
    let history = history::read(db, &record.supporter)?;
    let notes = notes::list(db, record.supporter.number)?;
    Ok((RecordView::new(record, notes, history), etag))
}

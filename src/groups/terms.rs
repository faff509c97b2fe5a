//! The coalition's data terms: what an organisation agrees to when it applies. Versions are kept as notices under a slug
//! of their own, never edited; which one an application agreed to stays with it.

use diesel::{QueryResult, prelude::*};

use crate::{
    clock::Timestamp,
    each,
    id::Id,
    keys::sha256_hex,
    store::{
        Db,
        schema::{forms, notices},
    },
};

/// Under which the terms stand among the notices. It is no form: nobody signs up on it.
pub const TERMS: &str = "groups";
const LANGUAGE: &str = "en";

/// A version of the terms.
#[derive(Clone, Debug, Queryable)]
pub struct Terms {
    /// Names this version.
    pub id: Id,
    /// The wording, to the letter.
    pub wording: String,
    /// SHA-256 of the wording, hexadecimal.
    pub sha256: String,
}

/// Every version, and which of them is shown now.
pub(super) struct AllTerms {
    pub current: Terms,
    all: Vec<Terms>,
}

impl AllTerms {
    /// The version with this id.
    pub fn find(&self, id: Id) -> Option<&Terms> {
        self.all.iter().find(|terms| terms.id == id)
    }
}

/// Keeps the current wording, if it is a new one, and reads every version.
pub(super) fn open(db: &mut Db, campaign: &str, now: Timestamp) -> QueryResult<AllTerms> {
    let wording = wording(campaign);
    let sha256 = sha256_hex(&wording);
    each!(db, c => {
        diesel::insert_into(forms::table)
            .values((
                forms::slug.eq(TERMS),
                forms::title.eq("Data terms of member groups"),
                forms::created_at.eq(now),
            ))
            .on_conflict_do_nothing()
            .execute(c)?;
        diesel::insert_into(notices::table)
            .values((
                notices::id.eq(Id::new()),
                notices::form.eq(TERMS),
                notices::language.eq(LANGUAGE),
                notices::wording.eq(&wording),
                notices::sha256.eq(&sha256),
                notices::created_at.eq(now),
            ))
            .on_conflict_do_nothing()
            .execute(c)?;
    });
    let all: Vec<Terms> = notices::table
        .filter(notices::form.eq(TERMS))
        .select((notices::id, notices::wording, notices::sha256))
        .load(db)?;
    let current = all.iter().find(|terms| terms.sha256 == sha256).cloned();
    let current = current.ok_or(diesel::result::Error::NotFound)?;
    Ok(AllTerms { current, all })
}

fn wording(campaign: &str) -> String {
    format!(
        "I may speak for this organization, and it agrees: {campaign} gives us a supporter's contact only where that \
         person has named us. We use it for nothing but our own work on what they joined for, pass it on to nobody, \
         keep it safe, and let only those see it who need to. Every message of ours says how to leave, and we honor \
         it. When {campaign} recalls a contact, we erase it everywhere within 14 days and say so. When we leave the \
         coalition, we erase them all."
    )
}

//! Notes: what staff write down about a supporter.

use diesel::{QueryResult, prelude::*};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    error::AppError,
    id::Id,
    kernel::Kernel,
    store::{
        Db, Lane,
        schema::{staff, supporter_notes},
    },
    supporters::queries,
};

/// Longest note, in characters.
const LONGEST: usize = 4000;
/// Most notes about one person.
const MOST: i64 = 500;

/// A new note.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteForm {
    /// Plain text of at most 4000 characters.
    #[schema(max_length = 4000)]
    pub text: String,
}

/// A note.
#[derive(Serialize, ToSchema, Queryable)]
pub struct NoteView {
    /// Names the note.
    #[schema(value_type = String)]
    pub id: Id,
    /// Plain text.
    pub text: String,
    /// Address of whoever wrote it, while they have an account.
    pub author: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

impl NoteForm {
    fn read(&self) -> Result<String, AppError> {
        let fault = |code: &str, message: &str| Err(AppError::field("text", code, message));
        let text = self.text.trim();
        if text.is_empty() {
            return fault("required", "write something down");
        }
        if text.chars().count() > LONGEST {
            return fault("too_long", "shorten this to at most 4000 characters");
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r')) {
            return fault("control_characters", "this contains characters that cannot be seen");
        }
        Ok(text.to_owned())
    }
}

/// Notes about a supporter, newest first.
pub(super) fn list(db: &mut Db, supporter: i64) -> QueryResult<Vec<NoteView>> {
    supporter_notes::table
        .left_join(staff::table.on(supporter_notes::author_id.eq(staff::id)))
        .filter(supporter_notes::supporter_number.eq(supporter))
        .order(supporter_notes::id.desc())
        .limit(MOST)
        .select((
            supporter_notes::id,
            supporter_notes::text,
            staff::email.nullable(),
            supporter_notes::created_at,
        ))
        .load(db)
}

pub(super) async fn list_of(kernel: &Kernel, id: Id) -> Result<Vec<NoteView>, AppError> {
    let read = move |db: &mut Db| {
        let number = number(db, id)?;
        Ok(list(db, number)?)
    };
    kernel.store.read(read).await
}

fn number(db: &mut Db, id: Id) -> Result<i64, AppError> {
    let found = queries::find(db, id)?;
    found.map(|known| known.number).ok_or_else(|| AppError::NotFound("there is no such supporter".to_owned()))
}

pub(super) async fn add(
    kernel: &Kernel,
    supporter: Id,
    form: &NoteForm,
    (author, email): (Id, String),
    actor: Actor,
) -> Result<NoteView, AppError> {
    let text = form.read()?;
    let (keys, now) = (kernel.keys.clone(), kernel.clock.now());
    let write = move |db: &mut Db| {
        let number = number(db, supporter)?;
        let mine = supporter_notes::table.filter(supporter_notes::supporter_number.eq(number));
        if mine.count().get_result::<i64>(db)? >= MOST {
            return Err(AppError::Conflict(format!("there are {MOST} notes already; delete one first")));
        }
        let id = Id::new();
        diesel::insert_into(supporter_notes::table)
            .values((
                supporter_notes::id.eq(id),
                supporter_notes::supporter_number.eq(number),
                supporter_notes::author_id.eq(author),
                supporter_notes::text.eq(&text),
                supporter_notes::created_at.eq(now),
            ))
            .execute(db)?;
        let act = Act::new(actor, "note.add").on("supporter", supporter).with(json!({ "note": id }));
        audit::append(db, &keys, &[act], now)?;
        Ok(NoteView { id, text, author: Some(email), created_at: now })
    };
    kernel.store.write(Lane::Staff, write).await
}

pub(super) async fn remove(kernel: &Kernel, supporter: Id, note: Id, actor: Actor) -> Result<(), AppError> {
    let (keys, now) = (kernel.keys.clone(), kernel.clock.now());
    let write = move |db: &mut Db| {
        let number = number(db, supporter)?;
        let mine = supporter_notes::table.filter(supporter_notes::supporter_number.eq(number));
        if diesel::delete(mine.filter(supporter_notes::id.eq(note))).execute(db)? == 0 {
            return Err(AppError::NotFound("there is no such note".to_owned()));
        }
        let act = Act::new(actor, "note.delete").on("supporter", supporter).with(json!({ "note": note }));
        Ok(audit::append(db, &keys, &[act], now)?)
    };
    kernel.store.write(Lane::Staff, write).await?;
    kernel.store.scrub();
    Ok(())
}

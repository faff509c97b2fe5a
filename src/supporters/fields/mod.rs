//! Custom fields: defined by staff, typed, with a value for each supporter who gave one. Used by forms, filters, records
//! and exports.

mod domain;
mod known;
mod on_forms;
mod queries;
pub(crate) mod routes;

pub use domain::{Asked, Field, FieldKind, FieldValue, read_all};
pub use known::Fields;
pub use queries::{fields_of, give_fields, list_fields, set_fields};
pub use routes::{FieldChange, FieldForm, FieldView};

use serde_json::json;

use crate::{
    audit::{self, Act, Actor},
    contact::{LineText, Slug},
    error::{AppError, FieldError},
    store::{Db, Lane},
    supporters::segments,
};

/// Most fields of an installation.
const MOST: usize = 50;
/// Most choices of a field.
const MOST_CHOICES: usize = 100;
/// Values that are deleted in one transaction.
const PIECE: i64 = 1000;

fn label(text: &str) -> Result<String, FieldError> {
    match text.parse::<LineText<100>>() {
        Ok(label) => Ok(label.as_str().to_owned()),
        Err(error) => Err(FieldError::new("label", error.code(), error.to_string())),
    }
}

fn choices(kind: FieldKind, sent: &[String]) -> Result<Vec<String>, FieldError> {
    let fault = |code: &str, message: &str| Err(FieldError::new("choices", code, message));
    if kind != FieldKind::Choice {
        return if sent.is_empty() {
            Ok(Vec::new())
        } else {
            fault("contradiction", "only a choice has choices")
        };
    }
    if sent.is_empty() || sent.len() > MOST_CHOICES {
        return fault("out_of_range", "give 1 to 100 choices");
    }
    let mut choices: Vec<String> = Vec::new();
    for text in sent {
        match text.parse::<LineText<100>>() {
            Ok(choice) if choices.iter().any(|other| other == choice.as_str()) => {
                return fault("duplicate", "give each choice once");
            }
            Ok(choice) => choices.push(choice.as_str().to_owned()),
            Err(error) => return fault(error.code(), &error.to_string()),
        }
    }
    Ok(choices)
}

async fn create(fields: &Fields, form: FieldForm, actor: Actor) -> Result<Field, AppError> {
    let mut faults = Vec::new();
    if let Err(error) = Slug::parse(&form.slug) {
        faults.push(FieldError::new("slug", error.code(), error.to_string()));
    }
    let label = label(&form.label).map_err(|fault| faults.push(fault)).unwrap_or_default();
    let choices = choices(form.kind, &form.choices).map_err(|fault| faults.push(fault)).unwrap_or_default();
    if !faults.is_empty() {
        return Err(AppError::Invalid(faults));
    }
    let field = Field { number: 0, slug: form.slug, label, kind: form.kind, choices };
    let kernel = &fields.kernel;
    let (keys, now) = (kernel.keys.clone(), kernel.clock.now());
    let write = move |db: &mut _| {
        if list_fields(db)?.len() >= MOST {
            return Err(AppError::Conflict(format!("there are {MOST} fields already; delete one first")));
        }
        if !queries::insert(db, &field, now)? {
            return Err(AppError::Conflict("there is a field of that name already".to_owned()));
        }
        let act = Act::new(actor, "field.create").with(json!({ "field": field.slug }));
        audit::append(db, &keys, &[act], now)?;
        Ok(field)
    };
    let field = kernel.store.write(Lane::Staff, write).await?;
    fields.read_again().await?;
    Ok(field)
}

async fn change(fields: &Fields, slug: String, form: FieldChange, actor: Actor) -> Result<Field, AppError> {
    let kernel = &fields.kernel;
    let (keys, now) = (kernel.keys.clone(), kernel.clock.now());
    let write = move |db: &mut _| {
        let mut field = find(list_fields(db)?, &slug)?;
        if let Some(text) = &form.label {
            field.label = label(text).map_err(|fault| AppError::Invalid(vec![fault]))?;
        }
        if let Some(sent) = &form.choices {
            let choices = choices(field.kind, sent).map_err(|fault| AppError::Invalid(vec![fault]))?;
            if queries::has_other_value(db, field.number, &choices)? {
                let sentence = "somebody has a value that is not among these choices";
                return Err(AppError::field("choices", "in_use", sentence));
            }
            field.choices = choices;
        }
        queries::update(db, &field)?;
        audit::append(db, &keys, &[Act::new(actor, "field.edit").with(json!({ "field": field.slug }))], now)?;
        Ok(field)
    };
    let field = kernel.store.write(Lane::Staff, write).await?;
    fields.read_again().await?;
    Ok(field)
}

/// Deletes a field and everybody's value of it, in pieces, unless a segment names it; the field goes last.
async fn remove(fields: &Fields, slug: String, actor: Actor) -> Result<(), AppError> {
    let kernel = &fields.kernel;
    let read = move |db: &mut Db| {
        let field = find(list_fields(db)?, &slug)?;
        segments::refuse_if_named(db, "field", |query| query.names_field(&slug))?;
        Ok::<_, AppError>(field)
    };
    let field = kernel.store.read(read).await?;
    loop {
        let number = field.number;
        let delete = move |db: &mut _| Ok::<_, AppError>(queries::delete_values(db, number, PIECE)?);
        if kernel.store.write(Lane::Staff, delete).await? == 0 {
            break;
        }
    }
    let (keys, now) = (kernel.keys.clone(), kernel.clock.now());
    let delete = move |db: &mut _| {
        queries::delete(db, field.number)?;
        let act = Act::new(actor, "field.delete").with(json!({ "field": field.slug }));
        Ok::<_, AppError>(audit::append(db, &keys, &[act], now)?)
    };
    kernel.store.write(Lane::Staff, delete).await?;
    kernel.store.scrub();
    Ok(fields.read_again().await?)
}

fn find(fields: Vec<Field>, slug: &str) -> Result<Field, AppError> {
    let found = fields.into_iter().find(|field| field.slug == slug);
    found.ok_or_else(|| AppError::NotFound("there is no such field".to_owned()))
}

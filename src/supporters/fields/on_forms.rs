//! Which fields a form shows, as staff set it. Kept with the fields in memory, so that forms show them without reading it.

use diesel::{QueryResult, prelude::*};
use serde_json::json;

use super::{Fields, list_fields};
use crate::{
    audit::{self, Act, Actor},
    each,
    error::{AppError, FieldError},
    store::{Db, Lane, schema::form_fields},
};

/// Fields that one form may show.
const MOST_SHOWN: usize = 20;

impl Fields {
    /// Sets the fields that `form` shows, in this order. The caller knows that there is such a form.
    ///
    /// # Errors
    /// 422 when there is no such field, one is named twice, or there are too many.
    pub async fn set_on_form(&self, actor: Actor, form: &str, slugs: Vec<String>) -> Result<(), AppError> {
        if slugs.len() > MOST_SHOWN {
            return Err(AppError::field("fields", "too_many", "show at most 20 fields"));
        }
        let kernel = &self.kernel;
        let (keys, now, form) = (kernel.keys.clone(), kernel.clock.now(), form.to_owned());
        let write = move |db: &mut Db| {
            let (known, mut faults, mut numbers) = (list_fields(db)?, Vec::new(), Vec::new());
            for (at, slug) in slugs.iter().enumerate() {
                let mut refuse = |code: &str, message: &str| {
                    faults.push(FieldError::new(format!("fields[{at}]"), code, message));
                };
                match known.iter().find(|field| field.slug == *slug).map(|field| field.number) {
                    Some(number) if numbers.contains(&number) => refuse("duplicate", "name each field once"),
                    Some(number) => numbers.push(number),
                    None => refuse("unknown_field", "there is no such field; define it first"),
                }
            }
            if !faults.is_empty() {
                return Err(AppError::Invalid(faults));
            }
            replace(db, &form, &numbers)?;
            let act = Act::new(actor, "form.edit").with(json!({ "form": form, "fields": slugs }));
            Ok(audit::append(db, &keys, &[act], now)?)
        };
        kernel.store.write(Lane::Staff, write).await?;
        Ok(self.read_again().await?)
    }
}

fn replace(db: &mut Db, form: &str, numbers: &[i64]) -> QueryResult<()> {
    diesel::delete(form_fields::table.filter(form_fields::form.eq(form))).execute(db)?;
    for (position, number) in (0_i32..).zip(numbers) {
        let row = (
            form_fields::form.eq(form),
            form_fields::position.eq(position),
            form_fields::field_number.eq(number),
        );
        each!(db, c => diesel::insert_into(form_fields::table).values(row).execute(c))?;
    }
    Ok(())
}

/// What every form shows, in order.
pub(super) fn list(db: &mut Db) -> QueryResult<Vec<(String, i64)>> {
    form_fields::table
        .order((form_fields::form, form_fields::position))
        .select((form_fields::form, form_fields::field_number))
        .load(db)
}

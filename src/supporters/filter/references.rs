//! What a query names by slug, looked up.

use std::collections::HashMap;

use diesel::prelude::*;
use jiff::tz::TimeZone;

use super::{
    Condition,
    query::{FilterFault, Reading, SupporterQuery},
};
use crate::{
    contact::Slug,
    http::read_query,
    id::Id,
    staff::Sight,
    store::{
        Db,
        schema::{forms, groups, segments, supporters, tags},
    },
    supporters::fields::list_fields,
};

/// Most tags of one condition.
const MOST_TAGS: usize = 50;

/// Most fields that are asked for.
const MOST_FIELDS: usize = 20;

/// Adds the conditions of `query` that name tags, a group, fields or a segment.
pub(super) fn resolve(
    db: &mut Db,
    query: &SupporterQuery,
    reading: &mut Reading,
    zone: &TimeZone,
) -> Result<(), FilterFault> {
    group(db, query, reading)?;
    if reading.filter.sight == Sight::Everybody {
        form(db, query, reading)?;
        tagged(db, query, reading)?;
        fields(db, query, reading)?;
        segment(db, query, reading, zone)?;
    }
    Ok(())
}

fn fields(db: &mut Db, query: &SupporterQuery, reading: &mut Reading) -> Result<(), FilterFault> {
    if query.field.is_empty() {
        return Ok(());
    }
    if query.field.len() > MOST_FIELDS {
        reading.fault("field", "too_many", format!("ask for at most {MOST_FIELDS} fields"));
        return Ok(());
    }
    let known = list_fields(db)?;
    for asked in &query.field {
        let Some((slug, value)) = asked.split_once('=') else {
            reading.fault(
                "field",
                "wrong_type",
                "name the field: field.<slug>=<value>, as in field.local=12",
            );
            continue;
        };
        let Some(field) = known.iter().find(|field| field.slug == slug) else {
            reading.fault("field", "unknown_value", format!("there is no field {}", short(slug)));
            continue;
        };
        match field.asked(value) {
            Ok(asked) => reading.condition(Condition::Field(field.number, asked)),
            Err(fault) => reading.fault(&format!("field.{slug}"), &fault.code, fault.message),
        }
    }
    Ok(())
}

/// A segment names no other segment, so this ends.
fn segment(
    db: &mut Db,
    query: &SupporterQuery,
    reading: &mut Reading,
    zone: &TimeZone,
) -> Result<(), FilterFault> {
    let Some(slug) = &query.segment else { return Ok(()) };
    let found: Option<String> =
        segments::table.filter(segments::slug.eq(slug)).select(segments::query).first(db).optional()?;
    let Some(kept) = found else {
        reading.fault("segment", "unknown_value", "there is no such segment");
        return Ok(());
    };
    let kept = read_query::<SupporterQuery>(&kept).ok().filter(|kept| kept.segment.is_none());
    let resolved = kept.map(|kept| kept.resolve(db, reading.filter.sight, zone)).transpose();
    match resolved {
        Ok(Some(filter)) => reading.conditions_of(filter),
        // What it was made of is gone: it must not widen to everybody.
        Err(FilterFault::Invalid(faults)) => {
            let said: Vec<String> =
                faults.into_iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect();
            let message =
                format!("this segment does not hold any longer; edit it first ({})", said.join("; "));
            reading.fault("segment", "broken", message);
        }
        Ok(None) => reading.fault("segment", "broken", "this segment cannot be read; edit it first"),
        Err(error) => return Err(error),
    }
    Ok(())
}

/// A form that there is, or that somebody came by: `import` is one, too.
fn form(db: &mut Db, query: &SupporterQuery, reading: &mut Reading) -> Result<(), FilterFault> {
    let Some(slug) = query.form.as_ref().filter(|slug| Slug::parse(slug).is_ok()) else { return Ok(()) };
    let there: Option<String> =
        forms::table.filter(forms::slug.eq(slug)).select(forms::slug).first(db).optional()?;
    let used = supporters::table.filter(supporters::form.eq(slug)).select(supporters::form);
    if there.is_none() && used.first::<String>(db).optional()?.is_none() {
        reading.fault("form", "unknown_value", "there is no such form, and nobody came by one of that name");
    }
    Ok(())
}

/// As much of what was asked for as a name can be.
fn short(slug: &str) -> String {
    slug.chars().take(64).collect()
}

fn group(db: &mut Db, query: &SupporterQuery, reading: &mut Reading) -> Result<(), FilterFault> {
    let Some(slug) = &query.group else { return Ok(()) };
    let found: Option<Id> =
        groups::table.filter(groups::slug.eq(slug)).select(groups::id).first(db).optional()?;
    match (reading.filter.sight, found) {
        // Whether there is another group of that name is none of theirs either.
        (Sight::Group(own), found) if found != Some(own) => reading.not_for_groups("group"),
        (Sight::Group(_), _) => {}
        (Sight::Everybody, Some(group)) => {
            let (from, until) = reading.shared;
            reading.condition(Condition::SharesWith(group));
            if from.is_some() || until.is_some() {
                reading.condition(Condition::SharedWithin(group, from, until));
            }
        }
        (Sight::Everybody, None) => {
            reading.fault("group", "unknown_value", format!("there is no group {}", short(slug)));
        }
    }
    Ok(())
}

fn tagged(db: &mut Db, query: &SupporterQuery, reading: &mut Reading) -> Result<(), FilterFault> {
    let asked = [("tag", &query.tag), ("tag_all", &query.tag_all), ("tag_none", &query.tag_none)];
    for (field, _) in asked.iter().filter(|(_, slugs)| slugs.len() > MOST_TAGS) {
        reading.fault(field, "too_many", format!("name at most {MOST_TAGS} tags"));
    }
    let slugs: Vec<&String> = asked.iter().flat_map(|(_, slugs)| slugs.iter().take(MOST_TAGS)).collect();
    if slugs.is_empty() {
        return Ok(());
    }
    let slugs = tags::table.filter(tags::slug.eq_any(slugs)).select((tags::slug, tags::number));
    let known: HashMap<String, i64> = slugs.load::<(String, i64)>(db)?.into_iter().collect();
    let mut numbers = asked.map(|(field, slugs)| {
        let mut numbers: Vec<i64> = Vec::new();
        for slug in slugs.iter().take(MOST_TAGS) {
            match known.get(slug) {
                Some(number) if numbers.contains(number) => {}
                Some(number) => numbers.push(*number),
                None => reading.fault(field, "unknown_value", format!("there is no tag {}", short(slug))),
            }
        }
        numbers
    });
    let [any, all, none] = &mut numbers;
    let only = if any.len() == 1 { &any[..] } else { &[] };
    if all.iter().chain(only).any(|tag| none.contains(tag)) {
        reading.fault(
            "tag_none",
            "contradiction",
            "a tag is both asked for and excluded, so nobody can match",
        );
    }
    for tag in all.drain(..) {
        reading.condition(Condition::Tagged(vec![tag]));
    }
    if !any.is_empty() {
        reading.condition(Condition::Tagged(std::mem::take(any)));
    }
    if !none.is_empty() {
        reading.condition(Condition::Untagged(std::mem::take(none)));
    }
    Ok(())
}

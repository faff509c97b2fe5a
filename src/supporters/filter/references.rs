//! What a query names by slug, looked up.

use std::collections::HashMap;

use diesel::prelude::*;

use super::{
    Condition,
    query::{FilterFault, Reading, SupporterQuery},
};
use crate::{
    id::Id,
    staff::Sight,
    store::{
        Db,
        schema::{groups, tags},
    },
};

/// Most tags of one condition.
const MOST_TAGS: usize = 50;

/// Adds the conditions of `query` that name tags or a group.
pub(super) fn resolve(db: &mut Db, query: &SupporterQuery, reading: &mut Reading) -> Result<(), FilterFault> {
    group(db, query, reading)?;
    if reading.filter.sight == Sight::Everybody {
        tagged(db, query, reading)?;
    }
    Ok(())
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
        (Sight::Everybody, None) => reading.fault("group", "unknown_value", "there is no such group"),
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
                None => reading.fault(field, "unknown_value", "there is no such tag"),
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

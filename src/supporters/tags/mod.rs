//! Tags: made by staff, given to supporters one by one or to everybody whom a filter matches.

mod bulk;
mod queries;
pub(crate) mod routes;

pub use bulk::resume;
pub use queries::{ensure_tag, give_tag, tags_of};
pub use routes::{ApplyForm, OperationView, TagForm, TagView};

pub(super) use queries::{numbers, set_tags};

use std::time::Duration;

use diesel::prelude::*;
use serde_json::json;

use self::bulk::Operation;
use crate::{
    audit::{self, Act, Actor},
    contact::Slug,
    error::AppError,
    id::Id,
    kernel::Kernel,
    staff::Sight,
    store::{Db, Lane, schema::supporters},
    supporters::{SupporterQuery, segments},
};

/// Whom a tag is taken from in one transaction when it is deleted.
const PIECE: i64 = 1000;
/// How long whoever begins an operation waits for its end; after that they may ask for it.
const WAIT: Duration = Duration::from_secs(20);

fn slug(text: &str) -> Result<String, AppError> {
    let slug = Slug::parse(text).map_err(|error| AppError::field("slug", error.code(), error.to_string()))?;
    Ok(slug.as_str().to_owned())
}

fn find(db: &mut Db, slug: &str) -> Result<i64, AppError> {
    queries::find(db, slug)?.ok_or_else(|| AppError::NotFound("there is no such tag".to_owned()))
}

async fn create(kernel: &Kernel, form: &TagForm, actor: Actor) -> Result<String, AppError> {
    let slug = slug(&form.slug)?;
    let (keys, now) = (kernel.keys.clone(), kernel.clock.now());
    let write = move |db: &mut _| {
        if !queries::insert(db, &slug, now)? {
            return Err(AppError::Conflict("there is a tag of that name already".to_owned()));
        }
        audit::append(db, &keys, &[Act::new(actor, "tag.create").with(json!({ "tag": slug }))], now)?;
        Ok(slug)
    };
    kernel.store.write(Lane::Staff, write).await
}

async fn rename(kernel: &Kernel, old: String, form: &TagForm, actor: Actor) -> Result<String, AppError> {
    let new = slug(&form.slug)?;
    let (keys, now) = (kernel.keys.clone(), kernel.clock.now());
    let write = move |db: &mut _| {
        let tag = find(db, &old)?;
        if queries::find(db, &new)?.is_some_and(|other| other != tag) {
            return Err(AppError::Conflict("there is a tag of that name already".to_owned()));
        }
        queries::rename(db, tag, &new)?;
        // What is kept names tags by slug: it goes on to mean the same people.
        let segments = segments::rename_tag(db, &old, &new, now)?;
        queries::rename_in_operations(db, &old, &new)?;
        let details = json!({ "tag": new, "was": old, "segments": segments });
        let act = Act::new(actor, "tag.rename").with(details);
        audit::append(db, &keys, &[act], now)?;
        Ok(new)
    };
    kernel.store.write(Lane::Staff, write).await
}

/// Deletes a tag, unless a segment names it: it is taken from everybody in pieces, and goes last.
async fn remove(kernel: &Kernel, slug: String, actor: Actor) -> Result<(), AppError> {
    let name = slug.clone();
    let read = move |db: &mut Db| {
        let tag = find(db, &name)?;
        segments::refuse_if_named(db, "tag", |query| query.names_tag(&name))?;
        Ok::<_, AppError>(tag)
    };
    let tag = kernel.store.read(read).await?;
    loop {
        let take = move |db: &mut _| Ok::<_, AppError>(queries::take_from_some(db, tag, PIECE)?);
        if kernel.store.write(Lane::Staff, take).await? == 0 {
            break;
        }
    }
    let (keys, now) = (kernel.keys.clone(), kernel.clock.now());
    let delete = move |db: &mut _| {
        queries::delete(db, tag)?;
        let act = Act::new(actor, "tag.delete").with(json!({ "tag": slug }));
        Ok::<_, AppError>(audit::append(db, &keys, &[act], now)?)
    };
    kernel.store.write(Lane::Staff, delete).await
}

/// How many the filter matches, and for how many of them something would change.
async fn dry_run(
    kernel: &Kernel,
    slug: String,
    query: SupporterQuery,
    adds: bool,
) -> Result<(i64, i64), AppError> {
    let filter = query.filter(kernel, Sight::Everybody).await?;
    let read = move |db: &mut Db| {
        use crate::store::schema::supporter_tags;
        let tag = find(db, &slug)?;
        let matched: i64 = supporters::table.filter(filter.matching()).count().get_result(db)?;
        let have = supporter_tags::table
            .filter(supporter_tags::tag_number.eq(tag))
            .select(supporter_tags::supporter_number);
        let have: i64 = supporters::table
            .filter(supporters::number.eq_any(have))
            .filter(filter.matching())
            .count()
            .get_result(db)?;
        Ok::<_, AppError>((matched, if adds { matched - have } else { have }))
    };
    kernel.store.read(read).await
}

/// Begins an operation and waits a while for its end; what has become of it by then.
async fn apply(
    kernel: &Kernel,
    slug: String,
    query: SupporterQuery,
    adds: bool,
    actor: Actor,
) -> Result<OperationView, AppError> {
    query.filter(kernel, Sight::Everybody).await?;
    let now = kernel.clock.now();
    let begin = move |db: &mut _| {
        let operation = Operation::new(find(db, &slug)?, adds, &query, actor, now)?;
        queries::begin(db, &operation)?;
        Ok::<_, AppError>(operation.id)
    };
    let id = kernel.store.write(Lane::Staff, begin).await?;
    // It goes on whether or not the client waits.
    let own = kernel.clone();
    let running = tokio::spawn(async move { bulk::run(&own, id).await });
    match tokio::time::timeout(WAIT, running).await {
        Ok(Ok(outcome)) => outcome?,
        Ok(Err(error)) => return Err(AppError::internal(&error)),
        Err(_) => {}
    }
    operation(kernel, id).await
}

async fn operation(kernel: &Kernel, id: Id) -> Result<OperationView, AppError> {
    let found = kernel.store.read(move |db| Ok::<_, AppError>(queries::find_operation(db, id)?)).await?;
    let (operation, tag) =
        found.ok_or_else(|| AppError::NotFound("there is no such operation".to_owned()))?;
    Ok(OperationView {
        id: operation.id,
        tag,
        adds: operation.adds,
        changed: operation.changed,
        started_at: operation.started_at,
        finished_at: operation.finished_at,
    })
}

async fn list(kernel: &Kernel) -> Result<Vec<TagView>, AppError> {
    let tags = kernel.store.read(|db| Ok::<_, AppError>(queries::list(db)?)).await?;
    Ok(tags.into_iter().map(|(slug, supporters)| TagView { slug, supporters }).collect())
}

//! Segments: filters by name, with how many match each now.

pub(crate) mod routes;

pub use routes::{SegmentForm, SegmentView};

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use diesel::prelude::*;
use serde_json::json;

use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    contact::{LineText, Slug},
    each,
    error::{AppError, FieldError},
    http::read_query,
    id::Id,
    kernel::Kernel,
    staff::Sight,
    store::{
        Db, Lane,
        schema::{segments, supporters},
    },
    supporters::{SupporterQuery, filter},
};

/// How old a count may be: whoever looks again sooner is told the same.
const COUNTED_FOR: Duration = Duration::from_secs(5);
/// Most segments of an installation.
const MOST: i64 = 200;

/// The segments of this installation. Cheap to clone.
#[derive(Clone)]
pub struct Segments {
    kernel: Kernel,
    counts: Arc<Mutex<HashMap<Id, Counted>>>,
}

/// How many there were, when, and of which version.
#[derive(Clone, Copy)]
struct Counted {
    count: i64,
    at: Timestamp,
    version: Timestamp,
}

/// A segment as it is stored.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = segments)]
struct Segment {
    id: Id,
    slug: String,
    name: String,
    query: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Segments {
    /// The facade.
    #[must_use]
    pub fn new(kernel: &Kernel) -> Self {
        Self { kernel: kernel.clone(), counts: Arc::default() }
    }

    async fn list(&self) -> Result<Vec<SegmentView>, AppError> {
        let read = |db: &mut Db| {
            Ok::<_, AppError>(segments::table.order(segments::slug).select(Segment::as_select()).load(db)?)
        };
        let mut views = Vec::new();
        for segment in self.kernel.store.read(read).await? {
            views.push(self.view(segment).await?);
        }
        Ok(views)
    }

    async fn show(&self, slug: String) -> Result<SegmentView, AppError> {
        let segment = self.kernel.store.read(move |db| find(db, &slug)).await?;
        self.view(segment).await
    }

    /// Makes a segment, or changes the one named `known`.
    async fn save(
        &self,
        known: Option<String>,
        form: SegmentForm,
        actor: Actor,
    ) -> Result<SegmentView, AppError> {
        let (name, query) = self.check(&form).await?;
        let (keys, now) = (self.kernel.keys.clone(), self.kernel.clock.now());
        let write = move |db: &mut Db| {
            let (old, action) = match &known {
                Some(slug) => (Some(find(db, slug)?), "segment.edit"),
                None => (None, "segment.create"),
            };
            let same: Option<Id> = segments::table
                .filter(segments::slug.eq(&form.slug))
                .select(segments::id)
                .first(db)
                .optional()?;
            if same.is_some() && same != old.as_ref().map(|old| old.id) {
                return Err(AppError::Conflict("there is a segment of that name already".to_owned()));
            }
            let (id, created_at) = old.map_or((Id::new(), now), |old| (old.id, old.created_at));
            let segment = Segment { id, slug: form.slug, name, query, created_at, updated_at: now };
            let count: i64 = segments::table.count().get_result(db)?;
            if same.is_none() && known.is_none() && count >= MOST {
                return Err(AppError::Conflict(format!(
                    "there are {MOST} segments already; delete one first"
                )));
            }
            diesel::delete(segments::table.filter(segments::id.eq(id))).execute(db)?;
            each!(db, c => diesel::insert_into(segments::table).values(&segment).execute(c))?;
            let act = Act::new(actor, action).on("segment", id).with(json!({ "segment": segment.slug }));
            audit::append(db, &keys, &[act], now)?;
            Ok(segment)
        };
        let segment = self.kernel.store.write(Lane::Staff, write).await?;
        self.view(segment).await
    }

    async fn remove(&self, slug: String, actor: Actor) -> Result<(), AppError> {
        let (keys, now) = (self.kernel.keys.clone(), self.kernel.clock.now());
        let write = move |db: &mut Db| {
            let segment = find(db, &slug)?;
            diesel::delete(segments::table.filter(segments::id.eq(segment.id))).execute(db)?;
            let act =
                Act::new(actor, "segment.delete").on("segment", segment.id).with(json!({ "segment": slug }));
            Ok::<_, AppError>(audit::append(db, &keys, &[act], now)?)
        };
        self.kernel.store.write(Lane::Staff, write).await
    }

    /// The name and the query, checked as any filter is.
    async fn check(&self, form: &SegmentForm) -> Result<(String, String), AppError> {
        let mut faults = Vec::new();
        if let Err(error) = Slug::parse(&form.slug) {
            faults.push(FieldError::new("slug", error.code(), error.to_string()));
        }
        let name = form.name.parse::<LineText<100>>();
        if let Err(error) = &name {
            faults.push(FieldError::new("name", error.code(), error.to_string()));
        }
        let under = |fault: FieldError| FieldError { field: format!("query.{}", fault.field), ..fault };
        let query = form.query.trim_start_matches('?');
        let query = match read_query::<SupporterQuery>(query) {
            Ok(query) if query.segment.is_some() => {
                faults.push(FieldError::new("query.segment", "not_here", "a segment is not made of another"));
                None
            }
            Ok(query) => match query.filter(&self.kernel, Sight::Everybody).await {
                Ok(_) => Some(query),
                Err(AppError::Invalid(own)) => {
                    faults.extend(own.into_iter().map(under));
                    None
                }
                Err(error) => return Err(error),
            },
            Err(AppError::Invalid(own)) => {
                faults.extend(own.into_iter().map(under));
                None
            }
            Err(error) => return Err(error),
        };
        match (name, query) {
            (Ok(name), Some(query)) if faults.is_empty() => Ok((name.as_str().to_owned(), query.kept()?)),
            _ => Err(AppError::Invalid(faults)),
        }
    }

    async fn view(&self, segment: Segment) -> Result<SegmentView, AppError> {
        let count = self.count(&segment).await?;
        Ok(SegmentView {
            slug: segment.slug,
            name: segment.name,
            query: segment.query,
            count,
            created_at: segment.created_at,
            updated_at: segment.updated_at,
        })
    }

    /// How many match, as of at most five seconds ago; nothing when it names what is no longer there.
    async fn count(&self, segment: &Segment) -> Result<Option<i64>, AppError> {
        let now = self.kernel.clock.now();
        {
            let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = counts.get(&segment.id)
                && known.version == segment.updated_at
                && known.at.after(COUNTED_FOR) > now
                && known.at <= now
            {
                return Ok(Some(known.count));
            }
        }
        let Ok(query) = read_query::<SupporterQuery>(&segment.query) else { return Ok(None) };
        let filter = match query.filter(&self.kernel, Sight::Everybody).await {
            Ok(filter) => filter,
            Err(AppError::Invalid(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let read = move |db: &mut Db| {
            Ok::<_, AppError>(supporters::table.filter(filter.matching()).count().get_result(db)?)
        };
        let count: i64 = self.kernel.store.read(read).await?;
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.insert(segment.id, Counted { count, at: now, version: segment.updated_at });
        Ok(Some(count))
    }
}

/// Segments with their queries, by slug; there are at most [`MOST`].
fn queries(db: &mut Db) -> Result<Vec<(String, String)>, AppError> {
    Ok(segments::table.order(segments::slug).select((segments::slug, segments::query)).load(db)?)
}

/// Carries a tag's new name into every segment that names it; the slugs of those.
pub(super) fn rename_tag(db: &mut Db, old: &str, new: &str, now: Timestamp) -> Result<Vec<String>, AppError> {
    let mut changed = Vec::new();
    for (slug, query) in queries(db)? {
        if let Some(query) = filter::renamed(&query, old, new)? {
            diesel::update(segments::table.filter(segments::slug.eq(&slug)))
                .set((segments::query.eq(query), segments::updated_at.eq(now)))
                .execute(db)?;
            changed.push(slug);
        }
    }
    Ok(changed)
}

/// Refuses to take away what a segment names, and says which segments do.
pub(super) fn refuse_if_named(
    db: &mut Db,
    what: &str,
    names: impl Fn(&SupporterQuery) -> bool,
) -> Result<(), AppError> {
    let naming =
        queries(db)?.into_iter().filter(|(_, query)| read_query(query).is_ok_and(|query| names(&query)));
    let slugs: Vec<String> = naming.map(|(slug, _)| slug).collect();
    if slugs.is_empty() {
        return Ok(());
    }
    let slugs = slugs.join(", ");
    Err(AppError::Conflict(format!("segments name this {what}; change or delete them first: {slugs}")))
}

fn find(db: &mut Db, slug: &str) -> Result<Segment, AppError> {
    let found =
        segments::table.filter(segments::slug.eq(slug)).select(Segment::as_select()).first(db).optional()?;
    found.ok_or_else(|| AppError::NotFound("there is no such segment".to_owned()))
}

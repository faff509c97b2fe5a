//! Which groups a form offers: what its setting names and, once the visitor's region is known, who serves it. None is
//! ever ticked for anybody. The setting is kept with the members in memory, so that forms show it without reading it.

use diesel::{QueryResult, prelude::*};

use super::{Groups, MOST_OFFERED, Members, model::Member};
use crate::{
    audit::{self, Act, Actor},
    each,
    error::{AppError, FieldError},
    id::Id,
    store::{Db, Lane, schema::form_groups},
};

/// Groups that a form's setting may name; its visitors see at most [`MOST_OFFERED`] of them.
const MOST_SET: usize = 50;

/// The groups that a visitor is offered, at most [`MOST_OFFERED`]: the group whose link they came by, then those of the
/// form's setting, and with a region only those of them that serve it, followed by listed groups of that region.
#[must_use]
pub fn offered<'a>(
    members: &'a Members,
    form: &str,
    region: Option<&str>,
    first: Option<&str>,
) -> Vec<&'a Member> {
    let mut found: Vec<&Member> = first.and_then(|slug| members.by_slug(slug)).into_iter().collect();
    let set = members.set_for(form).filter(|member| region.is_none_or(|region| member.serves(region)));
    let near = members
        .iter()
        .filter(|member| member.is_listed)
        .filter(|member| region.is_some_and(|region| member.regions.iter().any(|one| one == region)));
    for member in set.chain(near) {
        if found.len() < MOST_OFFERED && found.iter().all(|other| other.id != member.id) {
            found.push(member);
        }
    }
    found
}

impl Groups {
    /// Sets the groups that `form` offers, in this order; returns their slugs. The caller knows that there is such a form.
    ///
    /// # Errors
    /// 422 when one is no member, or there are too many.
    pub async fn set_offered(
        &self,
        actor: Actor,
        form: &str,
        slugs: Vec<String>,
    ) -> Result<Vec<String>, AppError> {
        let members = self.fresh_members().await?;
        let (mut faults, mut ids) = (Vec::new(), Vec::new());
        if slugs.len() > MOST_SET {
            faults.push(FieldError::new("offered_groups", "too_many", "name at most 50 groups"));
        }
        for (at, slug) in slugs.iter().enumerate() {
            match members.by_slug(slug) {
                Some(member) if !ids.contains(&member.id) => ids.push(member.id),
                Some(_) => {}
                None => {
                    let message = "there is no such member group; leave it out";
                    faults.push(FieldError::new(format!("offered_groups[{at}]"), "unknown_group", message));
                }
            }
        }
        if !faults.is_empty() {
            return Err(AppError::Invalid(faults));
        }
        let (keys, now, form_slug) = (self.kernel.keys.clone(), self.kernel.clock.now(), form.to_owned());
        let named = slugs.clone();
        self.kernel
            .store
            .write(Lane::Staff, move |db| {
                replace(db, &form_slug, &ids)?;
                let details = serde_json::json!({ "form": form_slug, "offered_groups": named });
                let act = Act::new(actor, "form.edit").with(details);
                Ok::<_, AppError>(audit::append(db, &keys, &[act], now)?)
            })
            .await?;
        self.changed().await;
        Ok(self.members().set_for(form).map(|member| member.slug.clone()).collect())
    }
}

fn replace(db: &mut Db, form: &str, ids: &[Id]) -> QueryResult<()> {
    diesel::delete(form_groups::table.filter(form_groups::form.eq(form))).execute(db)?;
    for (position, id) in (0_i32..).zip(ids) {
        let row =
            (form_groups::form.eq(form), form_groups::position.eq(position), form_groups::group_id.eq(id));
        each!(db, c => diesel::insert_into(form_groups::table).values(row).execute(c))?;
    }
    Ok(())
}

/// What every form is set to offer, in order.
pub(super) fn list(db: &mut Db) -> QueryResult<Vec<(String, Id)>> {
    form_groups::table
        .order((form_groups::form, form_groups::position))
        .select((form_groups::form, form_groups::group_id))
        .load(db)
}

#[cfg(test)]
mod tests {
    use super::{super::words::Kind, *};

    fn member(id: u8, regions: &[&str], is_listed: bool) -> Member {
        Member {
            id: Id::from_bytes([id; 16]),
            slug: format!("g{id}"),
            name: format!("Group {id}"),
            kind: Kind::Faith,
            website: "https://example.org/".to_owned(),
            regions: regions.iter().map(|region| (*region).to_owned()).collect(),
            sectors: Vec::new(),
            about: String::new(),
            is_listed,
            logo: None,
        }
    }

    fn members() -> Members {
        let all = vec![
            member(1, &["OH"], true),
            member(2, &["PA"], true),
            member(3, &["US"], true),
            member(4, &["OH", "PA"], true),
            member(5, &["OH"], false),
            member(6, &["OH"], true),
            member(7, &["OH"], true),
            member(8, &["OH"], true),
        ];
        let set = [2, 3, 5].map(|id| ("join".to_owned(), Id::from_bytes([id; 16])));
        Members::new(all, set.to_vec())
    }

    fn slugs(region: Option<&str>, first: Option<&str>) -> String {
        let members = members();
        let found = offered(&members, "join", region, first);
        found.iter().map(|member| member.slug.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_setting_comes_first_and_the_region_narrows_and_fills_it() {
        assert_eq!(slugs(None, None), "g2 g3 g5");
        assert_eq!(slugs(Some("PA"), None), "g2 g3 g4");
        assert_eq!(slugs(Some("OH"), None), "g3 g5 g1 g4 g6", "at most five");
        assert_eq!(slugs(Some("WV"), None), "g3", "all of the country is set, and nobody is near");
        assert!(offered(&members(), "picnic", None, None).is_empty());
    }

    #[test]
    fn the_group_whose_link_it_was_is_offered_first_and_once() {
        assert_eq!(slugs(None, Some("g5")), "g5 g2 g3");
        assert_eq!(slugs(Some("OH"), Some("g2")), "g2 g3 g5 g1 g4");
        assert_eq!(slugs(None, Some("nobody")), "g2 g3 g5");
    }
}

//! The directory: which listed members match, page by page, from what is kept in memory. Pure.

use super::{
    model::Member,
    words::{Kind, Sector},
};
use crate::{contact::Region, error::FieldError, id::Id};

/// Characters of a search.
const SEARCH: usize = 100;

/// Which members are asked for. Every given condition must hold.
#[derive(Clone, Debug, Default)]
pub struct DirectoryFilter {
    /// Part of the name or of what it does.
    pub q: Option<String>,
    /// A state it serves.
    pub region: Option<String>,
    /// An industry it works on.
    pub sector: Option<Sector>,
    /// What kind it is.
    pub kind: Option<Kind>,
}

impl DirectoryFilter {
    /// Reads the conditions of a query.
    ///
    /// # Errors
    /// One [`FieldError`] for each that does not hold.
    pub fn read(
        q: Option<&str>,
        region: Option<&str>,
        sector: Option<&str>,
        kind: Option<&str>,
    ) -> Result<Self, Vec<FieldError>> {
        let mut faults = Vec::new();
        let given =
            |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let q = given(q);
        if q.as_ref().is_some_and(|q| q.chars().count() > SEARCH) {
            faults.push(FieldError::new("q", "too_long", "search for at most 100 characters"));
        }
        let mut unknown = |field: &str| {
            let message = "this is not one of the values that can be chosen here";
            faults.push(FieldError::new(field, "unknown_value", message));
        };
        let region = given(region).and_then(|text| {
            let found = Region::parse(&text).ok().map(|region| region.as_str().to_owned());
            if found.is_none() {
                unknown("region");
            }
            found
        });
        let sector = given(sector).and_then(|text| {
            let found = Sector::parse(&text);
            if found.is_none() {
                unknown("sector");
            }
            found
        });
        let kind = given(kind).and_then(|text| {
            let found = Kind::parse(&text);
            if found.is_none() {
                unknown("kind");
            }
            found
        });
        if faults.is_empty() { Ok(Self { q, region, sector, kind }) } else { Err(faults) }
    }

    fn matches(&self, member: &Member) -> bool {
        let contains = |text: &str, part: &str| text.to_lowercase().contains(part);
        member.is_listed
            && self.region.as_ref().is_none_or(|region| member.serves(region))
            && self.sector.is_none_or(|sector| member.sectors.contains(&sector))
            && self.kind.is_none_or(|kind| member.kind == kind)
            && self.q.as_ref().is_none_or(|q| {
                let q = q.to_lowercase();
                contains(&member.name, &q) || contains(&member.about, &q)
            })
    }
}

/// One page of the members that match, in the order given, after the member `after`; one more than `limit` when there
/// are more. `None`: nobody is called `after`.
pub fn page<'a>(
    members: impl Iterator<Item = &'a Member>,
    filter: &DirectoryFilter,
    after: Option<Id>,
    limit: usize,
) -> Option<Vec<&'a Member>> {
    let mut members = members;
    if let Some(after) = after {
        members.by_ref().find(|member| member.id == after)?;
    }
    Some(members.filter(|member| filter.matches(member)).take(limit + 1).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: u8, name: &str, regions: &[&str], kind: Kind) -> Member {
        Member {
            id: Id::from_bytes([id; 16]),
            slug: name.to_lowercase(),
            name: name.to_owned(),
            kind,
            website: "https://example.org/".to_owned(),
            regions: regions.iter().map(|region| (*region).to_owned()).collect(),
            sectors: vec![Sector::Steel],
            about: "We measure the AIR.".to_owned(),
            is_listed: true,
            logo: None,
        }
    }

    fn names(members: &[Member], filter: &DirectoryFilter) -> Vec<String> {
        let found = page(members.iter(), filter, None, 50).unwrap_or_default();
        found.into_iter().map(|member| member.name.clone()).collect()
    }

    #[test]
    fn every_condition_must_hold_and_the_unlisted_are_never_shown() -> Result<(), Vec<FieldError>> {
        let hidden = Member { is_listed: false, ..member(9, "Hidden", &["OH"], Kind::Faith) };
        let members = [
            member(1, "Abbey", &["OH"], Kind::Faith),
            member(2, "Mill", &["PA"], Kind::LaborUnion),
            member(3, "National", &["US"], Kind::Advocacy),
            hidden,
        ];
        let read = DirectoryFilter::read;
        assert_eq!(names(&members, &read(None, None, None, None)?), ["Abbey", "Mill", "National"]);
        assert_eq!(names(&members, &read(None, Some("oh"), None, None)?), ["Abbey", "National"]);
        assert_eq!(names(&members, &read(Some(" air "), Some("PA"), None, Some("labor_union"))?), ["Mill"]);
        assert_eq!(names(&members, &read(None, None, Some("cement"), None)?), [""; 0]);
        let faults = read(None, Some("Ohio"), Some("gold"), Some("x")).err().unwrap_or_default();
        assert_eq!(faults.iter().map(|f| f.field.as_str()).collect::<Vec<_>>(), ["region", "sector", "kind"]);
        Ok(())
    }

    #[test]
    fn a_page_begins_after_the_member_it_is_told() {
        let members: Vec<_> = (1..=5).map(|id| member(id, &format!("G{id}"), &["OH"], Kind::Faith)).collect();
        let all = DirectoryFilter::default();
        let ids = |after: Option<u8>, limit| {
            let after = after.map(|id| Id::from_bytes([id; 16]));
            page(members.iter(), &all, after, limit)
                .map(|found| found.iter().map(|member| member.id.as_bytes()[0]).collect::<Vec<_>>())
        };
        assert_eq!(ids(None, 2), Some(vec![1, 2, 3]));
        assert_eq!(ids(Some(2), 2), Some(vec![3, 4, 5]));
        assert_eq!(ids(Some(4), 2), Some(vec![5]));
        assert_eq!(ids(Some(9), 2), None);
    }
}

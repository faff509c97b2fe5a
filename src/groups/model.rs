//! Rows of `groups`, and a member as everybody in this process knows it.

use diesel::prelude::{Insertable, Queryable, Selectable};

use super::words::{GroupStatus, Kind, Sector, split};
use crate::{clock::Timestamp, id::Id, keys::AddressHash, store::schema::groups};

/// An organisation as stored.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = groups)]
pub struct Group {
    /// Names it in the API for staff.
    pub id: Id,
    /// Names it in addresses; made from the name, and never changed.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// What kind of organisation it is.
    pub kind: Kind,
    /// Its website, http or https.
    pub website: String,
    /// Regions it serves, between commas; `US` for all of the country.
    pub regions: String,
    /// Industries it works on, between commas.
    pub sectors: String,
    /// What it does, in its own words.
    pub about: String,
    /// Whom to talk to.
    pub contact_name: String,
    /// Where mail to the contact goes.
    pub contact_email: String,
    /// Where it stands.
    pub status: GroupStatus,
    /// Whether the directory shows it.
    pub is_listed: bool,
    /// The terms that were agreed to.
    pub terms_id: Id,
    /// When it applied.
    pub created_at: Timestamp,
    /// When the contact confirmed.
    pub confirmed_at: Option<Timestamp>,
    /// When staff decided.
    pub decided_at: Option<Timestamp>,
    /// When it left.
    pub left_at: Option<Timestamp>,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// What staff asked last.
    pub question: Option<String>,
    /// Why it was declined.
    pub reason: Option<String>,
    /// What its contact answered to the question.
    pub answer: Option<String>,
}

#[derive(Insertable)]
#[diesel(table_name = groups, treat_none_as_default_value = false)]
pub(super) struct NewGroup {
    pub id: Id,
    pub slug: String,
    pub name: String,
    pub kind: Kind,
    pub website: String,
    pub regions: String,
    pub sectors: String,
    pub about: String,
    pub contact_name: String,
    pub contact_email: String,
    pub contact_email_key: String,
    pub contact_hash: Option<AddressHash>,
    pub status: GroupStatus,
    pub is_listed: bool,
    pub language: String,
    pub terms_id: Id,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A member as the directory, the join form and intake know it: nothing of it is personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Names it in tables.
    pub id: Id,
    /// Names it in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// What kind of organisation it is.
    pub kind: Kind,
    /// Its website, http or https.
    pub website: String,
    /// Regions it serves: codes, `US` for all of the country.
    pub regions: Vec<String>,
    /// Industries it works on.
    pub sectors: Vec<Sector>,
    /// What it does, in its own words; may have several lines.
    pub about: String,
    /// Whether the directory shows it.
    pub is_listed: bool,
    /// SHA-256 of its logo, if it has one.
    pub logo: Option<String>,
}

impl Member {
    pub(super) fn of(group: Group, logo: Option<String>) -> Self {
        Self {
            regions: split(&group.regions).map(str::to_owned).collect(),
            sectors: split(&group.sectors).filter_map(Sector::parse).collect(),
            id: group.id,
            slug: group.slug,
            name: group.name,
            kind: group.kind,
            website: group.website,
            about: group.about,
            is_listed: group.is_listed,
            logo,
        }
    }

    /// Its page in the directory.
    #[must_use]
    pub fn page_path(&self) -> String {
        format!("/groups/{}", self.slug)
    }

    /// Where its logo is served; another one has another address.
    #[must_use]
    pub fn logo_path(&self) -> Option<String> {
        let version = self.logo.as_ref()?.get(..16)?;
        Some(format!("/groups/{}/logo?v={version}", self.slug))
    }

    /// Whether it serves this region, by name or because it serves all of the country.
    #[must_use]
    pub fn serves(&self, region: &str) -> bool {
        self.regions.iter().any(|one| one == region || one == NATIONWIDE)
    }
}

/// The region of those who serve all of the country.
pub const NATIONWIDE: &str = "US";

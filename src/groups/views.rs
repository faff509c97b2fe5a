//! An organisation as staff see it, and a member as everybody does.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    model::{Group, Member},
    words::{GroupStatus, Kind, Sector, split},
};
use crate::{clock::Timestamp, id::Id, kernel::Kernel};

/// An organisation as staff, and who works for it, see it.
#[derive(Serialize, ToSchema)]
pub struct GroupView {
    /// Names it in the API.
    #[schema(value_type = String)]
    pub id: Id,
    /// Names it in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// What kind it is.
    pub kind: Kind,
    /// Its website.
    pub website: String,
    /// States it serves, or `US`.
    pub regions: Vec<String>,
    /// Industries it works on.
    pub sectors: Vec<Sector>,
    /// What it does.
    pub about: String,
    /// Whom to talk to.
    pub contact_name: String,
    /// Their address.
    pub contact_email: String,
    /// Where it stands.
    pub status: GroupStatus,
    /// Whether the directory shows it.
    pub is_listed: bool,
    /// The version of the data terms it agreed to.
    #[schema(value_type = String)]
    pub terms_id: Id,
    /// What staff asked last.
    pub question: Option<String>,
    /// What its contact answered to that.
    pub answer: Option<String>,
    /// Why it was declined.
    pub reason: Option<String>,
    /// When it applied.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When the contact confirmed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub confirmed_at: Option<Timestamp>,
    /// When staff decided.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub decided_at: Option<Timestamp>,
    /// When it left.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub left_at: Option<Timestamp>,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl From<Group> for GroupView {
    fn from(group: Group) -> Self {
        Self {
            regions: split(&group.regions).map(str::to_owned).collect(),
            sectors: split(&group.sectors).filter_map(Sector::parse).collect(),
            id: group.id,
            slug: group.slug,
            name: group.name,
            kind: group.kind,
            website: group.website,
            about: group.about,
            contact_name: group.contact_name,
            contact_email: group.contact_email,
            status: group.status,
            is_listed: group.is_listed,
            terms_id: group.terms_id,
            question: group.question,
            answer: group.answer,
            reason: group.reason,
            created_at: group.created_at,
            confirmed_at: group.confirmed_at,
            decided_at: group.decided_at,
            left_at: group.left_at,
            updated_at: group.updated_at,
        }
    }
}

/// A member in the public directory.
#[derive(Serialize, ToSchema)]
pub struct MemberView {
    /// Names it: `share_with` takes it.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// What kind it is.
    pub kind: Kind,
    /// Its website.
    pub website: String,
    /// States it serves, or `US` for all of the country.
    pub regions: Vec<String>,
    /// Industries it works on.
    pub sectors: Vec<Sector>,
    /// What it does, in its own words.
    pub about: String,
    /// Its page in the directory.
    pub url: String,
    /// The join form with this group offered first.
    pub join_url: String,
    /// Its logo, a PNG, if it has one.
    pub logo_url: Option<String>,
}

impl MemberView {
    /// The member as everybody sees it.
    pub(super) fn of(kernel: &Kernel, member: &Member) -> Self {
        Self {
            slug: member.slug.clone(),
            name: member.name.clone(),
            kind: member.kind,
            website: member.website.clone(),
            regions: member.regions.clone(),
            sectors: member.sectors.clone(),
            about: member.about.clone(),
            url: kernel.url(&member.page_path()),
            join_url: kernel.url(&format!("/join?group={}", member.slug)),
            logo_url: member.logo_path().map(|path| kernel.url(&path)),
        }
    }
}

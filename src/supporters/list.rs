//! The supporters list, as the admin API pages through it: whole records for the campaign's staff, contacts for somebody
//! who works for one group.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    filter::SupporterFilter,
    model::{Supporter, SupporterView},
    queries,
};
use crate::{
    clock::Timestamp,
    error::AppError,
    http::{Cursor, Slice},
    id::Id,
    staff::Sight,
    store::Store,
};

/// A page of the list, as far as the caller may see.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum SupporterPage {
    /// For the campaign's staff.
    Whole(Slice<SupporterView>),
    /// For those who work for one group.
    Contacts(Slice<GroupContact>),
}

impl SupporterPage {
    /// How many people are on it.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Whole(page) => page.data.len(),
            Self::Contacts(page) => page.data.len(),
        }
    }

    /// Whether nobody is.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What a group sees of somebody who shares with it: how to reach them, and since when it may. Nothing of how they came,
/// of other groups, nor of what staff noted.
#[derive(Serialize, ToSchema)]
pub struct GroupContact {
    /// Names the person, in exports and recalls too.
    #[schema(value_type = String)]
    pub id: Id,
    /// Where mail goes.
    pub email: String,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// Phone in E.164, if it may be used.
    pub phone: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// State or region.
    pub region: Option<String>,
    /// Country code.
    pub country: Option<String>,
    /// BCP 47 language.
    pub language: String,
    /// Since when they share with the group.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub shared_at: Option<Timestamp>,
}

impl GroupContact {
    fn of(row: Supporter, shared_at: Option<Timestamp>) -> Self {
        Self {
            id: row.id,
            email: row.email,
            given_name: row.given_name,
            family_name: row.family_name,
            phone: row.phone.filter(|_| row.phone_consent),
            postal_code: row.postal_code,
            region: row.region,
            country: row.country,
            language: row.language,
            shared_at,
        }
    }
}

/// One page, newest first.
pub(super) async fn page(
    store: &Store,
    filter: SupporterFilter,
    cursor: Option<Cursor>,
    limit: u16,
) -> Result<SupporterPage, AppError> {
    let before = match cursor.map(|cursor| cursor.bytes::<8>().map(i64::from_be_bytes)) {
        Some(None) => {
            return Err(AppError::field("cursor", "invalid_cursor", "this cursor is of another list"));
        }
        other => other.flatten(),
    };
    let sight = filter.sight;
    store
        .read(move |db| {
            let rows = queries::list(db, &filter, before, limit)?;
            let page = Slice::cut(rows, limit, |row: &Supporter| Cursor::at(&row.number.to_be_bytes()));
            let Slice { data, next_cursor } = page;
            Ok::<_, AppError>(match sight {
                Sight::Everybody => {
                    let data = data.into_iter().map(SupporterView::from).collect();
                    SupporterPage::Whole(Slice { data, next_cursor })
                }
                Sight::Group(group) => {
                    let numbers: Vec<i64> = data.iter().map(|row| row.number).collect();
                    let given = queries::shared_at(db, group, &numbers)?;
                    let contact = |row: Supporter| {
                        let shared_at = given.get(&row.number).copied();
                        GroupContact::of(row, shared_at)
                    };
                    SupporterPage::Contacts(Slice {
                        data: data.into_iter().map(contact).collect(),
                        next_cursor,
                    })
                }
            })
        })
        .await
}

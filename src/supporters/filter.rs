//! [`SupporterFilter`]: the one filter over supporters, used by the list and the exports. Nothing is
//! interpolated: every value is bound.

use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    prelude::*,
    serialize::{self, Output, ToSql},
    sql_types::Text,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    clock::Timestamp,
    error::FieldError,
    staff::Sight,
    store::{
        Db,
        schema::{shares, supporters},
    },
};

/// Whether a supporter is in, has left, or must be left alone.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, AsExpression, FromSqlRow,
)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Confirmed by a click.
    Confirmed,
    /// Left by themselves.
    Unsubscribed,
    /// Must not be written to: bounce, complaint, by staff, or "this was not me".
    Suppressed,
}

impl Status {
    /// Its name in the table and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Unsubscribed => "unsubscribed",
            Self::Suppressed => "suppressed",
        }
    }
}

impl<DB: Backend> ToSql<Text, DB> for Status
where
    str: ToSql<Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        <str as ToSql<Text, DB>>::to_sql(self.as_str(), out)
    }
}

impl<DB: Backend> FromSql<Text, DB> for Status
where
    String: FromSql<Text, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        match String::from_sql(bytes)?.as_str() {
            "confirmed" => Ok(Self::Confirmed),
            "unsubscribed" => Ok(Self::Unsubscribed),
            "suppressed" => Ok(Self::Suppressed),
            other => Err(format!("there is no supporter status {other}").into()),
        }
    }
}

/// Which supporters are meant. Every given condition must hold.
#[derive(Clone, Debug, Serialize)]
pub struct SupporterFilter {
    /// Whose records the caller may see; nothing in a filter widens it.
    #[serde(skip)]
    pub sight: Sight,
    /// Part of a name or address, at most 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// One status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// State or region, as stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Known since then or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_after: Option<Timestamp>,
    /// Known from before then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_before: Option<Timestamp>,
}

impl SupporterFilter {
    /// All that `sight` covers.
    #[must_use]
    pub const fn all(sight: Sight) -> Self {
        Self { sight, q: None, status: None, region: None, created_after: None, created_before: None }
    }

    /// Refuses what no supporter can match.
    ///
    /// # Errors
    /// The field that contradicts another or is too long.
    pub fn check(&self) -> Result<(), FieldError> {
        if let (Some(after), Some(before)) = (self.created_after, self.created_before)
            && after >= before
        {
            let message = "created_before must be later than created_after";
            return Err(FieldError::new("created_before", "contradiction", message));
        }
        // PostgreSQL takes no NUL in a text, and no supporter holds one.
        for (field, text) in [("q", &self.q), ("region", &self.region)] {
            if text.as_ref().is_some_and(|text| text.contains('\0')) {
                return Err(FieldError::new(
                    field,
                    "control_characters",
                    "this must not hold control characters",
                ));
            }
        }
        let over =
            |text: &Option<String>, most| text.as_ref().is_some_and(|text| text.chars().count() > most);
        if over(&self.q, 200) {
            return Err(FieldError::new("q", "too_long", "search for at most 200 characters"));
        }
        if over(&self.region, 64) {
            return Err(FieldError::new("region", "too_long", "a region has at most 64 characters"));
        }
        Ok(())
    }
}

/// The filter as a query, once for either database and once for PostgreSQL alone, which an export asks to hand its rows
/// over one by one.
macro_rules! matching {
    ($name:ident, $connection:ty) => {
        impl SupporterFilter {
            /// Supporters that match, in no order yet.
            pub(super) fn $name<'a>(
                &self,
            ) -> supporters::BoxedQuery<'a, <$connection as Connection>::Backend> {
                let mut query = supporters::table.into_boxed();
                if let Sight::Group(group) = self.sight {
                    let shares = shares::table
                        .filter(shares::supporter_number.eq(supporters::number))
                        .filter(shares::group_id.eq(group))
                        .filter(shares::withdrawn_at.is_null());
                    query = query
                        .filter(supporters::status.eq(Status::Confirmed))
                        .filter(diesel::dsl::exists(shares));
                }
                if let Some(q) = self.q.as_deref().map(str::trim).filter(|q| !q.is_empty()) {
                    query =
                        query.filter(supporters::search_text.like(contains(&q.to_lowercase())).escape('\\'));
                }
                if let Some(status) = self.status {
                    query = query.filter(supporters::status.eq(status));
                }
                if let Some(region) = &self.region {
                    query = query.filter(supporters::region.eq(region.clone()));
                }
                if let Some(after) = self.created_after {
                    query = query.filter(supporters::created_at.ge(after));
                }
                if let Some(before) = self.created_before {
                    query = query.filter(supporters::created_at.lt(before));
                }
                query
            }
        }
    };
}
matching!(query, Db);
matching!(query_postgres, PgConnection);

/// A LIKE pattern that matches texts containing `text` to the letter.
fn contains(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn wildcards_in_a_search_are_letters() {
        assert_eq!(contains(r"50%_a\b"), r"%50\%\_a\\b%");
    }

    #[test]
    fn a_filter_that_nobody_can_match_is_refused() {
        let at = Timestamp::from_seconds(100);
        let filter = SupporterFilter {
            created_after: Some(at),
            created_before: Some(at),
            ..SupporterFilter::all(Sight::Everybody)
        };
        assert_eq!(filter.check().unwrap_err().field, "created_before");
    }
}

//! [`SupporterFilter`]: the one filter over supporters. [`SupporterQuery`] is how it is given, as a query string or as
//! flags; a filter holds what that means, resolved; [`Matching`] is it as SQL, with every value bound; `search` finds
//! the newest that match. Used by the list, exports, segments, tags and counts.

mod blocks;
mod kept;
mod query;
mod ranges;
mod references;
mod search;
mod sql;
mod words;

pub use query::{FilterFault, SupporterQuery, time_zone};
pub use sql::Matching;
pub use words::SearchWords;

pub(super) use kept::renamed;
pub(super) use search::newest;

use self::words::{Prefix, Term};
use super::{fields::Asked, status::Status};
use crate::{clock::Timestamp, contact::Involvement, id::Id, staff::Sight};

/// Which supporters are meant. Every condition must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct SupporterFilter {
    /// Whose records the caller may see; no condition widens it.
    pub sight: Sight,
    /// Whether those who pause are left out. A group never sees them.
    is_awake: bool,
    conditions: Vec<Condition>,
}

impl SupporterFilter {
    /// All that `sight` covers.
    #[must_use]
    pub const fn all(sight: Sight) -> Self {
        Self { sight, is_awake: false, conditions: Vec::new() }
    }

    /// The status asked for, if one is.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.conditions.iter().find_map(|condition| match condition {
            Condition::Status(status) => Some(*status),
            _ => None,
        })
    }

    /// Whether it asks for nothing but a status.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.conditions.iter().all(|condition| matches!(condition, Condition::Status(_)))
    }

    /// The filter with `status`, where none is asked for.
    #[must_use]
    pub fn or_status(self, status: Status) -> Self {
        if self.status().is_some() { self } else { self.and(Condition::Status(status)) }
    }

    /// The filter without those who pause, as every list that is taken out must be.
    #[must_use]
    pub fn awake(self) -> Self {
        Self { is_awake: true, ..self }
    }

    /// The filter as a condition of a statement over `supporters`.
    #[must_use]
    pub fn matching(&self) -> Matching {
        Matching::sets(self.clone())
    }

    fn and(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    /// A condition that both `self` and what it was made of ask for differently, if there is one: nobody has two
    /// regions.
    fn contradiction(&self) -> Option<&'static str> {
        let mut seen: Vec<&Condition> = Vec::new();
        for condition in &self.conditions {
            let clash = |other: &&Condition| match (condition, other) {
                (Condition::Status(a), Condition::Status(b)) => a != b,
                (Condition::Is(column, a), Condition::Is(other, b)) => column == other && a != b,
                (Condition::HasPhone(a), Condition::HasPhone(b)) => a != b,
                (Condition::Field(field, Asked::Is(a)), Condition::Field(other, Asked::Is(b))) => {
                    field == other && a != b
                }
                _ => false,
            };
            if seen.iter().any(clash) {
                return Some(condition.name());
            }
            seen.push(condition);
        }
        None
    }
}

/// One thing that must hold.
#[derive(Clone, Debug, PartialEq)]
enum Condition {
    Status(Status),
    /// A word of the search text.
    Term(Term),
    Is(Column, String),
    /// Begins with one of these.
    PostalPrefix(Vec<Prefix>),
    /// Has one of these, by number.
    Tagged(Vec<i64>),
    /// Has none of these.
    Untagged(Vec<i64>),
    Involved(Involvement),
    /// An active share with this group.
    SharesWith(Id),
    /// The active share with this group was given then or later, and before then.
    SharedWithin(Id, Option<Timestamp>, Option<Timestamp>),
    /// A phone that may be used, or none.
    HasPhone(bool),
    /// At or after, and before.
    Within(Moment, Option<Timestamp>, Option<Timestamp>),
    /// This value of this field, by number.
    Field(i64, Asked),
}

impl Condition {
    /// The parameter that asks for it.
    const fn name(&self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::Term(_) => "q",
            Self::Is(column, _) => column.parameter(),
            Self::PostalPrefix(_) => "postal_prefix",
            Self::Tagged(_) => "tag",
            Self::Untagged(_) => "tag_none",
            Self::Involved(_) => "involvement",
            Self::SharesWith(_) => "group",
            Self::SharedWithin(..) => "shared_after",
            Self::HasPhone(_) => "has_phone",
            Self::Within(moment, ..) => moment.column(),
            Self::Field(..) => "field",
        }
    }
}

/// A column that is asked for by its whole value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Region,
    PostalCode,
    Country,
    Language,
    Form,
    Source,
    Campaign,
}

impl Column {
    const fn parameter(self) -> &'static str {
        match self {
            Self::Source => "source",
            other => other.column(),
        }
    }

    const fn column(self) -> &'static str {
        match self {
            Self::Region => "region",
            Self::PostalCode => "postal_code",
            Self::Country => "country",
            Self::Language => "language",
            Self::Form => "form",
            Self::Source => "source_code",
            Self::Campaign => "utm_campaign",
        }
    }
}

/// A date of a supporter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    SignedUp,
    Confirmed,
    Unsubscribed,
    Created,
}

impl Moment {
    const fn column(self) -> &'static str {
        match self {
            Self::SignedUp => "signed_up_at",
            Self::Confirmed => "confirmed_at",
            Self::Unsubscribed => "unsubscribed_at",
            Self::Created => "created_at",
        }
    }

    /// As a column of the row that is looked at.
    const fn of_row(self) -> &'static str {
        match self {
            Self::SignedUp => "supporters.signed_up_at",
            Self::Confirmed => "supporters.confirmed_at",
            Self::Unsubscribed => "supporters.unsubscribed_at",
            Self::Created => "supporters.created_at",
        }
    }

    /// As a column of what is looked up, `c`.
    const fn indexed(self) -> &'static str {
        match self {
            Self::SignedUp => "c.signed_up_at",
            Self::Confirmed => "c.confirmed_at",
            Self::Unsubscribed => "c.unsubscribed_at",
            Self::Created => "c.created_at",
        }
    }
}

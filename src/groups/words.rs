//! The words of an organisation: what it is, which industries it works on, and where it stands. They are the contract,
//! in the API, the tables and on pages; must not be stored by position.

use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    serialize::{self, Output, ToSql},
    sql_types::Text,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An enumeration of words, each with the label that people read.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $($(#[$each:meta])* $variant:ident = $word:literal, $label:literal;)+) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
            AsExpression, FromSqlRow,
        )]
        #[diesel(sql_type = Text)]
        pub enum $name {
            $($(#[$each])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every one, in the order that forms show.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in the API and the tables.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// What people read.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),+ }
            }

            /// Reads the word exactly as it is written.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }

        impl<DB: Backend> ToSql<Text, DB> for $name
        where
            str: ToSql<Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                <str as ToSql<Text, DB>>::to_sql(self.as_str(), out)
            }
        }

        impl<DB: Backend> FromSql<Text, DB> for $name
        where
            String: FromSql<Text, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
                let word = String::from_sql(bytes)?;
                Self::parse(&word).ok_or_else(|| format!("there is no such word: {word}").into())
            }
        }
    };
}

words! {
    /// What kind of organisation it is.
    Kind:
    /// A community that lives beside the plants.
    FrontlineCommunity = "frontline_community", "Frontline community";
    /// A labor union.
    LaborUnion = "labor_union", "Labor union";
    /// An advocacy group.
    Advocacy = "advocacy", "Advocacy";
    /// A faith community.
    Faith = "faith", "Faith";
    /// A business.
    Business = "business", "Business";
    /// Those who study the subject.
    Research = "research", "Research";
    /// None of these.
    Other = "other", "Other";
}

words! {
    /// An industry that a group works on.
    Sector:
    /// Steel.
    Steel = "steel", "Steel";
    /// Cement.
    Cement = "cement", "Cement";
    /// Aluminum.
    Aluminum = "aluminum", "Aluminum";
    /// Metallurgical coke.
    MetallurgicalCoke = "metallurgical_coke", "Metallurgical coke";
    /// Another one.
    Other = "other", "Other";
}

words! {
    /// Where an organisation stands.
    GroupStatus:
    /// Applied; the contact has not confirmed yet.
    Applied = "applied", "Applied";
    /// Confirmed by the contact; staff have not decided.
    InReview = "in_review", "In review";
    /// A member: in the directory if it likes, and people may share with it.
    Member = "member", "Member";
    /// Declined, with a reason.
    Declined = "declined", "Declined";
    /// Was a member.
    Left = "left", "Left";
}

/// Words between commas, with one before and one after, as `groups.regions` and `groups.sectors` hold them.
pub(super) fn join<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let joined = words.into_iter().collect::<Vec<_>>().join(",");
    if joined.is_empty() { joined } else { format!(",{joined},") }
}

/// The words of such a list.
pub(super) fn split(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back_from_the_tables_and_the_api() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(*kind));
            assert_eq!(
                serde_json::to_value(kind).ok().as_ref().and_then(|v| v.as_str()),
                Some(kind.as_str())
            );
        }
        for sector in Sector::ALL {
            assert_eq!(Sector::parse(sector.as_str()), Some(*sector));
        }
        for status in GroupStatus::ALL {
            assert_eq!(GroupStatus::parse(status.as_str()), Some(*status));
        }
        assert_eq!(Kind::parse("Faith"), None);
    }

    #[test]
    fn a_list_is_found_by_its_words_with_their_commas() {
        assert_eq!(join([]), "");
        let list = join(["OH", "PA"]);
        assert_eq!(list, ",OH,PA,");
        assert_eq!(split(&list).collect::<Vec<_>>(), ["OH", "PA"]);
        assert_eq!(split("").count(), 0);
    }
}

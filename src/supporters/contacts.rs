//! Contact lists, read for exports: every matching supporter, oldest first, by one statement, so that a list is of one
//! moment and of constant memory. A row stays as the database gave it, in one buffer: a cell costs no allocation.
//!
//! What somebody bound to one group may see of a person is decided here, in the statement: what they may not see is not
//! read.

use std::ops::Range;

use diesel::{
    Connection as _, QueryResult, QueryableByName, RunQueryDsl,
    connection::DefaultLoadingMode,
    deserialize,
    pg::{Pg, PgRowByRowLoadingMode},
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    row::{Field as _, NamedRow, Row},
    sql_types::{Binary, Untyped},
    sqlite::Sqlite,
};

use super::{
    Status,
    filter::{Matching, SupporterFilter},
};
use crate::{
    clock::Timestamp,
    id::Id,
    staff::Sight,
    store::{Db, dialect},
};

/// Something that is read of a supporter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContactField(usize);

#[expect(missing_docs, reason = "the columns are documented on Supporter")]
impl ContactField {
    pub const NUMBER: Self = Self(0);
    pub const ID: Self = Self(1);
    pub const EMAIL: Self = Self(2);
    pub const GIVEN_NAME: Self = Self(3);
    pub const FAMILY_NAME: Self = Self(4);
    /// Only with its own consent.
    pub const PHONE: Self = Self(5);
    pub const POSTAL_CODE: Self = Self(6);
    pub const REGION: Self = Self(7);
    pub const COUNTRY: Self = Self(8);
    pub const LANGUAGE: Self = Self(9);
    pub const STATUS: Self = Self(10);
    pub const INVOLVEMENT: Self = Self(11);
    pub const SOURCE_CODE: Self = Self(12);
    pub const FORM: Self = Self(13);
    pub const SIGNED_UP_AT: Self = Self(14);
    pub const CONFIRMED_AT: Self = Self(15);
    pub const UNSUBSCRIBED_AT: Self = Self(16);
    pub const NOTICE_ID: Self = Self(17);
    /// Slugs, separated by semicolons, in no order.
    pub const TAGS: Self = Self(18);
    /// Slugs of the groups that their contact is shared with, likewise.
    pub const GROUPS: Self = Self(19);
    /// When the share with the caller's own group was given.
    pub const SHARED_AT: Self = Self(20);
}

const FIELDS: usize = 21;

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Bytes,
    Number,
}

/// How each field is stored, its expression, and whether somebody bound to one group may see it. The last three depend on
/// the statement.
const TABLE: [(Kind, &str, bool); FIELDS] = [
    (Kind::Number, "supporters.number", true),
    (Kind::Bytes, "supporters.id", true),
    (Kind::Text, "supporters.email", true),
    (Kind::Text, "supporters.given_name", true),
    (Kind::Text, "supporters.family_name", true),
    (Kind::Text, "CASE WHEN supporters.phone_consent THEN supporters.phone END", true),
    (Kind::Text, "supporters.postal_code", true),
    (Kind::Text, "supporters.region", true),
    (Kind::Text, "supporters.country", true),
    (Kind::Text, "supporters.language", true),
    (Kind::Text, "supporters.status", true),
    (Kind::Text, "supporters.involvement", false),
    (Kind::Text, "supporters.source_code", false),
    (Kind::Text, "supporters.form", false),
    (Kind::Number, "supporters.signed_up_at", false),
    (Kind::Number, "supporters.confirmed_at", false),
    (Kind::Number, "supporters.unsubscribed_at", false),
    (Kind::Bytes, "supporters.notice_id", false),
    (Kind::Text, "", false),
    (Kind::Text, "", false),
    (Kind::Number, "", true),
];

impl ContactField {
    /// Whether somebody bound to one group may see it.
    #[must_use]
    pub fn is_for_groups(self) -> bool {
        TABLE.get(self.0).is_some_and(|(_, _, is_for_groups)| *is_for_groups)
    }
}

/// Which fields a list needs; the others are not read.
#[derive(Clone, Debug, Default)]
pub struct ContactFields {
    wanted: [bool; FIELDS],
    /// Numbers of fields that staff defined, in the order in which [`Contact::own`] gives their values.
    own: Vec<i64>,
}

impl ContactFields {
    /// These, the number, and fields that staff defined, by their numbers.
    pub fn of(fields: impl IntoIterator<Item = ContactField>, own: Vec<i64>) -> Self {
        let mut wanted = [false; FIELDS];
        for ContactField(index) in fields.into_iter().chain([ContactField::NUMBER]) {
            wanted[index] = true;
        }
        Self { wanted, own }
    }

    fn has(&self, ContactField(index): ContactField) -> bool {
        self.wanted[index]
    }

    /// Without what somebody with this sight may not see.
    fn within(mut self, sight: Sight) -> Self {
        for (wanted, (_, _, is_for_groups)) in self.wanted.iter_mut().zip(TABLE) {
            *wanted &= is_for_groups || sight == Sight::Everybody;
        }
        self.wanted[ContactField::SHARED_AT.0] &= sight != Sight::Everybody;
        if sight != Sight::Everybody {
            self.own.clear();
        }
        self
    }
}

/// One supporter as a list has them.
pub struct Contact {
    bytes: Vec<u8>,
    /// Where each field ends.
    ends: [usize; FIELDS],
    given: [bool; FIELDS],
    /// Where the value of each field that staff defined lies.
    own: Vec<Option<Range<usize>>>,
}

impl Contact {
    /// Their value of a field that staff defined, by its place in [`ContactFields::of`].
    #[must_use]
    pub fn own(&self, place: usize) -> Option<&str> {
        let range = self.own.get(place)?.clone()?;
        self.bytes.get(range).and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    fn bytes(&self, ContactField(index): ContactField) -> Option<&[u8]> {
        let begin = if index == 0 { 0 } else { self.ends[index - 1] };
        self.bytes.get(begin..self.ends[index]).filter(|_| self.given[index])
    }

    /// A field that is text.
    #[must_use]
    pub fn text(&self, field: ContactField) -> Option<&str> {
        // Both databases give UTF-8, or the row would have been an error.
        self.bytes(field).and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// A field that is a number.
    #[must_use]
    pub fn number(&self, field: ContactField) -> Option<i64> {
        self.bytes(field).and_then(|bytes| bytes.try_into().ok()).map(i64::from_be_bytes)
    }

    /// A field that is a time.
    #[must_use]
    pub fn time(&self, field: ContactField) -> Option<Timestamp> {
        self.number(field).map(Timestamp::from_micros)
    }

    /// A field that is an id.
    #[must_use]
    pub fn id(&self, field: ContactField) -> Option<Id> {
        self.bytes(field).and_then(|bytes| bytes.try_into().ok()).map(Id::from_bytes)
    }
}

/// Reads a row of one database; `put` appends a value to the buffer.
macro_rules! readable {
    ($backend:ty, |$value:ident, $kind:ident, $bytes:ident| $put:expr) => {
        impl QueryableByName<$backend> for Contact {
            fn build<'a>(row: &impl NamedRow<'a, $backend>) -> deserialize::Result<Self> {
                let mut $bytes = Vec::with_capacity(320);
                let (mut ends, mut given) = ([0; FIELDS], [false; FIELDS]);
                for (index, ($kind, _, _)) in TABLE.iter().enumerate() {
                    let field = Row::<$backend>::get(row, index).ok_or("a column is missing")?;
                    if let Some($value) = field.value() {
                        given[index] = true;
                        $put;
                    }
                    ends[index] = $bytes.len();
                }
                let mut own = Vec::new();
                for index in FIELDS..Row::<$backend>::field_count(row) {
                    let ($kind, begin) = (&Kind::Text, $bytes.len());
                    let field = Row::<$backend>::get(row, index).ok_or("a column is missing")?;
                    let value = field.value().map(|$value| $put);
                    own.push(value.map(|()| begin..$bytes.len()));
                }
                Ok(Self { bytes: $bytes, ends, given, own })
            }
        }
    };
}
readable!(Pg, |value, _kind, bytes| bytes.extend_from_slice(value.as_bytes()));
readable!(Sqlite, |read, kind, bytes| {
    let mut value = read;
    match kind {
        Kind::Text => bytes.extend_from_slice(value.read_text().as_bytes()),
        Kind::Bytes => bytes.extend_from_slice(value.read_blob()),
        Kind::Number => bytes.extend_from_slice(&value.read_long().to_be_bytes()),
    }
});

/// How tags, groups and values of fields are gathered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// For each row by itself.
    Single,
    /// For all rows at once, side by side with them.
    Merged,
}

/// The one statement of a list.
struct Statement {
    matching: Matching,
    fields: ContactFields,
    /// The caller's own group.
    own: Option<Id>,
    plan: Plan,
}

impl Query for Statement {
    type SqlType = Untyped;
}
impl<Conn> RunQueryDsl<Conn> for Statement {}
impl QueryId for Statement {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

const TAGS: &str = "FROM supporter_tags lt JOIN tags ON tags.number = lt.tag_number";
const GROUPS: &str = "FROM shares lh JOIN groups ON groups.id = lh.group_id";

/// The statement as one database takes it, with how it gathers texts.
macro_rules! statement {
    ($backend:ty, $gather:literal) => {
        impl QueryFragment<$backend> for Statement {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, $backend>) -> QueryResult<()> {
                out.unsafe_to_cache_prepared();
                out.push_sql("SELECT ");
                for (index, (_, expression, _)) in TABLE.iter().enumerate() {
                    out.push_sql(if index == 0 { "" } else { ", " });
                    let field = ContactField(index);
                    let is_single = self.plan == Plan::Single;
                    match (field, &self.own) {
                        _ if !self.fields.has(field) => out.push_sql("NULL"),
                        (ContactField::TAGS, _) if is_single => {
                            out.push_sql(concat!("(SELECT ", $gather, "(tags.slug, ';') "));
                            out.push_sql(TAGS);
                            out.push_sql(" WHERE lt.supporter_number = supporters.number)");
                        }
                        (ContactField::GROUPS, _) if is_single => {
                            out.push_sql(concat!("(SELECT ", $gather, "(groups.slug, ';') "));
                            out.push_sql(GROUPS);
                            out.push_sql(" WHERE lh.supporter_number = supporters.number AND lh.withdrawn_at IS NULL)");
                        }
                        (ContactField::TAGS, _) => out.push_sql("all_tags.slugs"),
                        (ContactField::GROUPS, _) => out.push_sql("all_groups.slugs"),
                        (ContactField::SHARED_AT, Some(own)) => {
                            out.push_sql(
                                "(SELECT lo.given_at FROM shares lo WHERE lo.supporter_number = supporters.number \
                                 AND lo.withdrawn_at IS NULL AND lo.group_id = ",
                            );
                            out.push_bind_param::<Binary, _>(own)?;
                            out.push_sql(")");
                        }
                        (ContactField::SHARED_AT, None) => out.push_sql("NULL"),
                        _ => out.push_sql(expression),
                    }
                }
                for (place, field) in self.fields.own.iter().enumerate() {
                    out.push_sql(&match self.plan {
                        Plan::Single => format!(
                            ", (SELECT lf.value FROM supporter_fields lf \
                             WHERE lf.supporter_number = supporters.number AND lf.field_number = {field})"
                        ),
                        Plan::Merged => format!(", own_{place}.value"),
                    });
                }
                out.push_sql(" FROM supporters");
                if self.plan == Plan::Merged {
                    for (place, field) in self.fields.own.iter().enumerate() {
                        out.push_sql(&format!(
                            " LEFT JOIN supporter_fields AS own_{place} \
                             ON own_{place}.supporter_number = supporters.number AND own_{place}.field_number = {field}"
                        ));
                    }
                }
                if self.plan == Plan::Merged && self.fields.has(ContactField::TAGS) {
                    out.push_sql(concat!(" LEFT JOIN (SELECT lt.supporter_number, ", $gather, "(tags.slug, ';') AS slugs "));
                    out.push_sql(TAGS);
                    out.push_sql(
                        " GROUP BY lt.supporter_number) AS all_tags ON all_tags.supporter_number = supporters.number",
                    );
                }
                if self.plan == Plan::Merged && self.fields.has(ContactField::GROUPS) {
                    out.push_sql(concat!(" LEFT JOIN (SELECT lh.supporter_number, ", $gather, "(groups.slug, ';') AS slugs "));
                    out.push_sql(GROUPS);
                    out.push_sql(
                        " WHERE lh.withdrawn_at IS NULL GROUP BY lh.supporter_number) AS all_groups \
                         ON all_groups.supporter_number = supporters.number",
                    );
                }
                out.push_sql(" WHERE ");
                self.matching.walk_ast(out.reborrow())?;
                out.push_sql(" ORDER BY supporters.number");
                Ok(())
            }
        }
    };
}
statement!(Pg, "string_agg");
statement!(Sqlite, "group_concat");

/// As many are gathered for each by itself on PostgreSQL before all at once is faster.
const FEW: i64 = 100_000;

/// Gives every matching supporter to `take`, oldest first, one row at a time from one statement. Without a status, only
/// the confirmed: an export must not write to those who left. Ends early when `take` says `false`.
///
/// # Errors
/// When the database does not answer.
pub fn for_each_contact(
    db: &mut Db,
    filter: &SupporterFilter,
    fields: ContactFields,
    take: impl FnMut(&Contact) -> bool,
) -> QueryResult<()> {
    let filter = filter.clone().or_status(Status::Confirmed).awake();
    let (sight, is_whole, matching) = (filter.sight, filter.is_whole(), filter.matching());
    let own = match sight {
        Sight::Everybody => None,
        Sight::Group(group) => Some(group),
    };
    let fields = fields.within(sight);
    match db {
        // By default the client library would hold the whole list in memory first.
        Db::Pg(connection) => {
            let gathers =
                fields.has(ContactField::TAGS) || fields.has(ContactField::GROUPS) || !fields.own.is_empty();
            let plan = if gathers && (is_whole || has_many(connection, &matching)?) {
                Plan::Merged
            } else {
                Plan::Single
            };
            let statement = Statement { matching, fields, own, plan };
            connection.transaction(|connection| {
                if plan == Plan::Merged {
                    dialect::join_at_once(connection)?;
                }
                take_all(statement.load_iter::<Contact, PgRowByRowLoadingMode>(connection)?, take)
            })
        }
        Db::Sqlite(connection) => {
            let statement = Statement { matching, fields, own, plan: Plan::Single };
            take_all(statement.load_iter::<Contact, DefaultLoadingMode>(connection)?, take)
        }
    }
}

/// Whether more than [`FEW`] match.
fn has_many(connection: &mut diesel::PgConnection, matching: &Matching) -> QueryResult<bool> {
    use diesel::prelude::*;

    use crate::store::schema::supporters;
    let beyond: Option<i64> = supporters::table
        .filter(matching.clone())
        .select(supporters::number)
        .offset(FEW)
        .first(connection)
        .optional()?;
    Ok(beyond.is_some())
}

fn take_all(
    rows: impl Iterator<Item = QueryResult<Contact>>,
    mut take: impl FnMut(&Contact) -> bool,
) -> QueryResult<()> {
    for row in rows {
        if !take(&row?) {
            break;
        }
    }
    Ok(())
}

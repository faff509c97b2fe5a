//! Rows of the record of exports.

use diesel::prelude::{Insertable, Queryable};

use crate::{clock::Timestamp, id::Id, store::schema::exports};

/// Who takes which list, and why; written before the first byte leaves.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = exports, treat_none_as_default_value = false)]
pub struct Begun {
    /// Names the export.
    pub id: Id,
    /// Whose account, unless the command line takes it.
    pub staff_id: Option<Id>,
    /// The role at this time, or `command_line`.
    pub taken_by: String,
    /// The group it is for, where the caller sees one group alone.
    pub group_id: Option<Id>,
    /// `csv`, `ndjson` or `xlsx`.
    pub format: String,
    /// Which columns: a preset, or `columns` and their names.
    pub preset: String,
    /// Why, in the caller's words.
    pub purpose: String,
    /// The filter as JSON; never a search text.
    pub filter: String,
    /// When it began.
    pub started_at: Timestamp,
}

/// How an export ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every row was handed over.
    Complete,
    /// The client went away, or the database failed midway.
    CutOff,
}

impl Outcome {
    /// Its name in the table and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::CutOff => "cut_off",
        }
    }
}

/// An export that a supporter was in, as they are told of it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct ExportSummary {
    /// Names the export.
    pub id: Id,
    /// When it was taken.
    pub at: Timestamp,
    /// The role of whoever took it, or `command_line`.
    pub taken_by: String,
    /// The group it was for.
    pub group_id: Option<Id>,
    /// Why.
    pub purpose: String,
    /// As which kind of file.
    pub format: String,
}

/// An export as staff see it in the list.
#[derive(Clone, Debug, Queryable)]
#[expect(missing_docs, reason = "the columns are documented on Begun")]
pub struct Export {
    pub id: Id,
    pub staff_id: Option<Id>,
    /// Address of the account, while there is one.
    pub staff_email: Option<String>,
    pub taken_by: String,
    pub group_id: Option<Id>,
    pub format: String,
    pub preset: String,
    pub purpose: String,
    pub filter: String,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// Rows that were handed over.
    pub row_count: Option<i64>,
    /// `complete` or `cut_off`; nothing while it is under way, or if the process died.
    pub outcome: Option<String>,
}

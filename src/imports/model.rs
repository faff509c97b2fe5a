//! Rows of `imports`, and imports as staff see them.

use std::collections::BTreeMap;

use diesel::prelude::{Insertable, Queryable, Selectable};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    options::ImportOptions,
    presets::{self, Preset},
    table::Layout,
    target::Target,
};
use crate::{clock::Timestamp, id::Id, keys::AddressHash, store::schema::imports};

/// An import as stored.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = imports)]
pub struct Stored {
    pub id: Id,
    pub state: String,
    pub staff_id: Option<Id>,
    pub file_name: String,
    pub file_bytes: i64,
    pub file_hash: Option<AddressHash>,
    pub is_stored: bool,
    layout: String,
    mapping: String,
    options: String,
    preview: String,
    pub notice_id: Option<Id>,
    pub line: i64,
    pub byte_offset: i64,
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub invited: i64,
    pub refused: i64,
    pub left_out: i64,
    pub fault: Option<String>,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub erased_at: Option<Timestamp>,
}

impl Stored {
    /// How the file is laid out, once that was looked at.
    pub fn layout(&self) -> Option<Layout> {
        serde_json::from_str(&self.layout).ok()
    }

    /// What each column holds.
    pub fn mapping(&self) -> Vec<Option<Target>> {
        serde_json::from_str(&self.mapping).unwrap_or_default()
    }

    /// What is wished.
    pub fn options(&self) -> ImportOptions {
        serde_json::from_str(&self.options).unwrap_or_default()
    }

    fn preview(&self) -> Option<Preview> {
        serde_json::from_str(&self.preview).ok()
    }
}

/// An import on its way into the table.
#[derive(Insertable)]
#[diesel(table_name = imports, treat_none_as_default_value = false)]
pub struct NewImport {
    pub id: Id,
    pub state: &'static str,
    pub staff_id: Option<Id>,
    pub file_name: String,
    pub file_bytes: i64,
    pub file_hash: Option<AddressHash>,
    pub is_stored: bool,
    pub layout: String,
    pub mapping: String,
    pub options: String,
    pub preview: String,
    pub notice_id: Option<Id>,
    pub line: i64,
    pub byte_offset: i64,
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub invited: i64,
    pub refused: i64,
    pub left_out: i64,
    pub next_invite_at: Timestamp,
    pub leased_until: Timestamp,
    pub created_at: Timestamp,
}

impl NewImport {
    /// One of which nothing is known yet.
    pub fn new(staff_id: Option<Id>, file_name: &str, is_stored: bool, now: Timestamp) -> Self {
        Self {
            id: Id::new(),
            state: "uploading",
            staff_id,
            file_name: file_name.chars().filter(|c| !c.is_control()).take(200).collect(),
            file_bytes: 0,
            file_hash: None,
            is_stored,
            layout: String::new(),
            mapping: String::new(),
            options: "{}".to_owned(),
            preview: String::new(),
            notice_id: None,
            line: 0,
            byte_offset: 0,
            created: 0,
            updated: 0,
            unchanged: 0,
            invited: 0,
            refused: 0,
            left_out: 0,
            next_invite_at: Timestamp::from_micros(0),
            leased_until: Timestamp::from_micros(0),
            created_at: now,
        }
    }
}

/// What became of rows, or would.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportCounts)]
pub struct Counts {
    /// New supporters.
    pub created: i64,
    /// Supporters to whom the list added something.
    pub updated: i64,
    /// Supporters to whom it added nothing.
    pub unchanged: i64,
    /// People who are asked.
    pub invited: i64,
    /// Rows that did not go in.
    pub refused: i64,
    /// Rows that went in without a value that did not hold.
    pub left_out: i64,
}

impl Counts {
    /// Rows in all.
    #[must_use]
    pub const fn rows(&self) -> i64 {
        self.created + self.updated + self.unchanged + self.invited + self.refused
    }

    /// Takes others in.
    pub fn add(&mut self, more: &Self) {
        self.created += more.created;
        self.updated += more.updated;
        self.unchanged += more.unchanged;
        self.invited += more.invited;
        self.refused += more.refused;
        self.left_out += more.left_out;
    }
}

/// What would happen, and the first rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportPreview)]
pub struct Preview {
    /// The first rows below the header.
    pub rows: Vec<Vec<String>>,
    /// What would become of all rows, now.
    pub counts: Counts,
    /// Codes of what would be refused or left out, and how often.
    pub reasons: BTreeMap<String, i64>,
    /// The first lines with such a code.
    pub examples: Vec<Example>,
}

/// A line that would be refused, or lose a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportExample)]
pub struct Example {
    /// Line of the file, or of the sheet, where the row begins.
    pub line: u64,
    /// The sheet, where it is not a workbook's first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The field it is about; empty for the row.
    pub field: String,
    /// The stable code.
    pub code: String,
    /// For people.
    pub message: String,
}

/// A column of the file and what it holds.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ColumnView {
    /// Counted from 0.
    pub column: usize,
    /// As it stands in the file.
    pub header: String,
    /// What it holds; null is not taken.
    pub field: Option<Target>,
}

/// How far an import is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ImportProgress)]
pub struct Progress {
    /// Line of the last row that was committed, in the file or on its sheet.
    pub line: u64,
    /// The sheet, where it is not a workbook's first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Bytes of the file up to its end.
    pub bytes: i64,
    /// Bytes of the file.
    pub of_bytes: i64,
}

/// Why an import failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportFault {
    /// A stable code.
    pub code: String,
    /// For people.
    pub message: String,
}

/// An import as staff see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ImportView {
    /// Names it in the API.
    #[schema(value_type = String)]
    pub id: Id,
    /// `uploading`, `uploaded` (the preview is being made), `previewed`, `running`, `done`, `cancelled` or `failed`.
    pub state: String,
    /// As it was called.
    pub file_name: String,
    /// How the file is laid out, once that was looked at.
    pub layout: Option<Layout>,
    /// The program that wrote it, if its headers tell.
    pub preset: Option<Preset>,
    /// Columns and what they hold.
    pub mapping: Vec<ColumnView>,
    /// Headers that stand there twice; the first is taken.
    pub repeated_headers: Vec<String>,
    /// What is wished.
    pub options: ImportOptions,
    /// What would happen.
    pub preview: Option<Preview>,
    /// How far it is.
    pub progress: Progress,
    /// What became of the rows up to there.
    pub counts: Counts,
    /// Why it failed.
    pub fault: Option<ImportFault>,
    /// When it was uploaded.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was started.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
    /// When the upload and the refused rows were erased.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub erased_at: Option<Timestamp>,
}

impl Stored {
    /// What became of rows until now.
    pub const fn counts(&self) -> Counts {
        Counts {
            created: self.created,
            updated: self.updated,
            unchanged: self.unchanged,
            invited: self.invited,
            refused: self.refused,
            left_out: self.left_out,
        }
    }
}

impl From<Stored> for ImportView {
    fn from(row: Stored) -> Self {
        let layout = row.layout();
        let header = layout.as_ref().map(|layout| layout.header.clone()).unwrap_or_default();
        let fields = row.mapping();
        let columns = header.iter().enumerate().map(|(column, header)| ColumnView {
            column,
            header: header.clone(),
            field: fields.get(column).cloned().flatten(),
        });
        let line = u64::try_from(row.line).unwrap_or(0);
        let (sheet, line) = layout.as_ref().map_or((None, line), |layout| layout.place(line));
        Self {
            mapping: columns.collect(),
            preset: presets::recognise(&header),
            repeated_headers: presets::repeated(&header),
            options: row.options(),
            preview: row.preview(),
            progress: Progress { line, sheet, bytes: row.byte_offset, of_bytes: row.file_bytes },
            counts: row.counts(),
            fault: row.fault.as_deref().and_then(|fault| serde_json::from_str(fault).ok()),
            id: row.id,
            state: row.state,
            file_name: row.file_name,
            layout,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
            erased_at: row.erased_at,
        }
    }
}

impl NewImport {
    /// As it would be read back.
    pub fn as_stored(&self) -> Stored {
        Stored {
            id: self.id,
            state: self.state.to_owned(),
            staff_id: self.staff_id,
            file_name: self.file_name.clone(),
            file_bytes: self.file_bytes,
            file_hash: self.file_hash,
            is_stored: self.is_stored,
            layout: self.layout.clone(),
            mapping: self.mapping.clone(),
            options: self.options.clone(),
            preview: self.preview.clone(),
            notice_id: self.notice_id,
            line: self.line,
            byte_offset: self.byte_offset,
            created: self.created,
            updated: self.updated,
            unchanged: self.unchanged,
            invited: self.invited,
            refused: self.refused,
            left_out: self.left_out,
            fault: None,
            created_at: self.created_at,
            started_at: None,
            finished_at: None,
            erased_at: None,
        }
    }
}

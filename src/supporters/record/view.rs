//! What staff see of a record.

use std::collections::BTreeMap;

use diesel::Queryable;
use serde::Serialize;
use utoipa::ToSchema;

use super::{NoteView, Record};
use crate::{clock::Timestamp, id::Id, supporters::SupporterView};

/// A supporter with everything that is known of them.
#[derive(Serialize, ToSchema)]
pub struct RecordView {
    /// As in the list.
    #[serde(flatten)]
    pub supporter: SupporterView,
    /// Why they must not be written to: `bounce`, `complaint`, `manual` or `not_me`.
    pub suppression_reason: Option<String>,
    /// Their tags.
    pub tags: Vec<String>,
    /// Values of custom fields by slug.
    pub fields: BTreeMap<String, String>,
    /// What staff wrote down, newest first.
    pub notes: Vec<NoteView>,
    /// Where all this came from and went.
    pub history: History,
}

/// Where a record came from and went; each list newest first, at most 200.
#[derive(Serialize, ToSchema)]
pub struct History {
    /// Their sign-ups.
    pub signups: Vec<SignupRecord>,
    /// What they agreed to.
    pub notices: Vec<NoticeView>,
    /// Which groups may have, or had, their contact.
    pub shares: Vec<ShareView>,
    /// Mails that were owed to them.
    pub mails: Vec<MailView>,
    /// Exports they were in.
    pub exports: Vec<ExportedView>,
    /// What staff and they themselves changed.
    pub edits: Vec<EditView>,
}

/// A sign-up.
#[derive(Serialize, ToSchema, Queryable)]
pub struct SignupRecord {
    /// Names the sign-up.
    #[schema(value_type = String)]
    pub id: Id,
    /// `new`, `pending`, `confirmed`, `repeated` or `expired`.
    pub state: String,
    /// Slug of the form.
    pub form: String,
    /// In which language.
    pub language: String,
    /// What was agreed to.
    #[schema(value_type = String)]
    pub notice_id: Id,
    /// When it was sent.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was confirmed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub confirmed_at: Option<Timestamp>,
}

/// A wording that was agreed to.
#[derive(Serialize, ToSchema, Queryable)]
pub struct NoticeView {
    /// Names the notice.
    #[schema(value_type = String)]
    pub id: Id,
    /// Slug of the form that showed it.
    pub form: String,
    /// In which language.
    pub language: String,
    /// The exact wording.
    pub wording: String,
    /// SHA-256 of the wording.
    pub sha256: String,
}

/// A share.
#[derive(Serialize, ToSchema, Queryable)]
pub struct ShareView {
    /// Slug of the group.
    pub group: String,
    /// Its name.
    pub name: String,
    /// What was agreed to.
    #[schema(value_type = String)]
    pub notice_id: Id,
    /// When it was given.
    #[schema(value_type = String, format = DateTime)]
    pub given_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub withdrawn_at: Option<Timestamp>,
}

/// A mail.
#[derive(Serialize, ToSchema, Queryable)]
pub struct MailView {
    /// Which mail.
    pub template: String,
    /// `due`, `sent`, `dead` or `dropped`.
    pub state: String,
    /// When it was owed.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was sent or given up.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
}

/// An export.
#[derive(Serialize, ToSchema)]
pub struct ExportedView {
    /// Names the export.
    #[schema(value_type = String)]
    pub id: Id,
    /// When it was taken.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The role of whoever took it, or `command_line`.
    pub taken_by: String,
    /// The group it was for.
    #[schema(value_type = Option<String>)]
    pub group_id: Option<Id>,
    /// Why.
    pub purpose: String,
    /// As which kind of file.
    pub format: String,
}

/// An act from the audit trail.
#[derive(Serialize, ToSchema)]
pub struct EditView {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What was done.
    pub action: String,
    /// `staff`, `supporter`, `group`, `command_line` or `system`.
    pub actor: String,
    /// Address of the account, while there is one.
    pub staff_email: Option<String>,
    /// More of it: names of fields, never values.
    #[schema(value_type = Object)]
    pub details: serde_json::Value,
}

impl RecordView {
    pub(super) fn new(record: Record, notes: Vec<NoteView>, history: History) -> Self {
        Self {
            supporter: record.supporter.into(),
            suppression_reason: record.suppression_reason,
            tags: record.tags,
            fields: record.fields.into_iter().collect(),
            notes,
            history,
        }
    }
}

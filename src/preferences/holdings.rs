//! [`Holdings`]: all that is stored of a person beside the supporter's own row, as they see it and may take along. Read by
//! `queries.rs` in one go.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{clock::Timestamp, forms::ConsentReceipt, id::Id};

/// All that is stored of a person in other tables.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Holdings {
    /// Where they came from, as the first sign-up said.
    pub source: SourceRecord,
    /// Every sign-up that was sent with their address.
    pub signups: Vec<SignupRecord>,
    /// What they agreed to: each wording that a sign-up or a share names.
    pub notices: Vec<NoticeRecord>,
    /// Shares with groups, those taken back included.
    pub shares: Vec<ShareRecord>,
    /// Lists that had them in it.
    pub exports: Vec<ExportRecord>,
    /// What groups were told to forget and have not acknowledged.
    pub recalls: Vec<RecallRecord>,
    /// Words that staff sort by.
    pub tags: Vec<String>,
    /// Answers to the campaign's own questions.
    pub fields: Vec<AnswerRecord>,
    /// Notes that staff made.
    pub notes: Vec<NoteRecord>,
    /// Mails to them.
    pub mails: Vec<MailRecord>,
    /// What was done to their record, by whom.
    pub acts: Vec<ActRecord>,
}

/// Where somebody came from.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct SourceRecord {
    pub code: Option<String>,
    pub group: Option<String>,
    pub page: Option<String>,
    pub utm_source: Option<String>,
    pub utm_medium: Option<String>,
    pub utm_campaign: Option<String>,
}

/// A sign-up.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = OwnSignupRecord)]
pub struct SignupRecord {
    /// Names it.
    #[schema(value_type = String)]
    pub id: Id,
    /// What became of it.
    pub state: String,
    /// Which form it was.
    pub form: String,
    /// Which wording it agreed to.
    #[schema(value_type = String)]
    pub notice_id: Id,
    /// In which language.
    pub language: String,
    /// What was typed; nothing once it was erased.
    #[schema(value_type = Object)]
    pub details: Value,
    /// When it was sent.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was confirmed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub confirmed_at: Option<Timestamp>,
}

/// A version of a wording.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NoticeRecord {
    /// Names it.
    #[schema(value_type = String)]
    pub id: Id,
    /// Its language.
    pub language: String,
    /// To the letter.
    pub wording: String,
    /// SHA-256 of the wording.
    pub sha256: String,
}

/// A share.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShareRecord {
    /// The group's slug.
    pub slug: String,
    /// The group's name.
    pub name: String,
    /// Which wording it was given under.
    #[schema(value_type = String)]
    pub notice_id: Id,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub given_at: Timestamp,
    /// When it was taken back.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub withdrawn_at: Option<Timestamp>,
}

/// A list that was taken out.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ExportRecord {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The role of whoever took it.
    pub taken_by: String,
    /// The name of the group it was for.
    pub group: Option<String>,
    /// Why, in their words.
    pub purpose: String,
}

/// What a group must forget.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RecallRecord {
    /// The group's name.
    pub group: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// An answer to a question of the campaign's own.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AnswerRecord {
    /// The question.
    pub label: String,
    /// The answer.
    pub value: String,
}

/// A note.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NoteRecord {
    /// What it says.
    pub text: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A mail.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MailRecord {
    /// Which kind it is.
    pub kind: String,
    /// What became of it.
    pub state: String,
    /// When it was owed.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// Something that was done to the record.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ActRecord {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What, e.g. `share.withdraw`.
    pub action: String,
    /// Who: `supporter` (they themselves), `staff`, `group` or `system`.
    pub by: String,
}

impl Holdings {
    /// The shares that are active.
    pub fn active_shares(&self) -> impl Iterator<Item = &ShareRecord> {
        self.shares.iter().filter(|share| share.withdrawn_at.is_none())
    }

    /// The receipt for agreeing to this notice at `at`.
    #[must_use]
    pub fn receipt(&self, notice: Id, at: Timestamp) -> Option<ConsentReceipt> {
        let notice = self.notices.iter().find(|known| known.id == notice)?;
        Some(ConsentReceipt {
            wording: notice.wording.clone(),
            sha256: notice.sha256.clone(),
            at: at.to_string(),
            language: notice.language.clone(),
        })
    }
}

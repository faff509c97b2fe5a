//! Rows and views of recalls.

use diesel::prelude::{Insertable, Queryable};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use super::Acknowledged;
use crate::{clock::Timestamp, error::AppError, error::FieldError, id::Id, store::schema::recalls};

/// Numbers in one acknowledgement at most.
const MOST_NUMBERS: usize = 1000;

/// A recall as its group reads it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Serialize, ToSchema)]
pub struct Recall {
    /// Counts up within the group; later recalls have higher numbers.
    pub number: i64,
    /// Names the person, as the `id` column of every export did.
    #[schema(value_type = String)]
    pub supporter_id: Id,
    /// SHA-256 of the address in lower-case hexadecimal: ASCII letters lower-cased, the domain in its ASCII form.
    #[schema(value_type = String)]
    #[serde(serialize_with = "hex")]
    pub address_sha256: Vec<u8>,
    /// Since when the group must forget them. Who is in a later export may be kept from that.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

fn hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    serializer.serialize_str(&text)
}

/// A page of the feed.
#[derive(Serialize, ToSchema)]
pub struct RecallPage {
    /// Oldest first.
    pub data: Vec<Recall>,
    /// Give it as `since` to read on at once; null at the end. Later, give the last `number` that was read.
    pub next_cursor: Option<String>,
}

/// What a group says that it has forgotten: all up to a number, or single ones.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AcknowledgeForm {
    /// Every recall with this number or a lower one.
    pub up_to: Option<i64>,
    /// These recalls, at most 1000.
    #[schema(max_items = 1000)]
    pub numbers: Option<Vec<i64>>,
}

impl AcknowledgeForm {
    /// Which recalls are meant.
    ///
    /// # Errors
    /// The field that is missing or does not hold.
    pub fn check(self) -> Result<Acknowledged, AppError> {
        let fault = |field: &str, code: &str, message: &str| {
            Err(AppError::Invalid(vec![FieldError::new(field, code, message)]))
        };
        match (self.up_to, self.numbers) {
            (Some(number), None) if number > 0 => Ok(Acknowledged::UpTo(number)),
            (Some(_), None) => fault("up_to", "out_of_range", "give the number of a recall"),
            (None, Some(numbers)) if numbers.len() > MOST_NUMBERS => {
                fault("numbers", "too_many", "give at most 1000 numbers")
            }
            (None, Some(numbers)) => Ok(Acknowledged::Numbers(numbers)),
            (Some(_), Some(_)) => fault("numbers", "contradiction", "give up_to or numbers, not both"),
            (None, None) => fault("up_to", "required", "say up to which number, or which numbers"),
        }
    }
}

/// Whom a recall is about, as lists had them: under their own id and address, or those of a record that was merged into
/// theirs.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// The id that lists had.
    pub id: Id,
    /// SHA-256 of the matching key of the address.
    pub address_sha256: Vec<u8>,
}

/// A recall to be written.
#[derive(Insertable)]
#[diesel(table_name = recalls)]
pub(super) struct NewRecall {
    pub group_id: Id,
    pub number: i64,
    pub supporter_id: Id,
    pub address_sha256: Vec<u8>,
    pub created_at: Timestamp,
}

/// How a group stands with its recalls.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RecallStanding {
    /// The group.
    #[schema(value_type = String)]
    pub group_id: Id,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its status, e.g. `member` or `left`.
    pub status: String,
    /// Recalls that wait for an acknowledgement.
    pub waiting: i64,
    /// Those of them that have waited longer than `groups.recall_overdue_days`.
    pub overdue: i64,
    /// Since when the oldest waits.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub oldest_at: Option<Timestamp>,
    /// Recalls acknowledged so far.
    pub acknowledged: i64,
    /// When the last was.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub acknowledged_at: Option<Timestamp>,
    /// Recalls that nobody acknowledged within 30 days.
    pub expired: i64,
    /// What the webhook answered last, where there is one and it fails.
    pub webhook_error: Option<String>,
    /// Whether the webhook was tried for three days in vain and waits for a replay.
    pub webhook_given_up: bool,
}

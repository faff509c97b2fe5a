//! Sign-ups as staff see them: what was typed, of which only the confirmed is proven.

use diesel::QueryResult;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{model::Stored, queries};
use crate::{
    clock::Timestamp,
    error::AppError,
    http::{Cursor, Slice},
    id::Id,
    store::{Db, Store},
};

/// What became of a sign-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignupStatus {
    /// Waits for triage or for its click.
    Pending,
    /// Confirmed by a click.
    Confirmed,
    /// Added nothing, or the address had been asked often enough.
    Repeated,
    /// Nobody clicked; what it held of a person is erased.
    Expired,
}

impl SignupStatus {
    /// The states of the table that are shown as this status.
    const fn states(self) -> &'static [&'static str] {
        match self {
            Self::Pending => &["new", "pending"],
            Self::Confirmed => &["confirmed"],
            Self::Repeated => &["repeated"],
            Self::Expired => &["expired"],
        }
    }

    fn of(state: &str) -> Self {
        match state {
            "confirmed" => Self::Confirmed,
            "repeated" => Self::Repeated,
            "expired" => Self::Expired,
            _ => Self::Pending,
        }
    }

    const ALL: [Self; 4] = [Self::Pending, Self::Confirmed, Self::Repeated, Self::Expired];
}

/// Which sign-ups, with paging.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SignupQuery {
    /// One status; every one by default.
    pub status: Option<SignupStatus>,
    /// Rows of a page, 50 by default.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
}

/// A sign-up in a list.
#[derive(Serialize, ToSchema)]
pub struct SignupView {
    /// Names the sign-up.
    #[schema(value_type = String)]
    pub id: Id,
    /// The address as typed; empty once erased.
    pub email: String,
    /// What became of it.
    pub status: SignupStatus,
    /// Slug of the form.
    pub form: String,
    /// Language of the person.
    pub language: String,
    /// Source code of the link or leaflet.
    pub source: Option<String>,
    /// When it was sent.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was confirmed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub confirmed_at: Option<Timestamp>,
}

/// One page, newest first: each state is read along its own index, and the pages are merged.
pub(super) async fn page(
    store: &Store,
    status: Option<SignupStatus>,
    cursor: Option<Cursor>,
    limit: u16,
) -> Result<Slice<SignupView>, AppError> {
    let before = match cursor.map(|cursor| cursor.bytes::<16>().map(Id::from_bytes)) {
        Some(None) => {
            return Err(AppError::field("cursor", "invalid_cursor", "this cursor is of another list"));
        }
        other => other.flatten(),
    };
    let rows = store.read(move |db| Ok::<_, AppError>(list(db, status, before, limit)?)).await?;
    Ok(Slice::cut(rows, limit, |row: &SignupView| Cursor::at(row.id.as_bytes())))
}

fn list(
    db: &mut Db,
    status: Option<SignupStatus>,
    before: Option<Id>,
    limit: u16,
) -> QueryResult<Vec<SignupView>> {
    let mut rows = Vec::new();
    for state in
        status.map_or(SignupStatus::ALL.to_vec(), |one| vec![one]).iter().flat_map(|one| one.states())
    {
        rows.extend(queries::list(db, state, before, i64::from(limit) + 1)?);
    }
    Ok(newest(rows, usize::from(limit) + 1)
        .into_iter()
        .map(|row| SignupView {
            status: SignupStatus::of(&row.state),
            source: row.details().source.code,
            id: row.id,
            email: row.email,
            form: row.form,
            language: row.language,
            created_at: row.created_at,
            confirmed_at: row.confirmed_at,
        })
        .collect())
}

/// The newest `most`, each once. A sign-up that triage moves between two of the reads is in both; states are read
/// in the order in which sign-ups pass through them, so none is missed, and the later read holds.
fn newest(mut rows: Vec<Stored>, most: usize) -> Vec<Stored> {
    rows.sort_by_key(|row| std::cmp::Reverse(row.id));
    rows.dedup_by(|later, earlier| {
        let is_same = later.id == earlier.id;
        if is_same {
            std::mem::swap(later, earlier);
        }
        is_same
    });
    rows.truncate(most);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(id: u8, state: &str) -> Stored {
        Stored {
            id: Id::from_bytes([id; 16]),
            state: state.to_owned(),
            email: "ada@example.org".to_owned(),
            form: "join".to_owned(),
            notice_id: Id::from_bytes([0; 16]),
            language: "en".to_owned(),
            details: "{}".to_owned(),
            created_at: Timestamp::from_seconds(0),
            confirmed_at: None,
            supporter_id: None,
        }
    }

    #[test]
    fn a_sign_up_that_moves_while_it_is_read_is_listed_once_where_it_went() {
        let read = vec![stored(3, "new"), stored(1, "new"), stored(3, "pending"), stored(2, "pending")];
        let listed: Vec<_> =
            newest(read, 3).into_iter().map(|row| (row.id.as_bytes()[0], row.state)).collect();
        let expected = [(3, "pending"), (2, "pending"), (1, "new")].map(|(id, state)| (id, state.to_owned()));
        assert_eq!(listed, expected);
    }
}

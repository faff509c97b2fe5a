//! Keyset paging: a cursor says after which row the next page begins, whatever is added meanwhile.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::{IntoParams, ToSchema};

use crate::error::AppError;

/// Rows of a page when nothing is asked.
const DEFAULT_LIMIT: u16 = 50;
/// Most rows of a page.
const MAX_LIMIT: u16 = 500;

/// Which page of a list is asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Rows of a page, 50 by default.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
}

/// The page size asked for.
///
/// # Errors
/// When it is not from 1 to 500.
pub fn page_size(asked: Option<u16>) -> Result<u16, AppError> {
    match asked.unwrap_or(DEFAULT_LIMIT) {
        size @ 1..=MAX_LIMIT => Ok(size),
        _ => Err(AppError::field("limit", "out_of_range", "ask for 1 to 500 rows")),
    }
}

/// The position of the last row of a page, opaque to clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(Vec<u8>);

impl Cursor {
    /// A cursor at these bytes, at most 32.
    #[must_use]
    pub fn at(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// The bytes, if there are `N` of them: a cursor of another list is not ours.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> Option<[u8; N]> {
        self.0.as_slice().try_into().ok()
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(&text).map_err(|_| de::Error::custom("not a cursor"))?;
        if bytes.len() > 32 { Err(de::Error::custom("not a cursor")) } else { Ok(Self(bytes)) }
    }
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub struct Slice<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Give it as `cursor` to get the next page; null at the end.
    #[schema(value_type = Option<String>)]
    pub next_cursor: Option<Cursor>,
}

impl<T> Slice<T> {
    /// Cuts rows, read with one more than `limit`, to a page.
    #[must_use]
    pub fn cut(mut rows: Vec<T>, limit: u16, cursor: impl Fn(&T) -> Cursor) -> Self {
        let more = rows.len() > usize::from(limit);
        rows.truncate(usize::from(limit));
        let next_cursor = if more { rows.last().map(cursor) } else { None };
        Self { data: rows, next_cursor }
    }
}

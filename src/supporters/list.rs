//! The supporters list, as the admin API pages through it.

use super::{
    filter::SupporterFilter,
    model::{Supporter, SupporterView},
    queries,
};
use crate::{
    error::AppError,
    http::{Cursor, Slice},
    store::Store,
};

/// One page, newest first.
pub(super) async fn page(
    store: &Store,
    filter: SupporterFilter,
    cursor: Option<Cursor>,
    limit: u16,
) -> Result<Slice<SupporterView>, AppError> {
    let before = match cursor.map(|cursor| cursor.bytes::<8>().map(i64::from_be_bytes)) {
        Some(None) => {
            return Err(AppError::field("cursor", "invalid_cursor", "this cursor is of another list"));
        }
        other => other.flatten(),
    };
    let rows = store.read(move |db| Ok::<_, AppError>(queries::list(db, &filter, before, limit)?)).await?;
    let page = Slice::cut(rows, limit, |row: &Supporter| Cursor::at(&row.number.to_be_bytes()));
    Ok(Slice {
        data: page.data.into_iter().map(SupporterView::from).collect(),
        next_cursor: page.next_cursor,
    })
}

//! The refused rows as CSV: line (`sheet!line` where it is not a workbook's first sheet), why, and the row as it stood in the file, to be mended and brought again. Cells that a
//! spreadsheet would run get their guard, which an import takes away again; a formula it stays all the same.

use std::io::Write;

use super::{
    model::Stored,
    queries::{self, Refusal},
    rows::Reason,
    table::Layout,
    text::guarded,
};
use crate::{
    id::Id,
    store::{Db, StoreError},
};

/// Rows that are read at once.
const PIECE: i64 = 500;

/// Columns before the file's own.
const COLUMNS: [&str; 3] = ["import_line", "import_reason", "import_explanation"];

/// Whether a file with this header is one of refused rows.
pub fn are_in(header: &[String]) -> bool {
    header.iter().any(|cell| cell == COLUMNS[0])
}

/// Writes all refused rows of `import`, or those that lost a value, piece by piece to `take`, until it says false.
///
/// # Errors
/// When the database does not answer.
pub fn write(
    db: &mut Db,
    import: &Stored,
    is_refused: bool,
    mut take: impl FnMut(Vec<u8>) -> bool,
) -> Result<(), StoreError> {
    let layout = import.layout();
    let header = layout.as_ref().map(|layout| layout.header.clone()).unwrap_or_default();
    let header = COLUMNS.map(str::to_owned).into_iter().chain(header).collect::<Vec<_>>();
    let mut goes_on = take(lines(std::iter::once(header)));
    let mut after = -1;
    while goes_on {
        let rows = list(db, import.id, is_refused, after)?;
        let Some(last) = rows.last() else { break };
        after = last.line;
        goes_on = take(lines(rows.iter().map(|row| cells(row, layout.as_ref()))));
    }
    Ok(())
}

fn list(db: &mut Db, id: Id, is_refused: bool, after: i64) -> Result<Vec<Refusal>, StoreError> {
    Ok(queries::list_refusals(db, id, is_refused, after, PIECE)?)
}

/// Which line, as a spreadsheet names a place on another sheet: `Ohio!7`.
fn place(line: i64, layout: Option<&Layout>) -> String {
    let place = layout.zip(u64::try_from(line).ok()).map(|(layout, line)| layout.place(line));
    match place {
        Some((Some(sheet), line)) => format!("{sheet}!{line}"),
        Some((None, line)) => line.to_string(),
        None => line.to_string(),
    }
}

fn cells(row: &Refusal, layout: Option<&Layout>) -> Vec<String> {
    let reasons: Vec<Reason> = serde_json::from_str(&row.reasons).unwrap_or_default();
    let own: Vec<String> = serde_json::from_str(&row.cells).unwrap_or_default();
    let code = |reason: &Reason| match reason.field.as_str() {
        "" => reason.code.clone(),
        field => format!("{field}: {}", reason.code),
    };
    let codes = reasons.iter().map(code).collect::<Vec<_>>().join("; ");
    let messages = reasons.iter().map(|reason| reason.message.as_str()).collect::<Vec<_>>().join(" ");
    [place(row.line, layout), codes, messages].into_iter().chain(own).map(guarded).collect()
}

fn lines(rows: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
    let mut writer = ::csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    for row in rows {
        // A vector takes everything.
        let _ = writer.write_record(row);
    }
    let _ = writer.flush();
    let mut bytes = writer.into_inner().unwrap_or_default();
    let _ = bytes.flush();
    bytes
}

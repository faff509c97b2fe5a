//! The refused rows as CSV: line, why, and the row as it stood in the file, to be mended and brought again. Cells that a
//! spreadsheet would run get their guard, which an import takes away again.

use std::io::Write;

use super::{
    model::Stored,
    queries::{self, Refusal},
    rows::Reason,
};
use crate::{
    id::Id,
    store::{Db, StoreError},
};

/// Rows that are read at once.
const PIECE: i64 = 500;

/// Columns before the file's own.
const COLUMNS: [&str; 3] = ["import_line", "import_reason", "import_explanation"];

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
    let header = import.layout().map(|layout| layout.header).unwrap_or_default();
    let header = COLUMNS.map(str::to_owned).into_iter().chain(header).collect::<Vec<_>>();
    let mut goes_on = take(lines(std::iter::once(header)));
    let mut after = -1;
    while goes_on {
        let rows = list(db, import.id, is_refused, after)?;
        let Some(last) = rows.last() else { break };
        after = last.line;
        goes_on = take(lines(rows.iter().map(cells)));
    }
    Ok(())
}

fn list(db: &mut Db, id: Id, is_refused: bool, after: i64) -> Result<Vec<Refusal>, StoreError> {
    Ok(queries::list_refusals(db, id, is_refused, after, PIECE)?)
}

fn cells(row: &Refusal) -> Vec<String> {
    let reasons: Vec<Reason> = serde_json::from_str(&row.reasons).unwrap_or_default();
    let own: Vec<String> = serde_json::from_str(&row.cells).unwrap_or_default();
    let code = |reason: &Reason| match reason.field.as_str() {
        "" => reason.code.clone(),
        field => format!("{field}: {}", reason.code),
    };
    let codes = reasons.iter().map(code).collect::<Vec<_>>().join("; ");
    let messages = reasons.iter().map(|reason| reason.message.as_str()).collect::<Vec<_>>().join(" ");
    [row.line.to_string(), codes, messages].into_iter().chain(own).map(guard).collect()
}

fn guard(cell: String) -> String {
    const STARTS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];
    if cell.starts_with(STARTS) { format!("'{cell}") } else { cell }
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

//! CSV (RFC 4180), written straight into the buffer; cells that no spreadsheet runs as a formula. Pure.

use std::borrow::Cow;

use super::value::{Value, write_id, write_time};

const STARTS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// A cell that a spreadsheet would run as a formula gets a leading apostrophe (OWASP, CSV injection): one that
/// begins with `=`, `+`, `-`, `@`, tab or CR, or the full-width form of one.
#[must_use]
pub fn guard(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(STARTS) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// Writes the names of the columns.
pub(super) fn write_header<'a>(names: impl Iterator<Item = &'a str>, out: &mut Vec<u8>) {
    for (place, name) in names.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write_text(name, false, out);
    }
    out.push(b'\n');
}

/// Writes one cell. With `raw`, as stored.
pub(super) fn write_cell(value: &Value<'_>, raw: bool, out: &mut Vec<u8>) {
    match value {
        Value::Nothing => {}
        Value::Text(text) => write_text(text, !raw && text.starts_with(STARTS), out),
        Value::Plain(text) | Value::Number(text) | Value::YesNo(text) | Value::Words(text, ';') => {
            out.extend_from_slice(text.as_bytes());
        }
        Value::Words(text, _) | Value::Json(text) => write_text(text, false, out),
        Value::Id(id) => write_id(*id, out),
        Value::Time(at) => {
            let mut text = [0; 20];
            write_time(*at, &mut text);
            out.extend_from_slice(&text);
        }
    }
}

/// A cell of any text: in quotes where it must be.
fn write_text(text: &str, guarded: bool, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    if !bytes.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
        if guarded {
            out.push(b'\'');
        }
        out.extend_from_slice(bytes);
        return;
    }
    out.push(b'"');
    if guarded {
        out.push(b'\'');
    }
    for (place, part) in bytes.split(|byte| *byte == b'"').enumerate() {
        if place > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(part);
    }
    out.push(b'"');
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_are_guarded_and_plain_text_is_not() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1", "＋1", "－1", "＠x"] {
            assert_eq!(guard(cell), format!("'{cell}"));
        }
        for cell in ["", "Ada", "a=b", "O'Hara", "'=1"] {
            assert_eq!(guard(cell), cell);
        }
    }

    proptest! {
        #[test]
        fn any_cell_survives_csv_and_begins_with_no_formula(cell in ".*", raw: bool) {
            let mut bytes = Vec::new();
            write_header(["start", "cell"].into_iter(), &mut bytes);
            write_cell(&Value::Plain("x"), raw, &mut bytes);
            bytes.push(b',');
            write_cell(&Value::Text(&cell), raw, &mut bytes);
            bytes.push(b'\n');
            let mut reader = csv::Reader::from_reader(&bytes[..]);
            let record = reader.records().next().unwrap().unwrap();
            let expected = if raw { Cow::Borrowed(cell.as_str()) } else { guard(&cell) };
            prop_assert_eq!(&record[1], expected.as_ref());
            prop_assert!(raw || !record[1].starts_with(STARTS));
        }
    }
}

//! The default CSV (RFC 4180): its columns, and cells that no spreadsheet runs as a formula.

use std::borrow::Cow;

use crate::supporters::ContactRow;

/// Header of the default export.
pub const DEFAULT_COLUMNS: [&str; 19] = [
    "id",
    "email",
    "given_name",
    "family_name",
    "phone",
    "postal_code",
    "region",
    "country",
    "language",
    "status",
    "tags",
    "involvement",
    "groups",
    "source",
    "form",
    "signed_up_at",
    "confirmed_at",
    "unsubscribed_at",
    "notice_id",
];

/// A cell that a spreadsheet would run as a formula gets a leading apostrophe (OWASP, CSV injection): one that
/// begins with `=`, `+`, `-`, `@`, tab or CR, or the full-width form of one.
#[must_use]
pub fn guard(cell: &str) -> Cow<'_, str> {
    const STARTS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];
    if cell.starts_with(STARTS) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// Writes `row` in the order of [`DEFAULT_COLUMNS`]. A phone is given only with its own consent; it was
/// validated, so its `+` stays. With `raw`, cells are written as stored.
pub(super) fn write_row(writer: &mut csv::Writer<Vec<u8>>, row: &ContactRow, raw: bool) -> csv::Result<()> {
    let text = |cell: &'_ Option<String>| -> String {
        let cell = cell.as_deref().unwrap_or("");
        if raw { cell.to_owned() } else { guard(cell).into_owned() }
    };
    let email = if raw { Cow::Borrowed(row.email.as_str()) } else { guard(&row.email) };
    let phone = row.phone.as_deref().filter(|_| row.phone_consent).unwrap_or("");
    writer.write_field(row.id.to_string())?;
    writer.write_field(email.as_bytes())?;
    writer.write_field(text(&row.given_name))?;
    writer.write_field(text(&row.family_name))?;
    writer.write_field(phone)?;
    writer.write_field(text(&row.postal_code))?;
    writer.write_field(text(&row.region))?;
    writer.write_field(row.country.as_deref().unwrap_or(""))?;
    writer.write_field(&row.language)?;
    writer.write_field(row.status.as_str())?;
    writer.write_field("")?; // tags, with their issue
    writer.write_field(row.involvement.replace(',', ";"))?;
    writer.write_field("")?; // groups, with their issue
    writer.write_field(text(&row.source_code))?;
    writer.write_field(&row.form)?;
    writer.write_field(row.signed_up_at.to_string())?;
    writer.write_field(row.confirmed_at.to_string())?;
    writer.write_field(row.unsubscribed_at.map(|at| at.to_string()).unwrap_or_default())?;
    writer.write_field(row.notice_id.to_string())?;
    writer.write_record(None::<&[u8]>)
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
        fn any_cell_survives_csv_and_begins_with_no_formula(cell in ".*") {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record([b"start", guard(&cell).as_bytes()]).unwrap();
            let bytes = writer.into_inner().unwrap();
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&bytes[..]);
            let record = reader.records().next().unwrap().unwrap();
            let guarded = guard(&cell);
            prop_assert_eq!(&record[1], guarded.as_ref());
            prop_assert!(!record[1].starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']));
            prop_assert_eq!(record[1].strip_prefix('\'').filter(|_| guarded != cell).unwrap_or(&record[1]), &cell);
        }
    }
}

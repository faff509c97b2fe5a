//! [`Sheet`]: a list in its format, row by row into a buffer. Pure; driven by the reading thread.

use super::{
    columns::Columns,
    csv,
    value::{Value, write_json, write_json_text},
    xlsx::Workbook,
};
use crate::supporters::Contact;

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Comma-separated values.
    Csv,
    /// A JSON object a line.
    Ndjson,
    /// A workbook for spreadsheets.
    Xlsx,
}

impl Format {
    /// Its name, also as a file's.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Xlsx => "xlsx",
        }
    }

    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// A list that is being written.
pub(super) struct Sheet {
    columns: Columns,
    raw: bool,
    kind: Kind,
    scratch: String,
}

enum Kind {
    Csv,
    /// The names as they stand before each value.
    Ndjson(Vec<Vec<u8>>),
    Xlsx(Box<Workbook>),
}

impl Sheet {
    /// Begins a list: what stands before its rows goes into `out`.
    pub(super) fn begin(
        format: Format,
        columns: Columns,
        raw: bool,
        out: &mut Vec<u8>,
    ) -> std::io::Result<Self> {
        let names = || columns.headed.iter().map(|(name, _)| name.as_str());
        let kind = match format {
            Format::Csv => {
                csv::write_header(names(), out);
                Kind::Csv
            }
            Format::Ndjson => Kind::Ndjson(
                names()
                    .enumerate()
                    .map(|(place, name)| {
                        let mut key = vec![if place == 0 { b'{' } else { b',' }];
                        write_json_text(name, &mut key);
                        key.push(b':');
                        key
                    })
                    .collect(),
            ),
            Format::Xlsx => Kind::Xlsx(Box::new(Workbook::begin(names().map(str::to_owned).collect(), out)?)),
        };
        Ok(Self { columns, raw, kind, scratch: String::new() })
    }

    /// Writes a row.
    pub(super) fn row(&mut self, contact: &Contact, out: &mut Vec<u8>) -> std::io::Result<()> {
        let columns = self.columns.headed.iter().map(|(_, column)| *column);
        match &mut self.kind {
            Kind::Csv => {
                for (place, column) in columns.enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    csv::write_cell(
                        &column.value(contact, &self.columns.own, &mut self.scratch),
                        self.raw,
                        out,
                    );
                }
                // A record of one empty cell must not read as a blank line.
                if self.columns.headed.len() == 1 && matches!(out.last(), None | Some(b'\n')) {
                    out.extend_from_slice(b"\"\"");
                }
                out.push(b'\n');
            }
            Kind::Ndjson(keys) => {
                for (key, column) in keys.iter().zip(columns) {
                    out.extend_from_slice(key);
                    write_json(&column.value(contact, &self.columns.own, &mut self.scratch), out);
                }
                out.extend_from_slice(b"}\n");
            }
            Kind::Xlsx(workbook) => {
                workbook.begin_row(out)?;
                for column in columns {
                    let value: Value<'_> = column.value(contact, &self.columns.own, &mut self.scratch);
                    workbook.cell(&value);
                }
                workbook.end_row(out)?;
            }
        }
        Ok(())
    }

    /// Writes what stands after the rows.
    pub(super) fn end(self, out: &mut Vec<u8>) -> std::io::Result<()> {
        match self.kind {
            Kind::Csv | Kind::Ndjson(_) => Ok(()),
            Kind::Xlsx(workbook) => workbook.end(out),
        }
    }
}

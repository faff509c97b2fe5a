//! A file as a table: how it is laid out, and its rows, whether it is CSV or XLSX. Called by the preview, the job and the
//! command line.

use std::{
    borrow::Cow,
    io::{self, Read, Seek, SeekFrom},
};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    csv::{Reader, Record},
    encoding::{Detector, Encoding, Wide},
    sheet,
};

/// What may stand between cells.
const DELIMITERS: [u8; 4] = *b",;\t|";
/// Text that the delimiter is told by, and records of it.
const SAMPLE: usize = 64 * 1024;
const SAMPLE_RECORDS: usize = 20;
/// Most columns of a list.
const MOST_COLUMNS: usize = 512;
/// Most sheets that are named.
const MOST_SHEETS: usize = 50;

/// Why a file cannot be read as a table.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// What holds the file does not answer.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is not such a file: a code and a sentence.
    #[error("{1}")]
    Bad(&'static str, &'static str),
}

/// Which kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportKind)]
pub enum Kind {
    /// Text with a row a line, or nearly.
    Csv,
    /// A workbook.
    Xlsx,
}

/// How a file is laid out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportLayout)]
pub struct Layout {
    /// Which kind of file.
    pub kind: Kind,
    /// How its bytes mean characters; XLSX says so itself.
    pub encoding: Encoding,
    /// What stands between cells: `,`, `;`, a tab or `|`.
    pub delimiter: char,
    /// Bytes before the text.
    #[serde(default)]
    pub mark: usize,
    /// Whether a line before the header says what the delimiter is (`sep=;`).
    #[serde(default)]
    pub names_delimiter: bool,
    /// The header.
    pub header: Vec<String>,
    /// Sheets of a workbook that are no part of the list: their headers are others.
    #[serde(default)]
    pub other_sheets: Vec<String>,
    /// All sheets of a workbook that has several, in order; at most 50.
    #[serde(default)]
    pub sheets: Vec<String>,
}

impl Layout {
    /// Looks into `source`, of which `detector` has seen every byte.
    ///
    /// # Errors
    /// [`ReadError`] when it is no table.
    pub fn of<R: Read + Seek>(source: &mut R, detector: &Detector) -> Result<Self, ReadError> {
        let mut layout = Self {
            kind: Kind::Xlsx,
            encoding: Encoding::Utf8,
            delimiter: ',',
            mark: 0,
            names_delimiter: false,
            header: Vec::new(),
            other_sheets: Vec::new(),
            sheets: Vec::new(),
        };
        if sheet::is_archive(detector.head()) {
            sheet::check(source)?;
        } else {
            layout.kind = Kind::Csv;
            (layout.encoding, layout.mark) = detector.finish();
            let mut sample = Vec::new();
            layout.text(&mut *source)?.take(SAMPLE.try_into().unwrap_or(0)).read_to_end(&mut sample)?;
            (layout.delimiter, layout.names_delimiter) = delimiter(&sample);
        }
        let mut header = None;
        layout.read(&mut *source, |record| {
            header = Some(record.clone());
            false
        })?;
        let header = header.ok_or(ReadError::Bad("empty_file", "there is no row in this file"))?;
        if header.len() > MOST_COLUMNS {
            return Err(ReadError::Bad("too_many_columns", "the header has more than 512 columns"));
        }
        let cells = (0..header.len()).map(|at| String::from_utf8_lossy(header.cell(at)).trim().to_owned());
        layout.header = cells.map(|cell| cell.chars().take(200).collect()).collect();
        if layout.kind == Kind::Xlsx {
            source.rewind()?;
            let names = sheet::names(source)?;
            let shown = |names: Vec<String>| {
                let first = names.into_iter().take(MOST_SHEETS);
                first.map(|name| name.chars().take(100).collect()).collect()
            };
            layout.other_sheets = shown(names.passed_over);
            layout.sheets = if names.all.len() > 1 { shown(names.all) } else { Vec::new() };
        }
        Ok(layout)
    }

    /// Gives the rows below the header to `take` until it says false.
    ///
    /// # Errors
    /// [`ReadError`]; what was given by then was in it.
    pub fn for_each_row<R: Read + Seek>(
        &self,
        source: R,
        mut take: impl FnMut(&Record) -> bool,
    ) -> Result<(), ReadError> {
        let mut is_header = true;
        self.read(source, |record| std::mem::take(&mut is_header) || take(record))
    }

    /// A cell of a row as text; nothing if it is in another encoding than the file.
    #[must_use]
    pub fn cell<'a>(&self, record: &'a Record, at: usize) -> Option<Cow<'a, str>> {
        match self.kind {
            Kind::Csv if matches!(self.encoding, Encoding::Windows1252) => {
                self.encoding.read(record.cell(at))
            }
            _ => Encoding::Utf8.read(record.cell(at)),
        }
    }

    /// Cells of a row, for showing it again; what cannot be read is marked.
    #[must_use]
    pub fn cells(&self, record: &Record) -> Vec<String> {
        let shown = |at| match self.cell(record, at) {
            Some(text) => text.into_owned(),
            None => String::from_utf8_lossy(record.cell(at)).into_owned(),
        };
        (0..record.len().min(MOST_COLUMNS)).map(shown).collect()
    }

    /// Bytes of the file up to a place in its text; near enough for UTF-16, and for a workbook unknown before its end.
    #[must_use]
    pub fn bytes(&self, text: u64, file: i64) -> i64 {
        let mark = u64::try_from(self.mark).unwrap_or(0);
        let bytes = match (self.kind, self.encoding) {
            (Kind::Xlsx, _) => 0,
            (Kind::Csv, Encoding::Utf16Le | Encoding::Utf16Be) => text * 2 + mark,
            (Kind::Csv, _) => text + mark,
        };
        i64::try_from(bytes).unwrap_or(file).min(file)
    }

    /// Where a line is for people: the sheet, where it is not a workbook's first, and the line on it.
    #[must_use]
    pub fn place(&self, line: u64) -> (Option<String>, u64) {
        if self.kind == Kind::Csv {
            return (None, line);
        }
        let (sheet, line) = sheet::place(line);
        let name = || self.sheets.get(sheet).cloned().unwrap_or_else(|| format!("#{}", sheet + 1));
        ((sheet > 0).then(name), line)
    }

    /// Whether a row has as many cells as the header; a workbook leaves out the empty ones at the end.
    #[must_use]
    pub fn fits(&self, record: &Record) -> bool {
        match self.kind {
            Kind::Csv => record.len() == self.header.len(),
            Kind::Xlsx => record.len() <= self.header.len(),
        }
    }

    fn read<R: Read + Seek>(
        &self,
        mut source: R,
        mut take: impl FnMut(&Record) -> bool,
    ) -> Result<(), ReadError> {
        if self.kind == Kind::Xlsx {
            source.rewind()?;
            return sheet::for_each_row(source, take);
        }
        let mut reader = Reader::new(self.text(source)?, u8::try_from(self.delimiter).unwrap_or(b','));
        let mut record = Record::default();
        let mut is_first = self.names_delimiter;
        while reader.next(&mut record)? {
            if !std::mem::take(&mut is_first) && !take(&record) {
                break;
            }
        }
        Ok(())
    }

    /// The file's text, behind its mark, ASCII-compatible.
    fn text<'a, R: Read + Seek + 'a>(&self, mut source: R) -> io::Result<Box<dyn Read + 'a>> {
        source.seek(SeekFrom::Start(self.mark.try_into().unwrap_or(0)))?;
        Ok(match self.encoding {
            Encoding::Utf8 | Encoding::Windows1252 => Box::new(source),
            Encoding::Utf16Le | Encoding::Utf16Be => Box::new(Wide::new(source, self.encoding)),
        })
    }
}

/// What stands between the cells of `sample`, and whether its first line only says so.
fn delimiter(sample: &[u8]) -> (char, bool) {
    if let Some([delimiter, b'\r' | b'\n', ..]) = sample.strip_prefix(b"sep=")
        && DELIMITERS.contains(delimiter)
    {
        return (char::from(*delimiter), true);
    }
    // The one by which most rows have as many cells as the header, and then by which there are most cells.
    let found = DELIMITERS.into_iter().rev().max_by_key(|delimiter| fitness(sample, *delimiter));
    (char::from(found.unwrap_or(b',')), false)
}

fn fitness(sample: &[u8], delimiter: u8) -> (usize, usize) {
    let mut reader = Reader::new(sample, delimiter);
    let (mut record, mut columns, mut alike) = (Record::default(), 0, 0);
    for _ in 0..SAMPLE_RECORDS {
        if !matches!(reader.next(&mut record), Ok(true)) {
            break;
        }
        if columns == 0 {
            columns = record.len();
        }
        alike += usize::from(record.fault.is_none() && record.len() == columns);
    }
    if columns > 1 { (alike, columns) } else { (0, 0) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn layout(bytes: &[u8]) -> Layout {
        let mut detector = Detector::default();
        detector.update(bytes);
        Layout::of(&mut Cursor::new(bytes), &detector).unwrap()
    }

    #[test]
    fn the_delimiter_is_told_by_the_rows() {
        let cases = [
            ("email,name\na@example.org,\"A; B\"\n", ','),
            ("email;name\na@example.org;A, B\nb@example.org;C, D\n", ';'),
            ("email\tname\na@example.org\tA, B\n", '\t'),
            ("email|name\na@example.org|A\n", '|'),
            ("email\na@example.org\n", ','),
        ];
        for (text, expected) in cases {
            let found = layout(text.as_bytes());
            assert_eq!(found.delimiter, expected, "{text}");
            assert_eq!(found.header[0], "email");
        }
        let named = layout(b"sep=;\r\nemail;name\r\na@example.org;A\r\n");
        assert_eq!((named.delimiter, named.header.len(), named.names_delimiter), (';', 2, true));
    }

    #[test]
    fn rows_of_any_encoding_are_the_same_text() {
        let text = "\u{FEFF}email,name\r\nzoe@example.org,Zoë\r\n";
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let latin = b"email,name\r\nzoe@example.org,Zo\xEB\r\n";
        for bytes in [text.as_bytes(), &wide, latin] {
            let layout = layout(bytes);
            let mut rows = Vec::new();
            let take = |record: &Record| {
                rows.push((record.line, layout.cells(record)));
                true
            };
            layout.for_each_row(Cursor::new(bytes), take).unwrap();
            assert_eq!(rows, [(2, vec!["zoe@example.org".to_owned(), "Zoë".to_owned()])]);
        }
    }
}

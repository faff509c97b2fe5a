//! Reading an XLSX workbook row by row. Before anything of it is believed, it is unpacked once into
//! nothing, counted as it comes: a small file must not become a large one in memory. Called by `table.rs`.

use std::{
    io::{self, Read, Seek, SeekFrom},
    panic::{AssertUnwindSafe, catch_unwind},
};

use calamine::{DataRef, Reader, Xlsx};
use zip::ZipArchive;

use super::{csv::Record, table::ReadError};

/// What a workbook may be.
struct Limits {
    /// Most bytes once unpacked.
    unpacked: u64,
    /// Most bytes of its table of strings, which is in memory whole.
    strings: u64,
    /// What is no larger unpacked may be packed as tightly as it is.
    small: u64,
    /// Packed so many times smaller, it was made to burst.
    ratio: u64,
    /// Most bytes without a tag.
    text: usize,
}

const LIMITS: Limits =
    Limits { unpacked: 2 << 30, strings: 128 << 20, small: 32 << 20, ratio: 100, text: 1 << 20 };
/// Most files in the archive.
const MOST_FILES: u64 = 4096;
/// Columns and rows of a sheet.
const MOST_COLUMNS: u32 = 16_384;
const MOST_LINES: u64 = 1_048_576;

/// The sheet, counted from 0, that a line is on, and its row there.
pub fn place(line: u64) -> (usize, u64) {
    let before = line.saturating_sub(1) / MOST_LINES;
    (usize::try_from(before).unwrap_or(usize::MAX), line - before * MOST_LINES)
}

const BOMB: ReadError = ReadError::Bad("unpacks_too_large", "the workbook unpacks to more than is allowed");
const BROKEN: ReadError =
    ReadError::Bad("unreadable_workbook", "this is not an XLSX workbook, or not a whole one");

/// Whether a file that begins so may be a workbook.
pub fn is_archive(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04")
}

/// Refuses what is no workbook or too large unpacked, in constant memory.
///
/// # Errors
/// Why.
pub fn check<R: Read + Seek>(source: &mut R) -> Result<(), ReadError> {
    check_within(source, &LIMITS)
}

fn check_within<R: Read + Seek>(source: &mut R, limits: &Limits) -> Result<(), ReadError> {
    let packed = source.seek(SeekFrom::End(0))?;
    check_directory(source, packed)?;
    source.rewind()?;
    let mut archive = ZipArchive::new(source).map_err(|_| BROKEN)?;
    let mut unpacked = 0;
    let mut buffer = vec![0; 64 * 1024];
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).map_err(|_| BROKEN)?;
        let name = file.name().map_err(|_| BROKEN)?.to_ascii_lowercase();
        let (is_strings, is_text) = (name.ends_with("sharedstrings.xml"), name.ends_with(".xml"));
        let (mut own, mut plain) = (0, 0);
        loop {
            let read = file.read(&mut buffer).map_err(unpacking)?;
            if read == 0 {
                break;
            }
            own += u64::try_from(read).unwrap_or(u64::MAX);
            let total = unpacked + own;
            let bursts = total > limits.small && total / packed.max(1) > limits.ratio;
            if bursts || total > limits.unpacked || (is_strings && own > limits.strings) {
                return Err(BOMB);
            }
            for piece in buffer.get(..read).unwrap_or_default().split_inclusive(|byte| *byte == b'<') {
                plain += piece.len();
                if is_text && plain > limits.text {
                    return Err(BOMB);
                }
                plain = if piece.ends_with(b"<") { 0 } else { plain };
            }
        }
        unpacked += own;
    }
    Ok(())
}

/// The database's faults stay its own; all others are the file's.
fn unpacking(error: io::Error) -> ReadError {
    if error.kind() == io::ErrorKind::Other { ReadError::Io(error) } else { BROKEN }
}

/// The list of files at an archive's end is read whole by whoever opens it: how many it names is looked at first.
fn check_directory<R: Read + Seek>(source: &mut R, packed: u64) -> Result<(), ReadError> {
    source.seek(SeekFrom::Start(packed.saturating_sub(70_000)))?;
    let mut tail = Vec::new();
    source.take(70_000).read_to_end(&mut tail)?;
    let mut found = false;
    for (at, window) in tail.windows(4).enumerate() {
        let count = match window {
            b"PK\x05\x06" => little(tail.get(at + 10..at + 12)),
            b"PK\x06\x06" => little(tail.get(at + 32..at + 40)),
            _ => continue,
        };
        found = true;
        if count.is_some_and(|count| count > MOST_FILES && count != 0xFFFF) {
            return Err(BOMB);
        }
    }
    if found { Ok(()) } else { Err(BROKEN) }
}

fn little(bytes: Option<&[u8]>) -> Option<u64> {
    bytes.map(|bytes| bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// Gives the rows of a workbook to `take`, in order, until it says false: those of the first sheet that holds cells, its
/// header the first, and those of each further sheet below the same header, whose lines are counted on behind the most
/// that the sheets before may have. Other sheets are no part of the list.
///
/// # Errors
/// When the file is no workbook; what was given by then was in it.
pub fn for_each_row<R: Read + Seek>(
    source: R,
    mut take: impl FnMut(&Record) -> bool,
) -> Result<(), ReadError> {
    // A reader of a foreign format that stumbles must not take the job along.
    catch_unwind(AssertUnwindSafe(|| rows(source, &mut take))).unwrap_or(Err(BROKEN))
}

/// Names of a workbook's sheets.
#[derive(Debug, Default)]
pub struct Names {
    /// Of all, in order.
    pub all: Vec<String>,
    /// Of those that hold cells and are no part of the list.
    pub passed_over: Vec<String>,
}

/// How the sheets are called.
///
/// # Errors
/// When the file is no workbook.
pub fn names<R: Read + Seek>(source: R) -> Result<Names, ReadError> {
    catch_unwind(AssertUnwindSafe(|| {
        let mut book = Xlsx::new(source).map_err(|_| BROKEN)?;
        let (mut header, mut passed_over) = (None, Vec::new());
        let all = book.sheet_names();
        for name in &all {
            if !sheet(&mut book, name, 0, &mut header, &mut |_| false)?.is_taken {
                passed_over.push(name.clone());
            }
        }
        Ok(Names { all, passed_over })
    }))
    .unwrap_or(Err(BROKEN))
}

/// What came of a sheet.
struct Sheet {
    /// Whether it is part of the list, or empty.
    is_taken: bool,
    /// Whether more is wanted.
    goes_on: bool,
}

fn rows<R: Read + Seek>(source: R, take: &mut impl FnMut(&Record) -> bool) -> Result<(), ReadError> {
    let mut book = Xlsx::new(source).map_err(|_| BROKEN)?;
    let names = book.sheet_names();
    if names.is_empty() {
        return Err(BROKEN);
    }
    let (mut header, mut before) = (None, 0);
    for name in names {
        if !sheet(&mut book, &name, before, &mut header, take)?.goes_on {
            break;
        }
        before += MOST_LINES;
    }
    Ok(())
}

/// Gives the rows of one sheet, below the header if that is known, as which its own is taken otherwise.
fn sheet<R: Read + Seek>(
    book: &mut Xlsx<R>,
    name: &str,
    before: u64,
    header: &mut Option<Record>,
    take: &mut impl FnMut(&Record) -> bool,
) -> Result<Sheet, ReadError> {
    let mut cells = match book.worksheet_cells_reader(name) {
        Ok(cells) => cells,
        // A chart, say.
        Err(_) if header.is_some() => return Ok(Sheet { is_taken: true, goes_on: true }),
        Err(_) => return Err(BROKEN),
    };
    let (mut is_first, mut is_other) = (true, false);
    let mut give = |record: &Record| {
        if record.is_blank() {
            return true;
        }
        if !std::mem::take(&mut is_first) {
            return take(record);
        }
        match header {
            Some(header) => {
                is_other = !header.is_same(record);
                !is_other
            }
            None => {
                *header = Some(record.clone());
                take(record)
            }
        }
    };
    let mut record = Record::default();
    let mut goes_on = true;
    while let Some(cell) = cells.next_cell().map_err(|_| BROKEN)? {
        let (row, column) = cell.get_position();
        let line = before + u64::from(row) + 1;
        if column >= MOST_COLUMNS || line < record.line {
            return Err(BROKEN);
        }
        if line > record.line {
            goes_on = give(&record);
            if !goes_on {
                break;
            }
            record.begin(line);
            record.end = line;
        }
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        while record.len() < column {
            record.push(b"");
        }
        if record.len() == column {
            record.push(text(cell.get_value()).as_bytes());
        }
    }
    goes_on = goes_on && give(&record);
    Ok(Sheet { is_taken: !is_other, goes_on: goes_on || is_other })
}

/// A cell as a person reads it.
fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(yes) => yes.to_string(),
        DataRef::DateTime(at) => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
        }
        DataRef::Error(_) | DataRef::Empty => String::new(),
    }
}

#[cfg(test)]
#[path = "sheet_tests.rs"]
mod tests;

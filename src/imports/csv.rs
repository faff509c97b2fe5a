//! Reading CSV (RFC 4180, with what programs really write) from any bytes: a window of the file is in memory, never a
//! line of it that is longer than [`MAX_RECORD`]. A record that is broken costs its own first line and no other: reading
//! goes on at the line after. Called by `table.rs`; knows neither columns nor encodings.

use std::io::{self, Read};

/// Longest record, quotes and line breaks included, in bytes.
pub const MAX_RECORD: usize = 256 * 1024;
/// Bytes asked of the source at once.
const PIECE: usize = 64 * 1024;
/// Of a broken line so much is kept to show.
const SHOWN: usize = 1024;

/// Why a line is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Over [`MAX_RECORD`] without a line break.
    TooLong,
    /// A quotation mark opens, and none closes it within [`MAX_RECORD`] or before the file ends.
    Unclosed,
    /// A quotation mark closes a cell, and something other than the next cell follows.
    Quote,
}

/// A record, or a line that is none. Kept and filled again, so that rows cost no allocation.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Line of the file where it begins, counted from 1.
    pub line: u64,
    /// Byte of the text after its end.
    pub end: u64,
    /// Why it is none; the cells are then one, the begin of the line.
    pub fault: Option<Fault>,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Record {
    /// How many cells it has.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cell at `index`; empty where there is none.
    pub fn cell(&self, index: usize) -> &[u8] {
        let begin = match index.checked_sub(1) {
            Some(before) => self.ends.get(before).copied(),
            None => Some(0),
        };
        let range = begin.zip(self.ends.get(index).copied());
        range.and_then(|(begin, end)| self.text.get(begin..end)).unwrap_or_default()
    }

    /// Makes it a record of no cells at `line`.
    pub fn begin(&mut self, line: u64) {
        self.clear();
        self.line = line;
    }

    /// Adds a cell.
    pub fn push(&mut self, cell: &[u8]) {
        self.text.extend_from_slice(cell);
        self.ends.push(self.text.len());
    }

    /// Whether no cell holds anything.
    pub fn is_blank(&self) -> bool {
        self.fault.is_none() && self.text.is_empty()
    }

    /// Whether both have the same cells.
    pub fn is_same(&self, other: &Self) -> bool {
        self.ends == other.ends && self.text == other.text
    }

    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.fault = None;
    }
}

/// Records of a text, one after the other.
pub struct Reader<R> {
    source: R,
    delimiter: u8,
    window: Vec<u8>,
    /// Where in the window the next record begins.
    start: usize,
    /// Line and byte of that place.
    line: u64,
    offset: u64,
    /// Nothing follows the window.
    at_end: bool,
}

impl<R: Read> Reader<R> {
    /// Reads `source`, whose cells are separated by `delimiter`, from its begin.
    pub fn new(source: R, delimiter: u8) -> Self {
        Self { source, delimiter, window: Vec::new(), start: 0, line: 1, offset: 0, at_end: false }
    }

    /// The next record that is not blank into `record`; false at the end of the file.
    ///
    /// # Errors
    /// Those of the source.
    pub fn next(&mut self, record: &mut Record) -> io::Result<bool> {
        loop {
            record.begin(self.line);
            let rest = self.window.get(self.start..).unwrap_or_default();
            match scan(rest, self.delimiter, self.at_end, record) {
                Scan::End => return Ok(false),
                Scan::Record(length) => {
                    self.pass(length);
                    record.end = self.offset;
                    if !record.is_blank() {
                        return Ok(true);
                    }
                }
                Scan::Fault(fault) => return self.pass_line(record, fault),
                Scan::More if rest.len() < MAX_RECORD => self.fill()?,
                Scan::More => {
                    let fault = if first_line(rest).is_some() { Fault::Unclosed } else { Fault::TooLong };
                    return self.pass_line(record, fault);
                }
            }
        }
    }

    /// Leaves the line that begins here behind.
    fn pass_line(&mut self, record: &mut Record, fault: Fault) -> io::Result<bool> {
        record.begin(self.line);
        record.fault = Some(fault);
        let rest = self.window.get(self.start..).unwrap_or_default();
        let shown = rest.get(..first_line(rest).unwrap_or(rest.len()).min(SHOWN)).unwrap_or_default();
        record.push(shown.trim_ascii_end());
        loop {
            let rest = self.window.get(self.start..).unwrap_or_default();
            if let Some(length) = first_line(rest) {
                self.pass(length);
                break;
            }
            // The last byte may be the first of a line break.
            let length = if self.at_end { rest.len() } else { rest.len().saturating_sub(1) };
            self.pass(length);
            if self.at_end {
                break;
            }
            self.fill()?;
        }
        record.end = self.offset;
        Ok(true)
    }

    fn pass(&mut self, length: usize) {
        let passed = self.window.get(self.start..self.start + length).unwrap_or_default();
        self.line += line_breaks(passed);
        self.start += length;
        self.offset += u64::try_from(length).unwrap_or(0);
    }

    fn fill(&mut self) -> io::Result<()> {
        self.window.drain(..self.start);
        self.start = 0;
        let filled = self.window.len();
        self.window.resize(filled + PIECE, 0);
        let read = loop {
            match self.source.read(self.window.get_mut(filled..).unwrap_or_default()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => break outcome,
            }
        };
        self.window.truncate(filled + *read.as_ref().unwrap_or(&0));
        self.at_end = read? == 0;
        Ok(())
    }
}

/// What stands at the begin of a window.
enum Scan {
    /// A record of so many bytes.
    Record(usize),
    /// Not a record.
    Fault(Fault),
    /// The window ends too early to tell.
    More,
    /// Nothing, and nothing follows.
    End,
}

fn scan(input: &[u8], delimiter: u8, at_end: bool, record: &mut Record) -> Scan {
    if input.is_empty() {
        return if at_end { Scan::End } else { Scan::More };
    }
    let mut at = 0;
    loop {
        let rest = input.get(at..).unwrap_or_default();
        at += match rest.first() {
            Some(b'"') => match quoted(rest, at_end, &mut record.text) {
                Ok(length) => length,
                Err(scan) => return scan,
            },
            _ => {
                let is_end = |byte: &u8| *byte == delimiter || matches!(byte, b'\n' | b'\r');
                let length = rest.iter().position(is_end).unwrap_or(rest.len());
                record.text.extend_from_slice(rest.get(..length).unwrap_or_default());
                length
            }
        };
        record.ends.push(record.text.len());
        match (input.get(at), input.get(at + 1)) {
            (None, _) if at_end => return Scan::Record(at),
            (None, _) => return Scan::More,
            (Some(b'\r'), None) if !at_end => return Scan::More,
            (Some(b'\r'), Some(b'\n')) => return Scan::Record(at + 2),
            (Some(b'\r' | b'\n'), _) => return Scan::Record(at + 1),
            (Some(byte), _) if *byte == delimiter => at += 1,
            // Only a quoted cell ends before anything else.
            (Some(_), _) => return Scan::Fault(Fault::Quote),
        }
    }
}

/// A cell in quotation marks at the begin of `rest`; its length, and the spaces after it that some programs write.
fn quoted(rest: &[u8], at_end: bool, text: &mut Vec<u8>) -> Result<usize, Scan> {
    let mut at = 1;
    loop {
        let inside = rest.get(at..).unwrap_or_default();
        let Some(length) = inside.iter().position(|byte| *byte == b'"') else {
            return Err(if at_end { Scan::Fault(Fault::Unclosed) } else { Scan::More });
        };
        text.extend_from_slice(inside.get(..length).unwrap_or_default());
        at += length + 1;
        match rest.get(at) {
            Some(b'"') => {
                text.push(b'"');
                at += 1;
            }
            None if !at_end => return Err(Scan::More),
            _ => break,
        }
    }
    let spaces = rest.get(at..).unwrap_or_default().iter().take_while(|byte| **byte == b' ').count();
    Ok(at + spaces)
}

/// Length of the first line with its break, if the break is certainly whole.
fn first_line(text: &[u8]) -> Option<usize> {
    let at = text.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
    match (text.get(at), text.get(at + 1)) {
        (Some(b'\r'), Some(b'\n')) => Some(at + 2),
        (Some(b'\r'), None) => None,
        _ => Some(at + 1),
    }
}

/// LF, CR LF and CR alone each are one.
fn line_breaks(text: &[u8]) -> u64 {
    let mut count = 0;
    let mut before = 0;
    for byte in text {
        count += u64::from(*byte == b'\r' || (*byte == b'\n' && before != b'\r'));
        before = *byte;
    }
    count
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;

//! Tests of the reader of CSV.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use proptest::prelude::*;

use super::*;

/// Gives so many bytes at a time.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.1.min(self.0.len()).min(buffer.len());
        buffer[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        Ok(length)
    }
}

type Rows = Vec<(u64, Result<Vec<String>, Fault>)>;

fn read_slowly(text: &[u8], step: usize) -> (Rows, u64) {
    let mut reader = Reader::new(Slow(text, step), b',');
    let (mut rows, mut record, mut end) = (Vec::new(), Record::default(), 0);
    while reader.next(&mut record).unwrap() {
        let cells = (0..record.len()).map(|at| String::from_utf8_lossy(record.cell(at)).into_owned());
        rows.push((record.line, record.fault.map_or_else(|| Ok(cells.collect()), Err)));
        assert!(record.end > end);
        end = record.end;
    }
    (rows, end)
}

fn read(text: &str) -> Rows {
    read_slowly(text.as_bytes(), usize::MAX).0
}

fn row(line: u64, cells: &[&str]) -> (u64, Result<Vec<String>, Fault>) {
    (line, Ok(cells.iter().map(|cell| (*cell).to_owned()).collect()))
}

#[test]
fn quoted_line_breaks_count_as_lines_of_their_record() {
    let rows = read("a,b\r\n\"1\n2\r\n3\",x\n\n,,\r\"q\"\"q\" ,\"\"\nlast,");
    let expected =
        [row(1, &["a", "b"]), row(2, &["1\n2\r\n3", "x"]), row(7, &["q\"q", ""]), row(8, &["last", ""])];
    assert_eq!(rows, expected);
}

#[test]
fn a_broken_record_costs_one_line() {
    let rows = read("a,\"b\nc,\"d\",e\nf,g\n");
    assert_eq!(rows, [(1, Err(Fault::Quote)), row(2, &["c", "d", "e"]), row(3, &["f", "g"])]);
    let rows = read("a,b\nc,\"d\ne,f\ng,h");
    let expected = [row(1, &["a", "b"]), (2, Err(Fault::Unclosed)), row(3, &["e", "f"]), row(4, &["g", "h"])];
    assert_eq!(rows, expected);
    assert_eq!(read("5\" pipe,x\n"), [row(1, &["5\" pipe", "x"])], "a mark within a cell is text");
}

#[test]
fn a_line_without_end_is_passed_in_pieces_and_reported_once() {
    let mut text = b"a,b\n".to_vec();
    text.resize(text.len() + 3 * MAX_RECORD, b'x');
    text.extend_from_slice(b"\nc,d\n\"");
    text.resize(text.len() + 2 * MAX_RECORD, b'\n');
    text.extend_from_slice(b"e,f");
    let mut reader = Reader::new(Slow(&text, usize::MAX), b',');
    let (mut record, mut seen, mut widest) = (Record::default(), Vec::new(), 0);
    while reader.next(&mut record).unwrap() {
        seen.push((record.line, record.fault, record.cell(0).len()));
        widest = widest.max(reader.window.capacity());
    }
    let last = 4 + u64::try_from(2 * MAX_RECORD).unwrap();
    let expected = [
        (1, None, 1),
        (2, Some(Fault::TooLong), SHOWN),
        (3, None, 1),
        (4, Some(Fault::Unclosed), 1),
        (last, None, 1),
    ];
    assert_eq!(seen, expected);
    assert!(widest < 3 * MAX_RECORD, "{widest}");
}

#[test]
fn a_line_of_200_megabytes_is_never_in_memory() {
    let line = io::repeat(b'x').take(200 << 20);
    let mut reader = Reader::new(b"a,b\n".as_slice().chain(line).chain(b"\nc,d\n".as_slice()), b',');
    let (mut record, mut seen, mut widest) = (Record::default(), Vec::new(), 0);
    while reader.next(&mut record).unwrap() {
        seen.push((record.line, record.fault));
        widest = widest.max(reader.window.capacity());
    }
    assert_eq!(seen, [(1, None), (2, Some(Fault::TooLong)), (3, None)]);
    assert!(widest < 3 * MAX_RECORD, "{widest}");
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zé,;\"\r\n ']{0,12}", "[a-z]{0,6}"]
}

proptest! {
    #[test]
    fn any_bytes_are_read_to_their_end_alike_in_any_pieces(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"\",\n\r a".to_vec())], 0..300),
        step in 1_usize..9,
    ) {
        let (rows, end) = read_slowly(&bytes, usize::MAX);
        prop_assert_eq!(&read_slowly(&bytes, step).0, &rows);
        prop_assert!(end <= u64::try_from(bytes.len()).unwrap());
        prop_assert!(rows.iter().map(|(line, _)| *line).is_sorted_by(|a, b| a < b));
        let breaks = line_breaks(&bytes);
        prop_assert!(rows.iter().all(|(line, _)| *line <= breaks + 1));
    }

    #[test]
    fn what_a_writer_wrote_is_read_back_on_the_lines_where_it_is(
        rows in prop::collection::vec(prop::collection::vec(cell(), 2..4), 1..20),
    ) {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        let mut expected = Vec::new();
        for cells in &rows {
            writer.flush().unwrap();
            let line = 1 + line_breaks(writer.get_ref());
            writer.write_record(cells).unwrap();
            if cells.iter().any(|cell| !cell.is_empty()) {
                expected.push((line, Ok(cells.clone())));
            }
        }
        let text = writer.into_inner().unwrap();
        prop_assert_eq!(read_slowly(&text, 7).0, expected);
    }
}

//! Tests of reading workbooks.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::io::Cursor;

use proptest::prelude::*;

use super::*;

#[path = "../../tests/support/workbook.rs"]
mod workbook;
use workbook::{book_of, workbook};

const SMALL_LIMITS: Limits =
    Limits { unpacked: 100_000, strings: 2_000, small: 10_000, ratio: 20, text: 5_000 };

fn rows(book: &[u8]) -> Result<Vec<(u64, Vec<String>)>, ReadError> {
    let mut rows = Vec::new();
    for_each_row(Cursor::new(book), |record| {
        let cells = (0..record.len()).map(|at| String::from_utf8(record.cell(at).to_vec()).unwrap());
        rows.push((record.line, cells.collect()));
        true
    })?;
    Ok(rows)
}

fn code(outcome: Result<(), ReadError>) -> &'static str {
    match outcome {
        Ok(()) => "good",
        Err(ReadError::Bad(code, _)) => code,
        Err(ReadError::Io(_)) => "io",
    }
}

fn checked(book: &[u8], limits: &Limits) -> &'static str {
    code(check_within(&mut Cursor::new(book), limits))
}

#[test]
fn cells_are_read_as_a_person_sees_them_on_their_lines() {
    let book = workbook(
        r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>zip</t></is></c></row>
           <row r="3"><c r="A3" t="inlineStr"><is><t>zoë@example.org</t></is></c><c r="B3"><v>2134</v></c></row>
           <row r="4"/>
           <row r="7"><c r="C7" t="b"><v>1</v></c><c r="D7" t="e"><v>#REF!</v></c><c r="E7"><f>1+1</f><v>2</v></c></row>"#,
        &["email"],
    );
    assert_eq!(checked(&book, &LIMITS), "good");
    let text = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
    let expected = [
        (1, text(&["email", "zip"])),
        (3, text(&["zoë@example.org", "2134"])),
        (7, text(&["", "", "true", "", "2"])),
    ];
    assert_eq!(rows(&book).unwrap(), expected);
}

#[test]
fn sheets_below_the_same_header_go_on_and_others_are_named() {
    let row = |line: u32, cells: [&str; 2]| {
        let cells = cells.map(|text| format!(r#"<c t="inlineStr"><is><t>{text}</t></is></c>"#));
        format!(r#"<row r="{line}">{}</row>"#, cells.concat())
    };
    let list = |name: &str| format!("{}{}", row(1, ["email", "zip"]), row(2, [name, "1"]));
    let sheets = [
        ("Empty", String::new()),
        ("One", list("a")),
        ("Notes", row(1, ["do not", "take this"])),
        ("Blank", String::new()),
        ("Two", list("b")),
    ];
    let book = book_of(&sheets.each_ref().map(|(name, rows)| (*name, rows.as_str())), &[]);
    let lines: Vec<_> =
        rows(&book).unwrap().into_iter().map(|(line, cells)| (line, cells.join(" "))).collect();
    let text = |line: u64, text: &str| (line, text.to_owned());
    assert_eq!(
        lines,
        [text(MOST_LINES + 1, "email zip"), text(MOST_LINES + 2, "a 1"), text(4 * MOST_LINES + 2, "b 1")]
    );
    let names = names(Cursor::new(&book)).unwrap();
    assert_eq!(names.all, ["Empty", "One", "Notes", "Blank", "Two"]);
    assert_eq!(names.passed_over, ["Notes"]);
    assert_eq!(
        [0, 1, MOST_LINES, MOST_LINES + 1, 4 * MOST_LINES + 2].map(place),
        [(0, 0), (0, 1), (0, MOST_LINES), (1, 1), (4, 2)]
    );
}

#[test]
fn what_bursts_is_refused_before_it_is_read() {
    let cell = r#"<c r="A1"><v>1</v></c>"#;
    let sheet = |cells: usize| workbook(&format!("<row r=\"1\">{}</row>", cell.repeat(cells)), &[]);
    assert_eq!(checked(&sheet(100), &SMALL_LIMITS), "good");
    assert_eq!(checked(&sheet(1_500), &SMALL_LIMITS), "unpacks_too_large", "by its ratio");
    let no_ratio = Limits { ratio: u64::MAX, ..SMALL_LIMITS };
    assert_eq!(checked(&sheet(1_500), &no_ratio), "good");
    assert_eq!(checked(&sheet(10_000), &no_ratio), "unpacks_too_large", "by its size");
    let strings = vec!["a string"; 200];
    assert_eq!(checked(&workbook("", &strings), &no_ratio), "unpacks_too_large", "by its strings");
    let long =
        format!(r#"<row r="1"><c r="A1" t="inlineStr"><is><t>{}</t></is></c></row>"#, "x".repeat(6_000));
    assert_eq!(checked(&workbook(&long, &[]), &no_ratio), "unpacks_too_large", "by one text");
    let mut many = sheet(1);
    let at = many.windows(4).rposition(|window| window == b"PK\x05\x06").unwrap();
    many[at + 10..at + 12].copy_from_slice(&60_000_u16.to_le_bytes());
    assert_eq!(checked(&many, &LIMITS), "unpacks_too_large", "by its files");
    assert_eq!(checked(b"PK\x03\x04 but no archive", &LIMITS), "unreadable_workbook");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_damaged_workbook_is_read_or_refused(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let mut book = workbook(r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1"><v>1</v></c></row>"#, &["email"]);
        for (at, byte) in damage {
            let at = at.index(book.len());
            book[at] = byte;
        }
        if let Some(cut) = cut {
            book.truncate(cut.index(book.len()));
        }
        if checked(&book, &LIMITS) == "good" {
            let _ = rows(&book);
        }
    }
}

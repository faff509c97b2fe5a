//! [`Workbook`]: XLSX (ISO/IEC 29500) as a stream, with nothing kept but the row in hand: every cell is an inline string,
//! so there is no table of strings; the list of sheets is written last. Text in such a cell is never run as a formula,
//! so nothing is guarded. Pure.

use std::io::Result;

use super::{
    value::{Value, write_id, write_time},
    zip::Zip,
};

/// Rows of a sheet, its header aside: spreadsheets take 1,048,576.
const MOST_ROWS: u32 = 1_048_575;
/// Bytes of a sheet before it is packed: below what the old form of the archive can say.
const MOST_BYTES: u64 = 3_500_000_000;
/// Characters that spreadsheets take in a cell.
const MOST_CHARACTERS: usize = 32_767;

const SHEET_BEGIN: &[u8] = br#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>"#;
const SHEET_END: &[u8] = b"</sheetData></worksheet>";

/// A workbook that is being written.
pub(super) struct Workbook {
    zip: Zip,
    header: Vec<String>,
    /// The sheet in hand, from 1.
    sheet: u32,
    rows: u32,
    most_rows: u32,
    /// XML on its way into the archive.
    xml: Vec<u8>,
}

impl Workbook {
    pub(super) fn begin(header: Vec<String>, out: &mut Vec<u8>) -> Result<Self> {
        Self::begin_within(header, MOST_ROWS, out)
    }

    fn begin_within(header: Vec<String>, most_rows: u32, out: &mut Vec<u8>) -> Result<Self> {
        let xml = Vec::with_capacity(8192);
        let mut workbook = Self { zip: Zip::default(), header, sheet: 0, rows: 0, most_rows, xml };
        workbook.begin_sheet(out)?;
        Ok(workbook)
    }

    fn begin_sheet(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.sheet += 1;
        self.rows = 0;
        self.zip.begin(&format!("xl/worksheets/sheet{}.xml", self.sheet), out)?;
        self.xml.extend_from_slice(SHEET_BEGIN);
        self.xml.extend_from_slice(b"<row>");
        for name in std::mem::take(&mut self.header) {
            self.cell(&Value::Text(&name));
            self.header.push(name);
        }
        self.xml.extend_from_slice(b"</row>");
        Ok(())
    }

    fn end_sheet(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.xml.extend_from_slice(SHEET_END);
        self.flush(out)?;
        self.zip.end(out)
    }

    fn flush(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.zip.write(&self.xml, out)?;
        self.xml.clear();
        Ok(())
    }

    /// Begins a row, on a further sheet where this one is full.
    pub(super) fn begin_row(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.rows == self.most_rows || self.zip.written() > MOST_BYTES {
            self.end_sheet(out)?;
            self.begin_sheet(out)?;
        }
        self.rows += 1;
        self.xml.extend_from_slice(b"<row>");
        Ok(())
    }

    /// A cell of the row in hand.
    pub(super) fn cell(&mut self, value: &Value<'_>) {
        const BEGIN: &[u8] = br#"<c t="inlineStr"><is><t xml:space="preserve">"#;
        const END: &[u8] = b"</t></is></c>";
        if *value == Value::Nothing {
            self.xml.extend_from_slice(b"<c/>");
            return;
        }
        if let Value::Number(number) = value {
            for part in ["<c><v>", number, "</v></c>"] {
                self.xml.extend_from_slice(part.as_bytes());
            }
            return;
        }
        self.xml.extend_from_slice(BEGIN);
        match value {
            Value::Nothing | Value::Number(_) => {}
            Value::Text(text)
            | Value::Json(text)
            | Value::Plain(text)
            | Value::YesNo(text)
            | Value::Words(text, _) => escape(text, &mut self.xml),
            Value::Id(id) => write_id(*id, &mut self.xml),
            Value::Time(at) => {
                let mut text = [0; 20];
                write_time(*at, &mut text);
                self.xml.extend_from_slice(&text);
            }
        }
        self.xml.extend_from_slice(END);
    }

    pub(super) fn end_row(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.xml.extend_from_slice(b"</row>");
        if self.xml.len() >= 32 * 1024 { self.flush(out) } else { Ok(()) }
    }

    /// Ends the sheet in hand and writes what names them all.
    pub(super) fn end(mut self, out: &mut Vec<u8>) -> Result<()> {
        self.end_sheet(out)?;
        for (name, text) in parts(self.sheet) {
            self.zip.begin(name, out)?;
            self.zip.write(text.as_bytes(), out)?;
            self.zip.end(out)?;
        }
        self.zip.finish(out)
    }
}

/// What names the sheets.
fn parts(sheets: u32) -> [(&'static str, String); 4] {
    const XML: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
    const TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    const KIND: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    let each = |line: &dyn Fn(u32) -> String| (1..=sheets).map(line).collect::<String>();
    let overrides = each(&|n| {
        format!(r#"<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{TYPE}.worksheet+xml"/>"#)
    });
    let named = each(&|n| {
        let name = if n == 1 { "Supporters".to_owned() } else { format!("Supporters {n}") };
        format!(r#"<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>"#)
    });
    let relations = each(&|n| {
        format!(r#"<Relationship Id="rId{n}" Type="{KIND}/worksheet" Target="worksheets/sheet{n}.xml"/>"#)
    });
    [
        (
            "xl/workbook.xml",
            format!(
                r#"{XML}<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="{KIND}"><sheets>{named}</sheets></workbook>"#
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(r#"{XML}<Relationships xmlns="{RELATIONS}">{relations}</Relationships>"#),
        ),
        (
            "_rels/.rels",
            format!(
                r#"{XML}<Relationships xmlns="{RELATIONS}"><Relationship Id="rId1" Type="{KIND}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
            ),
        ),
        (
            "[Content_Types].xml",
            format!(
                r#"{XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{TYPE}.sheet.main+xml"/>{overrides}</Types>"#
            ),
        ),
    ]
}

/// Text as XML takes it. What XML cannot hold is written as `_xHHHH_`, and what looks like that is itself escaped, as
/// the standard has it (ST_Xstring).
fn escape(text: &str, out: &mut Vec<u8>) {
    let text = match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) if text.len() > MOST_CHARACTERS => &text[..end],
        _ => text,
    };
    let plain = |byte: &u8| !matches!(byte, b'&' | b'<' | b'>' | b'_' | 0xef | 0..=0x1f);
    if text.bytes().all(|byte| plain(&byte)) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    for (at, character) in text.char_indices() {
        match character {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '\t' | '\n' => out.push(if character == '\t' { b'\t' } else { b'\n' }),
            '_' if looks_escaped(&text.as_bytes()[at..]) => out.extend_from_slice(b"_x005F_"),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => {
                out.extend_from_slice(format!("_x{:04X}_", u32::from(character)).as_bytes());
            }
            other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// Whether this begins as `_xHHHH_`.
fn looks_escaped(bytes: &[u8]) -> bool {
    matches!(bytes, [b'_', b'x', digits @ .., ] if digits.len() >= 5
        && digits[..4].iter().all(u8::is_ascii_hexdigit) && digits[4] == b'_')
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Reader, Xlsx};

    use super::*;

    #[test]
    fn rows_beyond_what_a_sheet_takes_go_on_another_below_the_same_header() {
        let mut bytes = Vec::new();
        let mut book = Workbook::begin_within(vec!["name".into(), "years".into()], 3, &mut bytes).unwrap();
        for row in 0..7 {
            book.begin_row(&mut bytes).unwrap();
            book.cell(&Value::Text(&format!("row {row}")));
            book.cell(&Value::Number("12.5"));
            book.end_row(&mut bytes).unwrap();
        }
        book.end(&mut bytes).unwrap();
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).unwrap();
        assert_eq!(book.sheet_names(), ["Supporters", "Supporters 2", "Supporters 3"]);
        let mut found = Vec::new();
        for name in book.sheet_names() {
            let range = book.worksheet_range(&name).unwrap();
            assert_eq!(range.get((0, 0)), Some(&Data::String("name".into())));
            assert!(range.rows().skip(1).all(|row| row[1] == Data::Float(12.5)), "a number is one");
            found.extend(range.rows().skip(1).map(|row| row[0].to_string()));
        }
        assert_eq!(found, (0..7).map(|row| format!("row {row}")).collect::<Vec<_>>());
    }

    fn escaped(text: &str) -> String {
        let mut out = Vec::new();
        escape(text, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn text_is_escaped_as_the_standard_has_it() {
        for (text, expected) in [
            ("Ada & <Bob>", "Ada &amp; &lt;Bob&gt;"),
            ("a\nb\tc", "a\nb\tc"),
            ("a\rb\u{1}", "a_x000D_b_x0001_"),
            ("_x0041_", "_x005F_x0041_"),
            ("_x004_ _y", "_x004_ _y"),
            ("\u{fffe}ｆ😀", "_xFFFE_ｆ😀"),
            ("=1+1", "=1+1"),
        ] {
            assert_eq!(escaped(text), expected);
        }
        assert_eq!(escaped(&"é".repeat(40_000)).chars().count(), 32_767);
    }
}

//! Which encoding a file is in, from all of its bytes, and reading UTF-16. What is ASCII-compatible is split into cells
//! first and read cell by cell, so that one bad row does not spoil the rest. Called by `upload.rs` and `table.rs`.

use std::{
    borrow::Cow,
    collections::VecDeque,
    io::{self, Read},
};

use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE, WINDOWS_1252};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// So much of a file's begin is looked at to tell text from other things.
pub const HEAD: usize = 8 * 1024;

/// Room that a read needs to make progress.
const SMALLEST: usize = 16;

/// How a file's bytes mean characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportEncoding)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, little end first.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, big end first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// The usual one of Western Windows programs.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

impl Encoding {
    /// A cell as text; nothing if its bytes are of another encoding than the file: they would become other letters.
    pub fn read(self, cell: &[u8]) -> Option<Cow<'_, str>> {
        match (self, std::str::from_utf8(cell)) {
            (Self::Windows1252, Ok(text)) if !text.is_ascii() => None,
            (_, Ok(text)) => Some(Cow::Borrowed(text)),
            (Self::Windows1252, Err(_)) => Some(WINDOWS_1252.decode_without_bom_handling(cell).0),
            _ => None,
        }
    }
}

/// Tells the encoding of a file that comes in pieces.
#[derive(Clone, Default)]
pub struct Detector {
    head: Vec<u8>,
    /// Characters of several bytes, and bytes that are of none, were it UTF-8.
    wide: u64,
    bad: u64,
    /// A character that the last piece ended within.
    carry: Vec<u8>,
}

impl Detector {
    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        let missing = HEAD.saturating_sub(self.head.len()).min(piece.len());
        self.head.extend_from_slice(piece.get(..missing).unwrap_or_default());
        let joined;
        let mut rest = if self.carry.is_empty() {
            piece
        } else {
            joined = [std::mem::take(&mut self.carry).as_slice(), piece].concat();
            joined.as_slice()
        };
        while !rest.is_empty() {
            let (valid, after) = match std::str::from_utf8(rest) {
                Ok(text) => (text.as_bytes(), None),
                Err(error) => (rest.get(..error.valid_up_to()).unwrap_or_default(), Some(error.error_len())),
            };
            if !valid.is_ascii() {
                let wide = valid.iter().filter(|byte| **byte >= 0xC0).count();
                self.wide += u64::try_from(wide).unwrap_or(0);
            }
            rest = rest.get(valid.len()..).unwrap_or_default();
            match after {
                None => break,
                Some(Some(bad)) => {
                    self.bad += 1;
                    rest = rest.get(bad..).unwrap_or_default();
                }
                Some(None) => {
                    self.carry = rest.to_vec();
                    break;
                }
            }
        }
    }

    /// The encoding, and how many bytes of a mark stand before the text.
    pub fn finish(&self) -> (Encoding, usize) {
        match self.head.as_slice() {
            [0xEF, 0xBB, 0xBF, ..] => (Encoding::Utf8, 3),
            [0xFF, 0xFE, ..] => (Encoding::Utf16Le, 2),
            [0xFE, 0xFF, ..] => (Encoding::Utf16Be, 2),
            head => match zeroes(head) {
                (even, odd) if odd > 4 * even && odd * 5 > head.len() => (Encoding::Utf16Le, 0),
                (even, odd) if even > 4 * odd && even * 5 > head.len() => (Encoding::Utf16Be, 0),
                _ if self.bad + u64::from(!self.carry.is_empty()) > self.wide => (Encoding::Windows1252, 0),
                _ => (Encoding::Utf8, 0),
            },
        }
    }

    /// Whether this is a text at all, as far as its begin tells.
    pub fn is_text(&self) -> bool {
        let (encoding, mark) = self.finish();
        let head = self.head.get(mark..).unwrap_or_default();
        if matches!(encoding, Encoding::Utf16Le | Encoding::Utf16Be) {
            return true;
        }
        let controls = head.iter().filter(|byte| **byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r'));
        controls.count() * 20 <= head.len() && !head.starts_with(b"%PDF-")
    }

    /// The begin of the file.
    pub fn head(&self) -> &[u8] {
        &self.head
    }
}

/// Zeroes at even and at odd places.
fn zeroes(head: &[u8]) -> (usize, usize) {
    let count = |odd: usize| head.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    (count(0), count(1))
}

/// UTF-16 as UTF-8; what is malformed becomes U+FFFD.
pub struct Wide<R> {
    source: R,
    decoder: Decoder,
    raw: Vec<u8>,
    /// What of `raw` was not decoded yet.
    begin: usize,
    end: usize,
    at_end: bool,
    is_over: bool,
    /// What was decoded for a buffer that was too small.
    spill: VecDeque<u8>,
}

impl<R: Read> Wide<R> {
    /// Reads `source`, which stands after the byte order mark.
    pub fn new(source: R, encoding: Encoding) -> Self {
        let encoding = if encoding == Encoding::Utf16Be { UTF_16BE } else { UTF_16LE };
        let decoder = encoding.new_decoder_without_bom_handling();
        Self {
            source,
            decoder,
            raw: vec![0; 32 * 1024],
            begin: 0,
            end: 0,
            at_end: false,
            is_over: false,
            spill: VecDeque::new(),
        }
    }
}

impl<R: Read> Read for Wide<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Less room than one character takes would be filled with nothing for ever.
        if buffer.len() < SMALLEST || !self.spill.is_empty() {
            if self.spill.is_empty() {
                let mut small = [0; SMALLEST];
                let length = self.read(&mut small)?;
                self.spill.extend(small.iter().take(length));
            }
            let length = self.spill.len().min(buffer.len());
            for (to, from) in buffer.iter_mut().zip(self.spill.drain(..length)) {
                *to = from;
            }
            return Ok(length);
        }
        while !self.is_over {
            if self.begin == self.end && !self.at_end {
                self.begin = 0;
                self.end = self.source.read(&mut self.raw)?;
                self.at_end = self.end == 0;
            }
            let raw = self.raw.get(self.begin..self.end).unwrap_or_default();
            let (result, read, written, _) = self.decoder.decode_to_utf8(raw, buffer, self.at_end);
            self.begin += read;
            self.is_over = self.at_end && result == CoderResult::InputEmpty;
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn detect(bytes: &[u8], step: usize) -> (Encoding, usize) {
        let mut detector = Detector::default();
        bytes.chunks(step).for_each(|piece| detector.update(piece));
        detector.finish()
    }

    fn wide(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    }

    #[test]
    fn each_encoding_is_told_from_the_others() {
        let text = "email,name\nada@example.org,Zoë Müller\n";
        let latin = WINDOWS_1252.encode(text).0.into_owned();
        for step in [1, 2, 7, 1000] {
            assert_eq!(detect(text.as_bytes(), step), (Encoding::Utf8, 0));
            assert_eq!(detect(format!("\u{FEFF}{text}").as_bytes(), step), (Encoding::Utf8, 3));
            assert_eq!(detect(&latin, step), (Encoding::Windows1252, 0));
            assert_eq!(detect(&wide(text, false), step), (Encoding::Utf16Le, 0));
            assert_eq!(detect(&wide(text, true), step), (Encoding::Utf16Be, 0));
            assert_eq!(detect(&wide(&format!("\u{FEFF}{text}"), true), step), (Encoding::Utf16Be, 2));
        }
    }

    #[test]
    fn a_cell_of_another_encoding_than_its_file_is_not_made_into_other_letters() {
        assert_eq!(Encoding::Utf8.read(b"Zo\xEB"), None);
        assert_eq!(Encoding::Windows1252.read(b"Zo\xEB").as_deref(), Some("Zoë"));
        assert_eq!(Encoding::Windows1252.read("Zoë".as_bytes()), None);
        assert_eq!(Encoding::Windows1252.read(b"Zoe").as_deref(), Some("Zoe"));
    }

    #[test]
    fn what_is_no_text_is_told_by_its_begin() {
        let is_text = |bytes: &[u8]| {
            let mut detector = Detector::default();
            detector.update(bytes);
            detector.is_text()
        };
        assert!(is_text(b"email\nada@example.org\n"));
        assert!(is_text(&wide("email\nada@example.org\n", true)));
        assert!(!is_text(b"\x7FELF\x02\x01\x01\0\0\0\0\0\0\0\0\0"));
        assert!(!is_text(b"%PDF-1.7\n"));
        assert!(!is_text(&[0x1F, 0x8B, 0x08, 0x00, 0x01, 0x02]));
    }

    proptest! {
        #[test]
        fn utf_16_is_read_as_what_was_written(text in any::<String>(), big in any::<bool>()) {
            let encoding = if big { Encoding::Utf16Be } else { Encoding::Utf16Le };
            let bytes = wide(&text, big);
            let mut read = Vec::new();
            Wide::new(bytes.as_slice(), encoding).read_to_end(&mut read).unwrap();
            prop_assert_eq!(String::from_utf8(read).unwrap(), text);
        }

        #[test]
        fn any_bytes_have_an_encoding_whatever_their_pieces(bytes in prop::collection::vec(any::<u8>(), 0..200), step in 1_usize..9) {
            prop_assert_eq!(detect(&bytes, step), detect(&bytes, usize::MAX));
        }
    }
}

//! [`Zip`]: an archive as a stream: each file is packed as it comes, and its size stands behind it. Knows files below
//! 4 GiB, as the formats that need it here have them. Pure.

use std::io::{Error, Result};

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

/// "Sizes stand behind the data", and "names are UTF-8".
const FLAGS: u16 = 0x0808;
const VERSION: u16 = 20;
const DEFLATE: u16 = 8;
/// 1980-01-01, the first day there is: an export's own date is in its name.
const DATE: u16 = 0x21;

/// An archive that is being written.
#[derive(Default)]
pub(super) struct Zip {
    /// Bytes before this moment.
    at: u64,
    files: Vec<File>,
    open: Option<Open>,
}

struct File {
    name: String,
    at: u32,
    crc: u32,
    packed: u32,
    size: u32,
}

struct Open {
    name: String,
    at: u64,
    begun: u64,
    crc: Crc,
    packer: Compress,
}

impl Zip {
    /// Bytes of the open file so far, before packing.
    pub(super) fn written(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.packer.total_in())
    }

    /// Begins a file.
    pub(super) fn begin(&mut self, name: &str, out: &mut Vec<u8>) -> Result<()> {
        let (at, from) = (self.at, out.len());
        out.extend_from_slice(b"PK\x03\x04");
        for field in [VERSION, FLAGS, DEFLATE, 0, DATE] {
            out.extend_from_slice(&field.to_le_bytes());
        }
        // The sum and both sizes come later.
        out.extend_from_slice(&[0; 12]);
        let length = u16::try_from(name.len()).map_err(Error::other)?;
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(name.as_bytes());
        self.count(out.len() - from);
        let packer = Compress::new(Compression::fast(), false);
        self.open = Some(Open { name: name.to_owned(), at, begun: self.at, crc: Crc::new(), packer });
        Ok(())
    }

    /// Adds to the open file.
    pub(super) fn write(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let from = out.len();
        if let Some(open) = &mut self.open {
            open.crc.update(bytes);
            let mut rest = bytes;
            while !rest.is_empty() {
                out.reserve(32 * 1024);
                let before = open.packer.total_in();
                open.packer.compress_vec(rest, out, FlushCompress::None)?;
                let taken = usize::try_from(open.packer.total_in() - before).map_err(Error::other)?;
                rest = rest.get(taken..).unwrap_or_default();
            }
        }
        self.count(out.len() - from);
        Ok(())
    }

    /// Ends the open file.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        let from = out.len();
        loop {
            out.reserve(32 * 1024);
            if open.packer.compress_vec(&[], out, FlushCompress::Finish)? == Status::StreamEnd {
                break;
            }
        }
        self.count(out.len() - from);
        let below_4_gib = |size: u64| u32::try_from(size).map_err(|_| Error::other("an archive over 4 GiB"));
        let file = File {
            name: open.name,
            at: below_4_gib(open.at)?,
            crc: open.crc.sum(),
            packed: below_4_gib(self.at - open.begun)?,
            size: below_4_gib(open.packer.total_in())?,
        };
        let from = out.len();
        out.extend_from_slice(b"PK\x07\x08");
        for field in [file.crc, file.packed, file.size] {
            out.extend_from_slice(&field.to_le_bytes());
        }
        self.count(out.len() - from);
        self.files.push(file);
        Ok(())
    }

    /// Writes the list of files, which ends the archive.
    pub(super) fn finish(self, out: &mut Vec<u8>) -> Result<()> {
        let from = out.len();
        for file in &self.files {
            out.extend_from_slice(b"PK\x01\x02");
            for field in [VERSION, VERSION, FLAGS, DEFLATE, 0, DATE] {
                out.extend_from_slice(&field.to_le_bytes());
            }
            for field in [file.crc, file.packed, file.size] {
                out.extend_from_slice(&field.to_le_bytes());
            }
            let length = u16::try_from(file.name.len()).map_err(Error::other)?;
            out.extend_from_slice(&length.to_le_bytes());
            // No extra field, no comment, the first disk, no attributes.
            out.extend_from_slice(&[0; 12]);
            out.extend_from_slice(&file.at.to_le_bytes());
            out.extend_from_slice(file.name.as_bytes());
        }
        let size = u32::try_from(out.len() - from).map_err(Error::other)?;
        let at = u32::try_from(self.at).map_err(Error::other)?;
        let count = u16::try_from(self.files.len()).map_err(Error::other)?;
        out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(&size.to_le_bytes());
        out.extend_from_slice(&at.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        Ok(())
    }

    fn count(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }
}

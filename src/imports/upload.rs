//! Uploads: stored piece by piece as they arrive, and read again as a file, so that no replica needs a disk in common.
//! A list that the command line brings is read from its own file.

use std::{
    cell::RefCell,
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::PathBuf,
};

use super::{encoding::Detector, model::ImportFault, queries, sheet, table::ReadError};
use crate::{
    id::Id,
    keys::{AddressHash, FileHasher, Keys},
    store::{Db, StoreError},
};

/// Bytes of a piece.
pub const PIECE: usize = 256 * 1024;

/// What is learnt of a file while all of its bytes pass once.
pub struct Passing {
    hasher: FileHasher,
    detector: Detector,
    bytes: u64,
}

impl Passing {
    /// Nothing has passed.
    pub fn new(keys: &Keys) -> Self {
        Self { hasher: keys.file_hash(), detector: Detector::default(), bytes: 0 }
    }

    /// The next bytes pass.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.detector.update(bytes);
        self.bytes += u64::try_from(bytes.len()).unwrap_or(0);
    }

    /// How many passed.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the file may be a list, as far as its begin tells.
    pub fn is_list(&self) -> bool {
        sheet::is_archive(self.detector.head()) || self.detector.is_text()
    }

    /// The keyed hash of the file, and what tells its encoding.
    pub fn finish(self) -> (AddressHash, Detector) {
        (self.hasher.finish(), self.detector)
    }

    /// Lets all of `source` pass.
    pub fn of(keys: &Keys, source: &mut impl Read) -> io::Result<Self> {
        let mut passing = Self::new(keys);
        let mut buffer = vec![0; PIECE];
        loop {
            let read = source.read(&mut buffer)?;
            if read == 0 {
                return Ok(passing);
            }
            passing.update(buffer.get(..read).unwrap_or_default());
        }
    }
}

/// Where a list is.
#[derive(Clone, Debug)]
pub enum Origin {
    /// In the database, so many bytes.
    Stored(Id, u64),
    /// In a file on this machine.
    File(PathBuf),
}

/// A file to read from and go about in.
pub trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// A connection that a list is read over, and why it failed, if it did: readers of formats have only their own errors.
pub struct Shelf<'a> {
    db: RefCell<&'a mut Db>,
    failed: RefCell<Option<StoreError>>,
}

impl<'a> Shelf<'a> {
    /// Reads over `db`.
    pub fn new(db: &'a mut Db) -> Self {
        Self { db: RefCell::new(db), failed: RefCell::default() }
    }

    /// Why reading failed, if the database is to blame.
    pub fn fault(&self) -> Option<StoreError> {
        self.failed.take()
    }

    /// Asks the database something; nothing if it does not answer.
    pub fn ask<T>(&self, question: impl FnOnce(&mut Db) -> diesel::QueryResult<T>) -> Option<T> {
        match question(&mut self.db.borrow_mut()) {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.failed.replace(Some(error.into()));
                None
            }
        }
    }

    /// Opens a list.
    ///
    /// # Errors
    /// When its file cannot be opened.
    pub fn open(&self, origin: &Origin) -> io::Result<Box<dyn Source + '_>> {
        match origin {
            Origin::File(path) => open_file(path),
            Origin::Stored(id, length) => {
                Ok(Box::new(Pieces { shelf: self, id: *id, length: *length, position: 0, piece: None }))
            }
        }
    }
}

/// Opens a list in a file.
///
/// # Errors
/// When it cannot be opened.
pub fn open_file(path: &PathBuf) -> io::Result<Box<dyn Source>> {
    Ok(Box::new(BufReader::with_capacity(PIECE, File::open(path)?)))
}

/// An upload as a file; one piece of it is in memory.
struct Pieces<'a, 'b> {
    shelf: &'a Shelf<'b>,
    id: Id,
    length: u64,
    position: u64,
    piece: Option<(i32, Vec<u8>)>,
}

impl Read for Pieces<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.length {
            return Ok(0);
        }
        let size = u64::try_from(PIECE).unwrap_or(u64::MAX);
        let number = i32::try_from(self.position / size).map_err(io::Error::other)?;
        let within = usize::try_from(self.position % size).map_err(io::Error::other)?;
        if self.piece.as_ref().is_none_or(|(known, _)| *known != number) {
            let found = self.shelf.ask(|db| queries::find_chunk(db, self.id, number));
            let bytes =
                found.flatten().ok_or_else(|| io::Error::other("a piece of the upload is not there"))?;
            self.piece = Some((number, bytes));
        }
        let bytes = self.piece.as_ref().and_then(|(_, bytes)| bytes.get(within..)).unwrap_or_default();
        let length = bytes.len().min(buffer.len());
        let (Some(from), Some(to)) = (bytes.get(..length), buffer.get_mut(..length)) else { return Ok(0) };
        to.copy_from_slice(from);
        self.position += u64::try_from(length).unwrap_or(0);
        Ok(length)
    }
}

impl Seek for Pieces<'_, '_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

/// Why a list could not be read to its end.
#[derive(Debug)]
pub enum Broke {
    /// The database did not answer: later it may.
    Store(StoreError),
    /// The file is to blame.
    File(ImportFault),
}

/// Opens a list over `db` and reads it by `work`.
///
/// # Errors
/// [`Broke`].
pub fn read<T>(
    db: &mut Db,
    origin: &Origin,
    work: impl FnOnce(&Shelf<'_>, Box<dyn Source + '_>) -> Result<T, ReadError>,
) -> Result<T, Broke> {
    let shelf = Shelf::new(db);
    let outcome = shelf.open(origin).map_err(ReadError::Io).and_then(|source| work(&shelf, source));
    match shelf.fault() {
        Some(fault) => Err(Broke::Store(fault)),
        None => outcome.map_err(broke),
    }
}

/// A fault of reading, where no database is to blame.
pub fn broke(error: ReadError) -> Broke {
    let code = match &error {
        ReadError::Bad(code, _) => code,
        ReadError::Io(_) => "unreadable_file",
    };
    Broke::File(ImportFault { code: code.to_string(), message: error.to_string() })
}

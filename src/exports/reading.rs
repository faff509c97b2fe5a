//! The reading thread of an export: rows from one statement, in their format, in batches. A batch knows who is in it;
//! whoever takes batches records that before their bytes go on.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use tokio::sync::mpsc;

use super::{Order, sheet::Sheet};
use crate::{
    store::{Db, StoreError},
    supporters::{self, Contact, ContactField as Field},
};

/// Rows of a batch at most, and of the first, so that something soon leaves.
const ROWS: usize = 8_192;
const FIRST_ROWS: usize = 512;
/// Bytes after which a batch is full: four or five are in memory at once.
const BYTES: usize = 1024 * 1024;
/// Bytes that are packed at a time.
const PACKED_AT: usize = 32 * 1024;

/// What the thread sends.
pub(super) enum Message {
    /// Rows, and whose they are.
    Batch {
        /// Supporter numbers, in the order of the rows.
        numbers: Vec<i64>,
        /// What is to leave. Packed rows may leave with a later batch, never with an earlier one.
        bytes: Vec<u8>,
    },
    /// That was all.
    End,
    /// The list cannot be completed.
    Failed(StoreError),
}

/// Reads the list of `order` and sends it; ends early when nobody takes it any more.
pub(super) fn read(db: Result<&mut Db, StoreError>, order: Order, sender: &mpsc::Sender<Message>) {
    let outcome = db.and_then(|db| {
        let fields = order.columns.fields();
        let mut writing = Writing::begin(&order, sender)?;
        let mut outcome = Ok(());
        supporters::for_each_contact(db, &order.filter, fields, |contact| {
            outcome = writing.row(contact);
            outcome.is_ok() && !writing.is_gone
        })?;
        outcome?;
        writing.end()
    });
    let last = match outcome {
        Ok(()) => Message::End,
        Err(error) => Message::Failed(error),
    };
    let _ = sender.blocking_send(last);
}

struct Writing<'a> {
    sheet: Sheet,
    /// What the sheet wrote, when it is still to be packed.
    plain: Vec<u8>,
    packer: Option<GzEncoder<Vec<u8>>>,
    numbers: Vec<i64>,
    most: usize,
    is_gone: bool,
    sender: &'a mpsc::Sender<Message>,
}

impl<'a> Writing<'a> {
    fn begin(order: &Order, sender: &'a mpsc::Sender<Message>) -> Result<Self, StoreError> {
        let mut plain = Vec::new();
        let sheet =
            Sheet::begin(order.format, order.columns.clone(), order.raw, &mut plain).map_err(failed)?;
        let packer = order.gzip.then(|| GzEncoder::new(Vec::new(), Compression::fast()));
        Ok(Self { sheet, plain, packer, numbers: Vec::new(), most: FIRST_ROWS, is_gone: false, sender })
    }

    fn row(&mut self, contact: &Contact) -> Result<(), StoreError> {
        self.sheet.row(contact, &mut self.plain).map_err(failed)?;
        self.numbers.extend(contact.number(Field::NUMBER));
        if self.packer.is_some() && self.plain.len() >= PACKED_AT {
            self.pack()?;
        }
        let waiting = self.packer.as_ref().map_or(self.plain.len(), |packer| packer.get_ref().len());
        if self.numbers.len() >= self.most || waiting >= BYTES {
            self.most = ROWS.min(self.most * 4);
            self.send()?;
        }
        Ok(())
    }

    fn pack(&mut self) -> Result<(), StoreError> {
        if let Some(packer) = &mut self.packer {
            packer.write_all(&self.plain).map_err(failed)?;
            self.plain.clear();
        }
        Ok(())
    }

    fn send(&mut self) -> Result<(), StoreError> {
        self.pack()?;
        let ready = self.packer.as_mut().map_or(&mut self.plain, GzEncoder::get_mut);
        // The next batch is about as long.
        let next = Vec::with_capacity(ready.len() + ready.len() / 16);
        let bytes = std::mem::replace(ready, next);
        let numbers = std::mem::replace(&mut self.numbers, Vec::with_capacity(self.most));
        self.is_gone |= self.sender.blocking_send(Message::Batch { numbers, bytes }).is_err();
        Ok(())
    }

    fn end(mut self) -> Result<(), StoreError> {
        if self.is_gone {
            return Ok(());
        }
        let mut rest = std::mem::take(&mut self.plain);
        self.sheet.end(&mut rest).map_err(failed)?;
        if let Some(mut packer) = self.packer {
            packer.write_all(&rest).map_err(failed)?;
            rest = packer.finish().map_err(failed)?;
        }
        let _ = self.sender.blocking_send(Message::Batch { numbers: self.numbers, bytes: rest });
        Ok(())
    }
}

fn failed(error: std::io::Error) -> StoreError {
    StoreError::Unavailable(format!("a list could not be written: {error}"))
}

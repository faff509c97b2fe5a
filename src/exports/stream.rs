//! The stream of an export: a thread reads rows and fills pieces, a bounded channel holds a few of them, the
//! client takes them. A client that goes away stops the reading.

use actix_web::web::Bytes;
use futures_util::stream::{self, Stream};
use tokio::sync::mpsc;

use super::csv::{DEFAULT_COLUMNS, write_row};
use crate::{
    store::{Db, StoreError},
    supporters::{self, SupporterFilter},
};

/// Bytes of a piece, and pieces under way.
const PIECE: usize = 48 * 1024;
const PIECES: usize = 4;

/// What the reading thread sends: pieces, and an error if the database failed midway (the answer is then cut
/// off, so that nobody takes part of a list for the whole).
type Piece = Result<Bytes, StoreError>;

/// A channel for pieces and the stream of what arrives.
pub(super) fn channel() -> (mpsc::Sender<Piece>, impl Stream<Item = Piece>) {
    let (sender, receiver) = mpsc::channel(PIECES);
    (
        sender,
        stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|piece| (piece, receiver))
        }),
    )
}

/// How an export ended.
pub(super) struct Ended {
    /// Rows that were handed over.
    pub rows: i64,
    /// Whether that was all of them.
    pub complete: bool,
}

/// Writes the default CSV of `filter` into `pieces`, on the calling (blocking) thread.
pub(super) fn write_csv(
    db: Result<&mut Db, StoreError>,
    filter: &SupporterFilter,
    raw: bool,
    pieces: &mpsc::Sender<Piece>,
) -> Ended {
    let mut sheet = Sheet { writer: new_writer(), rows: 0, gone: false, raw, pieces };
    let outcome = db.and_then(|db| {
        sheet.header();
        supporters::for_each_contact(db, filter, |row| sheet.row(&row)).map_err(StoreError::from)
    });
    sheet.flush();
    match outcome {
        Ok(()) => Ended { rows: sheet.rows, complete: !sheet.gone },
        Err(error) => {
            tracing::error!(%error, "an export was cut off");
            let _ = pieces.blocking_send(Err(error));
            Ended { rows: sheet.rows, complete: false }
        }
    }
}

fn new_writer() -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new().buffer_capacity(8 * 1024).from_writer(Vec::with_capacity(PIECE + 8 * 1024))
}

struct Sheet<'a> {
    writer: csv::Writer<Vec<u8>>,
    rows: i64,
    gone: bool,
    raw: bool,
    pieces: &'a mpsc::Sender<Piece>,
}

impl Sheet<'_> {
    fn header(&mut self) {
        self.gone |= self.writer.write_record(DEFAULT_COLUMNS).is_err();
    }

    /// Whether the client still wants rows.
    fn row(&mut self, row: &supporters::ContactRow) -> bool {
        self.gone |= write_row(&mut self.writer, row, self.raw).is_err();
        self.rows += 1;
        if self.writer.get_ref().len() >= PIECE {
            self.flush();
        }
        !self.gone
    }

    fn flush(&mut self) {
        let full = std::mem::replace(&mut self.writer, new_writer());
        match full.into_inner() {
            Ok(bytes) if bytes.is_empty() => {}
            Ok(bytes) => self.gone |= self.pieces.blocking_send(Ok(Bytes::from(bytes))).is_err(),
            Err(_) => self.gone = true,
        }
    }
}

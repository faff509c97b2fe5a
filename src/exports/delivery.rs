//! The task that stands between the reading thread and the client: it records who is in a batch, commits that, and only
//! then lets the batch's bytes go. A client that goes away ends the reading; a record that cannot be written cuts the
//! list off.

use std::time::Instant;

use actix_web::web::Bytes;
use futures_util::stream::{self, Stream};
use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    Order,
    reading::{self, Message},
};
use crate::{
    audit::{self, Act, Actor},
    disclosures::{self, Outcome},
    error::AppError,
    groups,
    id::Id,
    kernel::Kernel,
    staff::Sight,
    store::{Lane, Reading, StoreError},
};

/// Bytes of a piece on the wire, and pieces under way.
const PIECE: usize = 64 * 1024;
const PIECES: usize = 4;
/// Batches that wait for their record to be written.
const BATCHES: usize = 2;

type Piece = Result<Bytes, StoreError>;

/// What the client takes. An error cuts it off, so that nobody takes part of a list for the whole.
pub(super) type Body = std::pin::Pin<Box<dyn Stream<Item = Piece> + Send>>;

/// Begins reading `order`, which is recorded as `id`.
/// The second value ends with the record of its end.
pub(super) fn begin(kernel: &Kernel, id: Id, order: Order) -> (Body, JoinHandle<()>) {
    let (sender, batches) = mpsc::channel(BATCHES);
    let (pieces, receiver) = mpsc::channel(PIECES);
    let (actor, sight) = (order.taker.actor, order.filter.sight);
    let reading = kernel.store.read_long(move |db| reading::read(db, order, &sender));
    let delivery = Delivery { kernel: kernel.clone(), id, actor, sight, rows: 0, piece: 0 };
    let ended = kernel.runtime.spawn(delivery.run(batches, pieces, reading));
    let body: Body = Box::pin(stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|piece| (piece, receiver))
    }));
    (body, ended)
}

struct Delivery {
    kernel: Kernel,
    id: Id,
    actor: Actor,
    sight: Sight,
    /// Rows that were handed over.
    rows: i64,
    /// Batches that were recorded.
    piece: i32,
}

impl Delivery {
    async fn run(
        mut self,
        mut batches: mpsc::Receiver<Message>,
        pieces: mpsc::Sender<Piece>,
        reading: Reading,
    ) {
        let begun = Instant::now();
        let mut outcome = self.deliver(&mut batches, &pieces).await;
        drop(batches);
        if !matches!(outcome, Ok(true)) {
            reading.cancel().await;
        }
        // Before the client sees the end.
        let is_whole = matches!(outcome, Ok(true));
        if let Err(error) = self.record_end(is_whole).await {
            tracing::error!(export = %self.id, %error, "the end of an export could not be recorded");
            outcome = outcome.and(Err(StoreError::Unavailable("its record could not be written".to_owned())));
        }
        if let Err(error) = outcome {
            tracing::error!(export = %self.id, %error, "an export was cut off");
            let _ = pieces.send(Err(error)).await;
        }
        tracing::info!(export = %self.id, rows = self.rows, is_whole, took = ?begun.elapsed(), "an export ended");
    }

    /// Whether the client took everything.
    async fn deliver(
        &mut self,
        batches: &mut mpsc::Receiver<Message>,
        pieces: &mpsc::Sender<Piece>,
    ) -> Result<bool, StoreError> {
        loop {
            let message = tokio::select! {
                message = batches.recv() => message,
                () = pieces.closed() => return Ok(false),
            };
            match message {
                Some(Message::Batch { numbers, bytes }) => {
                    let count = i64::try_from(numbers.len()).unwrap_or(i64::MAX);
                    self.record(numbers).await?;
                    self.rows += count;
                    let mut rest = Bytes::from(bytes);
                    while !rest.is_empty() {
                        let piece = rest.split_to(PIECE.min(rest.len()));
                        if pieces.send(Ok(piece)).await.is_err() {
                            return Ok(false);
                        }
                    }
                }
                Some(Message::End) => return Ok(true),
                Some(Message::Failed(error)) => return Err(error),
                None => return Err(StoreError::Closed),
            }
        }
    }

    /// Commits who is in a batch. Of a group's list, nobody leaves who has withdrawn since the list was begun.
    async fn record(&mut self, numbers: Vec<i64>) -> Result<(), StoreError> {
        if numbers.is_empty() {
            return Ok(());
        }
        let (id, piece, sight) = (self.id, self.piece, self.sight);
        self.piece += 1;
        let write = move |db: &mut _| {
            if let Sight::Group(group) = sight
                && !groups::all_share(db, group, &numbers)?
            {
                let reason = "somebody in this list has just taken their consent back; take the list again";
                return Err(StoreError::Unavailable(reason.to_owned()));
            }
            Ok::<_, StoreError>(disclosures::add_piece(db, id, piece, &numbers)?)
        };
        self.kernel.store.write(Lane::Staff, write).await
    }

    async fn record_end(&self, is_whole: bool) -> Result<(), AppError> {
        let (id, rows, actor, now) = (self.id, self.rows, self.actor, self.kernel.clock.now());
        let keys = self.kernel.keys.clone();
        let outcome = if is_whole { Outcome::Complete } else { Outcome::CutOff };
        self.kernel
            .store
            .write(Lane::Staff, move |db| {
                disclosures::end(db, id, rows, outcome, now)?;
                let details = serde_json::json!({ "rows": rows, "outcome": outcome.as_str() });
                let act = Act::new(actor, "export.end").on("export", id).with(details);
                Ok::<_, AppError>(audit::append(db, &keys, &[act], now)?)
            })
            .await
    }
}

//! The audit trail as NDJSON: a thread reads pages and fills pieces, a bounded channel holds a few of them. Its beginning
//! is in the trail before the first byte leaves, its end when the last one has. Called by `audit_routes.rs`.

use actix_web::web::Bytes;
use futures_util::stream::{self, Stream};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use crate::{
    audit::{Act, Actor, EntryFilter, EntryView, Trail},
    error::AppError,
    id::Id,
    kernel::Kernel,
    store::{Db, Lane, StoreError},
};

/// Bytes of a piece, and pieces under way.
const PIECE: usize = 48 * 1024;
const PIECES: usize = 4;

type Piece = Result<Bytes, StoreError>;

/// How it ended.
struct Ended {
    rows: u64,
    is_complete: bool,
}

/// Begins an export by `actor`; returns its bytes.
pub(super) async fn begin(
    kernel: &Kernel,
    actor: Actor,
    filter: EntryFilter,
) -> Result<impl Stream<Item = Result<Bytes, AppError>> + 'static, AppError> {
    let id = Id::new();
    let details = json!({ "list": "audit", "format": "ndjson", "filter": recorded(&filter) });
    let act = Act::new(actor, "export.begin").on("export", id).with(details);
    kernel.trail().append(Lane::Staff, vec![act]).await?;
    let (pieces, receiver) = mpsc::channel(PIECES);
    let (ended, end) = oneshot::channel();
    kernel.store.read_long(move |db| {
        let _ = ended.send(write(db, &filter, &pieces));
    });
    actix_web::rt::spawn(record_end(kernel.clone(), actor, id, end));
    Ok(stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|piece: Piece| (piece.map_err(AppError::from), receiver))
    }))
}

/// The filter as it is recorded; it holds ids and names of actions, and nothing that somebody typed freely.
fn recorded(filter: &EntryFilter) -> serde_json::Value {
    let time = |at: Option<crate::clock::Timestamp>| at.map(|at| at.to_string());
    json!({
        "actor": filter.actor, "actor_kind": filter.actor_kind, "action": filter.action,
        "subject": filter.subject, "from": time(filter.from), "to": time(filter.to),
    })
}

fn write(db: Result<&mut Db, StoreError>, filter: &EntryFilter, pieces: &mpsc::Sender<Piece>) -> Ended {
    let (mut piece, mut rows, mut is_gone) = (Vec::with_capacity(PIECE + 1024), 0, false);
    let outcome = db.and_then(|db| {
        Trail::for_each(db, filter, |link| {
            is_gone |= serde_json::to_writer(&mut piece, &EntryView::from(link)).is_err();
            piece.push(b'\n');
            rows += 1;
            if piece.len() >= PIECE {
                let full = std::mem::replace(&mut piece, Vec::with_capacity(PIECE + 1024));
                is_gone |= pieces.blocking_send(Ok(full.into())).is_err();
            }
            !is_gone
        })
    });
    is_gone |= !piece.is_empty() && pieces.blocking_send(Ok(piece.into())).is_err();
    if let Err(error) = outcome {
        tracing::error!(%error, "an export of the audit trail was cut off");
        let _ = pieces.blocking_send(Err(error));
        return Ended { rows, is_complete: false };
    }
    Ended { rows, is_complete: !is_gone }
}

async fn record_end(kernel: Kernel, actor: Actor, id: Id, end: oneshot::Receiver<Ended>) {
    let Ok(Ended { rows, is_complete }) = end.await else { return };
    let outcome = if is_complete { "complete" } else { "cut_off" };
    let details = json!({ "rows": rows, "outcome": outcome });
    let act = Act::new(actor, "export.end").on("export", id).with(details);
    if let Err(error) = kernel.trail().append(Lane::Staff, vec![act]).await {
        tracing::error!(%error, export = %id, "the end of an export could not be recorded");
    }
}

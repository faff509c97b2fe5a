//! The same in bulk: SQLite without a server, in large transactions, by one process that has the database for itself.
//! Called by `cli`.

use std::{sync::mpsc, thread};

use super::{
    apply::{NotIn, Work, apply},
    command::{Bringing, Outcome, Report, begin, sentence},
    model::Counts,
    over,
    pieces::{Piece, cut},
    plan, queries,
    turn::Turn,
    upload::open_file,
};
use crate::{
    audit::{self, Actor},
    clock::Clock,
    config::Config,
    forms,
    id::Id,
    store::{self, Db, StoreError, dialect},
    supporters,
};

/// Rows that are looked up and written by the same statements, and such pieces in one transaction.
const ROWS: usize = 2000;
const PIECES: usize = 10;
/// Pieces that are read ahead.
const AHEAD: usize = 2;

/// Takes a list in; tells bytes and all bytes to `progress`. Nobody else may have the database.
///
/// # Errors
/// A sentence.
pub fn bring(
    config: &Config,
    clock: &Clock,
    bringing: &Bringing,
    mut progress: impl FnMut(u64, u64),
) -> Result<Outcome, String> {
    let keys = config.keys().map_err(|error| error.to_string())?;
    let mut db = store::alone::open(&config.database).map_err(|error| error.to_string())?;
    let own = supporters::list_fields(&mut db).map_err(|error| error.to_string())?;
    let seen = bringing.look(&keys, &own)?;
    let now = clock.now();
    let import = bringing.import(&seen, now).map_err(|error| error.to_string())?;
    let (lease, timezone) = (Id::new(), config.campaign.timezone.as_str());
    let begun = transaction(&mut db, |db| {
        begin(db, &keys, clock, timezone, (&import, &bringing.options), lease, true)
    })?;
    let (stored, resumed) = begun.ok_or("another process was taking this list in; wait a minute")?;
    let join = forms::current_join(&mut db, &config.campaign.name).map_err(|error| error.to_string())?;
    let work = Work::of(&stored, lease, seen.layout.clone(), (&keys, clock, config));
    let plan = plan(&keys, timezone, &stored, join, seen.layout.clone(), (&seen.mapping, own), now);
    let after = u64::try_from(stored.line).unwrap_or(0);
    let of_bytes = u64::try_from(seen.bytes).unwrap_or(0);

    let (sender, pieces) = mpsc::sync_channel::<Piece>(AHEAD);
    thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let source = open_file(&bringing.file).map_err(|error| error.to_string())?;
            let sender = sender;
            cut(&plan, source, after, ROWS, |piece| sender.send(piece).is_ok()).map_err(sentence)
        });
        let written = write(&mut db, &work, &pieces, clock, |bytes| progress(bytes.min(of_bytes), of_bytes));
        drop(pieces);
        let read = reading.join().map_err(|_| "reading the list failed".to_owned())?;
        written.and(read)
    })?;
    let ended = transaction(&mut db, |db| {
        let ended = queries::set_ended(db, stored.id, &["running"], "done", None, clock.now())?;
        if let Some(ended) = &ended {
            audit::append(db, &keys, &[over(ended, Actor::CommandLine)], clock.now())?;
        }
        Ok(ended)
    })?
    .ok_or("the import was ended by somebody else")?;
    bringing.write_refused(&mut db, &ended)?;
    let other_sheets = seen.layout.other_sheets;
    Ok(Outcome::Did(Report { id: ended.id, counts: ended.counts(), resumed, other_sheets }))
}

/// Writes all pieces, some in one transaction.
fn write(
    db: &mut Db,
    work: &Work,
    pieces: &mpsc::Receiver<Piece>,
    clock: &Clock,
    mut progress: impl FnMut(u64),
) -> Result<(), String> {
    let mut is_over = false;
    while !is_over {
        let mut bytes = 0;
        transaction(db, |db| {
            let mut counts = Counts::default();
            for piece in pieces.iter().take(PIECES) {
                let more =
                    apply(db, work, &piece, Turn::alone(), clock.now()).map_err(|not_in| match not_in {
                        NotIn::Store(error) => error,
                        NotIn::Lost | NotIn::Overturned => {
                            StoreError::Unavailable("the import was ended".to_owned())
                        }
                    })?;
                counts.add(&more);
                bytes = piece.end().1;
                is_over = piece.is_last;
            }
            // A reader that failed sends no last piece.
            is_over |= counts == Counts::default();
            Ok(())
        })?;
        progress(bytes);
    }
    Ok(())
}

fn transaction<T>(db: &mut Db, work: impl FnOnce(&mut Db) -> Result<T, StoreError>) -> Result<T, String> {
    dialect::write_transaction(db, work).map_err(|error: StoreError| error.to_string())
}

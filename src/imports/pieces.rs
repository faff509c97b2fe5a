//! A list cut into pieces of rows, each of which is written in one transaction. Two rows for one person: the first counts.
//! So that the second is known wherever it comes, eight bytes of each address's keyed hash are in memory.

use std::collections::HashSet;

use super::{
    csv::Record,
    rows::{Plan, Reason, Row},
    table::ReadError,
    upload::Source,
};

/// Most tags that a list may make: a column that is none would make a million.
const MOST_TAGS: usize = 500;

/// Rows for one transaction.
pub struct Piece {
    /// In the order of the file.
    pub rows: Vec<Row>,
    /// Whether it is the last.
    pub is_last: bool,
    /// The line up to which all is in when it comes.
    pub after: u64,
}

impl Piece {
    /// Line and byte where its last row ends, were the file ASCII.
    pub fn end(&self) -> (u64, u64) {
        self.rows.last().map_or((0, 0), |row| (row.record.line, row.record.end))
    }
}

/// Hashes that were met, in so many small lists that a million leave a few hundred in each: one set of all would, as it
/// grows, take three times their memory.
struct Seen(Vec<Vec<i64>>);

impl Seen {
    const LISTS: i64 = 4096;

    fn new() -> Self {
        Self((0..Self::LISTS).map(|_| Vec::new()).collect())
    }

    /// Whether `hash` is met for the first time.
    fn insert(&mut self, hash: i64) -> bool {
        let list = &mut self.0[usize::try_from(hash.rem_euclid(Self::LISTS)).unwrap_or_default()];
        if list.contains(&hash) {
            return false;
        }
        if list.len() == list.capacity() {
            list.reserve_exact(8 + list.len() / 8);
        }
        list.push(hash);
        true
    }
}

/// Reads `source` from its begin and gives what follows line `after` to `give`, `size` rows at a time, until it says
/// false. The last piece may be empty.
///
/// # Errors
/// [`ReadError`]; what was given by then is in it.
pub fn cut(
    plan: &Plan,
    source: Box<dyn Source + '_>,
    after: u64,
    size: usize,
    mut give: impl FnMut(Piece) -> bool,
) -> Result<(), ReadError> {
    let (mut seen, mut tags) = (Seen::new(), HashSet::new());
    let mut rows = Vec::with_capacity(size);
    let (mut goes_on, mut from) = (true, after);
    plan.layout.for_each_row(source, |record: &Record| {
        let mut row = plan.read(record);
        if let Ok(person) = &mut row.person {
            person.tags.retain(|tag| {
                let is_held = tags.contains(tag) || tags.len() < MOST_TAGS;
                if is_held {
                    tags.insert(tag.clone());
                } else {
                    row.left_out
                        .push(Reason::row("too_many_tags", "the list has more than 500 different tags"));
                }
                is_held
            });
            if !seen.insert(person.address.1.lock_key()) {
                let message = "an earlier row of this list has the same address";
                row.person = Err(vec![Reason::row("repeated", message)]);
                row.left_out.clear();
            }
        }
        if record.line > after {
            rows.push(row);
        }
        if rows.len() == size {
            let rows = std::mem::replace(&mut rows, Vec::with_capacity(size));
            let piece = Piece { rows, is_last: false, after: from };
            from = piece.end().0;
            goes_on = give(piece);
        }
        goes_on
    })?;
    if goes_on {
        give(Piece { rows, is_last: true, after: from });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn hashes_are_met_for_the_first_time_once(
            hashes in proptest::collection::vec(prop_oneof![any::<i64>(), -9000_i64..9000], 0..2000),
        ) {
            let (mut seen, mut set) = (Seen::new(), HashSet::new());
            for hash in hashes {
                prop_assert_eq!(seen.insert(hash), set.insert(hash));
            }
        }
    }
}

//! The preview: how a file is laid out, what its columns hold, its first rows, and what would become of all. It changes
//! nothing but the import's own row.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{
    decide::{self, Deciding, Verdict},
    model::{Counts, Example, Preview},
    pieces::{Piece, cut},
    presets,
    rows::{Plan, Reason},
    table::{Layout, ReadError},
    target::Target,
    upload::{Passing, Shelf, Source},
};
use crate::{
    keys::Keys,
    signups::Rehearsal,
    supporters::{self, Field as OwnField, Known},
};

/// Rows that are shown.
const SHOWN: usize = 10;
/// Lines with a fault that are named.
const EXAMPLES: usize = 20;
/// Rows that are looked up at once.
const PIECE: usize = 500;

/// How a file is laid out.
///
/// # Errors
/// [`ReadError`].
pub fn layout(keys: &Keys, source: &mut Box<dyn Source + '_>) -> Result<Layout, ReadError> {
    let detector = Passing::of(keys, source)?.finish().1;
    Layout::of(source, &detector)
}

/// The first rows below the header.
///
/// # Errors
/// [`ReadError`].
pub fn first_rows(layout: &Layout, source: Box<dyn Source + '_>) -> Result<Vec<Vec<String>>, ReadError> {
    let mut rows = Vec::new();
    layout.for_each_row(source, |record| {
        let cells = layout.cells(record).into_iter().map(|cell| cell.chars().take(200).collect());
        rows.push(cells.collect());
        rows.len() < SHOWN
    })?;
    Ok(rows)
}

/// What would become of all rows, were they taken in now.
///
/// # Errors
/// [`ReadError`]; a database that does not answer is `shelf`'s to tell.
pub fn count(
    shelf: &Shelf<'_>,
    plan: &Plan,
    source: Box<dyn Source + '_>,
    (invites, overwrite): (bool, bool),
    halt: &AtomicBool,
) -> Result<Preview, ReadError> {
    let (mut preview, mut rehearsal) = (Preview::default(), Rehearsal::default());
    cut(plan, source, 0, PIECE, |piece| {
        let is_counted = count_piece(shelf, plan, &piece, &mut preview, &mut rehearsal, (invites, overwrite));
        is_counted && !halt.load(Ordering::Relaxed)
    })?;
    Ok(preview)
}

fn count_piece(
    shelf: &Shelf<'_>,
    plan: &Plan,
    piece: &Piece,
    preview: &mut Preview,
    rehearsal: &mut Rehearsal,
    (invites, overwrite): (bool, bool),
) -> bool {
    let people: Vec<_> = piece.rows.iter().filter_map(|row| row.person.as_ref().ok()).collect();
    let addresses: Vec<_> =
        people.iter().map(|person| (person.address.0.as_str(), person.address.1)).collect();
    let Some(known) = shelf.ask(|db| supporters::known(db, &addresses)) else { return false };
    let (mut tagged, mut valued, mut unchanged) = (Vec::new(), Vec::new(), Vec::new());
    let (mut deciding, nobody) = (Deciding::new(invites, overwrite), Known::default());
    let known = || known.iter().chain(std::iter::repeat(&nobody));
    let mut verdicts: Vec<_> =
        people.iter().zip(known()).map(|(person, known)| deciding.verdict(person, known)).collect();
    // Whom the limits of an address keep from being asked.
    let asks = |verdict: &Verdict| matches!(verdict, Verdict::Invite);
    let asked = people.iter().zip(&verdicts).filter(|(_, verdict)| asks(verdict));
    let asked: Vec<_> = asked.map(|(person, _)| &person.confirmed.email).collect();
    let invited = shelf.ask(|db| rehearsal.invite(db, &plan.keys, &asked, plan.now));
    let Some(invited) = invited else { return false };
    for (verdict, is_invited) in verdicts.iter_mut().filter(|verdict| asks(verdict)).zip(invited) {
        if !is_invited {
            *verdict = Verdict::Refuse(decide::asked_recently());
        }
    }
    let mut decided = verdicts.into_iter().zip(known());
    for row in &piece.rows {
        let mut counts = Counts::default();
        let line = row.record.line;
        match &row.person {
            Err(reasons) => {
                counts.refused = 1;
                preview.tell(&plan.layout, line, reasons);
            }
            Ok(person) => {
                let Some((verdict, known)) = decided.next() else { continue };
                match verdict {
                    Verdict::Create => counts.created = 1,
                    Verdict::Fill(_) => counts.updated = 1,
                    Verdict::Unchanged => {
                        counts.unchanged = 1;
                        if !invites && person.left_at.is_none() {
                            let key = decide::key(person, known);
                            unchanged.push(key);
                            tagged.extend(person.tags.iter().map(|tag| (key, tag.as_str())));
                            valued.push((key, person.own.as_slice()));
                        }
                    }
                    Verdict::Invite => counts.invited = 1,
                    Verdict::Refuse(reason) => {
                        counts.refused = 1;
                        preview.tell(&plan.layout, line, &[reason]);
                    }
                }
            }
        }
        if counts.refused == 0 && !row.left_out.is_empty() {
            counts.left_out = 1;
            preview.tell(&plan.layout, line, &row.left_out);
        }
        preview.counts.add(&counts);
    }
    // Whom the list adds nothing to but a tag, or a value of a field.
    let Some(lacking) = shelf.ask(|db| supporters::lacking(db, &tagged, &valued, overwrite)) else {
        return false;
    };
    let updated = unchanged.iter().filter(|key| lacking.contains(**key)).count();
    let updated = i64::try_from(updated).unwrap_or(i64::MAX);
    preview.counts.unchanged -= updated;
    preview.counts.updated += updated;
    true
}

impl Preview {
    fn tell(&mut self, layout: &Layout, line: u64, reasons: &[Reason]) {
        for reason in reasons {
            *self.reasons.entry(reason.code.clone()).or_default() += 1;
            if self.examples.len() < EXAMPLES {
                let (sheet, line) = layout.place(line);
                self.examples.push(Example {
                    line,
                    sheet,
                    field: reason.field.clone(),
                    code: reason.code.clone(),
                    message: reason.message.clone(),
                });
            }
        }
    }
}

/// What each column holds: as it was said, or as the header tells.
#[must_use]
pub fn mapping(said: Vec<Option<Target>>, layout: &Layout, own: &[OwnField]) -> Vec<Option<Target>> {
    if said.is_empty() { presets::map(&layout.header, own) } else { said }
}

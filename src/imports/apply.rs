//! One piece of a list into the database, in one transaction with its progress: what is known of its addresses is asked,
//! each row is decided on, and what follows is written in a few statements. Called by the job and the command line.

use std::{collections::HashSet, time::Duration};

use super::{
    decide::{self, Deciding, Verdict},
    model::{Counts, Stored},
    pieces::Piece,
    queries::{self, Refusal},
    rows::{Person, Reason, Row},
    table::Layout,
    turn::{Overturned, Turn},
};
use crate::{
    clock::{Clock, Timestamp},
    config::Config,
    contact::EmailAddress,
    id::Id,
    keys::{AddressHash, Keys},
    signups::{self, Invitee},
    store::{Db, StoreError, dialect, lock},
    supporters::{self, Known, Listed},
};

/// How long a claim holds without a word.
pub const LEASE: Duration = Duration::from_secs(30);
/// How long a piece waits for the locks of the one before it, and for its commit.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most bytes of a refused row that are kept.
const MOST_SHOWN: usize = 8 * 1024;

/// What pieces are written by.
pub struct Work {
    /// The import.
    pub id: Id,
    /// The claim it is held with.
    pub lease: Id,
    /// How its file is laid out.
    pub layout: Layout,
    /// Bytes of the file.
    pub file_bytes: i64,
    /// Hashes addresses.
    pub keys: Keys,
    /// Leases are measured with it.
    pub clock: Clock,
    /// Whether people are asked first.
    pub invites: bool,
    /// Whether the list wins over what is stored.
    pub overwrite: bool,
    /// Time between two invitations.
    pub pace: Duration,
}

impl Work {
    /// Of `import`, held with `lease`.
    pub fn of(
        import: &Stored,
        lease: Id,
        layout: Layout,
        (keys, clock, config): (&Keys, &Clock, &Config),
    ) -> Self {
        let options = import.options();
        Self {
            id: import.id,
            lease,
            layout,
            file_bytes: import.file_bytes,
            keys: keys.clone(),
            clock: clock.clone(),
            invites: options.invites(),
            overwrite: options.overwrite,
            pace: Duration::from_secs(3600) / config.imports.invites_per_hour.max(1),
        }
    }
}

/// Why a piece is not in.
#[derive(Debug)]
pub enum NotIn {
    /// Somebody else has the import, or it was ended; or the piece is in already, after a commit in doubt.
    Lost,
    /// The piece before it is not in.
    Overturned,
    /// The database would not.
    Store(StoreError),
}

impl From<StoreError> for NotIn {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<diesel::result::Error> for NotIn {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<Overturned> for NotIn {
    fn from(_: Overturned) -> Self {
        Self::Overturned
    }
}

/// Writes `piece` when it is its `turn`. What needs nothing of the piece before is done while that is still being written.
///
/// # Errors
/// [`NotIn`]; nothing of it is then in, once the caller has rolled back.
pub fn apply(db: &mut Db, work: &Work, piece: &Piece, turn: Turn, now: Timestamp) -> Result<Counts, NotIn> {
    let people: Vec<&Person> = piece.rows.iter().filter_map(|row| row.person.as_ref().ok()).collect();
    let (locked, turn) = turn.lock(PATIENCE, || Ok::<_, NotIn>(lock_all(db, work, &people)?))?;
    let addresses: Vec<_> =
        people.iter().map(|person| (person.address.0.as_str(), person.address.1)).collect();
    let known = supporters::known(db, &addresses)?;
    let (mut known, nobody) = (known.iter(), Known::default());

    let mut counts = Counts::default();
    let (mut created, mut filled, mut asked) = (Vec::new(), Vec::new(), Vec::new());
    let (mut tagged, mut valued, mut unchanged) = (Vec::new(), Vec::new(), Vec::new());
    let (mut refusals, mut deciding) = (Vec::new(), Deciding::new(work.invites, work.overwrite));
    for row in &piece.rows {
        let person = match &row.person {
            Ok(person) => person,
            Err(reasons) => {
                refusals.push(work.refusal(row, true, reasons));
                continue;
            }
        };
        let known = known.next().unwrap_or(&nobody);
        let key = decide::key(person, known);
        let verdict = if key != person.address.0 && !locked.contains(&work.keys.address_hash(key)) {
            let message = "this record was merged at this very moment; bring the row again";
            Verdict::Refuse(Reason::row("changed_meanwhile", message))
        } else {
            deciding.verdict(person, known)
        };
        let mut wish = || {
            tagged.extend(person.tags.iter().map(|tag| (key, tag.as_str())));
            valued.push((key, person.own.as_slice()));
        };
        match verdict {
            Verdict::Create => {
                created.push(listed(person));
                wish();
            }
            Verdict::Fill(row) => {
                filled.push(*row);
                wish();
            }
            Verdict::Unchanged => {
                unchanged.push(key);
                if !work.invites && person.left_at.is_none() {
                    wish();
                }
            }
            Verdict::Invite => asked.push((row, person)),
            Verdict::Refuse(reason) => {
                refusals.push(work.refusal(row, true, &[reason]));
                continue;
            }
        }
        if !row.left_out.is_empty() {
            refusals.push(work.refusal(row, false, &row.left_out));
        }
    }
    counts.created = count(created.len());
    counts.updated = count(filled.len());
    supporters::insert_listed(db, created, now)?;
    supporters::update_listed(db, &filled, now)?;
    turn.wait(PATIENCE)?;
    let until = dialect::now(db, &work.clock)?.after(LEASE);
    let after = i64::try_from(piece.after).unwrap_or(i64::MAX);
    if !queries::keep_at(db, work.id, work.lease, until, after)? {
        return Err(NotIn::Lost);
    }
    let mut changed: HashSet<String> = supporters::tag_listed(db, &tagged, now)?.into_iter().collect();
    changed.extend(supporters::fill_fields(db, &valued, work.overwrite)?);
    let also_updated = unchanged.iter().filter(|key| changed.contains(**key)).count();
    counts.unchanged = count(unchanged.len() - also_updated);
    counts.updated += count(also_updated);

    let next_invite_at = invite(db, work, &asked, &mut counts, &mut refusals, now)?;
    counts.refused = count(refusals.iter().filter(|refusal| refusal.is_refused).count());
    counts.left_out = count(refusals.iter().filter(|refusal| !refusal.is_refused).count());
    queries::insert_refusals(db, &refusals)?;
    if !piece.rows.is_empty() {
        let (line, bytes) = piece.end();
        let line = i64::try_from(line).unwrap_or(i64::MAX);
        queries::add_progress(
            db,
            work.id,
            &counts,
            (line, work.layout.bytes(bytes, work.file_bytes)),
            next_invite_at,
        )?;
    }
    Ok(counts)
}

/// From here to the commit, nobody else decides anything about these addresses, nor about those of whoever records with
/// them were merged into; their limits too, where they are asked. Returns which those are.
fn lock_all(db: &mut Db, work: &Work, people: &[&Person]) -> Result<HashSet<AddressHash>, StoreError> {
    let limit = |person: &Person| work.keys.limit_hash(&person.confirmed.email.limit_key());
    let mut hashes: Vec<AddressHash> = people.iter().map(|person| person.address.1).collect();
    hashes.extend(supporters::survivors(db, &hashes)?);
    if work.invites {
        hashes.extend(people.iter().map(|person| limit(person)));
    }
    lock::addresses(db, hashes.iter().copied())?;
    Ok(hashes.into_iter().collect())
}

/// Asks people, at the pace of all lists together; returns when the next may be asked.
fn invite(
    db: &mut Db,
    work: &Work,
    asked: &[(&Row, &Person)],
    counts: &mut Counts,
    refusals: &mut Vec<Refusal>,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    if asked.is_empty() {
        return Ok(None);
    }
    let mut next = queries::next_invite_at(db)?.unwrap_or(now).max(now);
    let invitees: Vec<Invitee<'_>> = asked
        .iter()
        .map(|(_, person)| Invitee {
            confirmed: &person.confirmed,
            address: person.address.1,
            tags: &person.tags,
            fields: person.own.iter().map(|one| (one.slug.clone(), one.value.text.clone())).collect(),
        })
        .collect();
    let due = || {
        let due = next;
        next = next.after(work.pace);
        due
    };
    let invited = signups::invite(db, &work.keys, &invitees, due, now)?;
    for ((row, _), is_invited) in asked.iter().zip(invited) {
        if is_invited {
            counts.invited += 1;
        } else {
            refusals.retain(|refusal| u64::try_from(refusal.line) != Ok(row.record.line));
            refusals.push(work.refusal(row, true, &[decide::asked_recently()]));
        }
    }
    Ok(Some(next))
}

fn listed(person: &Person) -> Listed {
    Listed {
        confirmed: person.confirmed.clone(),
        address: person.address.clone(),
        confirmed_at: person.confirmed_at,
        left_at: person.left_at,
    }
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

impl Work {
    fn refusal(&self, row: &Row, is_refused: bool, reasons: &[Reason]) -> Refusal {
        let mut cells = self.layout.cells(&row.record);
        let mut room = MOST_SHOWN;
        for cell in &mut cells {
            // PostgreSQL takes no NUL in a text.
            *cell = cell.chars().filter(|c| *c != '\0').take(room).collect();
            room = room.saturating_sub(cell.len());
        }
        let address = cells.iter().find_map(|cell| EmailAddress::parse(cell.trim()).ok());
        Refusal {
            address_hash: address.map(|address| self.keys.address_hash(&address.key())),
            import_id: self.id,
            line: i64::try_from(row.record.line).unwrap_or(i64::MAX),
            is_refused,
            reasons: serde_json::to_string(reasons).unwrap_or_default(),
            cells: serde_json::to_string(&cells).unwrap_or_default(),
        }
    }
}

//! Verification: walks the chain from the checkpoint to the head, in pages, and says the first place that does not hold.
//! Called by the command line, the API and retention; changes nothing and holds no lock.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    chain::{self, Head, Link},
    queries::{self, Checkpoint},
};
use crate::{
    keys::Keys,
    store::{Db, StoreError},
};

/// Entries in memory at a time.
const PAGE: i64 = 1000;

/// What a trail was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was changed, taken away or cut off, as far as the trail itself and what was expected can tell.
    Intact {
        /// Entries up to this number were taken away by retention; 0 when none was.
        retired: i64,
        /// The newest entry.
        head: Head,
    },
    /// Here it does not hold.
    Broken(Fault),
}

/// The first place that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The entry's number.
    pub number: i64,
    /// What is wrong with it.
    pub kind: FaultKind,
}

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The entry is not what was appended (or stands in another's place).
    Changed,
    /// The entry is not there, though later ones are.
    Missing,
    /// The trail ends before this entry, and did not always.
    Cut,
    /// There are entries that the head does not know, from this one on.
    Added,
    /// The checkpoint that retention left at this number is not genuine.
    Checkpoint,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = self.number;
        match self.kind {
            FaultKind::Changed => write!(f, "entry {number} was changed"),
            FaultKind::Missing => write!(f, "entry {number} is missing"),
            FaultKind::Cut => {
                write!(f, "the trail was cut at its end: entry {number} is gone, and all after it")
            }
            FaultKind::Added => write!(f, "entry {number} was not appended by Openhearth"),
            FaultKind::Checkpoint => write!(f, "the checkpoint at entry {number} is not genuine"),
        }
    }
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// What was expected is older than what is kept.
    #[error("entry {0} is not kept any more; expect a newer one")]
    TooOld(i64),
    /// Nobody waits for the verdict any more.
    #[error("the verification was given up")]
    GivenUp,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<diesel::result::Error> for VerifyError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Why a walk ended before the head.
enum Stop {
    Broken(Fault),
    Error(VerifyError),
}

impl<E: Into<VerifyError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

const fn broken(number: i64, kind: FaultKind) -> Stop {
    Stop::Broken(Fault { number, kind })
}

/// Verifies the trail, as far as `is_wanted` says so before every page. With `expected`, a place that was written down
/// elsewhere, also that the trail still goes through it.
///
/// # Errors
/// [`VerifyError`]; a trail that does not hold is a verdict and no error.
pub fn verify(
    db: &mut Db,
    keys: &Keys,
    expected: Option<&Head>,
    is_wanted: impl Fn() -> bool,
) -> Result<Verdict, VerifyError> {
    match walk(db, keys, expected, is_wanted) {
        Ok(intact) => Ok(intact),
        Err(Stop::Broken(fault)) => Ok(Verdict::Broken(fault)),
        Err(Stop::Error(error)) => Err(error),
    }
}

fn walk(
    db: &mut Db,
    keys: &Keys,
    expected: Option<&Head>,
    is_wanted: impl Fn() -> bool,
) -> Result<Verdict, Stop> {
    let Some((head, highest)) = queries::ends(db)? else { return Err(broken(1, FaultKind::Cut)) };
    let start = genuine_checkpoint(db, keys)?;
    if let Some(expected) = expected {
        check_expected(expected, &start, &head)?;
    }
    if highest.is_some_and(|highest| highest > head.number) {
        return Err(broken(head.number + 1, FaultKind::Added));
    }
    let (mut at, mut retired) = (start.clone(), start.number);
    while at.number < head.number {
        if !is_wanted() {
            return Err(VerifyError::GivenUp.into());
        }
        let page = queries::list_after(db, at.number, PAGE.min(head.number - at.number))?;
        if page.first().is_none_or(|link| link.entry.number != at.number + 1) {
            // Retention may have gone past this place meanwhile.
            let now = genuine_checkpoint(db, keys)?;
            if now.number > at.number {
                (retired, at) = (now.number, now);
                continue;
            }
        }
        at = follow(keys, at, &page, expected)?;
        if page.is_empty() {
            return Err(broken(at.number + 1, FaultKind::Cut));
        }
    }
    // A checkpoint past the head we began with is as good as it.
    if at.number == head.number && at.mac != head.mac {
        return Err(broken(head.number, FaultKind::Changed));
    }
    Ok(Verdict::Intact { retired, head })
}

/// What was expected must be neither older than what is kept, nor newer than the head.
fn check_expected(expected: &Head, start: &Head, head: &Head) -> Result<(), Stop> {
    if expected.number < start.number {
        return Err(VerifyError::TooOld(expected.number).into());
    }
    if expected.number > head.number {
        return Err(broken(head.number + 1, FaultKind::Cut));
    }
    if expected.number == start.number && expected.mac != start.mac {
        return Err(broken(start.number, FaultKind::Changed));
    }
    Ok(())
}

/// Goes through `page` from `at`; returns where it ends.
fn follow(keys: &Keys, mut at: Head, page: &[Link], expected: Option<&Head>) -> Result<Head, Stop> {
    for link in page {
        let number = at.number + 1;
        if link.entry.number != number {
            return Err(broken(number, FaultKind::Missing));
        }
        let is_other = expected.is_some_and(|expected| expected.number == number && expected.mac != link.mac);
        if is_other || link.entry.mac(keys, &at.mac) != link.mac {
            return Err(broken(number, FaultKind::Changed));
        }
        at = Head { number, mac: link.mac.clone() };
    }
    Ok(at)
}

fn genuine_checkpoint(db: &mut Db, keys: &Keys) -> Result<Head, Stop> {
    let found = queries::find_checkpoint(db)?;
    let genuine = found.as_ref().filter(|checkpoint| is_genuine(checkpoint, keys));
    let number = found.as_ref().map_or(0, |checkpoint| checkpoint.head.number);
    genuine.map(|checkpoint| checkpoint.head.clone()).ok_or(broken(number, FaultKind::Checkpoint))
}

fn is_genuine(checkpoint: &Checkpoint, keys: &Keys) -> bool {
    let Checkpoint { head, made_at, seal } = checkpoint;
    if head.number == 0 { head.mac.is_empty() } else { *seal == chain::seal(keys, head, *made_at) }
}

/// Verifies `page`, which follows the checkpoint; for retention, which must not take away what shows a fault.
pub(super) fn check_page(keys: &Keys, checkpoint: &Checkpoint, page: &[Link]) -> Result<(), Fault> {
    if !is_genuine(checkpoint, keys) {
        return Err(Fault { number: checkpoint.head.number, kind: FaultKind::Checkpoint });
    }
    match follow(keys, checkpoint.head.clone(), page, None) {
        Err(Stop::Broken(fault)) => Err(fault),
        _ => Ok(()),
    }
}

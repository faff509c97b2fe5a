//! What becomes of somebody of a list, given what is known of their address. Pure: the one place that says who is let in.

use super::rows::{Person, Reason};
use crate::supporters::{Filled, Known, Status, fill_listed};

/// What becomes of them.
pub enum Verdict {
    /// They are new.
    Create,
    /// They are known, and the list adds something.
    Fill(Box<Filled>),
    /// They are known, and the list adds nothing.
    Unchanged,
    /// They are asked.
    Invite,
    /// They stay out, or as they are.
    Refuse(Reason),
}

/// Decides. Nobody is revived, nobody who is in is made to leave by a file, and nobody who has left elsewhere is asked.
#[must_use]
pub fn decide(person: &Person, known: &Known, invites: bool, overwrite: bool) -> Verdict {
    let refuse = |code: &str, message: &str| Verdict::Refuse(Reason::row(code, message));
    match known.mark.as_deref() {
        Some("erased") => {
            return refuse("erased", "this person had themselves erased; they may join by themselves");
        }
        Some(_) => return refuse("suppressed", "this address is to be left alone"),
        None => {}
    }
    let has_left = person.left_at.is_some();
    match known.supporter.as_ref().map(|supporter| (supporter, supporter.status)) {
        Some((_, Status::Suppressed)) => refuse("suppressed", "this address is to be left alone"),
        Some((_, Status::Unsubscribed)) if has_left => Verdict::Unchanged,
        Some((_, Status::Unsubscribed)) => {
            refuse("unsubscribed", "this person has left; they may join by themselves")
        }
        Some((_, Status::Confirmed)) if has_left => {
            refuse("left_elsewhere", "the list says that this person left, but they are in here; look at it")
        }
        Some(_) if invites => Verdict::Unchanged,
        Some((supporter, Status::Confirmed)) => match fill_listed(supporter, &person.confirmed, overwrite) {
            Some(filled) => Verdict::Fill(Box::new(filled)),
            None => Verdict::Unchanged,
        },
        None if invites && has_left => {
            refuse("left_elsewhere", "the list says that this person left; they are not asked")
        }
        None if invites => Verdict::Invite,
        None => Verdict::Create,
    }
}

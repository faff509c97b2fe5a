//! What becomes of somebody of a list, given what is known of their address. Pure: the one place that says who is let in.

use std::collections::HashSet;

use super::rows::{Person, Reason};
use crate::{
    id::Id,
    supporters::{Filled, Known, Status, fill_listed},
};

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

/// The matching key of the record that a row is about: their own, or that of whoever a record with their address was
/// merged into.
pub fn key<'a>(person: &'a Person, known: &'a Known) -> &'a str {
    known.supporter.as_ref().map_or(person.address.0.as_str(), |supporter| supporter.email_key.as_str())
}

/// Why somebody is not asked again.
#[must_use]
pub fn asked_recently() -> Reason {
    Reason::row("asked_recently", "this person was asked not long ago and has not answered")
}

/// Decides on the rows of a piece, one after the other.
pub struct Deciding {
    /// Whether people are asked first.
    pub invites: bool,
    /// Whether the list wins over what is stored.
    pub overwrite: bool,
    /// Whose record a row has led to.
    seen: HashSet<Id>,
}

impl Deciding {
    /// No row has come yet.
    #[must_use]
    pub fn new(invites: bool, overwrite: bool) -> Self {
        Self { invites, overwrite, seen: HashSet::new() }
    }

    /// Decides. Of two addresses of one person, whose records were merged, the first counts.
    pub fn verdict(&mut self, person: &Person, known: &Known) -> Verdict {
        match &known.supporter {
            Some(supporter) if !self.seen.insert(supporter.id) => {
                let message = "an earlier row of this list is of the same person, whose records were merged";
                Verdict::Refuse(Reason::row("repeated", message))
            }
            _ => decide(person, known, self.invites, self.overwrite),
        }
    }
}

/// Nobody is revived, nobody who is in is made to leave by a file, and nobody who has left elsewhere is asked.
fn decide(person: &Person, known: &Known, invites: bool, overwrite: bool) -> Verdict {
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

//! Standing: what is known of an address, as triage asks it. Never asked by intake. Pure; `queries.rs` reads it.

use super::status::Status;
use crate::{clock::Timestamp, id::Id};

/// What is known of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The supporter, if there is one.
    pub supporter: Option<Id>,
    /// Their status.
    pub status: Option<Status>,
    /// Where a known person's mail goes, whatever way of writing the address was typed.
    pub email: Option<String>,
    /// To be left alone for good.
    pub is_suppressed: bool,
    /// Sign-ups sent before are void.
    pub voided_at: Option<Timestamp>,
}

impl Standing {
    /// The address is on the suppression list for `reason` since `at`. Erased by their own wish voids what was
    /// sent before; every other reason is for good.
    pub(super) fn mark(&mut self, reason: &str, at: Timestamp) {
        self.is_suppressed |= reason != "erased";
        self.voided_at = self.voided_at.max(Some(at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_erasure_voids_and_every_other_mark_suppresses() {
        let (early, late) = (Timestamp::from_seconds(1), Timestamp::from_seconds(2));
        let mut standing = Standing { voided_at: Some(late), ..Standing::default() };
        standing.mark("erased", early);
        assert_eq!((standing.is_suppressed, standing.voided_at), (false, Some(late)));
        for reason in ["bounce", "complaint", "manual", "not_me"] {
            let mut standing = Standing::default();
            standing.mark(reason, early);
            assert_eq!((standing.is_suppressed, standing.voided_at), (true, Some(early)), "{reason}");
        }
    }
}

//! How many mails a crew may have in hand: a mail takes a slot with its claim and frees it with its mark. Few, while they
//! wait long for a sender: what one process has claimed, no other sends. More, while they do not: each claim and each mark
//! is a transaction, and should be worth it. Called by the crew alone; knows no mail.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// For each sender: at first, and the least.
const AT_FIRST: usize = 64;
const LEAST: usize = 2;
/// For a crew, unless it has more at first.
const MOST: usize = 1024;
/// Mails that wait so little for a sender are too few; those that wait so long are too many.
const SHORT: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_millis(500);

/// One slot or several, held.
pub(super) type Held = OwnedSemaphorePermit;

/// The slots of a crew.
pub(super) struct Slots {
    free: Arc<Semaphore>,
    senders: usize,
    count: usize,
}

impl Slots {
    /// Of a crew of `senders`.
    pub fn of(senders: usize) -> Self {
        let count = senders * AT_FIRST;
        Self { free: Arc::new(Semaphore::new(count)), senders, count }
    }

    /// How many there are, free or held.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Returns once half of them are free. A sender that hangs holds one, so that is soon.
    pub async fn half_free(&self) -> Option<Held> {
        let half = u32::try_from(self.count / 2).ok()?;
        // Never closed.
        Arc::clone(&self.free).acquire_many_owned(half).await.ok()
    }

    /// All that are free, with the `half` that was waited for; one at least. Before that there may come to be more or fewer,
    /// as mails have `waited` for a sender. How fast the database is does not count: when it is slow, each of its
    /// transactions should carry more. More only if `all` that were taken last were needed.
    pub fn take(&mut self, half: Held, waited: Duration, all: bool) -> Held {
        let mut held = half;
        if all && waited < SHORT {
            self.become_more();
        }
        let more = u32::try_from(self.free.available_permits()).unwrap_or(0);
        if let Ok(more) = Arc::clone(&self.free).try_acquire_many_owned(more) {
            held.merge(more);
        }
        if waited > LONG {
            self.become_fewer(&mut held);
        }
        held
    }

    fn become_more(&mut self) {
        let wanted = (self.count * 2).min(MOST.max(self.senders * AT_FIRST));
        self.free.add_permits(wanted - self.count);
        self.count = wanted;
    }

    /// Gives up half of the slots, out of those `held`, of which one is left.
    fn become_fewer(&mut self, held: &mut Held) {
        let surplus = self.count - (self.count / 2).max(self.senders * LEAST);
        if let Some(surplus) = held.split(surplus.min(held.num_permits() - 1)) {
            self.count -= surplus.num_permits();
            surplus.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use futures_util::FutureExt;
    use proptest::prelude::*;

    use super::*;

    const NONE: Duration = Duration::ZERO;
    const TOO_LONG: Duration = Duration::from_secs(1);

    /// What there is to take, if half are free.
    fn take(slots: &mut Slots, waited: Duration, all: bool) -> Option<Held> {
        let half = slots.half_free().now_or_never()??;
        Some(slots.take(half, waited, all))
    }

    fn counts(senders: usize, first: usize, waited: Duration, all: bool) -> Vec<usize> {
        let mut slots = Slots::of(senders);
        (0..first).for_each(|_| drop(take(&mut slots, NONE, true)));
        let count = |_| {
            drop(take(&mut slots, waited, all));
            slots.count()
        };
        (0..9).map(count).collect()
    }

    #[test]
    fn there_are_more_while_mails_need_not_wait_for_a_sender_and_fewer_while_they_wait_long() {
        assert_eq!(counts(4, 0, NONE, true), [512, 1024, 1024, 1024, 1024, 1024, 1024, 1024, 1024]);
        assert_eq!(counts(4, 2, TOO_LONG, true), [512, 256, 128, 64, 32, 16, 8, 8, 8]);
        assert_eq!(counts(4, 2, TOO_LONG, false), [512, 256, 128, 64, 32, 16, 8, 8, 8]);
        for (waited, all) in [(NONE, false), (SHORT, true), (LONG, true)] {
            assert_eq!(counts(4, 0, waited, all), [256; 9]);
        }
        assert_eq!(counts(32, 0, NONE, true), [2048; 9]);
    }

    #[test]
    fn all_free_slots_are_taken_once_that_is_half_of_them() {
        let mut slots = Slots::of(1);
        let mut first = take(&mut slots, NONE, false).unwrap();
        assert_eq!(first.num_permits(), 64);
        let hanging = first.split(1).unwrap();
        drop(first.split(31).unwrap());
        assert!(take(&mut slots, NONE, false).is_none());
        drop(first);
        assert_eq!(take(&mut slots, NONE, false).unwrap().num_permits(), 63);
        drop(hanging);
    }

    #[test]
    fn with_half_of_them_held_there_is_one_to_take_however_long_mails_wait() {
        let mut slots = Slots::of(4);
        let mut sent = take(&mut slots, NONE, false).unwrap();
        let hanging = sent.split(128).unwrap();
        drop(sent);
        assert_eq!(take(&mut slots, TOO_LONG, true).unwrap().num_permits(), 1);
        assert_eq!(slots.count(), 129);
        drop(hanging);
    }

    proptest! {
        #[test]
        fn no_slot_is_lost_or_made(steps in prop::collection::vec((0u64..1_000, any::<bool>(), 0usize..2_000), 0..60)) {
            let mut slots = Slots::of(3);
            let mut held = Vec::<Held>::new();
            for (waited, all, freed) in steps {
                held.truncate(held.len().saturating_sub(freed));
                if let Some(mut taken) = take(&mut slots, Duration::from_millis(waited), all) {
                    prop_assert!(taken.num_permits() > 0);
                    held.extend(std::iter::from_fn(|| taken.split(1).filter(|one| one.num_permits() == 1)));
                }
                prop_assert_eq!(slots.free.available_permits() + held.len(), slots.count());
                prop_assert!((3 * LEAST..=MOST).contains(&slots.count()));
            }
        }
    }
}

//! How many mails a crew may have in hand: a mail takes a slot with its claim and frees it with its mark. Few, while they
//! leave slowly: what one process has claimed, no other sends. More, the faster they leave: each claim and each mark is a
//! transaction, and should be worth it. Called by the crew alone; knows no mail.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// For each sender: at first, and the least.
const AT_FIRST: usize = 64;
const LEAST: usize = 2;
/// For a crew, unless it has more at first.
const MOST: usize = 1024;
/// When half of them leave within so little time, there are too few; when it takes so long, too many.
const FAST: Duration = Duration::from_millis(100);
const SLOW: Duration = Duration::from_millis(500);

/// Slots that are free, taken all at once.
pub(super) type Free = OwnedSemaphorePermit;

/// The slots of a crew.
pub(super) struct Slots {
    free: Arc<Semaphore>,
    senders: usize,
    count: usize,
    taken_at: Option<Instant>,
}

impl Slots {
    /// Of a crew of `senders`.
    pub fn of(senders: usize) -> Self {
        let count = senders * AT_FIRST;
        Self { free: Arc::new(Semaphore::new(count)), senders, count, taken_at: None }
    }

    /// How many there are, free or not.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// All free slots, once that is half of them. A sender that hangs holds one, so half are free again soon. If `all` of
    /// those taken last were filled, the time since then tells how fast mails leave, and there are more or fewer from now.
    pub async fn take(&mut self, all: bool) -> Option<Free> {
        let half = u32::try_from(self.count / 2).ok()?;
        // Never closed.
        let mut free = Arc::clone(&self.free).acquire_many_owned(half).await.ok()?;
        let now = Instant::now();
        if let Some(since) = self.taken_at.replace(now).filter(|_| all) {
            self.adapt(now - since, &mut free);
        }
        let more = u32::try_from(self.free.available_permits()).unwrap_or(0);
        if let Ok(more) = Arc::clone(&self.free).try_acquire_many_owned(more) {
            free.merge(more);
        }
        Some(free)
    }

    /// Half of the slots became free in `took`, and are `free`.
    fn adapt(&mut self, took: Duration, free: &mut Free) {
        let wanted = match took {
            _ if took < FAST => self.count * 2,
            _ if took > SLOW => self.count / 2,
            _ => return,
        };
        let wanted = wanted.clamp(self.senders * LEAST, MOST.max(self.senders * AT_FIRST));
        if wanted > self.count {
            self.free.add_permits(wanted - self.count);
        } else if let Some(surplus) = free.split(self.count - wanted) {
            surplus.forget();
        }
        self.count = wanted;
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    fn all_of(slots: &Slots) -> Free {
        let count = u32::try_from(slots.free.available_permits()).unwrap();
        Arc::clone(&slots.free).try_acquire_many_owned(count).unwrap()
    }

    #[test]
    fn there_are_more_while_mails_leave_fast_and_few_while_they_leave_slowly() {
        let mut slots = Slots::of(4);
        let counts = |slots: &mut Slots, took| {
            let counts = (0..9).map(|_| {
                let mut free = all_of(slots);
                slots.adapt(took, &mut free);
                slots.count()
            });
            counts.collect::<Vec<_>>()
        };
        assert_eq!(counts(&mut slots, FAST), [256; 9]);
        assert_eq!(counts(&mut slots, Duration::ZERO), [512, 1024, 1024, 1024, 1024, 1024, 1024, 1024, 1024]);
        assert_eq!(counts(&mut slots, SLOW * 2), [512, 256, 128, 64, 32, 16, 8, 8, 8]);
        assert_eq!(counts(&mut Slots::of(32), Duration::ZERO), [2048; 9]);
    }

    #[tokio::test]
    async fn all_free_slots_are_taken_once_that_is_half_of_them() {
        let mut slots = Slots::of(1);
        let mut first = slots.take(false).await.unwrap();
        assert_eq!(first.num_permits(), 64);
        let hanging = first.split(1).unwrap();
        drop(first.split(31).unwrap());
        let waiting = tokio::spawn(async move { slots.take(false).await.unwrap().num_permits() });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        assert_eq!(waiting.await.unwrap(), 63);
        drop(hanging);
    }

    proptest! {
        #[test]
        fn no_slot_is_lost_or_made(took in prop::collection::vec(0u64..2_000, 0..40)) {
            let mut slots = Slots::of(3);
            for took in took {
                let mut free = all_of(&slots);
                slots.adapt(Duration::from_millis(took), &mut free);
                drop(free);
                prop_assert_eq!(slots.free.available_permits(), slots.count());
                prop_assert!((3 * LEAST..=MOST).contains(&slots.count()));
            }
        }
    }
}

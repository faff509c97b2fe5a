//! The transport of tests: messages end in a list that every clone shares, and failures can be ordered.
//! Called through [`super::Sender`] and by tests; must never be reachable from the configuration.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Outgoing, SendError};

/// A shared list of what was sent.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    sent: Vec<Outgoing>,
    failures: VecDeque<SendError>,
}

impl Memory {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything sent so far, oldest first.
    pub fn sent(&self) -> Vec<Outgoing> {
        self.lock().sent.clone()
    }

    /// As [`Memory::sent`], and forgets it.
    pub fn take(&self) -> Vec<Outgoing> {
        std::mem::take(&mut self.lock().sent)
    }

    /// The next `times` sends fail with `error` and keep nothing; later calls queue up behind earlier ones.
    pub fn fail_next(&self, times: usize, error: SendError) {
        self.lock().failures.extend(std::iter::repeat_n(error, times));
    }

    pub(super) fn keep(&self, mail: &Outgoing) -> Result<(), SendError> {
        let mut inner = self.lock();
        match inner.failures.pop_front() {
            Some(error) => Err(error),
            None => {
                inner.sent.push(mail.clone());
                Ok(())
            }
        }
    }

    // A test that panicked elsewhere must not hide its own message behind a poisoned lock.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::mail::{message::sample, transport::Transport};

    #[tokio::test]
    async fn keeps_what_is_sent_and_fails_on_order() {
        let memory = Memory::new();
        let mut sender = Transport::Memory(memory.clone()).sender();
        memory.fail_next(2, SendError::Deferred("451".into()));
        for _ in 0..2 {
            assert!(matches!(sender.send(&sample("a@example.org")).await, Err(SendError::Deferred(_))));
        }
        sender.send(&sample("a@example.org")).await.unwrap();
        assert_eq!(memory.sent().len(), 1);
        assert_eq!(memory.take().len(), 1);
        assert!(memory.sent().is_empty());
    }
}

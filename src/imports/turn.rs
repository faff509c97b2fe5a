//! What lets pieces of a list be written at the same time and committed one after the other: a chain in which each knows
//! how far the one before it is. Made by the job, waited for by `apply` on the threads that write.

use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    time::Duration,
};

/// A piece's place behind another. Whoever drops its end without a word has failed, and so have all behind it.
pub struct Turn {
    before: Option<Before>,
    locked: SyncSender<()>,
}

struct Before {
    locked: Receiver<()>,
    committed: Receiver<()>,
}

/// The end of a turn, for whoever waits for its commit.
pub struct Committed(SyncSender<()>);

/// The piece before did not go in.
#[derive(Debug, PartialEq, Eq)]
pub struct Overturned;

/// Where the next turn joins the chain.
#[derive(Default)]
pub struct Chain {
    last: Option<Before>,
}

impl Chain {
    /// The next turn, and what tells of its commit.
    pub fn next(&mut self) -> (Turn, Committed) {
        let (locked, is_locked) = sync_channel(1);
        let (committed, is_committed) = sync_channel(1);
        let before = self.last.replace(Before { locked: is_locked, committed: is_committed });
        (Turn { before, locked }, Committed(committed))
    }
}

impl Committed {
    /// The transaction is committed.
    pub fn tell(self) {
        // Nobody need be behind it.
        let _ = self.0.send(());
    }
}

impl Turn {
    /// The turn of who works alone.
    pub fn alone() -> Self {
        Chain::default().next().0
    }

    /// Runs `lock` once the piece before has its locks: it never waits for one of ours, while we may wait for its.
    ///
    /// # Errors
    /// [`Overturned`], also when that takes longer than `patience`.
    pub fn lock<T, E: From<Overturned>>(
        self,
        patience: Duration,
        lock: impl FnOnce() -> Result<T, E>,
    ) -> Result<(T, Locked), E> {
        let Self { before, locked } = self;
        let before = match before {
            Some(before) => {
                before.locked.recv_timeout(patience).map_err(|_| Overturned)?;
                Some(before.committed)
            }
            None => None,
        };
        let held = lock()?;
        let _ = locked.send(());
        Ok((held, Locked { before }))
    }
}

/// A turn that has its locks.
pub struct Locked {
    before: Option<Receiver<()>>,
}

impl Locked {
    /// Returns when the piece before is committed. Not without end: a third transaction may wait for what this one holds, and
    /// the piece before for that, which no database can see.
    ///
    /// # Errors
    /// [`Overturned`], also when that takes longer than `patience`.
    pub fn wait(self, patience: Duration) -> Result<(), Overturned> {
        match self.before {
            Some(before) => before.recv_timeout(patience).map_err(|_| Overturned),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use std::{
        sync::{Arc, Mutex, mpsc},
        thread,
    };

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn nobody_waits_without_end_for_a_commit() {
        let mut chain = Chain::default();
        let (first, _committed) = chain.next();
        let (second, _second_committed) = chain.next();
        let fine = || Ok::<_, Overturned>(());
        let (_, _first) = first.lock(LONG, fine).unwrap();
        let (_, second) = second.lock(LONG, fine).unwrap();
        assert_eq!(second.wait(Duration::from_millis(1)), Err(Overturned));
    }

    #[test]
    fn the_second_locks_after_the_first_has_and_goes_on_after_its_commit() {
        let mut chain = Chain::default();
        let (first, first_committed) = chain.next();
        let (second, _second_committed) = chain.next();
        let said = Arc::new(Mutex::new(Vec::new()));
        let (sender, receiver) = mpsc::channel();
        let behind = {
            let said = Arc::clone(&said);
            thread::spawn(move || {
                let lock = || {
                    said.lock().unwrap().push("second locks");
                    Ok::<_, Overturned>(())
                };
                let ((), second) = second.lock(LONG, lock).unwrap();
                sender.send(()).unwrap();
                second.wait(LONG).unwrap();
                said.lock().unwrap().push("second goes on");
            })
        };
        let lock = || {
            said.lock().unwrap().push("first locks");
            Ok::<_, Overturned>(())
        };
        let ((), first) = first.lock(LONG, lock).unwrap();
        receiver.recv().unwrap();
        first.wait(LONG).unwrap();
        said.lock().unwrap().push("first commits");
        first_committed.tell();
        behind.join().unwrap();
        assert_eq!(*said.lock().unwrap(), ["first locks", "second locks", "first commits", "second goes on"]);
    }

    #[test]
    fn who_comes_after_a_piece_that_failed_is_told() {
        let mut chain = Chain::default();
        let (first, first_committed) = chain.next();
        let (second, _second_committed) = chain.next();
        let (third, _third_committed) = chain.next();
        let fine = || Ok::<_, Overturned>(());
        let (_, first) = first.lock(LONG, fine).unwrap();
        let (_, second) = second.lock(LONG, fine).unwrap();
        drop((first, first_committed));
        assert_eq!(second.wait(LONG), Err(Overturned));
        drop(third); // its own end, unlocked: as a job that was never run
        let (fourth, _fourth_committed) = chain.next();
        assert_eq!(fourth.lock(LONG, fine).map(drop), Err(Overturned));
    }
}

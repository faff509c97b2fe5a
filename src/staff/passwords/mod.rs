//! Passwords: argon2id (OWASP password storage cheat sheet: 19 MiB, 2 passes, 1 lane), off the async threads and
//! a few at a time: each takes 19 MiB and a core. Whoever comes when the short queue is full is told to come back.

mod rules;

use std::sync::Arc;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};
use unicode_normalization::UnicodeNormalization;

pub(super) use rules::weakness;

use crate::error::AppError;

/// Those that may wait beside those being worked on; more get 503.
const QUEUE: usize = 16;

/// Hashes and verifies, a few at a time.
pub(super) struct Hasher {
    working: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// A place in the queue: whoever holds it will have its turn.
pub(super) struct Turn {
    working: Arc<Semaphore>,
    _waiting: OwnedSemaphorePermit,
}

impl Default for Hasher {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { working: Arc::new(Semaphore::new(cores)), waiting: Arc::new(Semaphore::new(cores + QUEUE)) }
    }
}

impl Hasher {
    /// A place in the queue.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] when it is full.
    pub fn enter(&self) -> Result<Turn, AppError> {
        let waiting = Arc::clone(&self.waiting).try_acquire_owned();
        let waiting = waiting.map_err(|_| AppError::Unavailable { retry_after: 2 })?;
        Ok(Turn { working: Arc::clone(&self.working), _waiting: waiting })
    }

    /// The PHC string of `password`.
    pub async fn hash(&self, password: SecretString) -> Result<String, AppError> {
        let turn = self.enter()?;
        turn.run(move || hash(&password)).await?.map_err(|error| AppError::internal(&error))
    }
}

impl Turn {
    /// Whether `password` is the one that was hashed. Without a hash (an unknown account) the same work is
    /// done, so that time tells nothing.
    pub async fn verify(self, password: SecretString, hash: Option<String>) -> Result<bool, AppError> {
        self.run(move || {
            let known = hash.as_deref().unwrap_or(STAND_IN);
            let matches = PasswordHash::new(known).is_ok_and(|parsed| {
                Argon2::default().verify_password(composed(&password).as_bytes(), &parsed).is_ok()
            });
            matches && hash.is_some()
        })
        .await
    }

    async fn run<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
        let working = Arc::clone(&self.working).acquire_owned().await.map_err(|_| AppError::Internal)?;
        spawn_blocking(move || {
            // A client that goes away does not stop the work, so the place is kept until it is done.
            let _turn = (self, working);
            work()
        })
        .await
        .map_err(|error| AppError::internal(&error))
    }
}

/// A hash of the default strength that no password is checked against.
const STAND_IN: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$b3BlbmhlYXJ0aCBub2JvZHk$4HzC6vYUTwZlW0hXtYJHmTqZP0uWyfxO2ZzY7oFq8nE";

/// The PHC string of `password`, on this thread.
fn hash(password: &SecretString) -> Result<String, argon2::password_hash::Error> {
    Argon2::default().hash_password(composed(password).as_bytes()).map(|hash| hash.to_string())
}

/// The password in one form (NFKC), however a keyboard composes its letters.
fn composed(password: &SecretString) -> String {
    password.expose_secret().nfkc().collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn the_stand_in_costs_what_a_real_hash_costs() {
        let real = hash(&"correct horse battery".to_owned().into()).unwrap();
        let cost = |phc: &str| phc.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(cost(&real), cost(STAND_IN));
        assert!(PasswordHash::new(STAND_IN).is_ok());
    }

    #[test]
    fn only_the_password_itself_is_accepted_however_it_is_composed() {
        let real = hash(&"correct horse café".to_owned().into()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let verify = |text: &str, hash: Option<&str>| {
            let turn = Hasher::default().enter().unwrap();
            runtime.block_on(turn.verify(text.to_owned().into(), hash.map(str::to_owned))).unwrap()
        };
        assert!(verify("correct horse café", Some(&real)));
        assert!(verify("correct horse cafe\u{301}", Some(&real)));
        assert!(!verify("correct horse Café", Some(&real)));
        assert!(!verify("correct horse café", None));
    }

    #[test]
    fn a_full_queue_refuses_and_a_place_that_is_left_is_free_again() {
        let hasher = Hasher::default();
        let mut turns: Vec<_> = std::iter::from_fn(|| hasher.enter().ok()).collect();
        assert!(turns.len() > QUEUE, "{}", turns.len());
        assert!(matches!(hasher.enter(), Err(AppError::Unavailable { .. })));
        turns.pop();
        assert!(hasher.enter().is_ok());
    }
}

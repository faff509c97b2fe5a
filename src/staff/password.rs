//! Passwords: argon2id (OWASP password storage cheat sheet: 19 MiB, 2 passes, 1 lane), off the async threads and
//! a few at a time: each takes 19 MiB and a core.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::error::AppError;

/// Fewest characters of a password.
pub const MIN_CHARACTERS: usize = 12;
/// Most characters of a password.
pub const MAX_CHARACTERS: usize = 128;
/// Those that may wait beside those being worked on; more get 503.
const QUEUE: usize = 16;

/// Hashes and verifies, a few at a time.
pub(super) struct Hasher {
    working: Semaphore,
    waiting: Semaphore,
}

impl Default for Hasher {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { working: Semaphore::new(cores), waiting: Semaphore::new(cores + QUEUE) }
    }
}

impl Hasher {
    /// The PHC string of `password`.
    pub async fn hash(&self, password: SecretString) -> Result<String, AppError> {
        self.run(move || hash(&password)).await?.map_err(|error| AppError::internal(&error))
    }

    /// Whether `password` is the one that was hashed. Without a hash (an unknown account) the same work is
    /// done, so that time tells nothing.
    pub async fn verify(&self, password: SecretString, hash: Option<String>) -> Result<bool, AppError> {
        self.run(move || {
            let known = hash.as_deref().map_or_else(|| STAND_IN.to_owned(), str::to_owned);
            let matches = PasswordHash::new(&known).is_ok_and(|parsed| {
                Argon2::default().verify_password(password.expose_secret().as_bytes(), &parsed).is_ok()
            });
            matches && hash.is_some()
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
        let _waiting = self.waiting.try_acquire().map_err(|_| AppError::Unavailable { retry_after: 2 })?;
        let _working = self.working.acquire().await.map_err(|_| AppError::Internal)?;
        spawn_blocking(work).await.map_err(|error| AppError::internal(&error))
    }
}

/// A hash of the default strength that no password is checked against.
const STAND_IN: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$b3BlbmhlYXJ0aCBub2JvZHk$4HzC6vYUTwZlW0hXtYJHmTqZP0uWyfxO2ZzY7oFq8nE";

/// The PHC string of `password`, on this thread.
pub(super) fn hash(password: &SecretString) -> Result<String, argon2::password_hash::Error> {
    Argon2::default().hash_password(password.expose_secret().as_bytes()).map(|hash| hash.to_string())
}

/// What is wrong with a new password, if anything.
pub(super) fn weakness(password: &SecretString, email: &str) -> Option<(&'static str, &'static str)> {
    let text = password.expose_secret();
    let length = text.chars().count();
    if length < MIN_CHARACTERS {
        Some(("too_short", "choose a password of at least 12 characters; a few words will do"))
    } else if length > MAX_CHARACTERS {
        Some(("too_long", "choose a password of at most 128 characters"))
    } else if text.eq_ignore_ascii_case(email) {
        Some(("same_as_email", "choose a password other than the e-mail address"))
    } else {
        None
    }
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
    fn only_the_password_itself_is_accepted() {
        let real = hash(&"correct horse battery".to_owned().into()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let verify = |text: &str, hash: Option<&str>| {
            runtime
                .block_on(Hasher::default().verify(text.to_owned().into(), hash.map(str::to_owned)))
                .unwrap()
        };
        assert!(verify("correct horse battery", Some(&real)));
        assert!(!verify("correct horse batterY", Some(&real)));
        assert!(!verify("correct horse battery", None));
    }
}

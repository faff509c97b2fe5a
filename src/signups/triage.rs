//! Triage: a worker that takes new sign-ups, found by their state, and owes each address what it is owed.

use std::{collections::HashMap, time::Duration};

use diesel::QueryResult;
use tokio_util::sync::CancellationToken;

use super::{
    Signups, owed, queries,
    queries::Decided,
    standing::{Verdict, verdict},
};
use crate::{
    clock::Timestamp,
    contact::EmailAddress,
    each, groups,
    id::Id,
    kernel::Kernel,
    keys::{AddressHash, Keys},
    outbox::{self, NewMail, limits},
    store::{Db, Lane, StoreError, dialect, lock},
    supporters::{self, Status},
};

/// Sign-ups in one transaction: a few milliseconds of SQLite's one writer; on PostgreSQL, where each statement is a
/// round trip and nobody waits for the writer, more.
const BATCH: i64 = 64;
const POSTGRES_BATCH: i64 = 128;
/// Polling period when nothing wakes us: sign-ups of another process.
const POLL: Duration = Duration::from_millis(100);
/// Pause after the database failed us.
const RECOVERY: Duration = Duration::from_millis(500);

impl Signups {
    /// Triages what comes in until `stop`.
    pub async fn run_triage(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let pause = match self.triage_batch().await {
                Ok(0) => POLL,
                Ok(_) => continue,
                Err(error) => {
                    tracing::warn!(%error, "sign-ups could not be triaged; trying again");
                    RECOVERY
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.triage.wait() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Triages some sign-ups in one transaction and returns how many there were.
    ///
    /// # Errors
    /// When the database does not answer; nothing is then decided.
    pub async fn triage_batch(&self) -> Result<usize, StoreError> {
        let waiting = self.kernel.store.read(|db| Ok::<_, StoreError>(queries::any_new(db)?)).await?;
        if !waiting {
            return Ok(0);
        }
        let (keys, now) = (self.kernel.keys.clone(), self.kernel.clock.now());
        let count = self
            .kernel
            .store
            .write(Lane::Worker, move |db| Ok::<_, StoreError>(triage(db, &keys, now)?))
            .await?;
        self.kernel.outbox.wake();
        Ok(count)
    }

    pub(super) fn kernel(&self) -> &Kernel {
        &self.kernel
    }
}

/// An address in the forms that triage asks by.
struct Address {
    key: String,
    hash: AddressHash,
    limit: AddressHash,
}

impl Address {
    fn of(keys: &Keys, email: &str) -> Option<Self> {
        let email = EmailAddress::parse(email).ok()?;
        let key = email.key();
        Some(Self { hash: keys.address_hash(&key), limit: keys.limit_hash(&email.limit_key()), key })
    }
}

fn triage(db: &mut Db, keys: &Keys, now: Timestamp) -> QueryResult<usize> {
    let batch = each!(db, pg _c => POSTGRES_BATCH, sqlite _c => BATCH);
    dialect::go_by_index(db)?;
    let signups = queries::list_new(db, batch)?;
    let (mut addresses, mut decided) = (Vec::with_capacity(signups.len()), Vec::with_capacity(signups.len()));
    for signup in &signups {
        match Address::of(keys, &signup.email) {
            Some(address) => addresses.push((signup, address)),
            None => {
                // Intake lets no such address in; a row made by hand must not stop the others.
                tracing::error!(signup = %signup.id, "a sign-up holds an address that cannot be read; it is set aside");
                decided.push(Decided { id: signup.id, state: "expired", hash: keys.address_hash("") });
            }
        }
    }
    // From here to the commit, nobody else decides anything about them.
    lock::addresses(db, addresses.iter().flat_map(|(_, address)| [address.hash, address.limit]))?;
    let asked_by: Vec<_> = addresses.iter().map(|(_, address)| (address.key.clone(), address.hash)).collect();
    let standings = supporters::standings(db, &asked_by)?;
    let hashes: Vec<_> = addresses.iter().map(|(_, address)| address.limit).collect();
    let mut asked = limits::asked(db, &hashes)?;
    let known: Vec<_> = standings.iter().filter_map(|standing| standing.supporter).collect();
    let forms = if known.is_empty() { HashMap::new() } else { queries::forms_of(db, &known)? };
    let shared = if known.is_empty() { Vec::new() } else { groups::active_groups_of_ids(db, &known)? };

    let (mut mails, mut new_limits) = (Vec::new(), Vec::new());
    for ((signup, address), standing) in addresses.iter().zip(standings) {
        let joined = standing.supporter.and_then(|id| forms.get(&id));
        let has_share = |group: &Id| standing.supporter.is_some_and(|id| shared.contains(&(id, *group)));
        let asks_new = !joined.is_some_and(|joined| joined.contains(&signup.form))
            || !signup.share_with().iter().all(has_share);
        let asked_before = asked.get(&address.limit).copied().unwrap_or_default();
        let (state, template) = match verdict(&standing, asks_new, signup.created_at, asked_before, now) {
            Verdict::Confirm => ("pending", Some(owed::CONFIRM)),
            Verdict::AlreadyIn => ("repeated", Some(owed::ALREADY_IN)),
            Verdict::Nothing => ("repeated", None),
            Verdict::Void => ("expired", None),
        };
        decided.push(Decided { id: signup.id, state, hash: address.hash });
        if let Some(template) = template {
            // Whoever was asked now is over the limit for the rest of the batch: each is there once.
            new_limits.push((address.limit, asked_before));
            asked.insert(address.limit, asked_before.again(now));
            // A known person is written to where they are known.
            let is_known =
                standing.status == Some(Status::Confirmed) || standing.status == Some(Status::Unsubscribed);
            let address = standing.email.filter(|_| is_known).unwrap_or_else(|| signup.email.clone());
            let subject_id = match template {
                owed::ALREADY_IN => standing.supporter.unwrap_or(signup.id),
                _ => signup.id,
            };
            mails.push(NewMail { template, subject_id, address });
        }
    }
    queries::set_triaged(db, &decided, now)?;
    let void: Vec<_> = decided.iter().filter(|one| one.state == "expired").map(|one| one.id).collect();
    if !void.is_empty() {
        supporters::blank_signups(db, &void)?;
    }
    if !new_limits.is_empty() {
        limits::set_asked(db, &new_limits, now)?;
    }
    outbox::enqueue(db, &mails, now)?;
    Ok(signups.len())
}

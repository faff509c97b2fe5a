//! Sign-ups: from a stranger's form to a confirmed supporter.
//!
//! [`Signups`] is the facade. Intake appends and answers; triage (a worker) decides what an address is owed;
//! confirmation, by the link in the mail, makes the supporter; purge erases what nobody confirmed.

mod choosing;
mod confirmation;
mod domain;
mod invitation;
mod mails;
mod model;
mod owed;
mod page_routes;
mod page_words;
mod pages;
mod post;
mod purge;
mod queries;
pub(crate) mod routes;
mod standing;
mod triage;
mod views;
mod words;

use std::sync::Arc;

pub use confirmation::{ConfirmError, Confirmation};
pub use domain::{JoinForm, Signup};
pub use invitation::{Invitee, Rehearsal, invite};
pub use owed::templates;
pub use page_routes::pages;
pub use queries::oldest_new;
pub use routes::api;

use crate::{
    error::FieldError,
    forms::Forms,
    groups::Groups,
    id::Id,
    kernel::Kernel,
    store::{GroupCommit, StoreError},
    supporters::Fields,
    wake::Wake,
};
use choosing::Offers;
use model::NewSignup;

/// Sign-ups of this process. Cheap to clone.
#[derive(Clone)]
pub struct Signups {
    kernel: Kernel,
    forms: Forms,
    fields: Fields,
    groups: Groups,
    intake: Arc<GroupCommit<NewSignup>>,
    triage: Wake,
}

impl Signups {
    /// The facade; its intake goes before every other write of the store.
    #[must_use]
    pub fn new(kernel: &Kernel, forms: &Forms, fields: &Fields, groups: &Groups) -> Self {
        let intake = kernel.store.group_commit(queries::insert_all, kernel.config.intake.queue_capacity);
        let (kernel, forms) = (kernel.clone(), forms.clone());
        let (fields, groups) = (fields.clone(), groups.clone());
        Self { kernel, forms, fields, groups, intake, triage: Wake::default() }
    }

    /// Checks a form against what is offered.
    ///
    /// # Errors
    /// The fields that do not hold.
    pub fn check(&self, mut form: JoinForm) -> Result<Signup, Vec<FieldError>> {
        let values = self.fields.read(&std::mem::take(&mut form.fields));
        match (form.check(&Offers { forms: &self.forms, groups: &self.groups }), values) {
            (Ok(mut signup), Ok(values)) => {
                signup.details.fields = values;
                Ok(signup)
            }
            (Err(mut faults), Err(others)) => {
                faults.extend(others);
                Err(faults)
            }
            (Err(faults), _) | (_, Err(faults)) => Err(faults),
        }
    }

    /// Stores `signup` durably and returns its id. Reads and counts nothing about the address, so that the
    /// answer tells nothing about it.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be stored: then it is not.
    pub async fn append(&self, signup: Signup, client: std::net::IpAddr) -> Result<Id, StoreError> {
        let row = NewSignup::new(signup, self.kernel.keys.client_hash(client), self.kernel.clock.now())
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let id = row.id();
        let stored = self.intake.append(row).await;
        self.kernel.metrics.signup(stored.is_ok());
        stored?;
        self.triage.wake();
        Ok(id)
    }

    /// Sign-ups that wait for the next commit.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.intake.waiting()
    }
}

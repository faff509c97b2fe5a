//! Groups: the organisations of the coalition, from application to leaving, and the shares by which supporters let one
//! of them have their contact.
//!
//! [`Groups`] is the facade. Members are kept in memory; [`shares`] are functions for the transactions of others.

mod members;
mod model;
mod queries;
mod recalls;
pub mod shares;
mod words;

use std::sync::Arc;

pub use members::Members;
pub use model::{Group, Member, NATIONWIDE};
pub use queries::{find, find_by_slug};
pub(crate) use recalls::routes as recall_routes;
pub use recalls::{
    AcknowledgeForm, Recall, RecallPage, RecallStanding, Recalls, WebhookForm, WebhookSecret, WebhookView,
    begin_departure,
};
pub use shares::withdraw_all as withdraw_all_shares;
pub use words::{GroupStatus, Kind, Sector};

use crate::{kernel::Kernel, store::StoreError};
use members::Known;

/// Most groups that a form offers, and that one sign-up may share with.
pub const MOST_OFFERED: usize = 5;

/// The organisations of this installation. Cheap to clone.
#[derive(Clone)]
pub struct Groups {
    known: Known,
}

impl Groups {
    /// Reads the members.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open(kernel: &Kernel) -> Result<Self, StoreError> {
        Ok(Self { known: Known::open(&kernel.store).await? })
    }

    /// The members as this process knows them, at most a few seconds old; reads nothing.
    #[must_use]
    pub fn members(&self) -> Arc<Members> {
        self.known.get()
    }

    /// The members, read again if what is known is older than a few seconds.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn fresh_members(&self) -> Result<Arc<Members>, StoreError> {
        self.known.fresh().await
    }
}

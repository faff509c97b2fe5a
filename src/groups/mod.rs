//! Groups: the organisations of the coalition, from application to leaving, and the shares by which supporters let one
//! of them have their contact.
//!
//! [`Groups`] is the facade. Members are kept in memory; [`shares`] are functions for the transactions of others.

mod answer;
mod application;
mod digest;
mod directory;
mod domain;
mod logo;
mod mails;
mod members;
mod model;
mod naming;
mod offers;
mod owed;
mod own;
mod page_routes;
mod page_words;
mod pages;
mod picture;
mod post;
mod queries;
mod recalls;
mod review;
pub(crate) mod routes;
pub mod shares;

mod terms;
mod views;
mod words;

use std::sync::Arc;

pub use application::{ApplicationError, erase_applications_of};
pub use domain::{ApplicationForm, GroupEdit};
pub use members::Members;
pub use model::{Group, Member, NATIONWIDE};
pub use offers::offered;
pub use owed::templates;
pub(crate) use own::routes as own_routes;
pub use own::{DayFigures, GroupFigures, InviteView};
pub use page_routes::pages;
pub use queries::{find, find_all, find_by_slug};
pub(crate) use recalls::routes as recall_routes;
pub use recalls::{
    AcknowledgeForm, Recall, RecallPage, RecallStanding, Recalls, WebhookForm, WebhookSecret, WebhookView,
    all_share, begin_departure,
};
pub use review::Decision;
pub use routes::api;
pub use shares::{
    ActiveShare, active_groups_of_ids, active_of as active_shares, begin as begin_shares,
    withdraw as withdraw_share, withdraw_all as withdraw_all_shares,
};
pub use terms::TERMS;
pub use views::{GroupView, MemberView};
pub use words::{GroupStatus, Kind, Sector};

use crate::{
    kernel::Kernel,
    store::{Lane, StoreError},
};
use members::Known;
use terms::AllTerms;

/// Most groups that a form offers, and that one sign-up may share with.
pub const MOST_OFFERED: usize = 5;

/// The organisations of this installation. Cheap to clone.
#[derive(Clone)]
pub struct Groups {
    kernel: Kernel,
    known: Known,
    terms: Arc<AllTerms>,
}

impl Groups {
    /// Keeps the current data terms, and reads the members.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open(kernel: &Kernel) -> Result<Self, StoreError> {
        let (campaign, now) = (kernel.config.campaign.name.clone(), kernel.clock.now());
        let open = move |db: &mut _| Ok::<_, StoreError>(terms::open(db, &campaign, now)?);
        let terms = kernel.store.write(Lane::Staff, open).await?;
        let known = Known::open(&kernel.store).await?;
        Ok(Self { kernel: kernel.clone(), known, terms: Arc::new(terms) })
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

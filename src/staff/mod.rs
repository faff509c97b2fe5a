//! Staff: who may log in, what each role may do, sessions and bearer tokens.
//!
//! [`Access`] is the one place for authorisation: a handler asks for a capability by type.

mod access;
mod accounts;
mod audit_export;
pub(crate) mod audit_routes;
mod cli;
mod mails;
mod model;
mod owed;
mod page_routes;
mod pages;
mod passwords;
pub(crate) mod routes;
mod sessions;
mod setup;
mod throttle;
mod tokens;
pub mod totp;

use std::sync::Arc;

pub use access::{
    Access, Authenticator, Capability, EditForms, ExportSupporters, ImportSupporters, ListSupporters,
    ManageStaff, OwnAccount, OwnGroup, OwnLogin, OwnRecalls, ReadAudit, ReadExports, ReadStaff, ReadStats,
    ReadSupporters, ReviewGroups, Role, Scope, Sight, WriteSupporters,
};
pub use accounts::queries::addresses_of;
pub use accounts::{AccountError, Invitation, Invited, NewAccount, StaffView, invite};
pub use audit_routes::api as audit_api;
pub use model::TokenView;
pub use owed::templates;
pub use routes::api;
pub use sessions::renew_sessions;

use actix_web::web::ServiceConfig;

use crate::kernel::Kernel;
use passwords::Hasher;

/// Staff of this installation. Cheap to clone.
#[derive(Clone)]
pub struct Staff {
    kernel: Kernel,
    hasher: Arc<Hasher>,
}

impl Staff {
    /// The facade.
    #[must_use]
    pub fn new(kernel: &Kernel) -> Self {
        Self { kernel: kernel.clone(), hasher: Arc::new(Hasher::default()) }
    }
}

/// Mounts the pages: the first start, and what mails link to.
pub fn pages(config: &mut ServiceConfig) {
    setup::pages(config);
    page_routes::pages(config);
}

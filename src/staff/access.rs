//! What each role and token may do, and the extractor that asks: `Access<ReadSupporters>` in a handler's
//! arguments is the check.

use std::{future::Future, marker::PhantomData, pin::Pin, str::FromStr};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    http::{StatusCode, header},
    web::Data,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Staff, accounts,
    model::Account,
    sessions::{self, Renewal, cookies},
    tokens, totp,
};
use crate::{
    audit::{Actor, Reader},
    error::AppError,
    http::require_same_origin,
    id::Id,
    keys::sha256,
    store::Db,
};

/// What somebody on the staff is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything but staff and audit.
    Organizer,
    /// Counts only, no personal data.
    Analyst,
    /// One group's people: those whose share with it is active.
    GroupManager,
}

/// What a token may be limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Scope {
    /// Read supporters and sign-ups.
    #[serde(rename = "supporters:read")]
    SupportersRead,
    /// Change supporters.
    #[serde(rename = "supporters:write")]
    SupportersWrite,
    /// Download contact lists.
    #[serde(rename = "exports")]
    Exports,
    /// Upload contact lists.
    #[serde(rename = "imports")]
    Imports,
    /// Review member groups.
    #[serde(rename = "groups")]
    Groups,
    /// Edit forms.
    #[serde(rename = "forms")]
    Forms,
    /// Read counts.
    #[serde(rename = "stats")]
    Stats,
    /// Read who is on the staff. Changing that takes a session.
    #[serde(rename = "staff")]
    Staff,
    /// Read the audit trail.
    #[serde(rename = "audit")]
    Audit,
}

impl Scope {
    /// How many there are.
    pub const COUNT: usize = 9;
    const ALL: [(Self, &'static str); Self::COUNT] = [
        (Self::SupportersRead, "supporters:read"),
        (Self::SupportersWrite, "supporters:write"),
        (Self::Exports, "exports"),
        (Self::Imports, "imports"),
        (Self::Groups, "groups"),
        (Self::Forms, "forms"),
        (Self::Stats, "stats"),
        (Self::Staff, "staff"),
        (Self::Audit, "audit"),
    ];

    /// Its name in the table and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(scope, _)| *scope == self).map_or("", |(_, name)| name)
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(|(_, name)| name).join(", ");
        let found = Self::ALL.iter().find(|(_, name)| *name == text).map(|(scope, _)| *scope);
        found.ok_or_else(|| format!("there is no such scope; choose from {}", names()))
    }
}

impl Role {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Owner, "owner"),
        (Self::Organizer, "organizer"),
        (Self::Analyst, "analyst"),
        (Self::GroupManager, "group_manager"),
    ];

    /// Its name in the table and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(role, _)| *role == self).map_or("", |(_, name)| name)
    }

    /// What it is for, as it goes on after "you can".
    #[must_use]
    pub const fn allows(self) -> &'static str {
        match self {
            Self::Owner => "do everything, and let others in",
            Self::Organizer => "see, edit and export supporters, and look after forms and groups",
            Self::Analyst => "see the figures, without names or addresses",
            Self::GroupManager => "see and export the people who share their contact with your group",
        }
    }

    /// What each role may do; nothing else in the code decides this.
    #[must_use]
    pub const fn may(self, scope: Scope) -> bool {
        match self {
            Self::Owner => true,
            Self::Organizer => !matches!(scope, Scope::Staff | Scope::Audit),
            Self::Analyst => matches!(scope, Scope::Stats),
            Self::GroupManager => {
                matches!(scope, Scope::SupportersRead | Scope::Exports | Scope::Groups | Scope::Stats)
            }
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(_, name)| *name == text).map(|(role, _)| *role);
        found.ok_or_else(|| {
            "there is no such role; choose owner, organizer, analyst or group_manager".to_owned()
        })
    }
}

/// What a handler may ask for.
pub trait Capability: 'static {
    /// The scope a role and a token must have; `None` for one's own account, where only a session will do: a
    /// token that leaks must not make others.
    const SCOPE: Option<Scope>;
    /// Whether somebody who is bound to one group may do it too, within that group. The handler must then keep to
    /// [`Access::sight`].
    const BOUND: bool = false;
    /// Whether they may still do it when the group is no longer a member.
    const AFTER_LEAVING: bool = false;
    /// Whether somebody may do it who must set up a second factor first, and has not.
    const WITHOUT_TOTP: bool = false;
    /// Whether only a session will do, whatever scopes a token has: a token that could let somebody in, or unbind
    /// them, would be worth more than its scope and last longer than itself.
    const BY_SESSION: bool = false;
}

/// Declares capabilities: `Name: scope` for the whole staff; with `bound`, for those of one group too; with
/// `after_leaving`, also when that group has left; with `without_totp`, for those who have yet to set up a second factor
/// that is required; with `by_session`, for no token.
macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident: $scope:expr $(, $flag:ident)*;)*) => {$(
        $(#[$doc])*
        pub struct $name;
        impl Capability for $name {
            const SCOPE: Option<Scope> = $scope;
            $(capabilities!(@$flag);)*
        }
    )*};
    (@bound) => { const BOUND: bool = true; };
    (@after_leaving) => { const AFTER_LEAVING: bool = true; };
    (@without_totp) => { const WITHOUT_TOTP: bool = true; };
    (@by_session) => { const BY_SESSION: bool = true; };
}

capabilities! {
    /// Read supporters and sign-ups, whoever they are.
    ReadSupporters: Some(Scope::SupportersRead);
    /// Read the supporters one may see.
    ListSupporters: Some(Scope::SupportersRead), bound;
    /// Change supporters: details, tags, notes, merging, erasing.
    WriteSupporters: Some(Scope::SupportersWrite);
    /// Download contact lists of the supporters one may see.
    ExportSupporters: Some(Scope::Exports), bound;
    /// See who took which list.
    ReadExports: Some(Scope::Exports);
    /// Upload contact lists.
    ImportSupporters: Some(Scope::Imports);
    /// Read and review member groups.
    ReviewGroups: Some(Scope::Groups);
    /// Work for one's own group: webhook, join link, counts.
    OwnGroup: Some(Scope::Groups), bound;
    /// Read and acknowledge the recalls of one's own group.
    OwnRecalls: Some(Scope::Groups), bound, after_leaving;
    /// Edit forms, tags and fields.
    EditForms: Some(Scope::Forms);
    /// Read counts of everybody.
    ReadStats: Some(Scope::Stats);
    /// Read accounts, their tokens, and the settings.
    ReadStaff: Some(Scope::Staff);
    /// Let people in and out, take their tokens away, choose settings.
    ManageStaff: Some(Scope::Staff), by_session;
    /// Read the audit trail.
    ReadAudit: Some(Scope::Audit);
    /// One's own account, sessions and tokens.
    OwnAccount: None, bound, after_leaving;
    /// What one may do with one's own login before a second factor that is required has been set up: see who one is,
    /// set it up, log out.
    OwnLogin: None, bound, after_leaving, without_totp;
}

/// By what a request was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authenticator {
    /// The session with this hash.
    Session(Vec<u8>),
    /// The bearer token with this id.
    Token(Id),
}

/// Whose records somebody may see. Every list, count and export of people is asked for with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Everybody's.
    Everybody,
    /// Those of the confirmed who share with this group, and of them only contact fields and that share.
    Group(Id),
}

/// Proof that the caller may do `C`.
pub struct Access<C> {
    /// Who it is.
    pub staff_id: Id,
    /// Their address.
    pub email: String,
    /// Their role, read for this request.
    pub role: Role,
    /// By what they were recognised.
    pub by: Authenticator,
    /// Their own group, if they work for one.
    pub group_id: Option<Id>,
    /// Whether they log in with a second factor.
    pub has_totp: bool,
    sight: Sight,
    capability: PhantomData<C>,
}

impl<C> Access<C> {
    /// Whose records they may see.
    #[must_use]
    pub const fn sight(&self) -> Sight {
        self.sight
    }

    /// They, for the audit trail.
    #[must_use]
    pub const fn actor(&self) -> Actor {
        let token = match self.by {
            Authenticator::Token(id) => Some(id),
            Authenticator::Session(_) => None,
        };
        Actor::Staff { id: self.staff_id, token }
    }

    /// They, by this session or token, for `Kernel::note_read`.
    #[must_use]
    pub fn reader(&self) -> Reader {
        let key = match &self.by {
            Authenticator::Token(id) => id.as_bytes().to_vec(),
            Authenticator::Session(hash) => hash.clone(),
        };
        Reader { actor: self.actor(), key }
    }
}

impl<C: Capability> FromRequest for Access<C> {
    type Error = AppError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, AppError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { authorise(&request).await })
    }
}

async fn authorise<C: Capability>(request: &HttpRequest) -> Result<Access<C>, AppError> {
    let unauthorized = |sentence: &str| AppError::Unauthorized(sentence.to_owned());
    let staff = request.app_data::<Data<Staff>>().ok_or(AppError::Internal)?;
    let kernel = &staff.kernel;
    let now = kernel.clock.now();
    let authorization =
        request.headers().get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or(""));
    let (account, by, token) = if let Some(value) = authorization {
        let (_, token) = value
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .ok_or_else(|| unauthorized("send \"Authorization: Bearer oh_…\""))?;
        let hash = sha256(token.trim());
        let found =
            kernel.store.read(move |db| Ok::<_, AppError>(tokens::queries::find(db, &hash, now)?)).await?;
        let (account, token) =
            found.ok_or_else(|| unauthorized("this token is unknown, expired or revoked"))?;
        (account, Authenticator::Token(token.id), Some(token))
    } else {
        let cookie = request
            .cookie(cookies::session_name(&kernel.base_url))
            .ok_or_else(|| unauthorized("log in at POST /api/v1/admin/session, or send a bearer token"))?;
        // What a cookie authorises, another site's page must not trigger.
        if !request.method().is_safe() {
            require_same_origin(request, &kernel.base_url)?;
        }
        let hash = sha256(cookie.value());
        let (account, session) = find_session(staff, hash.clone(), C::WITHOUT_TOTP).await?;
        staff.note_seen(&session, now);
        if session.renew {
            request.extensions_mut().insert(Renewal { staff: Staff::clone(staff), hash: hash.clone() });
        }
        (account, Authenticator::Session(hash), None)
    };
    let role: Role = account.role.parse().map_err(|error: String| AppError::internal(&error))?;
    let sight = sight(role, account.group_id, token.as_ref().and_then(|token| token.group_id));
    let has_scope = |scope| token.as_ref().is_none_or(|token| token.has(scope));
    if token.is_some() && (C::BY_SESSION || C::SCOPE.is_none()) {
        let sentence = "no token may do this; log in with e-mail and password";
        return Err(AppError::refused(StatusCode::FORBIDDEN, "session_needed", sentence));
    }
    if let Some(scope) = C::SCOPE.filter(|scope| !(role.may(*scope) && has_scope(*scope))) {
        let sentence = format!("this needs the scope {} and a role that has it", scope.as_str());
        return Err(AppError::Forbidden(sentence));
    }
    if sight != Sight::Everybody && !C::BOUND {
        return Err(AppError::Forbidden("this is not for those who work for one group".to_owned()));
    }
    if let Sight::Group(group) = sight
        && !C::AFTER_LEAVING
        && !kernel.store.read(move |db| Ok::<_, AppError>(accounts::queries::is_member(db, group)?)).await?
    {
        return Err(AppError::Forbidden(
            "your group is not a member; its recalls are all that is left".to_owned(),
        ));
    }
    if let Some(token) = &token {
        staff.note_use(token, now);
    }
    let (group_id, has_totp) = (account.group_id, account.totp_nonce.is_some());
    Ok(Access {
        has_totp,
        staff_id: account.id,
        email: account.email,
        role,
        by,
        group_id,
        sight,
        capability: PhantomData,
    })
}

/// The session and whose it is, unless it has ended, or its account must set up a second factor first.
async fn find_session(
    staff: &Staff,
    hash: Vec<u8>,
    without_totp: bool,
) -> Result<(Account, sessions::queries::Row), AppError> {
    let now = staff.kernel.clock.now();
    let rested = staff.rested(now);
    let find = move |db: &mut Db| {
        let found = sessions::queries::find(db, &hash, now, rested)?;
        let has_totp = found.as_ref().is_none_or(|(account, _)| account.totp_nonce.is_some());
        let must_enrol = !has_totp && !without_totp && totp::is_required(db)?;
        Ok::<_, AppError>((found, must_enrol))
    };
    let (found, must_enrol) = staff.kernel.store.read(find).await?;
    if must_enrol {
        let sentence = "an owner requires a second factor; set yours up first, at POST /api/v1/admin/me/totp";
        return Err(AppError::refused(StatusCode::FORBIDDEN, "totp_enrolment_required", sentence));
    }
    found.ok_or_else(|| AppError::Unauthorized("this session has ended; log in again".to_owned()))
}

/// A group manager sees their group alone; a token may bind anybody to one. Neither widens the other.
fn sight(role: Role, own: Option<Id>, bound_to: Option<Id>) -> Sight {
    /// No group has this id, so nobody is seen.
    const NOBODY: Sight = Sight::Group(Id::from_bytes([0; 16]));
    match (role, own, bound_to) {
        (Role::GroupManager, None, _) => NOBODY,
        (Role::GroupManager, Some(own), Some(bound)) if own != bound => NOBODY,
        (Role::GroupManager, Some(group), _) | (_, _, Some(group)) => Sight::Group(group),
        (_, _, None) => Sight::Everybody,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_analyst_never_reads_people_and_only_owners_manage_staff() {
        for (scope, _) in Scope::ALL {
            assert!(Role::Owner.may(scope));
            assert_eq!(Role::Analyst.may(scope), scope == Scope::Stats, "{scope:?}");
        }
        assert!(!Role::Organizer.may(Scope::Staff) && Role::Organizer.may(Scope::Exports));
    }

    #[test]
    fn a_group_manager_sees_their_group_and_no_token_widens_that() {
        let (a, b) = (Id::new(), Id::new());
        let nobody = Sight::Group(Id::from_bytes([0; 16]));
        assert_eq!(sight(Role::GroupManager, Some(a), None), Sight::Group(a));
        assert_eq!(sight(Role::GroupManager, Some(a), Some(a)), Sight::Group(a));
        assert_eq!(sight(Role::GroupManager, Some(a), Some(b)), nobody);
        assert_eq!(sight(Role::GroupManager, None, None), nobody);
        assert_eq!(sight(Role::GroupManager, None, Some(b)), nobody);
        assert_eq!(sight(Role::Owner, None, Some(b)), Sight::Group(b));
        assert_eq!(sight(Role::Owner, None, None), Sight::Everybody);
    }

    #[test]
    fn names_come_back_as_scopes_and_roles() {
        for (scope, name) in Scope::ALL {
            assert_eq!(name.parse(), Ok(scope));
        }
        for (role, name) in Role::ALL {
            assert_eq!(name.parse(), Ok(role));
        }
        assert!("everything".parse::<Scope>().is_err_and(|error| error.contains("supporters:read")));
    }
}

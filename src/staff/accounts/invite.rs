//! Invitations: an account without a password, and the mail with the link to set one. Called by this slice's routes,
//! and by other slices in transactions of their own.

use diesel::QueryResult;

use super::{described, queries};
use crate::{
    audit::{Act, Actor},
    clock::Timestamp,
    contact::EmailAddress,
    id::Id,
    outbox::{self, NewMail},
    staff::{Role, owed},
    store::{
        Db,
        lock::{self, Once},
    },
};

/// Somebody to be let in.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Whom the mail goes to, and the address of the account.
    pub email: EmailAddress,
    /// What they will be.
    pub role: Role,
    /// The one group of a group manager; nobody else has one.
    pub group_id: Option<Id>,
}

/// An account that waits for its password.
#[derive(Debug)]
pub struct Invited {
    /// The account.
    pub staff_id: Id,
    /// For the caller to append to the audit trail, last in its transaction.
    pub act: Act,
}

/// Makes an account without a password and owes its mail, in the caller's transaction; the caller then appends the act
/// that is returned, and wakes the outbox after the commit. `None` when somebody has an account with this address
/// already: nothing is changed then.
///
/// # Errors
/// When a statement fails.
pub fn invite(
    db: &mut Db,
    actor: Actor,
    invitation: &Invitation,
    now: Timestamp,
) -> QueryResult<Option<Invited>> {
    lock::once(db, Once::Staff)?;
    let key = invitation.email.key();
    if queries::exists(db, &key)? {
        return Ok(None);
    }
    let (id, email) = (Id::new(), invitation.email.as_str().to_owned());
    let group_id = invitation.group_id.filter(|_| invitation.role == Role::GroupManager);
    queries::insert_invited(db, id, &email, &key, invitation.role.as_str(), group_id, now)?;
    outbox::enqueue(db, &[NewMail { template: owed::INVITE, subject_id: id, address: email }], now)?;
    let act = Act::new(actor, "staff.invite").on("staff", id);
    Ok(Some(Invited { staff_id: id, act: act.with(described(invitation.role, group_id)) }))
}

//! Review: what staff decide about an organisation. Every act names the state it expects, so that of two who decide at
//! once one gets a conflict; its mail is owed and its audit entry appended in the same transaction.

use super::{
    Groups,
    domain::{self, GroupEdit},
    model::Group,
    owed, queries, recalls,
    views::GroupView,
    words::GroupStatus,
};
use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    contact::EmailAddress,
    error::AppError,
    http::{Cursor, Slice},
    id::Id,
    keys::Keys,
    outbox::{self, NewMail},
    staff::{self, Invitation, Role, Sight},
    store::{Db, Lane},
};

/// What staff decide about an application in review.
#[derive(Clone, Debug)]
pub enum Decision {
    /// It becomes a member, and its contact is let in.
    Approve,
    /// It does not, for this reason, which is mailed.
    Decline(String),
    /// Something is asked first; it stays in review.
    Ask(String),
}

impl Groups {
    /// One page of organisations, newest first.
    ///
    /// # Errors
    /// When the database does not answer, or the cursor is of another list.
    pub async fn list(
        &self,
        status: Option<GroupStatus>,
        cursor: Option<Cursor>,
        limit: u16,
    ) -> Result<Slice<GroupView>, AppError> {
        let before = match cursor.map(|cursor| cursor.bytes::<16>().map(Id::from_bytes)) {
            Some(None) => {
                return Err(AppError::field("cursor", "invalid_cursor", "this cursor is of another list"));
            }
            other => other.flatten(),
        };
        let read =
            move |db: &mut Db| Ok::<_, AppError>(queries::list(db, status, before, i64::from(limit) + 1)?);
        let rows = self.kernel.store.read(read).await?.into_iter().map(GroupView::from).collect();
        Ok(Slice::cut(rows, limit, |row: &GroupView| Cursor::at(row.id.as_bytes())))
    }

    /// One organisation, if it is within `sight`.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there is none there.
    pub async fn view(&self, sight: Sight, id: Id) -> Result<GroupView, AppError> {
        self.kernel.store.read(move |db| Ok::<_, AppError>(seen(db, sight, id)?.into())).await
    }

    /// Decides about an application in review.
    ///
    /// # Errors
    /// [`AppError::Conflict`] when it is not in review, or not any more.
    pub async fn decide(&self, actor: Actor, id: Id, decision: Decision) -> Result<GroupView, AppError> {
        let decision = match decision {
            Decision::Approve => decision,
            Decision::Decline(reason) => Decision::Decline(letter("reason", &reason)?),
            Decision::Ask(question) => Decision::Ask(letter("question", &question)?),
        };
        let (keys, now) = (self.kernel.keys.clone(), self.kernel.clock.now());
        let view = self
            .kernel
            .store
            .write(Lane::Staff, move |db| {
                decide(db, &keys, actor, id, &decision, now)?;
                Ok::<_, AppError>(GroupView::from(seen(db, Sight::Everybody, id)?))
            })
            .await?;
        self.kernel.outbox.wake();
        self.changed().await;
        Ok(view)
    }

    /// Changes an organisation's entry. Who works for the group alone may change what it says of itself, while it is a
    /// member.
    ///
    /// # Errors
    /// The fields that do not hold, or that it is not theirs.
    pub async fn edit(
        &self,
        (actor, sight): (Actor, Sight),
        id: Id,
        edit: GroupEdit,
    ) -> Result<GroupView, AppError> {
        if sight != Sight::Everybody && edit.is_for_staff() {
            return Err(AppError::Forbidden(
                "name, kind and contact are changed by the coalition's staff; write to them".to_owned(),
            ));
        }
        let fields = edit.fields();
        let change = edit.check().map_err(AppError::Invalid)?;
        let (keys, now) = (self.kernel.keys.clone(), self.kernel.clock.now());
        let view = self
            .kernel
            .store
            .write(Lane::Staff, move |db| {
                editable(db, sight, id)?;
                if !fields.is_empty() {
                    queries::update(db, &keys, id, change, now)?;
                    let act = Act::new(actor, "group.edit").on("group", id);
                    let act = act.with(serde_json::json!({ "fields": fields }));
                    audit::append(db, &keys, &[act], now)?;
                }
                Ok::<_, AppError>(GroupView::from(seen(db, Sight::Everybody, id)?))
            })
            .await?;
        self.changed().await;
        Ok(view)
    }

    /// A member leaves: nobody shares with it any more, and it owes the return of what it has. Both are worked off
    /// after this, in pieces.
    ///
    /// # Errors
    /// [`AppError::Conflict`] when it is no member.
    pub async fn leave(&self, actor: Actor, id: Id) -> Result<GroupView, AppError> {
        let (keys, now) = (self.kernel.keys.clone(), self.kernel.clock.now());
        let view = self
            .kernel
            .store
            .write(Lane::Staff, move |db| {
                if !queries::set_left(db, id, now)? {
                    seen(db, Sight::Everybody, id)?;
                    return Err(AppError::Conflict("this group is not a member".to_owned()));
                }
                recalls::begin_departure(db, id)?;
                let act = Act::new(actor, "group.leave").on("group", id);
                audit::append(db, &keys, &[act], now)?;
                Ok(GroupView::from(seen(db, Sight::Everybody, id)?))
            })
            .await?;
        self.changed().await;
        Ok(view)
    }

    /// Something of a member was changed here.
    pub(super) async fn changed(&self) {
        if let Err(error) = self.known.read_again().await {
            tracing::warn!(%error, "the member groups could not be read again; keeping those known");
        }
    }
}

fn letter(field: &str, text: &str) -> Result<String, AppError> {
    domain::letter(field, text).map_err(|fault| AppError::Invalid(vec![fault]))
}

/// The organisation, if `sight` reaches it.
pub(super) fn seen(db: &mut Db, sight: Sight, id: Id) -> Result<Group, AppError> {
    let missing = || AppError::NotFound("there is no such group".to_owned());
    if matches!(sight, Sight::Group(own) if own != id) {
        return Err(missing());
    }
    queries::find(db, id)?.ok_or_else(missing)
}

/// The same, for a change: those of the group alone may make one only while it is a member.
pub(super) fn editable(db: &mut Db, sight: Sight, id: Id) -> Result<Group, AppError> {
    let group = seen(db, sight, id)?;
    if sight != Sight::Everybody && group.status != GroupStatus::Member {
        return Err(AppError::Forbidden("this group is not a member any more".to_owned()));
    }
    Ok(group)
}

fn decide(
    db: &mut Db,
    keys: &Keys,
    actor: Actor,
    id: Id,
    decision: &Decision,
    now: Timestamp,
) -> Result<(), AppError> {
    let group = seen(db, Sight::Everybody, id)?;
    let (is_done, action, template) = match decision {
        Decision::Approve => {
            (queries::decide(db, id, GroupStatus::Member, None, now)?, "group.approve", owed::APPROVED)
        }
        Decision::Decline(reason) => (
            queries::decide(db, id, GroupStatus::Declined, Some(reason), now)?,
            "group.decline",
            owed::DECLINED,
        ),
        Decision::Ask(question) => {
            (queries::set_question(db, id, question, now)?, "group.ask", owed::QUESTION)
        }
    };
    if !is_done {
        let sentence = "this application is not in review; load it again and see what was decided";
        return Err(AppError::Conflict(sentence.to_owned()));
    }
    let mail = NewMail { template, subject_id: id, address: group.contact_email.clone() };
    outbox::enqueue(db, &[mail], now)?;
    let mut acts = vec![Act::new(actor, action).on("group", id)];
    if matches!(decision, Decision::Approve) {
        acts.extend(invite(db, actor, &group, now)?);
    }
    Ok(audit::append(db, keys, &acts, now)?)
}

/// Lets the contact of a new member in, unless somebody has an account with that address already.
fn invite(db: &mut Db, actor: Actor, group: &Group, now: Timestamp) -> Result<Option<Act>, AppError> {
    let Ok(email) = EmailAddress::parse(&group.contact_email) else { return Ok(None) };
    let invitation = Invitation { email, role: Role::GroupManager, group_id: Some(group.id) };
    Ok(staff::invite(db, actor, &invitation, now)?.map(|invited| invited.act))
}

//! The contact's answer to what staff asked about an application: by a link in the mail that asks, good as long as the
//! application is in review.

use std::time::Duration;

use super::{ApplicationError, Groups, domain, model::Group, queries, words::GroupStatus};
use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    error::{AppError, FieldError},
    id::Id,
    keys::{Keys, Link, LinkError, Purpose},
    store::{Db, Lane},
};

impl Groups {
    /// The application that was asked about by this link.
    ///
    /// # Errors
    /// [`ApplicationError`] when it waits for no answer any more.
    pub async fn asked(&self, token: &str) -> Result<Group, ApplicationError> {
        let id = self.answer_link(token)?;
        let found =
            self.kernel.store.read(move |db| Ok::<_, ApplicationError>(queries::find(db, id)?)).await?;
        let is_open = |group: &Group| group.status == GroupStatus::InReview && group.question.is_some();
        found.filter(is_open).ok_or(ApplicationError::Over)
    }

    /// Keeps what the contact answers; a later answer takes the place of an earlier one.
    ///
    /// # Errors
    /// What is wrong with the text, and those of [`Groups::asked`].
    pub async fn answer(&self, token: &str, text: &str) -> Result<(), AnswerError> {
        let id = self.answer_link(token).map_err(ApplicationError::from)?;
        let answer = domain::letter("answer", text).map_err(AnswerError::Invalid)?;
        let (keys, now) = (self.kernel.keys.clone(), self.kernel.clock.now());
        let write = move |db: &mut Db| {
            if !queries::set_answer(db, id, &answer, now)? {
                return Err(ApplicationError::Over);
            }
            let act = Act::new(Actor::Group(id), "group.answer").on("group", id);
            Ok(audit::append(db, &keys, &[act], now)?)
        };
        Ok(self.kernel.store.write(Lane::Visitor, write).await?)
    }

    fn answer_link(&self, token: &str) -> Result<Id, LinkError> {
        let link = self.kernel.keys.verify(Purpose::ApplicationAnswer, token, self.kernel.clock.now())?;
        Ok(link.subject)
    }
}

/// Why an answer was not kept.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The text.
    #[error("the answer needs another look")]
    Invalid(FieldError),
    /// The link, or the database.
    #[error(transparent)]
    Link(#[from] ApplicationError),
}

impl From<AnswerError> for AppError {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Invalid(fault) => Self::Invalid(vec![fault]),
            AnswerError::Link(error) => error.into(),
        }
    }
}

/// The link that answers.
pub(super) fn path(keys: &Keys, id: Id, link_days: u16, now: Timestamp) -> String {
    let expires_at = Some(now.after(Duration::from_secs(u64::from(link_days) * 86_400)));
    format!(
        "/groups/answer/{}",
        keys.sign(Purpose::ApplicationAnswer, &Link { subject: id, version: 0, expires_at })
    )
}

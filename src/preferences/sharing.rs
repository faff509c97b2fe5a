//! What a person chooses beside leaving: details, language, groups, a pause. Each in one transaction, noted in the audit
//! trail; whatever ends a share owes its recall.

use std::time::Duration;

use serde_json::json;

use super::{LinkFault, Preferences, choices::changed, holdings::Holdings, queries};
use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    error::{AppError, FieldError},
    groups,
    id::Id,
    keys::Keys,
    speech::Speech,
    store::{Db, Lane, lock},
    supporters::{self, Profile, Status, Supporter},
};

/// How long a pause lasts.
pub const PAUSE: Duration = Duration::from_secs(30 * 86_400);

/// What is to change. Nothing given changes nothing.
#[derive(Clone, Default)]
pub struct Choice {
    /// The details as they are to be.
    pub profile: Option<Profile>,
    /// The language to be written to in.
    pub language: Option<String>,
    /// Members to share with from now on, besides those that are shared with.
    pub share: Vec<Id>,
    /// Groups to share with no longer.
    pub withdraw: Vec<Id>,
    /// Begin a pause, or end it.
    pub pause: Option<bool>,
}

impl Preferences {
    /// All that is stored of `supporter` beside their own row.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn holdings(&self, supporter: &Supporter) -> Result<Holdings, LinkFault> {
        let (supporter, address) = (supporter.clone(), self.kernel.keys.address_hash(&supporter.email_key));
        self.kernel
            .store
            .read(move |db| Ok::<_, LinkFault>(queries::holdings(db, &supporter, address)?))
            .await
    }

    /// Slug and name of every member, by name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn members(&self) -> Result<Vec<(String, String)>, LinkFault> {
        self.kernel.store.read(|db| Ok::<_, LinkFault>(queries::members(db)?)).await
    }

    /// The groups of these slugs, as `field` names them; for sharing, only members.
    ///
    /// # Errors
    /// The slugs that no such group has.
    pub async fn groups_named(
        &self,
        field: &'static str,
        slugs: Vec<String>,
        only_members: bool,
    ) -> Result<Vec<Id>, AppError> {
        self.kernel
            .store
            .read(move |db| {
                let (mut found, mut faults) = (Vec::new(), Vec::new());
                for (at, slug) in slugs.iter().enumerate() {
                    match groups::find_by_slug(db, slug)? {
                        Some(group) if !only_members || group.status == groups::GroupStatus::Member => {
                            found.push(group.id);
                        }
                        _ => {
                            let message = format!("there is no member group {slug:?}");
                            faults.push(FieldError::new(format!("{field}[{at}]"), "unknown_group", message));
                        }
                    }
                }
                if faults.is_empty() { Ok(found) } else { Err(AppError::Invalid(faults)) }
            })
            .await
    }

    /// Does what was chosen.
    ///
    /// # Errors
    /// [`LinkFault::Void`] when the person has left or was erased meanwhile.
    pub async fn choose(&self, supporter: Supporter, choice: Choice) -> Result<(), LinkFault> {
        let (keys, now) = (self.kernel.keys.clone(), self.kernel.clock.now());
        let speech = Speech::of(choice.language.as_deref().unwrap_or(&supporter.language));
        let notice = self.forms.sharing_notice(speech).map(|notice| notice.id);
        self.kernel
            .store
            .write(Lane::Visitor, move |db| carry_out(db, &keys, &supporter, &choice, notice, now))
            .await
    }
}

fn carry_out(
    db: &mut Db,
    keys: &Keys,
    seen: &Supporter,
    choice: &Choice,
    notice: Option<Id>,
    now: Timestamp,
) -> Result<(), LinkFault> {
    lock::addresses(db, [keys.address_hash(&seen.email_key)])?;
    let known = supporters::find(db, seen.id)?;
    let Some(known) =
        known.filter(|known| known.link_version == seen.link_version && known.status == Status::Confirmed)
    else {
        return Err(LinkFault::Void);
    };
    let act = |action| Act::new(Actor::Supporter(known.id), action);
    let mut acts = Vec::new();
    if let Some(profile) = &choice.profile {
        supporters::set_profile(db, &known, profile, now)?;
        let fields = changed(&known, profile);
        acts.push(act("supporter.edit").on("supporter", known.id).with(json!({ "fields": fields })));
    }
    if let Some(language) = choice.language.as_ref().filter(|language| **language != known.language) {
        supporters::set_language(db, known.id, language, now)?;
        let details = json!({ "fields": ["language"] });
        acts.push(act("supporter.edit").on("supporter", known.id).with(details));
    }
    for group in &choice.withdraw {
        if groups::withdraw_share(db, known.number, *group, now)? {
            acts.push(act("share.withdraw").on("group", *group));
        }
    }
    if let Some(notice) = notice {
        let begun = groups::begin_shares(db, known.number, &choice.share, notice, None, now)?.begun;
        acts.extend(begun.into_iter().map(|group| act("share.give").on("group", group)));
    }
    if let Some(pause) = choice.pause {
        supporters::set_pause(db, known.id, pause.then(|| now.after(PAUSE)), now)?;
        let action = if pause { "supporter.pause" } else { "supporter.resume" };
        acts.push(act(action).on("supporter", known.id));
    }
    audit::append(db, keys, &acts, now)?;
    Ok(())
}

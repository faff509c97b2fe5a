//! Forms and the consent wording shown on them. Read by sign-ups (which notice was agreed to) and by whoever
//! shows a receipt; kept in memory, so that intake reads nothing.

mod queries;
mod receipt;
pub(crate) mod routes;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use diesel::QueryResult;

pub use receipt::ConsentReceipt;
pub use routes::api;

use crate::{
    clock::Timestamp,
    id::Id,
    kernel::Kernel,
    keys::sha256_hex,
    speech::Speech,
    store::{Db, Lane, StoreError},
};

/// The form that exists from the first start.
pub const JOIN: &str = "join";
/// The form of those who came with an imported list; its notices are the wordings that they agreed to elsewhere.
pub const IMPORT: &str = "import";

/// The language of wordings that come without one.
pub const LANGUAGE: &str = "en";

/// A version of the consent wording, as shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Names this version.
    pub id: Id,
    /// Slug of its form.
    pub form: String,
    /// Language of the wording.
    pub language: String,
    /// What the person saw, to the letter.
    pub wording: String,
    /// SHA-256 of the wording, hexadecimal.
    pub sha256: String,
    /// Since when it was shown.
    pub created_at: Timestamp,
}

/// All forms and notices. Cheap to clone.
#[derive(Clone)]
pub struct Forms {
    kernel: Kernel,
    known: Arc<RwLock<Known>>,
}

#[derive(Default)]
struct Known {
    forms: Vec<String>,
    notices: HashMap<Id, Arc<Notice>>,
    current: HashMap<(String, Speech), Arc<Notice>>,
    sharing: HashMap<Speech, Arc<Notice>>,
}

impl Forms {
    /// Makes the `join` form and the current wording's notice if they are missing, and reads everything.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open(kernel: &Kernel) -> Result<Self, StoreError> {
        let campaign = &kernel.config.campaign.name;
        let now = kernel.clock.now();
        let wordings = Speech::ALL.map(|speech| [joining(campaign, speech), sharing(campaign, speech)]);
        let missing: Vec<Notice> = Speech::ALL
            .into_iter()
            .zip(&wordings)
            .flat_map(|(speech, [joining, sharing])| [(speech, joining), (speech, sharing)])
            .map(|(speech, wording)| Notice {
                id: Id::new(),
                form: JOIN.to_owned(),
                language: speech.tag().to_owned(),
                sha256: sha256_hex(wording),
                wording: wording.clone(),
                created_at: now,
            })
            .collect();
        let title = format!("Join {campaign}");
        let (forms, notices) = kernel
            .store
            .write(Lane::Staff, move |db| {
                for notice in &missing {
                    queries::insert_missing(db, &title, notice)?;
                }
                Ok::<_, StoreError>((queries::list_forms(db)?, queries::list_notices(db)?))
            })
            .await?;
        let mut known = Known { forms, ..Known::default() };
        for notice in notices.into_iter().map(Arc::new) {
            for (speech, [joining, sharing]) in Speech::ALL.into_iter().zip(&wordings) {
                if notice.language == speech.tag() && notice.wording == *joining {
                    known.current.insert((notice.form.clone(), speech), Arc::clone(&notice));
                } else if notice.form == JOIN && notice.language == speech.tag() && notice.wording == *sharing
                {
                    known.sharing.insert(speech, Arc::clone(&notice));
                }
            }
            known.notices.insert(notice.id, notice);
        }
        Ok(Self { kernel: kernel.clone(), known: Arc::new(RwLock::new(known)) })
    }

    /// Whether there is a form with this slug.
    #[must_use]
    pub fn has_form(&self, slug: &str) -> bool {
        self.read(|known| known.forms.iter().any(|form| form == slug))
    }

    /// The wording that `form` shows now, in English.
    #[must_use]
    pub fn current_notice(&self, form: &str) -> Option<Arc<Notice>> {
        self.current_notice_in(form, Speech::English)
    }

    /// The wording that `form` shows now in this language.
    #[must_use]
    pub fn current_notice_in(&self, form: &str, speech: Speech) -> Option<Arc<Notice>> {
        self.read(|known| known.current.get(&(form.to_owned(), speech)).cloned())
    }

    /// The wording by which somebody shares with further groups, on the preferences page.
    #[must_use]
    pub fn sharing_notice(&self, speech: Speech) -> Option<Arc<Notice>> {
        self.read(|known| known.sharing.get(&speech).cloned())
    }

    /// The notice with this id, current or superseded.
    #[must_use]
    pub fn notice(&self, id: Id) -> Option<Arc<Notice>> {
        self.read(|known| known.notices.get(&id).cloned())
    }

    /// The same; one that another process has made since is read and kept.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find_notice(&self, id: Id) -> Result<Option<Arc<Notice>>, StoreError> {
        if let Some(notice) = self.notice(id) {
            return Ok(Some(notice));
        }
        let found =
            self.kernel.store.read(move |db| Ok::<_, StoreError>(queries::find_notice(db, id)?)).await?;
        let found = found.map(Arc::new);
        if let Some(notice) = &found {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            known.notices.insert(id, Arc::clone(notice));
        }
        Ok(found)
    }

    /// Campaign name, for pages and mails.
    #[must_use]
    pub fn campaign(&self) -> &str {
        &self.kernel.config.campaign.name
    }

    fn read<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        look(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The notice of an imported list with this wording, agreed to at `at`; made if there is none. Its id.
///
/// # Errors
/// When a statement fails.
pub fn import_notice(db: &mut Db, wording: &str, at: Timestamp) -> QueryResult<Id> {
    let notice = Notice {
        id: Id::new(),
        form: IMPORT.to_owned(),
        language: Speech::English.tag().to_owned(),
        sha256: sha256_hex(wording),
        wording: wording.to_owned(),
        created_at: at,
    };
    queries::insert_missing(db, "Imported lists", &notice)?;
    queries::find_wording(db, &notice)
}

/// The id of the notice that the `join` form shows, if a server ever ran: for a command that runs without [`Forms`].
///
/// # Errors
/// When a statement fails.
pub fn current_join(db: &mut Db, campaign: &str) -> QueryResult<Option<Id>> {
    let sha256 = sha256_hex(joining(campaign, Speech::English));
    let notices = queries::list_notices(db)?;
    Ok(notices
        .into_iter()
        .find(|notice| notice.form == JOIN && notice.sha256 == sha256)
        .map(|notice| notice.id))
}

crate::sentences! {
    /// The wordings that are compiled in. A change here is a new notice; what people agreed to before stays as it was.
    Wordings:
    joining = "I want to join {campaign}. {campaign} may keep the details I give here and write to me by e-mail about its work. It shares them with nobody I have not named, and I can see, change or erase them and leave at any time. If I tick the box beside it, {campaign} may also call or text the number I give.",
        "Quiero unirme a {campaign}. {campaign} puede guardar los datos que doy aquí y escribirme por correo electrónico sobre su trabajo. No los comparte con nadie que yo no haya nombrado, y puedo verlos, cambiarlos o borrarlos y darme de baja en cualquier momento. Si marco la casilla correspondiente, {campaign} también puede llamarme o mandarme mensajes al número que doy.";
    sharing = "{campaign} may give my name, my e-mail address, where I live and, if I allowed calls, my phone number to each group I tick here, so that it can write to me itself. I can take this back at any time; the group is then told to delete what it has.",
        "{campaign} puede dar mi nombre, mi correo electrónico, dónde vivo y, si permití llamadas, mi teléfono a cada grupo que marco aquí, para que me escriba por su cuenta. Puedo retirarlo en cualquier momento; entonces se le pide al grupo que borre lo que tiene.";
}

fn joining(campaign: &str, speech: Speech) -> String {
    Wordings::of(speech).joining.replace("{campaign}", campaign)
}

fn sharing(campaign: &str, speech: Speech) -> String {
    Wordings::of(speech).sharing.replace("{campaign}", campaign)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_wordings_name_the_campaign_alike_in_every_language() {
        assert!(super::Wordings::faults().is_empty());
    }
}

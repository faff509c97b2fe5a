//! The proof of one supporter's consent, as a file of its own that needs nothing else: for a complaint, or an authority.

use askama::Template;

use super::{
    LinkFault, Preferences, holdings::SignupRecord, pages::PageReceipt, present, words::DetailWords,
};
use crate::{
    audit::{self, Act, Actor},
    error::AppError,
    id::Id,
    speech::Speech,
    store::Lane,
    supporters,
};

/// The file.
#[derive(Debug, Clone, Template)]
#[template(path = "preferences/proof.html")]
pub(super) struct ProofPage {
    pub campaign: String,
    pub made_at: String,
    /// Address of whoever on the staff asked.
    pub made_by: String,
    pub id: Id,
    pub email: String,
    pub name: String,
    pub status: &'static str,
    pub receipts: Vec<PageReceipt>,
    pub signups: Vec<SignupRecord>,
    /// Shares that ended.
    pub history: Vec<String>,
}

impl Preferences {
    /// The proof for the supporter `id`, for somebody on the staff; noted in the audit trail.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there is no such supporter.
    pub async fn proof(&self, id: Id, made_by: String, actor: Actor) -> Result<String, AppError> {
        let found = self.kernel.store.read(move |db| Ok::<_, LinkFault>(supporters::find(db, id)?)).await?;
        let supporter = found.ok_or_else(|| AppError::NotFound("there is no such supporter".to_owned()))?;
        let holdings = self.holdings(&supporter).await?;
        let (keys, now) = (self.kernel.keys.clone(), self.kernel.clock.now());
        let act = Act::new(actor, "consent.prove").on("supporter", supporter.id);
        self.kernel
            .store
            .write(Lane::Staff, move |db| Ok::<_, AppError>(audit::append(db, &keys, &[act], now)?))
            .await?;
        let name = [supporter.given_name.as_deref(), supporter.family_name.as_deref()];
        let page = ProofPage {
            campaign: self.kernel.config.campaign.name.clone(),
            made_at: now.to_string(),
            made_by,
            id: supporter.id,
            name: name.into_iter().flatten().collect::<Vec<_>>().join(" "),
            status: supporter.status.as_str(),
            receipts: present::receipts(&supporter, &holdings),
            history: present::history(&holdings, DetailWords::of(Speech::English)),
            email: supporter.email,
            signups: holdings.signups,
        };
        page.render().map_err(|error| AppError::internal(&error))
    }
}

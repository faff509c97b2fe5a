//! A group's webhook as its manager sets it: the address, and a secret that is shown once and never stored.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::Recalls,
    client::Target,
    domain::WebhookFault,
    queries::{self, Webhook},
};
use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    error::AppError,
    id::Id,
    store::Lane,
};

/// Where recalls are to be sent.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookForm {
    /// An https address, at most 500 characters.
    #[schema(max_length = 500)]
    pub url: String,
}

/// The webhook with its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
pub struct WebhookSecret {
    /// Where recalls are sent.
    pub url: String,
    /// What deliveries are signed with; the one before is void.
    pub secret: String,
}

/// How the webhook stands.
#[derive(Serialize, ToSchema)]
pub struct WebhookView {
    /// Where recalls are sent.
    pub url: String,
    /// Since when there is one.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Since when deliveries fail; null while they do not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Timestamp>,
    /// Why the last one failed.
    pub last_error: Option<String>,
    /// Since when it is no longer tried; setting it again, or staff, begins anew.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub given_up_at: Option<Timestamp>,
}

impl From<Webhook> for WebhookView {
    fn from(row: Webhook) -> Self {
        Self {
            url: row.url,
            created_at: row.created_at,
            failing_since: row.failing_since,
            last_error: row.last_error,
            given_up_at: row.given_up_at,
        }
    }
}

impl Recalls {
    /// Sets the webhook of `group`, with a new secret.
    ///
    /// # Errors
    /// When the address is not https, or leads to a network that is not public.
    pub async fn set_webhook(&self, group: Id, url: &str, actor: Actor) -> Result<WebhookSecret, AppError> {
        let target = Target::parse(url).ok_or_else(|| {
            let message = "give an https:// address without name and password, of at most 500 characters";
            AppError::field("url", "invalid_url", message)
        })?;
        // A name that means nothing yet may do so later; each delivery looks again.
        if self.client.resolve(&target).await == Err(WebhookFault::Private) {
            let message = "this leads to an address that is not public";
            return Err(AppError::field("url", "private_address", message));
        }
        let (keys, now, url) = (self.kernel.keys.clone(), self.kernel.clock.now(), target.url.clone());
        let version = self
            .kernel
            .store
            .write(Lane::Staff, move |db| {
                let version = queries::set(db, group, &url, now)?;
                let act = Act::new(actor, "webhook.set").on("group", group);
                audit::append(db, &keys, &[act], now)?;
                Ok::<_, AppError>(version)
            })
            .await?;
        Ok(WebhookSecret { url: target.url, secret: self.kernel.keys.webhook_secret(group, version) })
    }

    /// The webhook of `group`.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there is none.
    pub async fn webhook(&self, group: Id) -> Result<WebhookView, AppError> {
        let found = self.kernel.store.read(move |db| Ok::<_, AppError>(queries::state(db, group)?)).await?;
        let found = found.filter(|webhook| !webhook.url.is_empty());
        found.map(WebhookView::from).ok_or_else(missing)
    }

    /// Sends nothing more to the webhook of `group`.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there is none.
    pub async fn remove_webhook(&self, group: Id, actor: Actor) -> Result<(), AppError> {
        self.act_on(group, actor, "webhook.remove", |db, group, _| queries::disable(db, group)).await
    }

    /// Tries the webhook of `group` again, at once and for three days.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there is none.
    pub async fn replay(&self, group: Id, actor: Actor) -> Result<(), AppError> {
        self.act_on(group, actor, "webhook.replay", queries::replay).await
    }

    async fn act_on(
        &self,
        group: Id,
        actor: Actor,
        action: &'static str,
        change: fn(&mut crate::store::Db, Id, Timestamp) -> diesel::QueryResult<bool>,
    ) -> Result<(), AppError> {
        let (keys, now) = (self.kernel.keys.clone(), self.kernel.clock.now());
        self.kernel
            .store
            .write(Lane::Staff, move |db| {
                if !change(db, group, now)? {
                    return Err(missing());
                }
                Ok(audit::append(db, &keys, &[Act::new(actor, action).on("group", group)], now)?)
            })
            .await
    }
}

fn missing() -> AppError {
    AppError::NotFound("this group has no webhook".to_owned())
}

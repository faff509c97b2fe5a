//! Records of supporters, as staff work on them.

use openhearth::{
    contact::EmailAddress,
    id::Id,
    store::{Lane, StoreError},
    supporters::{self, Confirmed, Profile},
};
use reqwest::{Method, header};
use serde_json::{Value, json};

use super::{Answer, Client, TestApp};

impl TestApp {
    /// Somebody who may read and change everything about supporters.
    pub async fn editor(&self) -> Client {
        self.owner().await.token(&["supporters:read", "supporters:write", "exports", "forms"]).await
    }

    /// Everybody is recorded as a member of the newest export, whatever its rows were.
    pub async fn disclose_everybody(&self) {
        use diesel::prelude::*;
        use openhearth::store::schema::{exports, supporters as table};
        let write = |db: &mut _| {
            let export: Id = exports::table.order(exports::id.desc()).select(exports::id).first(db)?;
            let numbers: Vec<i64> = table::table.select(table::number).load(db)?;
            Ok::<_, StoreError>(openhearth::disclosures::add_piece(db, export, 9_999, &numbers)?)
        };
        self.app().kernel.store.write(Lane::Staff, write).await.unwrap();
    }

    /// Supporters `many<n>@example.org`, without the mails.
    pub async fn seed_many(&self, count: u32) {
        let (keys, now) = (self.app().kernel.keys.clone(), self.clock.now());
        let write = move |db: &mut _| {
            (0..count).try_for_each(|n| {
                let confirmed = Confirmed {
                    email: EmailAddress::parse(&format!("many{n}@example.org")).unwrap(),
                    profile: Profile::default(),
                    phone: None,
                    phone_consent: false,
                    country: None,
                    language: "en".to_owned(),
                    involvement: Vec::new(),
                    form: "join".to_owned(),
                    notice_id: Id::new(),
                    source: Default::default(),
                    signed_up_at: now,
                };
                supporters::confirm(db, &keys, confirmed, now)?;
                Ok::<_, StoreError>(())
            })
        };
        self.app().kernel.store.write(Lane::Staff, write).await.unwrap();
    }

    /// A confirmed supporter of this address.
    pub async fn joined(&self, email: &str) -> String {
        self.joined_with(json!({ "email": email, "consent": { "email": true } })).await
    }

    /// A confirmed supporter by this sign-up; the id.
    pub async fn joined_with(&self, signup: Value) -> String {
        self.supporter_of(&signup).await;
        let newest = "SELECT lower(hex(id)) AS word FROM supporters ORDER BY number DESC LIMIT 1";
        let hex = self.words(newest).await.remove(0);
        hex.parse::<uuid::Uuid>().unwrap().to_string()
    }
}

impl Client {
    /// The record and its version.
    pub async fn record(&self, id: &str) -> (Value, String) {
        let answer = self.get(&format!("/api/v1/admin/supporters/{id}")).await.expect(200);
        let etag = answer.header("etag").to_owned();
        (answer.json(), etag)
    }

    /// A request on a record under a version.
    pub async fn on(&self, method: Method, path: &str, etag: &str, body: Option<&Value>) -> Answer {
        let request = self.ask(method, &format!("/api/v1/admin/supporters/{path}"));
        let request = if etag.is_empty() { request } else { request.header(header::IF_MATCH, etag) };
        self.send(if let Some(body) = body { request.json(body) } else { request }).await
    }

    /// Changes the newest version of a record.
    pub async fn change(&self, id: &str, body: &Value) -> Answer {
        let (_, etag) = self.record(id).await;
        self.on(Method::PATCH, id, &etag, Some(body)).await
    }
}

//! The audit trail: what is in it, that damage is found, that it can be read.

mod acts;
mod chain;
mod hours;
mod reading;
mod speed;

use openhearth::{
    audit::{Act, Actor, Verdict},
    id::Id,
    store::Lane,
};
use serde_json::{Value, json};

use crate::support::TestApp;

impl TestApp {
    /// Appends as many acts, each in a transaction of its own.
    async fn append_acts(&self, count: u8) {
        for at in 0..count {
            let act = Act::new(Actor::Staff { id: Id::new(), token: Some(Id::new()) }, "form.edit")
                .on("form", Id::new())
                .with(json!({ "fields": at }));
            self.app().kernel.trail().append(Lane::Staff, vec![act]).await.unwrap();
        }
    }

    async fn verify(&self) -> Verdict {
        self.app().kernel.trail().verify(None).await.unwrap()
    }

    /// All entries as the command line and the file show them, the oldest first.
    pub async fn entries(&self) -> Vec<Value> {
        let links = self.app().kernel.trail().list(Default::default(), None, 1000).await.unwrap();
        let view = |link| serde_json::to_value(openhearth::audit::EntryView::from(link)).unwrap();
        links.into_iter().rev().map(view).collect()
    }

    /// Actor kind, action and details of the entries whose action begins with one of `prefixes`, the oldest first.
    pub async fn acts(&self, prefixes: &[&str]) -> Vec<(String, String, Value)> {
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let entries = self.entries().await.into_iter();
        let wanted =
            entries.filter(|entry| prefixes.iter().any(|p| entry["action"].as_str().unwrap().starts_with(p)));
        wanted
            .map(|entry| (word(&entry["actor_kind"]), word(&entry["action"]), entry["details"].clone()))
            .collect()
    }
}

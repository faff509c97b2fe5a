//! Member groups, made as they are made: by an application, its click and staff's approval.

use openhearth::{
    audit::Actor,
    groups::{ApplicationForm, Decision},
    id::Id,
    staff::{NewAccount, Role},
};
use serde_json::{Value, json};

use super::{Client, PASSWORD, TestApp};

/// A member group.
pub struct Member {
    pub id: Id,
    pub slug: String,
}

/// The application of an organisation in Ohio and Pennsylvania.
pub fn application(name: &str) -> Value {
    json!({
        "name": name,
        "kind": "frontline_community",
        "website": "https://valley.example.org/",
        "regions": ["OH", "PA"],
        "sectors": ["steel"],
        "about": "We measure the air.",
        "contact_name": "Grace Hopper",
        "contact_email": "grace@example.org",
        "agree": true,
    })
}

impl TestApp {
    /// A member of this name.
    pub async fn member(&self, name: &str) -> Member {
        self.member_of(&application(name)).await
    }

    /// The member that comes of this application. Its mails are not there to be counted afterwards.
    pub async fn member_of(&self, form: &Value) -> Member {
        let groups = &self.app().groups;
        let form: ApplicationForm = serde_json::from_value(form.clone()).unwrap();
        groups.apply(form).await.unwrap();
        // Each name asks the same contact; the limit of mails is not what these tests are about.
        self.execute("DELETE FROM mail_limits").await;
        let link = self.settle_one().await.link("/groups/confirm/");
        groups.confirm_application(&link["/groups/confirm/".len()..]).await.unwrap();
        let newest = groups.list(None, None, 1).await.unwrap().data.remove(0);
        let view = groups.decide(Actor::System, newest.id, Decision::Approve).await.unwrap();
        self.settle().await;
        Member { id: view.id, slug: view.slug }
    }

    /// Somebody who works for this group, logged in.
    pub async fn manager_of(&self, group: &Member) -> Client {
        let email = format!("manager-of-{}@example.org", group.slug);
        let account = NewAccount {
            email: email.clone(),
            password: PASSWORD.into(),
            role: Role::GroupManager,
            group: Some(group.slug.clone()),
        };
        self.app().staff.create_in_group_by_command(account).await.unwrap();
        let session = self.browser();
        session.login(&email, PASSWORD).await.expect(200);
        session
    }
}

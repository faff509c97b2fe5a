//! Accounts of the staff: invited, with a password of their own, for a group or for all.

use openhearth::{
    audit::{self, Actor},
    contact::EmailAddress,
    error::AppError,
    id::Id,
    staff::{self, Invitation, NewAccount, Role},
    store::Lane,
};
use serde_json::json;

use crate::support::{DAY, PASSWORD, TestApp};

const OTHER_PASSWORD: &str = "seven quiet herons over the slag heap";

impl TestApp {
    /// A member group, as the groups slice makes them.
    pub async fn insert_group(&self, slug: &'static str) -> Id {
        use diesel::prelude::*;
        use openhearth::store::schema::groups;
        let (id, now) = (Id::new(), self.clock.now());
        let write = move |db: &mut openhearth::store::Db| {
            diesel::insert_into(groups::table)
                .values((
                    (
                        groups::id.eq(id),
                        groups::slug.eq(slug),
                        groups::name.eq(slug),
                        groups::kind.eq("union"),
                    ),
                    (
                        groups::website.eq(""),
                        groups::regions.eq(""),
                        groups::sectors.eq(""),
                        groups::about.eq(""),
                    ),
                    (groups::contact_name.eq("Ada"), groups::contact_email.eq("ada@example.org")),
                    (
                        groups::contact_email_key.eq(slug),
                        groups::status.eq("member"),
                        groups::is_listed.eq(true),
                    ),
                    (groups::language.eq("en"), groups::terms_id.eq(id), groups::created_at.eq(now)),
                    groups::updated_at.eq(now),
                ))
                .execute(db)?;
            Ok::<_, AppError>(())
        };
        self.app().kernel.store.write(Lane::Staff, write).await.unwrap();
        id
    }

    /// Invites as other slices do: in a transaction of their own.
    async fn invite(&self, email: &str, role: Role, group_id: Option<Id>) -> Option<Id> {
        let (keys, now) = (self.app().kernel.keys.clone(), self.clock.now());
        let email = EmailAddress::parse(email).unwrap();
        let invitation = Invitation { email, role, group_id };
        let write = move |db: &mut openhearth::store::Db| {
            let invited = staff::invite(db, Actor::System, &invitation, now)?;
            let (id, act) = invited.map(|invited| (invited.staff_id, invited.act)).unzip();
            audit::append(db, &keys, act.as_slice(), now)?;
            Ok::<_, AppError>(id)
        };
        self.app().kernel.store.write(Lane::Staff, write).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_sets_one_password_once_and_opens_nothing_before() {
    let app = TestApp::start().await;
    let group = app.insert_group("valley-clean-air").await;
    app.invite("manager@example.org", Role::GroupManager, Some(group)).await.unwrap();
    for password in ["", PASSWORD] {
        app.client().login("manager@example.org", password).await.expect(401);
    }
    let mail = app.settle_one().await;
    assert_eq!(mail.to, "manager@example.org");
    let link = mail.link("/invite/");
    let token = mail.token("/invite/");
    assert_eq!(app.backend.places_with(&token), [""; 0], "a link is made at sending and never stored");

    let browser = app.browser();
    let page = browser.get(&link).await.expect(200).page();
    assert!(
        page.contains("manager@example.org") && page.contains(r#"autocomplete="new-password""#),
        "{page}"
    );
    let weak = browser.post_form(&link, &[("password", "short")]).await.expect(422).page();
    assert!(weak.contains(r##"href="#password""##), "{weak}");
    // HEAD and GET change nothing.
    browser.get(&link).await.expect(200);
    let fields = [("username", "manager@example.org"), ("password", OTHER_PASSWORD)];
    let (first, second) = tokio::join!(browser.post_form(&link, &fields), browser.post_form(&link, &fields));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410], "{first:?} {second:?}");
    assert_eq!(app.client().get(&link).await.expect(410).problem()["code"], "link_void");
    // No link of one kind opens another.
    let other = link.replace("/invite/", "/reset/");
    assert_eq!(app.client().get(&other).await.expect(404).problem()["code"], "link_invalid");

    let browser = app.browser();
    browser.login("manager@example.org", OTHER_PASSWORD).await.expect(200);
    let me = browser.get("/api/v1/admin/me").await.expect(200).json();
    assert_eq!((&me["role"], &me["group_id"]), (&json!("group_manager"), &json!(group)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_an_account_is_not_invited_again_and_an_old_invitation_expires() {
    let app = TestApp::start().await;
    app.invite("ada@example.org", Role::Organizer, None).await.unwrap();
    assert_eq!(app.invite("ADA@example.org", Role::Owner, None).await, None);
    let link = app.settle_one().await.link("/invite/");
    assert_eq!(app.words("SELECT role AS word FROM staff").await, ["organizer"]);
    app.advance(7 * DAY + DAY);
    assert_eq!(app.client().get(&link).await.expect(410).problem()["code"], "link_expired");
    let late = app.browser().post_form(&link, &[("password", OTHER_PASSWORD)]).await.expect(410).page();
    assert!(late.contains("/reset"), "{late}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_manager_needs_a_group_that_is_there_and_nobody_else_has_one() {
    let app = TestApp::start().await;
    app.insert_group("mill-workers").await;
    let make = async |email: &str, role, group: Option<&str>| {
        let group = group.map(str::to_owned);
        let new = NewAccount { email: email.to_owned(), password: PASSWORD.into(), role, group };
        app.app().staff.create_in_group_by_command(new).await.map_err(|error| error.to_string())
    };
    let fault = make("a@example.org", Role::GroupManager, None).await.unwrap_err();
    assert!(fault.starts_with("group: "), "{fault}");
    let fault = make("a@example.org", Role::GroupManager, Some("nobody")).await.unwrap_err();
    assert!(fault.contains("no member group"), "{fault}");
    let fault = make("a@example.org", Role::Analyst, Some("mill-workers")).await.unwrap_err();
    assert!(fault.contains("only a group manager"), "{fault}");
    make("manager@example.org", Role::GroupManager, Some("mill-workers")).await.unwrap();
    make("organizer@example.org", Role::Organizer, None).await.unwrap();

    let scopes = ["exports".to_owned()];
    let bind = async |email: &str, group: &str| {
        app.app().staff.token_in_group_by_command(email, "x", &scopes, Some(group.to_owned())).await
    };
    bind("organizer@example.org", "nobody").await.unwrap_err();
    bind("organizer@example.org", "mill-workers").await.unwrap();
    app.app().staff.token_by_command("manager@example.org", "x", &scopes).await.unwrap();
    app.insert_group("other").await;
    bind("manager@example.org", "other").await.unwrap_err();
    let bound = app.count("SELECT count(*) AS n FROM staff_tokens WHERE group_id IS NOT NULL").await;
    assert_eq!(bound, 2, "a group manager's token is theirs alone, without saying so");
    assert_eq!(app.count("SELECT count(DISTINCT group_id) AS n FROM staff_tokens").await, 1);
}

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
                        groups::kind.eq("labor_union"),
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn owners_invite_by_the_api_and_every_refusal_has_a_code_of_its_own() {
    let app = TestApp::start().await;
    let owner = app.owner().await.session;
    app.insert_group("valley-clean-air").await;
    let staff = "/api/v1/admin/staff";
    let invite = json!({ "email": "ada@example.org", "role": "organizer" });
    let made = owner.post_json(staff, &invite).await.expect(201).json();
    assert_eq!((&made["status"], &made["role"]), (&json!("invited"), &json!("organizer")));
    let first = app.settle_one().await.token("/invite/");
    let code = |answer: crate::support::Answer| answer.problem()["code"].as_str().unwrap().to_owned();
    assert_eq!(code(owner.post_json(staff, &invite).await.expect(409)), "already_invited");
    let own = json!({ "email": "OWNER@example.org", "role": "analyst" });
    assert_eq!(code(owner.post_json(staff, &own).await.expect(409)), "account_exists");
    for (body, fault) in [
        (json!({ "email": "x", "role": "analyst" }), "email: invalid_email"),
        (json!({ "email": "b@example.org", "role": "king" }), "role: unknown_value"),
        (json!({ "email": "b@example.org", "role": "group_manager" }), "group: required"),
        (json!({ "email": "b@example.org", "role": "group_manager", "group": "x" }), "group: unknown_group"),
        (
            json!({ "email": "b@example.org", "role": "analyst", "group": "valley-clean-air" }),
            "group: not_for_this_role",
        ),
    ] {
        assert_eq!(owner.post_json(staff, &body).await.faults(), [fault]);
    }

    let one = format!("{staff}/{}", made["id"].as_str().unwrap());
    owner.post(&format!("{one}/invitation")).await.expect(202);
    let second = app.settle_one().await.token("/invite/");
    let accept = async |token: &str, password: &str| {
        let body = json!({ "token": token, "password": password });
        app.client().post_json("/api/v1/admin/invitations", &body).await
    };
    assert_eq!(code(accept(&first, OTHER_PASSWORD).await.expect(410)), "link_void");
    assert_eq!(code(accept("x", OTHER_PASSWORD).await.expect(404)), "link_invalid");
    for (password, fault) in
        [("short", "too_short"), ("password1234", "too_common"), ("ada@example.org", "same_as_email")]
    {
        assert_eq!(accept(&second, password).await.faults(), [format!("password: {fault}")]);
    }
    accept(&second, OTHER_PASSWORD).await.expect(204);
    app.client().login("ada@example.org", OTHER_PASSWORD).await.expect(200);
    assert_eq!(code(owner.post(&format!("{one}/invitation")).await.expect(409)), "not_invited");
    assert_eq!(code(owner.delete(&one).await.expect(409)), "not_invited");
    assert_eq!(code(owner.delete(&format!("{staff}/x")).await.expect(404)), "not_found");
    let listed = owner.get(&format!("{staff}?limit=1")).await.expect(200).json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    let next = owner.get(&format!("{staff}?cursor={}", listed["next_cursor"].as_str().unwrap())).await;
    assert_eq!(next.expect(200).json()["data"][0]["status"], "active");

    // Taken back, an invitation opens nothing.
    let made =
        owner.post_json(staff, &json!({ "email": "eve@example.org", "role": "owner" })).await.expect(201);
    let link = app.settle_one().await.link("/invite/");
    owner.delete(&format!("{staff}/{}", made.json()["id"].as_str().unwrap())).await.expect(204);
    app.browser().get(&link).await.expect(410);
    app.owner_sends_a_reset(&owner, &one).await;
}

impl TestApp {
    async fn owner_sends_a_reset(&self, owner: &crate::support::Client, account: &str) {
        owner.post(&format!("{account}/password-reset")).await.expect(202);
        let token = self.settle_one().await.token("/reset/");
        let body = json!({ "token": token, "password": "forty copper kettles in a row" });
        self.client().post_json("/api/v1/admin/password-resets/completion", &body).await.expect(204);
        self.client().login("ada@example.org", "forty copper kettles in a row").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_owner_who_can_log_in_cannot_be_lost_also_by_two_at_once() {
    let app = TestApp::start().await;
    let first = app.owner().await.session;
    let id = async |session: &crate::support::Client| {
        let me = session.get("/api/v1/admin/me").await.expect(200).json();
        format!("/api/v1/admin/staff/{}", me["id"].as_str().unwrap())
    };
    let own = id(&first).await;
    // Somebody who was invited and has no password yet is no owner to rely on.
    app.invite("invited@example.org", Role::Owner, None).await.unwrap();
    for change in [json!({ "disabled": true }), json!({ "role": "organizer" })] {
        let answer = first.patch_json(&own, &change).await.expect(409);
        assert_eq!(answer.problem()["code"], "last_owner");
    }
    first.get("/api/v1/admin/me").await.expect(200);
    let fault = app.app().staff.disable_by_command("owner@example.org", true).await.unwrap_err().to_string();
    assert!(fault.contains("last owner"), "{fault}");

    let second = app.staff("second@example.org", Role::Owner).await.session;
    let other = id(&second).await;
    let change = json!({ "disabled": true });
    let (a, b) = tokio::join!(first.patch_json(&other, &change), second.patch_json(&own, &change));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert!(statuses == [200, 409] || statuses == [200, 401], "{a:?} {b:?}");
    let able = "SELECT count(*) AS n FROM staff WHERE role = 'owner' AND disabled_at IS NULL AND password_hash <> ''";
    assert_eq!(app.count(able).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_lists_disables_and_resets() {
    let app = TestApp::start().await;
    app.owner().await;
    let ada = app.staff("ada@example.org", Role::Analyst).await.session;
    let staff = &app.app().staff;
    let listed = staff.list_by_command().await.unwrap();
    assert_eq!(
        listed.iter().map(|row| row.email.as_str()).collect::<Vec<_>>(),
        ["owner@example.org", "ada@example.org"]
    );
    let url = staff.reset_link_by_command("ADA@example.org").await.unwrap();
    let path = url.strip_prefix("http://join.example.org").unwrap();
    app.browser().post_form(path, &[("password", OTHER_PASSWORD)]).await.expect(200);
    ada.get("/api/v1/admin/me").await.expect(401);
    ada.login("ada@example.org", OTHER_PASSWORD).await.expect(200);
    staff.set_password_by_command("ada@example.org", PASSWORD.into()).await.unwrap();
    assert!(staff.set_password_by_command("ada@example.org", "password1234".into()).await.is_err());
    ada.get("/api/v1/admin/me").await.expect(401);
    staff.disable_by_command("ada@example.org", true).await.unwrap();
    ada.login("ada@example.org", PASSWORD).await.expect(401);
    assert!(staff.reset_link_by_command("ada@example.org").await.is_err());
    staff.disable_by_command("ada@example.org", false).await.unwrap();
    ada.login("ada@example.org", PASSWORD).await.expect(200);
    assert!(staff.disable_by_command("nobody@example.org", true).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_act_on_accounts_is_in_the_audit_trail_without_addresses() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    owner.token(&["stats"]).await;
    app.client().login("nobody@example.org", OTHER_PASSWORD).await.expect(401);
    app.client().login("owner@example.org", OTHER_PASSWORD).await.expect(401);
    let staff = "/api/v1/admin/staff";
    let made =
        owner.session.post_json(staff, &json!({ "email": "ada@example.org", "role": "organizer" })).await;
    let one = format!("{staff}/{}", made.expect(201).json()["id"].as_str().unwrap());
    let link = app.settle_one().await.link("/invite/");
    app.browser().post_form(&link, &[("password", OTHER_PASSWORD)]).await.expect(200);
    owner.session.patch_json(&one, &json!({ "role": "analyst", "disabled": true })).await.expect(200);
    owner.session.delete("/api/v1/admin/session").await.expect(204);
    let acts = app.words("SELECT action AS word FROM audit_entries ORDER BY number").await;
    assert_eq!(
        acts,
        [
            "staff.create",
            "session.begin",
            "token.create",
            "session.refused",
            "session.refused",
            "staff.invite",
            "staff.password_set",
            "staff.role_change",
            "staff.disable",
            "session.end",
        ]
    );
    let details = app.words("SELECT details AS word FROM audit_entries").await.join("\n");
    assert!(!details.contains('@'), "{details}");
    assert_eq!(app.count("SELECT count(*) AS n FROM audit_entries WHERE action = 'session.refused' AND subject_id IS NOT NULL").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_bound_to_a_group_by_its_slug_and_says_when_it_was_last_used() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let group = app.insert_group("valley-clean-air").await;
    let tokens = "/api/v1/admin/tokens";
    let wish = |slug: &str| json!({ "name": "x", "scopes": ["supporters:read"], "group": slug });
    assert_eq!(owner.session.post_json(tokens, &wish("nobody")).await.faults(), ["group: unknown_group"]);
    let made = owner.session.post_json(tokens, &wish("valley-clean-air")).await.expect(201).json();
    assert_eq!((&made["group_id"], &made["last_used_at"]), (&json!(group), &json!(null)));
    let program = owner.with(made["token"].as_str().unwrap());
    // It sees that group's people alone, so nothing of what is for the whole staff.
    program.get("/api/v1/admin/signups").await.expect(403);
    assert_eq!(app.count("SELECT count(*) AS n FROM staff_tokens WHERE last_used_at IS NOT NULL").await, 0);
    program.supporters("").await;
    let free = owner.token(&["supporters:read"]).await;
    free.supporters("").await.expect(200);
    app.until_none("SELECT count(*) AS n FROM staff_tokens WHERE last_used_at IS NULL AND group_id IS NULL")
        .await;
    // Within the minute nothing is written, after it once more.
    let noted = "SELECT CAST(last_used_at AS TEXT) AS word FROM staff_tokens WHERE group_id IS NULL";
    let before = app.words(noted).await;
    free.supporters("").await.expect(200);
    assert_eq!(app.words(noted).await, before);
    app.advance(2 * crate::support::MINUTE);
    free.supporters("").await.expect(200);
    app.until_none(
        "SELECT count(*) AS n FROM staff_tokens WHERE group_id IS NULL AND last_used_at - created_at < 100000000",
    )
    .await;
}

//! Two records of one person made one.

use reqwest::Method;
use serde_json::json;

use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_survivor_takes_over_what_it_does_not_know_and_the_whole_history() {
    let app = TestApp::start().await;
    let old = app
        .joined_with(json!({
            "email": "ada@old.example.org", "given_name": "Ada", "phone": "212-555-0123", "involvement": ["worker"],
            "consent": { "email": true, "phone": true }
        }))
        .await;
    app.advance(std::time::Duration::from_secs(60));
    let new = app
        .joined_with(json!({
            "email": "ada@new.example.org", "family_name": "Byron", "involvement": ["faith"], "consent": { "email": true }
        }))
        .await;
    let editor = app.editor().await;
    for slug in ["steel", "donor"] {
        editor.post_json("/api/v1/admin/tags", &json!({ "slug": slug })).await.expect(201);
    }
    editor.change(&old, &json!({ "tags": ["steel"] })).await.expect(200);
    editor.change(&new, &json!({ "tags": ["donor"] })).await.expect(200);
    editor
        .post_json(&format!("/api/v1/admin/supporters/{old}/notes"), &json!({ "text": "old" }))
        .await
        .expect(201);
    editor.contacts("").await;
    app.until_none("SELECT count(*) AS n FROM exports WHERE finished_at IS NULL").await;
    app.disclose_everybody().await;
    let (before, _) = editor.record(&old).await;

    let (_, etag) = editor.record(&new).await;
    let path = format!("{new}/merge");
    editor.on(Method::POST, &path, "", Some(&json!({ "other": old }))).await.expect(428);
    let same = editor.on(Method::POST, &path, &etag, Some(&json!({ "other": new }))).await;
    assert_eq!(same.faults(), ["other: contradiction"]);
    let nobody = editor.on(Method::POST, &path, &etag, Some(&json!({ "other": uuid::Uuid::now_v7() }))).await;
    assert_eq!(nobody.faults(), ["other: unknown_value"]);
    let merged =
        editor.on(Method::POST, &path, &etag, Some(&json!({ "other": old }))).await.expect(200).json();
    assert_eq!(merged["email"], "ada@new.example.org");
    assert_eq!((&merged["given_name"], &merged["family_name"]), (&json!("Ada"), &json!("Byron")));
    assert_eq!((&merged["phone"], &merged["phone_consent"]), (&json!("+12125550123"), &json!(true)));
    assert_eq!(
        (&merged["tags"], &merged["involvement"]),
        (&json!(["donor", "steel"]), &json!(["faith", "worker"]))
    );
    for date in ["created_at", "confirmed_at", "signed_up_at"] {
        assert_eq!(merged[date], before[date], "the earlier one");
    }
    let history = &merged["history"];
    assert_eq!(history["signups"].as_array().unwrap().len(), 2);
    assert_eq!(history["exports"].as_array().unwrap().len(), 1);
    assert_eq!(history["mails"].as_array().unwrap().len(), 4);
    assert_eq!(merged["notes"][0]["text"], "old");
    assert_eq!(editor.emails("").await, ["ada@new.example.org"]);
    assert_eq!(editor.emails("?q=ada+byron").await, ["ada@new.example.org"]);
    assert_eq!(editor.record(&old).await.0["id"], *new, "the old id leads to the survivor");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_links_lead_to_the_survivor_take_away_only_and_end_with_its_own() {
    let app = TestApp::start().await;
    let lost = app.supporter("ada@old.example.org").await;
    let kept = app.supporter("ada@new.example.org").await;
    let editor = app.editor().await;
    let id = async |q: &str| editor.supporters(q).await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    let (old, new) = (id("?q=ada@old").await, id("?q=ada@new").await);
    let (_, etag) = editor.record(&new).await;
    editor.on(Method::POST, &format!("{new}/merge"), &etag, Some(&json!({ "other": old }))).await.expect(200);
    let token = |link: &str| link.rsplit('/').next().unwrap().to_owned();
    let page = app.client().get(&lost.link("/preferences/")).await.expect(200).page();
    assert!(!page.contains("ada@old"), "{page}");
    app.client().get(&lost.link("/unsubscribe/")).await.expect(200);
    let rename = json!({ "given_name": "Eve" });
    let api = |link: &str| format!("/api/v1/preferences/{}", token(link));
    app.client().patch_json(&api(&lost.link("/preferences/")), &rename).await.expect(403);
    // A fresh link goes to the address that is known.
    app.client().post(&format!("{}/link", lost.link("/preferences/"))).await;
    let mails = app.deliver().await;
    assert!(mails.iter().all(|mail| mail.to == "ada@new.example.org"), "{mails:?}");
    app.client().post(&lost.link("/unsubscribe/")).await.expect(200);
    assert_eq!(editor.record(&new).await.0["status"], "unsubscribed");
    for link in [lost.link("/preferences/"), kept.link("/preferences/")] {
        app.client().get(&link).await.expect(410);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_more_restrictive_status_wins_whichever_record_has_it() {
    for (mine, theirs, wins) in [
        ("confirmed", "unsubscribed", "unsubscribed"),
        ("unsubscribed", "confirmed", "unsubscribed"),
        ("confirmed", "suppressed", "suppressed"),
        ("suppressed", "unsubscribed", "suppressed"),
    ] {
        let app = TestApp::start().await;
        let (a, b) = (app.joined("a@example.org").await, app.joined("b@example.org").await);
        let editor = app.editor().await;
        for (id, email, status) in [(&a, "a@example.org", mine), (&b, "b@example.org", theirs)] {
            let (_, etag) = editor.record(id).await;
            match status {
                "suppressed" => {
                    editor.on(Method::POST, &format!("{id}/suppress"), &etag, None).await.expect(204);
                }
                "unsubscribed" => {
                    let id: openhearth::id::Id = id.parse().unwrap();
                    let now = app.clock.now();
                    let leave = move |db: &mut _| {
                        Ok::<_, openhearth::store::StoreError>(openhearth::supporters::leave(db, id, now)?)
                    };
                    app.app().kernel.store.write(openhearth::store::Lane::Staff, leave).await.unwrap();
                }
                _ => assert_eq!(editor.emails(&format!("?status={status}&q={email}")).await, [email]),
            }
        }
        let (_, etag) = editor.record(&a).await;
        let merged =
            editor.on(Method::POST, &format!("{a}/merge"), &etag, Some(&json!({ "other": b }))).await;
        assert_eq!(merged.expect(200).json()["status"], wins, "{mine} and {theirs}");
        if wins == "suppressed" {
            for email in ["a@example.org", "b@example.org"] {
                app.client().join(&crate::support::person(email)).await.expect(202);
            }
            assert_eq!(app.settle().await.len(), 0, "neither address is written to");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_reaches_the_merged_record_too() {
    let app = TestApp::start().await;
    let (a, b) = (app.joined("a@example.org").await, app.joined("b@example.org").await);
    let editor = app.editor().await;
    let (_, etag) = editor.record(&a).await;
    editor.on(Method::POST, &format!("{a}/merge"), &etag, Some(&json!({ "other": b }))).await.expect(200);
    let (_, etag) = editor.record(&b).await;
    editor.on(Method::DELETE, &a, &etag, None).await.expect(204);
    assert_eq!(app.count("SELECT count(*) AS n FROM signups WHERE email <> ''").await, 0);
    assert_eq!(app.count("SELECT count(*) AS n FROM suppressions WHERE reason = 'erased'").await, 2);
    for id in [a, b] {
        editor.get(&format!("/api/v1/admin/supporters/{id}")).await.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_merges_of_each_into_the_other_one_is_done_and_one_is_told_that_the_record_has_changed() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    for pair in 0..6 {
        let (a, b) = (
            app.joined(&format!("a{pair}@example.org")).await,
            app.joined(&format!("b{pair}@example.org")).await,
        );
        let ((_, of_a), (_, of_b)) = (editor.record(&a).await, editor.record(&b).await);
        let merge = async |into: &str, etag: &str, other: &str| {
            let path = format!("{into}/merge");
            editor.on(Method::POST, &path, etag, Some(&json!({ "other": other }))).await.status
        };
        let (first, second) = tokio::join!(merge(&a, &of_a, &b), merge(&b, &of_b, &a));
        let mut both = [first, second];
        both.sort_unstable();
        assert_eq!(both, [200, 412]);
    }
}

/// What waits for a group: whom it shall forget, by the id and the address that its list had.
async fn owed(program: &crate::support::Client, slug: &str) -> Vec<(String, String)> {
    let page = program.get(&format!("/api/v1/groups/{slug}/recalls")).await.expect(200).json();
    let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let rows = page["data"].as_array().unwrap().iter();
    rows.map(|row| (word(&row["supporter_id"]), word(&row["address_sha256"]))).collect()
}

impl TestApp {
    /// All that the person of this address may download.
    async fn holdings_of(&self, email: &str) -> serde_json::Value {
        let key = email.to_owned();
        let person = self.write(move |db| openhearth::supporters::find_by_key(db, &key)).await.unwrap();
        let kernel = &self.app().kernel;
        let now = self.clock.now();
        let link = openhearth::supporters::fresh_preferences_url(kernel, person.id, person.link_version, now);
        let token = link.rsplit('/').next().unwrap();
        self.client().get(&format!("/preferences/{token}/data.json")).await.expect(200).json()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merge_moves_shares_and_whoever_had_the_merged_record_is_recalled_then_and_whenever_it_is_taken_back()
 {
    for way in ["withdraw", "leave", "erase", "suppress", "the group leaves"] {
        let app = TestApp::start().await;
        let (aspen, birch) = (app.group("aspen").await, app.group("birch").await);
        let of_aspen = app.manager("a@manager.example.org", aspen).await.1;
        let of_birch = app.manager("b@manager.example.org", birch).await.1;
        let new = app.joined("new@example.org").await;
        let old = app.joined("old@example.org").await;
        app.share("old@example.org", aspen).await;
        app.share("new@example.org", birch).await;
        app.hold(aspen, &["old@example.org"]).await;
        app.hold(birch, &["new@example.org"]).await;
        let editor = app.editor().await;
        let (_, etag) = editor.record(&new).await;
        let form = json!({ "other": old });
        editor.on(Method::POST, &format!("{new}/merge"), &etag, Some(&form)).await.expect(200);

        // The share goes on as the survivor's; the record that is no more is to be forgotten.
        assert_eq!(of_aspen.emails("").await, ["new@example.org"], "{way}");
        assert_eq!(of_birch.emails("").await, ["new@example.org"], "{way}");
        let as_old = (old.clone(), openhearth::keys::sha256_hex("old@example.org"));
        let as_new = (new.clone(), openhearth::keys::sha256_hex("new@example.org"));
        assert_eq!(owed(&of_aspen, "aspen").await, std::slice::from_ref(&as_old), "{way}");
        assert_eq!(owed(&of_birch, "birch").await, [], "{way}");
        // What was exported and recalled under the old record is told to the person, too.
        if way == "withdraw" {
            let held = app.holdings_of("new@example.org").await;
            assert_eq!(held["exports"].as_array().unwrap().len(), 2, "{held}");
            assert_eq!(held["recalls"].as_array().unwrap().len(), 1, "{held}");
            assert_eq!(held["signups"].as_array().unwrap().len(), 2, "{held}");
        }
        let all = json!({ "up_to": 1 });
        of_aspen.post_json("/api/v1/groups/aspen/recalls/acknowledge", &all).await.expect(200);
        assert_eq!(owed(&of_aspen, "aspen").await, [], "{way}");

        let (id, now) = (new.parse::<openhearth::id::Id>().unwrap(), app.clock.now());
        let (_, etag) = editor.record(&new).await;
        match way {
            "withdraw" => {
                let withdraw = move |db: &mut _| {
                    let person = openhearth::supporters::find(db, id)?.unwrap();
                    openhearth::groups::withdraw_share(db, person.number, aspen, now)
                };
                assert!(app.write(withdraw).await);
            }
            "leave" => app.write(move |db| openhearth::supporters::leave(db, id, now)).await,
            "erase" => drop(editor.on(Method::DELETE, &new, &etag, None).await.expect(204)),
            "suppress" => {
                drop(editor.on(Method::POST, &format!("{new}/suppress"), &etag, None).await.expect(204));
            }
            _ => {
                app.write(move |db| openhearth::groups::begin_departure(db, aspen)).await;
                app.app().recalls.depart().await.unwrap();
            }
        }
        assert_eq!(owed(&of_aspen, "aspen").await, [as_old], "{way}: its list had the old record");
        let is_birch_told = !["withdraw", "the group leaves"].contains(&way);
        let told = if is_birch_told { vec![as_new] } else { Vec::new() };
        assert_eq!(owed(&of_birch, "birch").await, told, "{way}");
    }
}

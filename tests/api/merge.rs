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

//! Preferences: who has what of a person, what each link may do about it, in English and in Spanish.

use serde_json::{Value, json};

use crate::support::{Client, DAY, Mail, TestApp};

/// The path of a fresh link, mailed to whoever has this masked link.
async fn fresh(app: &TestApp, masked: &str) -> String {
    app.client().post(&format!("{masked}/link")).await.expect(200);
    app.settle_one().await.link("/preferences/")
}

async fn recalled(program: &Client, slug: &str) -> usize {
    let page = program.get(&format!("/api/v1/groups/{slug}/recalls")).await.expect(200).json();
    page["data"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_link_takes_a_share_away_and_only_a_fresh_one_shows_and_adds() {
    let app = TestApp::start().await;
    let (valley, mill) = (app.group("valley").await, app.group("mill").await);
    let masked = app.supporter("ada@example.org").await.link("/preferences/");
    app.share("ada@example.org", valley).await;
    app.hold(valley, &["ada@example.org"]).await;
    let owner = app.owner().await.token(&["groups"]).await;
    let client = app.client();

    let page = client.get(&masked).await.expect(200).page();
    assert!(page.contains("The valley") && !page.contains("The mill") && !page.contains("ada@example.org"));
    for path in ["share", "resume"] {
        client.post_form(&format!("{masked}/{path}"), &[]).await.expect(403);
    }
    let api = format!("/api/v1{masked}");
    client.patch_json(&api, &json!({ "share_with": ["mill"] })).await.expect(403);
    client.patch_json(&api, &json!({ "language": "es" })).await.expect(403);
    let view = client.get(&api).await.expect(200).json();
    assert_eq!((&view["shares"][0]["slug"], &view["data"]), (&json!("valley"), &Value::Null));

    let page =
        client.post_form(&format!("{masked}/withdraw"), &[("group", "valley")]).await.expect(200).page();
    assert!(page.contains("Done. The valley no longer gets your contact"), "{page}");
    assert_eq!(recalled(&owner, "valley").await, 1);
    client.post_form(&format!("{masked}/withdraw"), &[("group", "nowhere")]).await.expect(422);

    let link = fresh(&app, &masked).await;
    let page = client.get(&link).await.expect(200).page();
    for said in [
        "ada@example.org",
        "The mill",
        "to delete what it has, and has not answered yet",
        "The valley: from 20",
    ] {
        assert!(page.contains(said), "{said}");
    }
    assert!(!page.contains("checked"), "nothing is ticked that was not given");
    let page = client
        .post_form(&format!("{link}/share"), &[("share", "mill"), ("share", "valley")])
        .await
        .expect(200)
        .page();
    assert_eq!(page.matches(" checked>").count(), 2);
    assert!(page.contains("The mill") && page.contains("may give my name"), "the wording of each share");
    assert_eq!(recalled(&owner, "valley").await, 0, "shared again");
    client.post_form(&format!("{link}/share"), &[("share", "mill")]).await.expect(200);
    assert_eq!(recalled(&owner, "valley").await, 1);
    client.post_form(&format!("{link}/share"), &[("share", "nowhere")]).await.expect(422);

    let api = format!("/api/v1{link}");
    let wrong = client.patch_json(&api, &json!({ "share_with": ["valley", "nowhere"] })).await;
    assert_eq!(wrong.faults(), ["share_with[1]: unknown_group"]);
    client.patch_json(&api, &json!({ "share_with": ["valley"], "withdraw": ["mill"] })).await.expect(204);
    let shares = client.get(&api).await.expect(200).json()["shares"].clone();
    assert_eq!((shares.as_array().unwrap().len(), &shares[0]["slug"]), (1, &json!("valley")));
    app.write(move |db| {
        use diesel::{ExpressionMethods, RunQueryDsl};
        use openhearth::store::schema::groups;
        diesel::update(groups::table).filter(groups::id.eq(mill)).set(groups::status.eq("left")).execute(db)
    })
    .await;
    let left = client.patch_json(&api, &json!({ "share_with": ["mill"] })).await;
    assert_eq!(left.faults(), ["share_with[0]: unknown_group"]);
    let acts = app
        .words("SELECT action AS word FROM audit_entries WHERE actor_kind = 'supporter' ORDER BY number")
        .await;
    for act in ["share.give", "share.withdraw"] {
        assert!(acts.iter().any(|done| done == act), "{acts:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_is_stored_is_taken_along_as_json() {
    let app = TestApp::start().await;
    let valley = app.group("valley").await;
    let signup = json!({
        "email": "Ada@example.org", "given_name": "Ada", "postal_code": "15104", "consent": { "email": true },
        "source": { "code": "flyer", "utm_campaign": "spring" },
    });
    let masked = app.supporter_of(&signup).await.link("/preferences/");
    app.share("ada@example.org", valley).await;
    app.hold(valley, &["ada@example.org"]).await;
    let reader = app.reader().await;
    reader.contacts("").await;
    let link = fresh(&app, &masked).await;
    app.client().get(&format!("{masked}/data.json")).await.expect(403);
    let answer = app.client().get(&format!("{link}/data.json")).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let data = answer.json();
    assert_eq!(data["supporter"]["email"], "Ada@example.org");
    assert_eq!(
        (&data["source"]["code"], &data["source"]["utm_campaign"]),
        (&json!("flyer"), &json!("spring"))
    );
    assert_eq!(data["signups"][0]["details"]["given_name"], "Ada");
    assert_eq!(data["shares"][0]["slug"], "valley");
    let exports: Vec<_> =
        data["exports"].as_array().unwrap().iter().map(|one| (&one["group"], &one["purpose"])).collect();
    let (newsletter, groups) = (json!("newsletter"), (json!("The valley"), json!("the newsletter")));
    assert_eq!(exports, [(&Value::Null, &newsletter), (&groups.0, &groups.1)], "newest first");
    let wordings: Vec<&Value> =
        data["notices"].as_array().unwrap().iter().map(|notice| &notice["id"]).collect();
    assert!(wordings.contains(&&data["signups"][0]["notice_id"]));
    assert!(data["consent"]["wording"].as_str().unwrap().contains("nobody I have not named"));
    let kinds: Vec<&str> =
        data["mails"].as_array().unwrap().iter().map(|mail| mail["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["confirm", "welcome", "preferences_link"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_pauses_is_in_no_list_for_thirty_days() {
    let app = TestApp::start().await;
    let masked = app.supporter("ada@example.org").await.link("/preferences/");
    app.supporter("bea@example.org").await;
    let reader = app.reader().await;
    let listed = async || {
        let rows = reader.contacts("").await;
        rows.into_iter().map(|row| row["email"].clone()).collect::<Vec<_>>()
    };
    let page = app.client().post(&format!("{masked}/pause")).await.expect(200).page();
    assert!(page.contains("You are paused until"), "{page}");
    assert_eq!(listed().await, ["bea@example.org"]);
    assert_eq!(reader.emails("").await.len(), 2, "staff see them still");
    app.advance(29 * DAY);
    app.purge().await;
    assert_eq!(listed().await, ["bea@example.org"]);
    app.advance(2 * DAY);
    app.purge().await;
    assert_eq!(listed().await.len(), 2);

    app.client().patch_json(&format!("/api/v1{masked}"), &json!({ "pause": true })).await.expect(204);
    app.client().patch_json(&format!("/api/v1{masked}"), &json!({ "pause": false })).await.expect(403);
    assert_eq!(listed().await.len(), 1);
    let link = fresh(&app, &masked).await;
    let page = app.client().post(&format!("{link}/resume")).await.expect(200).page();
    assert!(page.contains("The pause is over"), "{page}");
    assert_eq!(listed().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_who_reads_spanish_gets_every_page_and_mail_in_spanish() {
    let app = TestApp::start().await;
    app.group("valle").await;
    let client = app.client();
    let signup = json!({ "email": "ada@example.org", "language": "es-MX", "consent": { "email": true } });
    client.join(&signup).await.expect(202);
    let asked = app.settle_one().await;
    let says = |mail: &Mail, text: &str| {
        assert!(mail.text.replace('\n', " ").contains(text), "{text}: {}", mail.text);
        assert!(mail.html.contains("<html lang=\"es\""), "{}", mail.html);
    };
    says(&asked, "Para unirte, abre este enlace");
    client.confirm(&asked.link("/confirm/")).await.expect(200);
    let welcome = app.settle_one().await;
    says(&welcome, "Ningún otro grupo recibe tus datos");
    let masked = welcome.link("/preferences/");
    let page = client.get(&masked).await.expect(200).page();
    assert!(page.contains("<html lang=\"es\">") && page.contains("Tus opciones"), "{page}");
    client.post(&format!("{masked}/link")).await.expect(200);
    let mail = app.settle_one().await;
    says(&mail, "Aquí está el enlace que pediste.");
    let link = mail.link("/preferences/");
    let wrong = [("given_name", ""), ("family_name", ""), ("postal_code", "?"), ("language", "es")];
    let page = client.post_form(&link, &wrong).await.expect(422).page();
    assert!(page.contains("Escribe un código ZIP de cinco cifras"), "{page}");
    let page = client.post_form(&format!("{link}/share"), &[("share", "valle")]).await.expect(200).page();
    assert!(page.contains("puede dar mi nombre"), "{page}");
    let notice =
        app.words("SELECT n.language AS word FROM shares s JOIN notices n ON n.id = s.notice_id").await;
    assert_eq!(notice, ["es"], "the wording they saw is the one that is kept");

    let english = [("given_name", ""), ("family_name", ""), ("postal_code", ""), ("language", "en")];
    let page = client.post_form(&link, &english).await.expect(200).page();
    assert!(page.contains("<html lang=\"en\">") && page.contains("Saved."), "{page}");
    client.post_form(&link, &[("language", "tlh")]).await.expect(422);
    client.patch_json(&format!("/api/v1{link}"), &json!({ "language": "es" })).await.expect(204);
    let page = client.post(&welcome.link("/unsubscribe/")).await.expect(200).page();
    assert!(page.contains("Te has dado de baja"), "{page}");
    let not_me = client.ask(reqwest::Method::GET, &asked.link("/not-me/")).header("accept-language", "es");
    let page = client.send(not_me).await.expect(200).page();
    assert!(page.contains("¿No te apuntaste?"), "{page}");
}

//! The directory: who is in it, filters, pages, and logos.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat};
use reqwest::{Method, header};
use serde_json::json;

use crate::support::{Answer, Client, TestApp, application};

async fn names(app: &TestApp, query: &str) -> Vec<String> {
    let page = app.client().get(&format!("/api/v1/groups{query}")).await.expect(200).json();
    let rows = page["data"].as_array().unwrap().iter();
    rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_that_chose_it_are_found_by_region_sector_kind_and_search() {
    let app = TestApp::start().await;
    app.member("Abbey of the Ore").await;
    let mut form = application("Mill Workers' Local 12");
    form["kind"] = json!("labor_union");
    form["regions"] = json!(["WV"]);
    form["sectors"] = json!(["aluminum", "cement"]);
    app.member_of(&form).await;
    form["name"] = json!("Nationwide Air");
    form["regions"] = json!(["US"]);
    app.member_of(&form).await;
    form["name"] = json!("Quiet Ones");
    form["is_listed"] = json!(false);
    app.member_of(&form).await;
    app.client().post_json("/api/v1/groups", &application("Only applied")).await.expect(202);

    let all = ["Abbey of the Ore", "Mill Workers' Local 12", "Nationwide Air"];
    assert_eq!(names(&app, "").await, all);
    assert_eq!(names(&app, "?region=WV").await, all[1..]);
    assert_eq!(names(&app, "?region=OH").await, [all[0], all[2]]);
    assert_eq!(names(&app, "?sector=steel").await, all[..1]);
    assert_eq!(names(&app, "?kind=labor_union&q=NATION").await, all[2..]);
    assert_eq!(names(&app, "?q=quiet").await, [""; 0]);
    for (query, fault) in [
        ("?region=Ohio", "region: unknown_value"),
        ("?sector=gold", "sector: unknown_value"),
        ("?kind=choir", "kind: unknown_value"),
        ("?limit=0", "limit: out_of_range"),
        ("?cursor=AAAA", "cursor: invalid_cursor"),
    ] {
        assert_eq!(app.client().get(&format!("/api/v1/groups{query}")).await.faults(), [fault]);
    }
    app.client().get("/api/v1/groups?regoin=OH").await.expect(422);

    let first = app.client().get("/api/v1/groups?limit=2").await.expect(200).json();
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(names(&app, &format!("?limit=2&cursor={cursor}")).await, all[2..]);

    let page = app.browser().get("/groups?region=OH&sector=nonsense").await.expect(200).page();
    assert!(page.contains(">Abbey of the Ore</a>") && !page.contains("Mill Workers"), "{page}");
    assert!(page.contains(r#"<option value="OH" selected>"#), "{page}");
    let page = app.browser().get("/groups/mill-workers-local-12").await.expect(200).page();
    for part in [
        "Mill Workers&#39; Local 12",
        "West Virginia",
        "Aluminum, Cement",
        "/join?group=mill-workers-local-12",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(!page.contains("grace"), "{page}");
    for hidden in ["quiet-ones", "only-applied", "nobody"] {
        app.client().get(&format!("/groups/{hidden}")).await.expect(404);
        app.client().get(&format!("/api/v1/groups/{hidden}")).await.expect(404);
    }
    let one = app.client().get("/api/v1/groups/nationwide-air").await.expect(200).json();
    assert_eq!(one["regions"], json!(["US"]));
}

fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(width, height).write_to(&mut out, format).unwrap();
    out.into_inner()
}

async fn put(client: &Client, path: &str, file: Vec<u8>) -> Answer {
    client.send(client.ask(Method::PUT, path).header(header::CONTENT_TYPE, "image/png").body(file)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logo_is_written_anew_and_served_to_be_kept() {
    let app = TestApp::start().await;
    let group = app.member("Valley").await;
    let manager = app.manager_of(&group).await;
    let at = format!("/api/v1/admin/groups/{}/logo", group.id);
    app.client().get("/groups/valley/logo").await.expect(404);
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
        put(&manager, &at, picture(900, 300, format)).await.expect(204);
        let url =
            app.client().get("/api/v1/groups/valley").await.json()["logo_url"].as_str().unwrap().to_owned();
        let path = url.strip_prefix("http://join.example.org").unwrap().to_owned();
        let served = app.client().get(&path).await.expect(200);
        assert_eq!(served.header("content-type"), "image/png");
        assert_eq!(served.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(served.header("x-content-type-options"), "nosniff");
        assert!(served.header("content-security-policy").contains("sandbox"), "{served:?}");
        let seen = image::load_from_memory_with_format(&served.body, ImageFormat::Png).unwrap();
        assert_eq!((seen.width(), seen.height()), (400, 133));
        let again = app.client().ask(Method::GET, &path).header(header::IF_NONE_MATCH, served.header("etag"));
        app.client().send(again).await.expect(304);
        let plain = app.client().get("/groups/valley/logo").await.expect(200);
        assert_eq!(plain.header("cache-control"), "public, max-age=300");
        let page = app.browser().get("/groups/valley").await.expect(200).page();
        assert!(page.contains(&format!("src=\"{path}\"")), "{page}");
    }
    app.client().send(manager.ask(Method::DELETE, &at)).await.expect(204);
    app.client().get("/groups/valley/logo").await.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_picture_or_a_bomb_is_refused() {
    let app = TestApp::start().await;
    let owner = app.owner().await.session;
    let (group, other) = (app.member("Valley").await, app.member("Mill").await);
    let at = format!("/api/v1/admin/groups/{}/logo", group.id);
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec();
    let mut cut = picture(200, 200, ImageFormat::Png);
    cut.truncate(cut.len() / 2);
    for (file, code) in [
        (svg, "unsupported_format"),
        (Vec::new(), "unsupported_format"),
        (b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), "unsupported_format"),
        (cut, "broken_image"),
        (picture(4097, 2, ImageFormat::Png), "too_large"),
        (picture(5000, 5000, ImageFormat::Png), "too_large"),
        (picture(2, 5000, ImageFormat::WebP), "too_large"),
    ] {
        assert_eq!(put(&owner, &at, file).await.faults(), [format!("logo: {code}")]);
    }
    put(&owner, &at, vec![0; 1024 * 1024 + 1]).await.expect(413);
    put(&owner, "/api/v1/admin/groups/x/logo", picture(2, 2, ImageFormat::Png)).await.expect(404);
    let manager = app.manager_of(&other).await;
    put(&manager, &at, picture(2, 2, ImageFormat::Png)).await.expect(404);
    app.client().get("/groups/valley/logo").await.expect(404);
    assert_eq!(app.count("SELECT count(*) AS n FROM group_logos").await, 0);
}

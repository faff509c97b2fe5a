//! The trail over the API: filtered, page by page, as a file, verified.

use openhearth::staff::Role;
use serde_json::{Value, json};

use crate::support::{HOUR, TestApp};

const AUDIT: &str = "/api/v1/admin/audit";
const VERIFY: &str = "/api/v1/admin/audit/verify";
const FILE: &str = "/api/v1/admin/exports/audit.ndjson";

fn actions(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_are_listed_newest_first_page_by_page_and_filtered() {
    let app = TestApp::start().await;
    let auditor = app.owner().await.token(&["audit"]).await;
    app.append_acts(5).await;
    app.advance(HOUR);
    let at = app.clock.now().to_string();
    app.supporter("ada@example.org").await;
    let reader = app.staff("other@example.org", Role::Owner).await;
    reader.session.get("/api/v1/admin/supporters").await.expect(200);

    let list = async |query: &str| auditor.get(&format!("{AUDIT}{query}")).await.expect(200).json();
    let all = list("?limit=500").await;
    let numbers: Vec<_> =
        all["data"].as_array().unwrap().iter().map(|entry| entry["number"].as_i64().unwrap()).collect();
    assert!(
        numbers.windows(2).all(|pair| pair[0] == pair[1] + 1) && numbers.last() == Some(&1),
        "{numbers:?}"
    );
    // Reading it is an entry of its own, once a minute; so this is after all pages.
    let mut paged = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = list(&format!("?limit=3{cursor}")).await;
        paged.extend(page["data"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let unread = |entries: &[Value]| -> Vec<Value> {
        entries.iter().filter(|entry| entry["action"] != "audit.list").cloned().collect()
    };
    assert_eq!(unread(&paged), unread(all["data"].as_array().unwrap()));

    assert_eq!(actions(&list("?action=form.&limit=9").await), ["form.edit"; 5]);
    assert_eq!(actions(&list("?action=form_").await), [""; 0], "an underscore is itself");
    let one = list("?action=form.edit&limit=1").await["data"][0].clone();
    for (filter, key) in [("actor", "actor_id"), ("subject", "subject_id")] {
        let found = list(&format!("?{filter}={}", one[key].as_str().unwrap())).await;
        assert_eq!(found["data"], json!([one]));
    }
    let read = list("?action=supporter.list").await["data"][0].clone();
    assert_eq!(read["actor_email"], "other@example.org");
    assert_eq!((&read["actor_kind"], &read["details"]), (&json!("staff"), &json!({ "rows": 1 })));
    assert!(actions(&list(&format!("?from={at}&action=form.")).await).is_empty());
    assert_eq!(actions(&list(&format!("?to={at}&action=form.")).await), ["form.edit"; 5]);
    assert!(actions(&list("?actor_kind=staff&limit=500").await).contains(&"supporter.list"));
    assert!(actions(&list("?actor_kind=group").await).is_empty());

    for (query, fault) in [
        ("?action=%25", "action: invalid_action"),
        ("?actor_kind=Ada", "actor_kind: invalid_action"),
        ("?actor=x", "actor: wrong_type"),
        ("?from=2026-02-02&to=2026-02-01", "to: contradiction"),
        ("?limit=0", "limit: out_of_range"),
        ("?cursor=AAAA", "cursor: invalid_cursor"),
        ("?who=x", "who: unknown_field"),
    ] {
        assert_eq!(auditor.get(&format!("{AUDIT}{query}")).await.faults(), [fault], "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_has_an_entry_a_line_and_is_itself_in_the_trail() {
    let app = TestApp::start().await;
    let auditor = app.owner().await.token(&["audit"]).await;
    app.append_acts(3).await;
    let answer = auditor.get(&format!("{FILE}?action=form.")).await.expect(200);
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    let lines: Vec<Value> = answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    let fields: Vec<_> = lines.iter().map(|line| line["details"]["fields"].as_i64().unwrap()).collect();
    assert_eq!(fields, [2, 1, 0]);
    app.until_none("SELECT 1 - count(*) AS n FROM audit_entries WHERE action = 'export.end'").await;
    let acts = app.acts(&["export."]).await;
    let (begun, ended) = (&acts[0], &acts[1]);
    assert_eq!((acts.len(), begun.0.as_str(), begun.1.as_str()), (2, "staff", "export.begin"));
    assert_eq!(begun.2["filter"]["action"], "form.");
    assert_eq!((ended.1.as_str(), &ended.2), ("export.end", &json!({ "rows": 3, "outcome": "complete" })));
    assert_eq!(auditor.get(&format!("{FILE}?limit=3")).await.faults(), ["limit: unknown_field"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_says_what_verification_found() {
    let app = TestApp::start().await;
    let auditor = app.owner().await.token(&["audit"]).await;
    app.append_acts(3).await;
    let verdict = async |query: &str| auditor.get(&format!("{VERIFY}{query}")).await.expect(200).json();
    let good = verdict("").await;
    assert_eq!((&good["intact"], &good["retired"]), (&json!(true), &json!(0)));
    let head = good["head"].as_str().unwrap().to_owned();
    assert_eq!(verdict(&format!("?expect={head}")).await, good);
    let (number, mac) = head.split_once(':').unwrap();
    let later = number.parse::<i64>().unwrap() + 1;
    let cut = verdict(&format!("?expect={later}:{mac}")).await;
    assert_eq!((&cut["broken_at"], &cut["kind"]), (&json!(later), &json!("cut")));
    assert!(cut["sentence"].as_str().unwrap().contains("cut"), "{cut}");
    assert_eq!(auditor.get(&format!("{VERIFY}?expect=7")).await.faults(), ["expect: invalid_head"]);

    let organizer = app.staff("organizer@example.org", Role::Organizer).await;
    for path in [AUDIT, VERIFY, FILE] {
        organizer.session.get(path).await.expect(403);
    }
}

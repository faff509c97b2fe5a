//! The trail and time: its head logged once an hour, and entries of a span of time found without reading the others.

use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};
use openhearth::{
    audit::{Act, Actor, EntryFilter},
    clock::Timestamp,
    store::{Db, Lane, StoreError},
};

use crate::support::{HOUR, MINUTE, TestApp, application};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_head_is_logged_once_an_hour_by_whichever_process() {
    let app = TestApp::start().await;
    let other = app.second_process().await;
    let (trail, of_other) = (app.app().kernel.trail(), other.kernel.trail());
    app.append_acts(2).await;
    let first = trail.log_head_if_due().await.unwrap();
    assert_eq!(first, Some(trail.head().await.unwrap()));
    app.append_acts(1).await;
    for _ in 0..2 {
        assert_eq!(trail.log_head_if_due().await.unwrap(), None);
        assert_eq!(of_other.log_head_if_due().await.unwrap(), None);
    }
    app.advance(HOUR - MINUTE);
    assert_eq!(of_other.log_head_if_due().await.unwrap(), None);
    app.advance(MINUTE);
    let second = of_other.log_head_if_due().await.unwrap();
    assert_eq!(second.as_ref().map(|head| head.number), Some(3));
    assert_eq!(trail.log_head_if_due().await.unwrap(), None);
    // What was logged is what verify takes.
    for head in [first, second] {
        assert!(matches!(trail.verify(head).await, Ok(openhearth::audit::Verdict::Intact { .. })));
    }
    other.kernel.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_span_of_time_finds_all_of_its_entries_also_where_clocks_differed() {
    let app = TestApp::start().await;
    let kernel = app.app().kernel.clone();
    let begin = app.clock.now().as_seconds();
    // Seconds since the begin, in the order they were appended: replicas' clocks differ, and one was wrong for a while.
    let times = [0, 10, 9, 12, 3000, 60, 61, 58, 4000, 3990, 9000, 9001, 20_000, 19_999, 30_000];
    let keys = kernel.keys.clone();
    let write = move |db: &mut Db| {
        for at in times {
            let at = Timestamp::from_seconds(begin + at);
            openhearth::audit::append(db, &keys, &[Act::new(Actor::System, "form.edit")], at)?;
        }
        Ok::<_, StoreError>(())
    };
    kernel.store.write(Lane::Staff, write).await.unwrap();
    let bounds =
        [None, Some(-1), Some(0), Some(10), Some(11), Some(60), Some(3990), Some(9001), Some(40_000)];
    for from in bounds {
        for to in bounds {
            let at = |seconds: i64| Timestamp::from_seconds(begin + seconds);
            let filter = EntryFilter { from: from.map(at), to: to.map(at), ..EntryFilter::default() };
            let found = kernel.trail().list(filter, None, 100).await.unwrap();
            let found: Vec<_> = found.iter().map(|link| link.entry.at.as_seconds() - begin).collect();
            let is_in = |time: &i64| from.is_none_or(|from| *time >= from) && to.is_none_or(|to| *time < to);
            let expected: Vec<_> = times.iter().rev().copied().filter(is_in).collect();
            assert_eq!(found, expected, "from {from:?} to {to:?}");
        }
    }
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    step: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ends_of_a_span_of_time_are_read_from_an_index() {
    let app = TestApp::start().await;
    app.append_acts(3).await;
    let explain = |db: &mut Db| {
        let mut plans = Vec::new();
        for (condition, order) in [("at < 5", "at DESC, number DESC"), ("at >= 5", "at, number")] {
            let select =
                format!("SELECT number FROM audit_entries WHERE {condition} ORDER BY {order} LIMIT 1");
            plans.push(match db {
                Db::Sqlite(c) => {
                    #[derive(QueryableByName)]
                    struct Detail {
                        #[diesel(sql_type = Text)]
                        detail: String,
                    }
                    let plan: Vec<Detail> = sql_query(format!("EXPLAIN QUERY PLAN {select}")).load(c)?;
                    plan.into_iter().map(|step| step.detail).collect::<Vec<_>>().join("\n")
                }
                Db::Pg(c) => {
                    sql_query("SET LOCAL enable_seqscan = off").execute(c)?;
                    sql_query(
                        "CREATE OR REPLACE FUNCTION pg_temp.plan(text) RETURNS SETOF text LANGUAGE plpgsql AS \
                         'BEGIN RETURN QUERY EXECUTE ''EXPLAIN '' || $1; END'",
                    )
                    .execute(c)?;
                    let plan: Vec<Step> = sql_query("SELECT step FROM pg_temp.plan($1) AS step")
                        .bind::<Text, _>(&select)
                        .load(c)?;
                    plan.into_iter().map(|step| step.step).collect::<Vec<_>>().join("\n")
                }
            });
        }
        Ok::<_, StoreError>(plans)
    };
    for plan in app.app().kernel.store.write(Lane::Staff, explain).await.unwrap() {
        assert!(plan.contains("audit_entries_by_time"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE") && !plan.contains("Sort"), "{plan}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn applications_that_nobody_confirmed_are_erased_with_an_entry_that_counts_them() {
    let app = TestApp::start().await;
    for (name, contact) in [("Valley Clean Air", "grace@example.org"), ("Mill Workers", "mary@example.org")] {
        let mut form = application(name);
        form["contact_email"] = contact.into();
        app.client().post_json("/api/v1/groups", &form).await.expect(202);
    }
    assert_eq!(app.settle().await.len(), 2);
    app.advance(8 * 24 * HOUR);
    assert_eq!(app.app().groups.purge().await.unwrap(), 2);
    assert_eq!(app.app().groups.purge().await.unwrap(), 0);
    let acts = app.acts(&["group.purge"]).await;
    let said = serde_json::json!({ "applications": 2 });
    assert_eq!(acts, [("system".to_owned(), "group.purge".to_owned(), said)]);
}

//! Damage is found, whatever it is; the database refuses it from whoever comes by mistake; retention leaves what
//! verifies; several processes write one chain.

use diesel::{RunQueryDsl, connection::SimpleConnection, sql_query};
use openhearth::{
    audit::{self, Act, Actor, Fault, FaultKind, Head, RetainError, Verdict, VerifyError},
    store::{Db, Lane, StoreError},
};

use crate::support::{DAY, TestApp};

/// Lets go of what refuses changes.
fn unguard(db: &mut Db) {
    let of = if matches!(db, Db::Pg(_)) { " ON audit_entries" } else { "" };
    for trigger in ["audit_entries_unchanged", "audit_entries_kept"] {
        db.batch_execute(&format!("DROP TRIGGER {trigger}{of}")).unwrap();
    }
}

/// Why a transaction is not kept: that is what it was for.
#[derive(Debug)]
struct Undo(Verdict);

impl From<StoreError> for Undo {
    fn from(error: StoreError) -> Self {
        panic!("{error}")
    }
}

impl From<diesel::result::Error> for Undo {
    fn from(error: diesel::result::Error) -> Self {
        panic!("{error}")
    }
}

impl TestApp {
    /// The verdict after these statements, which are then undone.
    async fn verdict_after(&self, statements: Vec<String>, expected: Option<Head>) -> Verdict {
        let keys = self.app().kernel.keys.clone();
        let write = move |db: &mut Db| -> Result<(), Undo> {
            unguard(db);
            for statement in &statements {
                let changed =
                    sql_query(statement).execute(db).unwrap_or_else(|error| panic!("{statement}: {error}"));
                assert_eq!(changed, 1, "{statement}");
            }
            Err(Undo(audit::verify(db, &keys, expected.as_ref(), || true).unwrap()))
        };
        self.app().kernel.store.write(Lane::Staff, write).await.unwrap_err().0
    }
}

const fn broken(number: i64, kind: FaultKind) -> Verdict {
    Verdict::Broken(Fault { number, kind })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_single_change_removal_and_swap_is_found_and_named() {
    const LAST: u8 = 9;
    let app = TestApp::start().await;
    app.append_acts(LAST).await;
    let Verdict::Intact { retired: 0, head } = app.verify().await else { panic!("it is intact") };
    assert_eq!(head.number, i64::from(LAST));

    let other =
        "(SELECT other.{} FROM audit_entries AS other WHERE other.number <> audit_entries.number LIMIT 1)";
    for number in 1..=LAST {
        let n = i64::from(number);
        for change in [
            "at = at + 1".to_owned(),
            "actor_kind = 'system'".to_owned(),
            "actor_id = token_id".to_owned(),
            "actor_id = NULL".to_owned(),
            "token_id = NULL".to_owned(),
            format!("token_id = {}", other.replace("{}", "token_id")),
            "action = 'form.read'".to_owned(),
            "subject_kind = NULL".to_owned(),
            "subject_kind = ''".to_owned(),
            "subject_id = actor_id".to_owned(),
            "details = details || ' '".to_owned(),
            format!("mac = {}", other.replace("{}", "mac")),
        ] {
            let statement = format!("UPDATE audit_entries SET {change} WHERE number = {number}");
            assert_eq!(
                app.verdict_after(vec![statement.clone()], None).await,
                broken(n, FaultKind::Changed),
                "{statement}"
            );
        }
        // Of the last entry it is the head that shows it.
        let kind = if number == LAST { FaultKind::Cut } else { FaultKind::Missing };
        let delete = format!("DELETE FROM audit_entries WHERE number = {number}");
        assert_eq!(app.verdict_after(vec![delete.clone()], None).await, broken(n, kind), "{delete}");
        // Taken away and closed up: what follows moves down.
        if number < LAST {
            let close = (number + 1..=LAST).map(|later| {
                format!("UPDATE audit_entries SET number = {} WHERE number = {later}", later - 1)
            });
            let statements = std::iter::once(delete).chain(close).collect();
            assert_eq!(app.verdict_after(statements, None).await, broken(n, FaultKind::Changed));
        }
        for second in number + 1..=LAST {
            let second = i64::from(second);
            let swap = [(n, 1000), (second, n), (1000, second)]
                .map(|(from, to)| format!("UPDATE audit_entries SET number = {to} WHERE number = {from}"));
            assert_eq!(
                app.verdict_after(swap.to_vec(), None).await,
                broken(n, FaultKind::Changed),
                "{swap:?}"
            );
        }
    }
    assert_eq!(app.verify().await, Verdict::Intact { retired: 0, head }, "every change was undone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trail_cut_at_its_end_is_found_by_a_head_that_was_kept_elsewhere() {
    let app = TestApp::start().await;
    app.append_acts(5).await;
    let kept = app.app().kernel.trail().head().await.unwrap();
    let earlier = app.app().kernel.trail().list(Default::default(), None, 2).await.unwrap().remove(1);
    let earlier = Head { number: earlier.entry.number, mac: earlier.mac };
    assert_eq!((kept.number, earlier.number), (5, 4));

    // With its head moved back as well, the trail itself cannot tell.
    let cut = |to: i64| {
        let move_head = format!(
            "UPDATE audit_head SET number = {to}, mac = (SELECT mac FROM audit_entries WHERE number = {to})"
        );
        let delete = (to + 1..=5).map(|number| format!("DELETE FROM audit_entries WHERE number = {number}"));
        std::iter::once(move_head).chain(delete).collect::<Vec<_>>()
    };
    assert!(matches!(app.verdict_after(cut(3), None).await, Verdict::Intact { .. }));
    assert_eq!(app.verdict_after(cut(3), Some(kept.clone())).await, broken(4, FaultKind::Cut));
    assert_eq!(app.verdict_after(cut(4), Some(kept.clone())).await, broken(5, FaultKind::Cut));
    assert!(matches!(app.verdict_after(cut(4), Some(earlier.clone())).await, Verdict::Intact { .. }));
    let other = Head { number: 4, mac: kept.mac.clone() };
    assert_eq!(app.app().kernel.trail().verify(Some(other)).await.unwrap(), broken(4, FaultKind::Changed));

    // The head alone, or an entry beyond it.
    let head = |change: &str| vec![format!("UPDATE audit_head SET {change}")];
    assert_eq!(app.verdict_after(head("number = 6"), None).await, broken(6, FaultKind::Cut));
    assert_eq!(app.verdict_after(head("number = 4"), None).await, broken(5, FaultKind::Added));
    let last = "mac = (SELECT mac FROM audit_entries WHERE number = 1)";
    assert_eq!(app.verdict_after(head(last), None).await, broken(5, FaultKind::Changed));
    assert_eq!(
        app.verdict_after(vec!["DELETE FROM audit_head".to_owned()], None).await,
        broken(1, FaultKind::Cut)
    );
    let forged =
        "UPDATE audit_checkpoint SET number = 2, mac = (SELECT mac FROM audit_entries WHERE number = 2)";
    let without = [1, 2].map(|number| format!("DELETE FROM audit_entries WHERE number = {number}"));
    let statements = std::iter::once(forged.to_owned()).chain(without).collect();
    assert_eq!(app.verdict_after(statements, None).await, broken(2, FaultKind::Checkpoint));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_refuses_to_change_or_delete_entries() {
    let app = TestApp::start().await;
    app.append_acts(3).await;
    let mut statements = vec![
        "UPDATE audit_entries SET details = '{}' WHERE number = 2",
        "DELETE FROM audit_entries WHERE number = 3",
        "DELETE FROM audit_entries",
    ];
    let is_postgres = |db: &mut Db| Ok::<_, StoreError>(matches!(db, Db::Pg(_)));
    if app.app().kernel.store.read(is_postgres).await.unwrap() {
        statements.push("TRUNCATE audit_entries");
    }
    for statement in statements {
        let write = move |db: &mut Db| Ok::<_, StoreError>(sql_query(statement).execute(db)?);
        let refused = app.app().kernel.store.write(Lane::Staff, write).await.unwrap_err().to_string();
        assert!(refused.contains("entries of the audit trail are not"), "{refused}");
    }
    assert!(matches!(app.verify().await, Verdict::Intact { head: Head { number: 3, .. }, .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retention_takes_old_entries_away_and_the_rest_verifies_from_its_checkpoint() {
    let app = TestApp::start().await;
    let trail = app.app().kernel.trail();
    app.append_acts(4).await;
    let old = trail.list(Default::default(), None, 2).await.unwrap().remove(1);
    app.advance(31 * DAY);
    // More than one piece of old ones, and some that are young enough.
    let acts = (0..1100).map(|_| Act::new(Actor::System, "form.edit")).collect();
    trail.append(Lane::Worker, acts).await.unwrap();
    app.advance(31 * DAY);
    app.append_acts(3).await;
    let before = trail.head().await.unwrap();
    assert_eq!(before.number, 1107);

    assert_eq!(trail.retire(90).await.unwrap(), 0, "nothing is as old");
    assert_eq!(trail.head().await.unwrap(), before, "and nothing is said of nothing");
    assert_eq!(trail.retire(60).await.unwrap(), 4);
    assert!(matches!(app.verify().await, Verdict::Intact { retired: 4, .. }));
    assert_eq!(trail.retire(30).await.unwrap(), 1100);
    let Verdict::Intact { retired: 1104, head } = app.verify().await else { panic!("it is intact") };
    let acts: Vec<_> =
        app.acts(&["audit."]).await.into_iter().map(|(kind, _, details)| (kind, details)).collect();
    let said =
        |until, entries| ("system".to_owned(), serde_json::json!({ "until": until, "entries": entries }));
    assert_eq!(acts, [said(4, 4), said(1104, 1100)]);
    assert_eq!(head.number, 1109);
    app.append_acts(1).await;
    assert!(matches!(app.verify().await, Verdict::Intact { retired: 1104, .. }));

    // What was written down before, where it is kept still, and where it is not.
    assert!(matches!(trail.verify(Some(before)).await, Ok(Verdict::Intact { .. })));
    let gone = Head { number: old.entry.number, mac: old.mac };
    assert!(matches!(trail.verify(Some(gone)).await, Err(VerifyError::TooOld(3))));
    for (change, number, kind) in [
        ("UPDATE audit_checkpoint SET number = 1103", 1103, FaultKind::Checkpoint),
        ("UPDATE audit_checkpoint SET made_at = made_at + 1", 1104, FaultKind::Checkpoint),
        ("UPDATE audit_checkpoint SET number = 0", 0, FaultKind::Checkpoint),
        ("DELETE FROM audit_checkpoint", 0, FaultKind::Checkpoint),
        ("DELETE FROM audit_entries WHERE number = 1105", 1105, FaultKind::Missing),
    ] {
        assert_eq!(app.verdict_after(vec![change.to_owned()], None).await, broken(number, kind), "{change}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retention_takes_nothing_away_that_shows_a_fault() {
    let app = TestApp::start().await;
    app.append_acts(6).await;
    let write = |db: &mut Db| {
        unguard(db);
        Ok::<_, StoreError>(sql_query("UPDATE audit_entries SET action = 'x' WHERE number = 3").execute(db)?)
    };
    assert_eq!(app.app().kernel.store.write(Lane::Staff, write).await.unwrap(), 1);
    app.advance(100 * DAY);
    let refused = app.app().kernel.trail().retire(30).await.unwrap_err();
    let RetainError::Broken(fault) = refused else { panic!("{refused}") };
    assert_eq!(fault, Fault { number: 3, kind: FaultKind::Changed });
    assert_eq!(app.count("SELECT count(*) AS n FROM audit_entries").await, 6);
    assert_eq!(app.verify().await, broken(3, FaultKind::Changed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_processes_append_to_one_unbroken_chain() {
    const EACH: i64 = 25;
    let app = TestApp::start().await;
    let others = [app.second_process().await, app.second_process().await];
    let kernels = others.iter().chain([app.app()]).map(|app| app.kernel.clone());
    let verifying = {
        let trail = app.app().kernel.trail();
        tokio::spawn(async move {
            for _ in 0..10 {
                let verdict = trail.verify(None).await.unwrap();
                assert!(matches!(verdict, Verdict::Intact { .. }), "while others append: {verdict:?}");
            }
        })
    };
    let appending = kernels.flat_map(|kernel| {
        // Two at a time in each process: PostgreSQL runs them side by side.
        [0, 1].map(|_| {
            let trail = kernel.trail();
            tokio::spawn(async move {
                for _ in 0..EACH {
                    trail.append(Lane::Staff, vec![Act::new(Actor::System, "form.edit"); 2]).await.unwrap();
                }
            })
        })
    });
    for done in appending.collect::<Vec<_>>() {
        done.await.unwrap();
    }
    verifying.await.unwrap();
    let Verdict::Intact { head, .. } = app.verify().await else { panic!("it is intact") };
    assert_eq!(head.number, 3 * 2 * EACH * 2);
    for other in others {
        other.kernel.store.close().await;
    }
}

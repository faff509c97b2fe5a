//! `schema.rs` against the database that the migrations make.

use std::collections::BTreeSet;

use diesel::{QueryDsl, debug_query, pg::Pg};
use openhearth::store::{Db, StoreError, schema};

use crate::support::TestApp;

/// Each table of `schema.rs` with the columns that diesel asks for, in double quotes, which both databases take.
macro_rules! tables {
    ($($table:ident),* $(,)?) => {
        [$({
            let query = schema::$table::table.select(schema::$table::all_columns);
            (stringify!($table), debug_query::<Pg, _>(&query).to_string())
        }),*]
    };
}

impl TestApp {
    pub async fn is_postgres(&self) -> bool {
        let read = |db: &mut Db| Ok::<_, StoreError>(matches!(db, Db::Pg(_)));
        self.app().kernel.store.read(read).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schema_and_migrations_name_the_same_tables_and_columns() {
    let app = TestApp::start().await;
    let is_postgres = app.is_postgres().await;
    let columns = if is_postgres {
        "SELECT table_name || '.' || column_name AS word FROM information_schema.columns WHERE table_schema = 'public'"
    } else {
        "SELECT m.name || '.' || p.name AS word FROM sqlite_master AS m, pragma_table_info(m.name) AS p \
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
    };
    let made: BTreeSet<String> = app.words(columns).await.into_iter().collect();
    let made: BTreeSet<String> = made.into_iter().filter(|column| !column.starts_with("__diesel")).collect();

    let mut named = BTreeSet::new();
    for (table, query) in tables![
        audit_checkpoint,
        audit_entries,
        audit_head,
        count_deltas,
        counts,
        export_members,
        exports,
        fields,
        form_fields,
        form_groups,
        forms,
        group_logos,
        group_webhooks,
        groups,
        import_chunks,
        import_refusals,
        imports,
        login_attempts,
        mail_limits,
        notices,
        outbox,
        periodic_jobs,
        recall_heads,
        recalls,
        settings,
        segments,
        shares,
        signups,
        staff,
        staff_recovery_codes,
        staff_sessions,
        staff_tokens,
        supporter_aliases,
        supporter_fields,
        supporter_notes,
        supporter_tags,
        supporters,
        suppressions,
        tag_operations,
        tags,
    ] {
        let list = query.split(" FROM ").next().unwrap().trim_start_matches("SELECT ");
        for column in list.split(", ") {
            let (of, column) = column.split_once('.').unwrap();
            assert_eq!(of.trim_matches('"'), table, "{query}");
            named.insert(format!("{table}.{}", column.trim_matches('"')));
        }
    }
    assert_eq!(made, named);
}

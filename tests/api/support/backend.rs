//! Which database the suite runs on: SQLite, or with `OPENHEARTH_TEST_DATABASE=postgres` the server that
//! `tests/with_postgres` has started. The one place to choose it.

use std::{
    fs,
    path::PathBuf,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query,
    sql_types::Text,
};
use openhearth::{
    config::{Config, DatabaseUrl},
    store::migrate,
};
use tempfile::TempDir;

/// A database of one test's own, gone with it.
pub enum Backend {
    /// A file in a folder of its own.
    Sqlite(TempDir),
    /// A database by its name, on the server of this run.
    Postgres(String),
}

fn is_postgres() -> bool {
    match std::env::var("OPENHEARTH_TEST_DATABASE").as_deref() {
        Err(_) | Ok("" | "sqlite") => false,
        Ok("postgres") => true,
        Ok(other) => panic!("OPENHEARTH_TEST_DATABASE is sqlite or postgres, not {other}"),
    }
}

fn at(name: &str) -> String {
    let server = std::env::var("OPENHEARTH_TEST_POSTGRES").expect("run this by tests/with_postgres");
    format!("{server}{name}")
}

fn on_server(statement: &str) {
    PgConnection::establish(&at("postgres")).unwrap().batch_execute(statement).unwrap();
}

/// A name of this process's own.
fn name(kind: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("{kind}_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst))
}

/// A migrated database, made once, that each test gets a copy of.
fn template() -> &'static str {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let name = name("template");
        on_server(&format!("CREATE DATABASE {name}"));
        let mut config = Config::defaults().unwrap().database;
        config.url = at(&name).try_into().unwrap();
        assert!(migrate::migrate(&config).unwrap() > 0);
        name
    })
}

impl Backend {
    /// The backend of this run.
    pub fn choose() -> Self {
        if !is_postgres() {
            return Self::Sqlite(tempfile::tempdir().unwrap());
        }
        let (name, template) = (name("test"), template());
        on_server(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
        Self::Postgres(name)
    }

    /// Where it is.
    pub fn url(&self) -> DatabaseUrl {
        match self {
            Self::Sqlite(folder) => DatabaseUrl::Sqlite(folder.path().join("openhearth.db")),
            Self::Postgres(name) => at(name).try_into().unwrap(),
        }
    }

    /// What PostgreSQL does by itself within minutes of a large load; SQLite does nothing of the kind in production either.
    pub fn settle(&self) {
        if let Self::Postgres(name) = self {
            PgConnection::establish(&at(name)).unwrap().batch_execute("VACUUM (ANALYZE)").unwrap();
        }
    }

    /// The places where `text` stands: on SQLite the names of files, whatever row, free page or log it is in; on
    /// PostgreSQL, whose files are its operator's, those of tables.
    pub fn places_with(&self, text: &str) -> Vec<String> {
        match self {
            Self::Sqlite(folder) => {
                let holds = |path: &PathBuf| {
                    let bytes = fs::read(path).unwrap();
                    bytes.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
                };
                let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
                let names = files.filter(holds);
                names.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
            }
            Self::Postgres(name) => tables_with(&mut PgConnection::establish(&at(name)).unwrap(), text),
        }
    }
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Binary columns read as hexadecimal, so the text is looked for in that form too.
fn tables_with(connection: &mut PgConnection, text: &str) -> Vec<String> {
    let tables = "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    let tables: Vec<Named> = sql_query(tables).load(connection).unwrap();
    assert!(tables.len() > 5);
    let holds = |table: &Named| {
        let search = format!(
            "SELECT 'x' AS name FROM \"{}\" AS t WHERE strpos(lower(t::text), lower($1)) > 0 \
             OR strpos(t::text, encode(convert_to($1, 'UTF8'), 'hex')) > 0 LIMIT 1",
            table.name
        );
        let found: Vec<Named> = sql_query(search).bind::<Text, _>(text).load(connection).unwrap();
        !found.is_empty()
    };
    tables.into_iter().filter(holds).map(|table| table.name).collect()
}

impl Drop for Backend {
    fn drop(&mut self) {
        if let Self::Postgres(name) = self {
            // A test that failed leaves connections; a server that is gone leaves nothing to drop.
            if let Ok(mut connection) = PgConnection::establish(&at("postgres")) {
                drop(connection.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")));
            }
        }
    }
}

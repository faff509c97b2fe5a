//! `openhearth copy`: everything moves from SQLite to PostgreSQL, also when it is killed on the way.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use crate::{
    load::{Load, sign_up},
    look::Look,
    postgres::Postgres,
    support::{Process, SOON, Said, Server, command, run, until},
};

const FILE: &str = "sqlite://var/openhearth.db";
/// Sign-ups that take a copy some time.
const MANY: usize = 120_000;

fn copying(folder: &Path, from: &str, to: &str) -> Command {
    command(folder, &["copy", "--from", from, "--to", to])
}

fn copy(folder: &Path, postgres: &Postgres) -> Said {
    run(copying(folder, FILE, &postgres.url()), "")
}

/// A database of this version in `folder`.
fn made(folder: &Path) -> Look {
    let said = run(command(folder, &["migrate"]), "");
    assert_eq!(said.code, Some(0), "{}", said.err);
    Look::to_write(&folder.join("var/openhearth.db"))
}

/// A column of the source: what it is called, of what type, and whether it may be null.
struct Column {
    name: String,
    kind: String,
    is_nullable: bool,
}

/// Every table of the source, from its catalogue.
fn tables(look: &mut Look) -> BTreeMap<String, Vec<Column>> {
    let query = "SELECT m.name || '|' || p.name || '|' || p.type || '|' || (p.\"notnull\" = 0 AND p.pk = 0) AS word, \
         1 AS count FROM sqlite_master AS m, pragma_table_info(m.name) AS p \
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\'";
    let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for word in look.count(query).into_keys() {
        let [table, name, kind, nullable] = word.split('|').collect::<Vec<_>>().try_into().unwrap();
        let column = Column { name: name.to_owned(), kind: kind.to_owned(), is_nullable: nullable == "1" };
        tables.entry(table.to_owned()).or_default().push(column);
    }
    tables.values_mut().for_each(|columns| columns.sort_by(|one, other| one.name.cmp(&other.name)));
    tables
}

/// Three rows for every table, each value made of the row's number alone, so that references hold; the third is null
/// where it may be.
fn fill(look: &mut Look) {
    // In whatever order the tables come.
    look.run("PRAGMA foreign_keys = OFF");
    for (table, columns) in tables(look) {
        let made =
            look.count(&format!("SELECT sql AS word, 1 AS count FROM sqlite_master WHERE name = '{table}'"));
        let made = made.into_keys().next().unwrap();
        for n in 1..=3 {
            let names: Vec<_> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
            let values: Vec<_> = columns.iter().map(|column| value(column, n, &made)).collect();
            // A check may allow one row only; the first replaces what a migration put there.
            let or = if n == 1 { "REPLACE" } else { "IGNORE" };
            look.run(&format!(
                "INSERT OR {or} INTO \"{table}\" ({}) VALUES ({})",
                names.join(", "),
                values.join(", ")
            ));
        }
    }
}

fn value(column: &Column, n: u32, made: &str) -> String {
    if n == 3 && column.is_nullable {
        return "NULL".to_owned();
    }
    match column.kind.as_str() {
        "BLOB" => format!("X'{n:032x}'"),
        "BOOLEAN" => format!("{}", n % 2),
        // Read when a server starts on the copy.
        "TEXT" if column.name == "choices" => "'[\"a\"]'".to_owned(),
        "TEXT" => match made.split_once(&format!("{} IN ('", column.name)) {
            Some((_, allowed)) => format!("'{}'", allowed.split('\'').next().unwrap()),
            None if n == 2 => {
                "'it''s \"2\" \\N \\x41 \\ %s é 😀 ' || char(9, 10, 13, 8, 127, 8232)".to_owned()
            }
            None => format!("'text {n}'"),
        },
        "REAL" | "DOUBLE" => format!("{n}.1"),
        "BIGINT" if column.name.ends_with("_at") => format!("{}", 9_007_199_254_740_993_i64 + i64::from(n)),
        "BIGINT" | "INTEGER" => format!("{n}"),
        other => panic!("a type that is not known here: {other}"),
    }
}

/// Every row of every table, in words that are the same for both databases.
fn rows_here(look: &mut Look) -> BTreeMap<String, BTreeMap<String, i64>> {
    let tables = tables(look);
    let rows = |(table, columns): (String, Vec<Column>)| {
        let words = columns.iter().map(|column| match column.kind.as_str() {
            "BLOB" | "TEXT" => {
                format!("CASE WHEN \"{0}\" IS NULL THEN '-' ELSE lower(hex(\"{0}\")) END", column.name)
            }
            _ => format!("coalesce(CAST(\"{}\" AS TEXT), '-')", column.name),
        });
        let words = words.collect::<Vec<_>>().join(" || '|' || ");
        let query = format!("SELECT {words} AS word, count(*) AS count FROM \"{table}\" GROUP BY 1");
        let found = look.count(&query);
        (table, found)
    };
    tables.into_iter().map(rows).collect()
}

fn rows_there(postgres: &Postgres) -> BTreeMap<String, BTreeMap<String, i64>> {
    let columns = postgres.count(
        "SELECT table_name || '|' || column_name || '|' || data_type AS word, 1::bigint AS count \
         FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%'",
    );
    let mut tables: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for word in columns.into_keys() {
        let [table, column, kind] = word.split('|').collect::<Vec<_>>().try_into().unwrap();
        tables.entry(table.to_owned()).or_default().insert((column.to_owned(), kind.to_owned()));
    }
    let rows = |(table, columns): (String, BTreeSet<(String, String)>)| {
        let words: Vec<_> = columns
            .iter()
            .map(|(column, kind)| match kind.as_str() {
                "bytea" => format!("coalesce(encode(\"{column}\", 'hex'), '-')"),
                "text" => format!("coalesce(encode(convert_to(\"{column}\", 'UTF8'), 'hex'), '-')"),
                "boolean" => format!("coalesce(\"{column}\"::integer::text, '-')"),
                _ => format!("coalesce(\"{column}\"::text, '-')"),
            })
            .collect();
        let words = words.join(" || '|' || ");
        let found =
            postgres.count(&format!("SELECT {words} AS word, count(*) AS count FROM \"{table}\" GROUP BY 1"));
        (table, found)
    };
    tables.into_iter().map(rows).collect()
}

#[test]
fn every_table_is_copied_with_every_column_of_every_row() {
    let (folder, postgres) = (tempfile::tempdir().unwrap(), Postgres::empty());
    let mut look = made(folder.path());
    fill(&mut look);
    look.run("UPDATE sqlite_sequence SET seq = 41 WHERE name = 'supporters'");
    let here = rows_here(&mut look);
    assert!(here.len() >= 19 && here.values().all(|rows| !rows.is_empty()), "a table is empty: {here:?}");
    drop(look);

    let said = copy(folder.path(), &postgres);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let there = rows_there(&postgres);
    for (table, rows) in &here {
        assert_eq!(there.get(table), Some(rows), "{table}");
        let count: i64 = rows.values().sum();
        assert!(said.out.contains(&format!("{table}: {count}\n")), "{}", said.out);
    }
    assert_eq!(there.len(), here.len(), "and nothing else is there");
    let next =
        postgres.count("SELECT nextval(pg_get_serial_sequence('supporters', 'number')) AS count, '' AS word");
    assert_eq!(next[""], 42, "numbers go on behind the highest that was ever given");

    let again = copy(folder.path(), &postgres);
    assert_eq!(again.code, Some(2));
    assert!(again.err.contains("--to: the database holds data already"), "{}", again.err);
    assert_eq!(rows_there(&postgres), there);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_goes_on_over_postgres_with_what_it_had_over_sqlite() {
    let (folder, postgres) = (tempfile::tempdir().unwrap(), Postgres::empty());
    let server = Server::start(folder.path(), &[]).await;
    let tally = Load::start(&server.url, "moved", 4, 40).finish().await;
    assert_eq!(tally.acknowledged.len(), 40);
    let token = server.token().await;
    let sent = |count: i64| BTreeMap::from([("sent".to_owned(), count)]);
    let mut look = Look::at(&server.database());
    until("all are mailed", SOON, async || look.states() == sent(40)).await;
    drop(look);

    let (path, url) = (folder.path().to_owned(), postgres.url());
    let refused = tokio::task::spawn_blocking(move || run(copying(&path, FILE, &url), "")).await.unwrap();
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("--from: the database is in use; stop every openhearth"), "{}", refused.err);
    assert_eq!(server.ready().await, Some(200), "and the server goes on");
    server.stop().await;

    let (path, url) = (folder.path().to_owned(), postgres.url());
    let said = tokio::task::spawn_blocking(move || run(copying(&path, FILE, &url), "")).await.unwrap();
    assert_eq!(said.code, Some(0), "{}", said.err);
    let server = Server::start(folder.path(), &[("OPENHEARTH__DATABASE__URL", &postgres.url())]).await;
    let list = reqwest::Client::new().get(server.at("/api/v1/admin/signups?limit=100")).bearer_auth(token);
    let list: serde_json::Value = list.send().await.unwrap().json().await.unwrap();
    assert_eq!(list["data"].as_array().unwrap().len(), 40, "the token is good, and the sign-ups are there");
    let client = reqwest::Client::new();
    for email in ["moved-1@example.org", "new@example.org"] {
        assert_eq!(sign_up(&client, &server.url, email).await.unwrap().status(), 202);
    }
    until("who is new is mailed, and who was asked today is not", SOON, async || {
        let new = postgres.count("SELECT '' AS word, count(*) AS count FROM signups WHERE state = 'new'");
        new[""] == 0 && postgres.states() == sent(41)
    })
    .await;
    server.stop().await;
}

/// Sign-ups straight into the table.
fn seed(look: &mut Look) {
    look.run(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})
         INSERT INTO signups (id, state, email, form, notice_id, language, details, created_at)
         SELECT unhex(printf('%032x', i * 7919)), 'repeated', 'seed-' || i || '@example.org', 'join', X'01', 'en',
                '{{}}', i FROM n"
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_is_killed_goes_on_and_doubles_nothing() {
    let (folder, postgres) = (tempfile::tempdir().unwrap(), Postgres::empty());
    let mut look = made(folder.path());
    seed(&mut look);
    fill(&mut look);
    let here = rows_here(&mut look);
    drop(look);
    let copied = || {
        let record = "SELECT '' AS word, coalesce((xpath('/row/n/text()', query_to_xml(\
             'SELECT sum(row_count) AS n FROM openhearth_copy', false, true, '')))[1]::text::bigint, 0) AS count \
             WHERE to_regclass('openhearth_copy') IS NOT NULL";
        postgres.count(record).get("").copied().unwrap_or(0)
    };
    let mut before = 0;
    for _ in 0..2 {
        let mut process = Process::watch(copying(folder.path(), FILE, &postgres.url()).spawn().unwrap());
        until("a part is there", SOON, async || copied() > before + 10_000).await;
        process.kill();
        let now = copied();
        assert!(now > before && now < i64::try_from(MANY).unwrap(), "killed in the middle: {now}");
        before = now;
    }
    // What is not whole is no database to serve.
    let (path, url) = (folder.path().to_owned(), postgres.url());
    let refused = tokio::task::spawn_blocking(move || {
        let mut serve = command(&path, &["serve"]);
        serve.env("OPENHEARTH__DATABASE__URL", url);
        run(serve, "")
    });
    let refused = refused.await.unwrap();
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.err.contains("database.url: a copy into this database is not whole yet"),
        "{}",
        refused.err
    );

    let (path, url) = (folder.path().to_owned(), postgres.url());
    let said = tokio::task::spawn_blocking(move || run(copying(&path, FILE, &url), "")).await.unwrap();
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.contains(&format!("{before} of ")), "it went on from there: {}", said.err);
    assert!(rows_there(&postgres) == here, "every row once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_opens_the_source_during_a_copy_and_a_changed_source_is_not_gone_on_with() {
    let (folder, postgres) = (tempfile::tempdir().unwrap(), Postgres::empty());
    let mut look = made(folder.path());
    fill(&mut look);
    drop(look);
    // The copy waits for a stranger's lock.
    let mut target = command(folder.path(), &["migrate"]);
    target.env("OPENHEARTH__DATABASE__URL", postgres.url());
    assert_eq!(run(target, "").code, Some(0), "a migrated database is as good as an empty one");
    let held = postgres.hold("supporters IN ACCESS EXCLUSIVE MODE");
    let mut process = Process::watch(copying(folder.path(), FILE, &postgres.url()).spawn().unwrap());
    until("the copy waits", SOON, async || {
        let waiting = "SELECT '' AS word, count(*) AS count FROM pg_locks WHERE NOT granted \
             AND relation = 'supporters'::regclass";
        postgres.count(waiting)[""] == 1
    })
    .await;
    let path = folder.path().to_owned();
    let refused = tokio::task::spawn_blocking(move || run(command(&path, &["serve"]), "")).await.unwrap();
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("database.url: ") && refused.err.contains("is locked"), "{}", refused.err);
    process.kill();
    drop(held);

    // Begun, and ended before all was there.
    postgres.run("ALTER TABLE supporters ADD CONSTRAINT halt CHECK (FALSE) NOT VALID");
    let halted = copy(folder.path(), &postgres);
    assert_eq!(halted.code, Some(2));
    assert!(halted.err.contains("--to: ") && halted.err.contains("halt"), "{}", halted.err);
    postgres.run("ALTER TABLE supporters DROP CONSTRAINT halt");
    Server::start(folder.path(), &[]).await.stop().await;
    let changed = copy(folder.path(), &postgres);
    assert_eq!(changed.code, Some(2));
    assert!(changed.err.contains("it was used since then; begin anew"), "{}", changed.err);
}

#[test]
fn what_cannot_be_copied_is_said_in_one_sentence_that_names_the_argument() {
    let folder = tempfile::tempdir().unwrap();
    let mut look = made(folder.path());
    let (empty, newer, older, foreign) =
        (Postgres::empty(), Postgres::empty(), Postgres::empty(), Postgres::empty());
    for postgres in [&newer, &older] {
        let mut migrate = command(folder.path(), &["migrate"]);
        migrate.env("OPENHEARTH__DATABASE__URL", postgres.url());
        assert_eq!(run(migrate, "").code, Some(0));
    }
    newer.run("INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231000000')");
    older.run("DELETE FROM __diesel_schema_migrations WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)");
    foreign.run("CREATE TABLE strangers (id INTEGER)");
    let nobody = empty.url().replace("openhearth@", "nobody:geheim@");
    for (from, to, expected) in [
        (FILE, "sqlite://var/other.db", "it copies --from sqlite://… --to postgres://…, and no other way"),
        (FILE, "postgers://a:geheim@h/d", "--to must be postgres://USER@HOST/NAME"),
        ("var/openhearth.db", &empty.url(), "--from must be sqlite://FILE"),
        ("sqlite://var/none.db", &empty.url(), "--from: there is no file var/none.db"),
        (FILE, &newer.url(), "--to: the database was made by a newer version"),
        (FILE, &older.url(), "--to: the database is of another version of openhearth; name an empty one"),
        (FILE, &foreign.url(), "--to: the database holds tables that are not openhearth's"),
        (FILE, &format!("{}_not", empty.url()), "--to: "),
        (FILE, &nobody, "role \"nobody\" does not exist"),
    ] {
        let said = run(copying(folder.path(), from, to), "");
        assert_eq!(said.code, Some(2), "{expected}: {}", said.err);
        let sentence = said.err.trim_end();
        assert!(
            sentence.starts_with("openhearth: ") && sentence.contains(expected),
            "{expected}: {sentence}"
        );
        assert!(!sentence.contains('\n') && !sentence.contains("geheim"), "{sentence}");
    }
    assert!(!folder.path().join("var/none.db").exists());
    let tables =
        "SELECT tablename::text AS word, 1::bigint AS count FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(
        foreign.count(tables).into_keys().collect::<Vec<_>>(),
        ["strangers"],
        "nothing was left in it"
    );
    let mut no_file = copying(folder.path(), FILE, &empty.url());
    no_file.args(["--to-password-file", "/nonexistent/password"]);
    let said = run(no_file, "");
    assert_eq!(said.code, Some(2));
    assert!(said.err.starts_with("openhearth: --to-password-file: /nonexistent/password: "), "{}", said.err);
    let latin = Postgres::encoded("LATIN1");
    let said = copy(folder.path(), &latin);
    assert!(
        said.err.starts_with("openhearth: --to: the database must have the encoding UTF8"),
        "{}",
        said.err
    );
    assert!(latin.count(tables).is_empty(), "nothing was left in it");
    look.run("DELETE FROM __diesel_schema_migrations WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)");
    drop(look);
    let said = copy(folder.path(), &empty);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("--from: the database is of an older version"), "{}", said.err);
}

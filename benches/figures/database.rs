//! The databases that are measured: a file of SQLite's, or a database on the PostgreSQL server of `tests/with_postgres`;
//! empty or with many sign-ups in it. Each is gone with its value.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, connection::SimpleConnection,
    dsl::count_star, prelude::*, sql_query, sql_types::BigInt,
};
use openhearth::{
    config::{Config, DatabaseUrl},
    store::{migrate::migrate, schema::signups},
};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// Which database engine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// Whether it is here: PostgreSQL is, if `tests/with_postgres` runs this.
    pub fn is_here(self) -> bool {
        self == Self::Sqlite || std::env::var_os("OPENHEARTH_TEST_POSTGRES").is_some()
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A database.
pub enum Database {
    Sqlite(tempfile::TempDir),
    Postgres(String),
}

impl Database {
    /// A database with nothing in it.
    pub fn bare(engine: Engine) -> Fallible<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Ok(match engine {
            Engine::Sqlite => Self::Sqlite(tempfile::tempdir_in(beside_the_build())?),
            Engine::Postgres => {
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                let name = format!("bench_{}_{number}", std::process::id());
                connect("postgres")?.batch_execute(&format!("CREATE DATABASE {name}"))?;
                Self::Postgres(name)
            }
        })
    }

    /// A migrated database with `stored` sign-ups of past months, most of them confirmed.
    pub fn make(engine: Engine, stored: u64) -> Fallible<Self> {
        let made = Self::bare(engine)?;
        let mut config = Config::defaults()?.database;
        config.url = DatabaseUrl::try_from(made.url()?)?;
        migrate(&config)?;
        match &made {
            Self::Sqlite(_) => drop(sql_query(sqlite_rows(stored)).execute(&mut made.sqlite()?)?),
            Self::Postgres(name) => {
                let mut connection = connect(name)?;
                sql_query(postgres_rows(stored)).execute(&mut connection)?;
                connection.batch_execute("ANALYZE; CHECKPOINT")?;
            }
        }
        Ok(made)
    }

    /// What the server takes as `database.url`.
    pub fn url(&self) -> Fallible<String> {
        match self {
            Self::Sqlite(folder) => Ok(format!("sqlite://{}", file(folder.path()).display())),
            Self::Postgres(name) => at(name),
        }
    }

    /// Runs a statement, in the words of each.
    pub fn run(&self, sqlite: &str, postgres: &str) -> Fallible<()> {
        match self {
            Self::Sqlite(_) => {
                let mut connection = self.sqlite()?;
                connection.batch_execute("PRAGMA busy_timeout = 10000; PRAGMA synchronous = NORMAL")?;
                Ok(connection.batch_execute(sqlite)?)
            }
            Self::Postgres(name) => Ok(connect(name)?.batch_execute(postgres)?),
        }
    }

    /// Confirmed supporters, of all of whom everything that is exported is known.
    pub fn fill_supporters(&self, count: usize) -> Fallible<()> {
        let columns = "id, email, email_key, address_hash, status, given_name, family_name, phone, phone_consent, \
             postal_code, region, country, language, involvement, form, notice_id, source_code, link_version, \
             signed_up_at, confirmed_at, created_at, updated_at, domain";
        let values = "'ada-' || i || '@example.org', 'ada-' || i || '@example.org', HASH, 'confirmed', \
             'Wilhelmina', 'Furnace-Smelter', '+14405550100', BOOL, '44035', 'OH', 'US', 'en', 'worker', 'join', HASH, \
             'spring-fair', 0, 1700000000000000 + i, 1700000000000000 + i, 1700000000000000 + i, \
             1700000000000000 + i, 'example.org'";
        let sqlite = values.replace("HASH", "randomblob(16)").replace("BOOL", "1");
        let postgres = values.replace("HASH", "uuid_send(gen_random_uuid())").replace("BOOL", "true");
        self.run(
            &format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
                 INSERT INTO supporters ({columns}) SELECT randomblob(16), {sqlite} FROM n"
            ),
            &format!(
                "INSERT INTO supporters ({columns}) SELECT uuid_send(gen_random_uuid()), {postgres} \
                 FROM generate_series(1, {count}::bigint) AS i; ANALYZE; CHECKPOINT"
            ),
        )
    }

    /// Gives them tags, two each on average, and every third a share with one of two groups.
    pub fn tag_and_share(&self) -> Fallible<()> {
        let group = |slug: &str| {
            format!(
                "INSERT INTO groups (id, slug, name, kind, website, about, regions, sectors, status, contact_name, \
                 contact_email, contact_email_key, is_listed, language, terms_id, created_at, updated_at) \
                 VALUES (HASH, '{slug}', '{slug}', 'labor_union', '', '', ',', ',', 'member', 'C', 'c@example.org', \
                 'c@example.org', TRUE, 'en', HASH, 0, 0)"
            )
        };
        let shares = |slug: &str, which: &str| {
            format!(
                "INSERT INTO shares (id, supporter_number, group_id, notice_id, given_at) SELECT HASH, number, \
                 (SELECT id FROM groups WHERE slug = '{slug}'), HASH, created_at FROM supporters WHERE {which}"
            )
        };
        let statements = [
            "INSERT INTO tags (slug, created_at) VALUES ('volunteer', 0), ('donor', 0), ('steel-report', 0), \
             ('rally', 0), ('petition', 0)"
                .to_owned(),
            "INSERT INTO supporter_tags (tag_number, supporter_number, created_at) SELECT tags.number, \
             supporters.number, 0 FROM supporters JOIN tags ON (supporters.number + tags.number * 7) % 5 < 2"
                .to_owned(),
            group("river-towns"),
            group("local-12"),
            shares("river-towns", "number % 6 = 1"),
            shares("local-12", "number % 6 = 4"),
        ];
        for statement in statements {
            self.run(
                &statement.replace("HASH", "randomblob(16)"),
                &statement.replace("HASH", "uuid_send(gen_random_uuid())"),
            )?;
        }
        // PostgreSQL does so by itself within minutes.
        self.run("SELECT 1", "VACUUM (ANALYZE)")?;
        self.run("SELECT 1", "CHECKPOINT")
    }

    /// Waits until `query`, whose words both know, counts nothing any more.
    pub fn wait_for_none(&self, query: &str) -> Fallible<()> {
        let end = Instant::now() + Duration::from_secs(300);
        match self {
            Self::Sqlite(_) => wait(&mut self.sqlite()?, query, end),
            Self::Postgres(name) => wait(&mut connect(name)?, query, end),
        }
    }

    /// Sign-ups in the table.
    pub fn count(&self) -> Fallible<u64> {
        let count = signups::table.select(count_star());
        let count: i64 = match self {
            Self::Sqlite(_) => count.first(&mut self.sqlite()?)?,
            Self::Postgres(name) => count.first(&mut connect(name)?)?,
        };
        Ok(u64::try_from(count)?)
    }

    fn sqlite(&self) -> Fallible<SqliteConnection> {
        let Self::Sqlite(folder) = self else { return Err("not SQLite".into()) };
        Ok(SqliteConnection::establish(&file(folder.path()).to_string_lossy())?)
    }
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn wait<C>(connection: &mut C, query: &str, end: Instant) -> Fallible<()>
where
    C: diesel::connection::LoadConnection,
    diesel::query_builder::SqlQuery: diesel::query_dsl::LoadQuery<'static, C, Counted>,
{
    while Instant::now() < end {
        let row: Counted = sql_query(query).get_result(connection)?;
        if row.count == 0 {
            return Ok(());
        }
        // Each look costs the database something, too.
        std::thread::sleep(Duration::from_millis(20));
    }
    Err("what was to be done was not done within five minutes".into())
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres(name) = self
            && let Ok(mut connection) = connect("postgres")
        {
            drop(connection.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")));
        }
    }
}

fn at(name: &str) -> Fallible<String> {
    Ok(format!("{}{name}", std::env::var("OPENHEARTH_TEST_POSTGRES")?))
}

fn connect(name: &str) -> Fallible<PgConnection> {
    Ok(PgConnection::establish(&at(name)?)?)
}

fn file(folder: &Path) -> PathBuf {
    folder.join("openhearth.db")
}

/// On the disk that is meant, not in a memory file system.
pub fn beside_the_build() -> PathBuf {
    let beside = std::env::current_exe().ok().and_then(|path| path.parent().map(Path::to_path_buf));
    beside.unwrap_or_else(std::env::temp_dir)
}

/// Ids grow with time, as the app's do: 48 bits of milliseconds, then what tells rows apart.
fn sqlite_rows(count: u64) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 WHERE {count} > 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         INSERT INTO signups (id, state, email, form, notice_id, language, details, client_hash, created_at,
                              address_hash, triaged_at, confirmed_at, supporter_id)
         SELECT unhex(printf('%012x7%03x8%015x', 1700000000000 + i * 1000, i % 4096, i)),
                CASE i % 4 WHEN 0 THEN 'repeated' ELSE 'confirmed' END,
                'seed-' || i || '@example.org', 'join', randomblob(16), 'en', '{DETAILS}',
                randomblob(16), 1700000000000000 + i * 1000000, randomblob(16),
                1700000000000000 + i * 1000000, 1700000000000000 + i * 1000000, randomblob(16)
         FROM n"
    )
}

/// The same rows.
fn postgres_rows(count: u64) -> String {
    format!(
        "INSERT INTO signups (id, state, email, form, notice_id, language, details, client_hash, created_at,
                              address_hash, triaged_at, confirmed_at, supporter_id)
         SELECT decode(lpad(to_hex(1700000000000 + i * 1000), 12, '0') || '7' || lpad(to_hex(i % 4096), 3, '0') ||
                       '8' || lpad(to_hex(i), 15, '0'), 'hex'),
                CASE i % 4 WHEN 0 THEN 'repeated' ELSE 'confirmed' END,
                'seed-' || i || '@example.org', 'join', uuid_send(gen_random_uuid()), 'en', '{DETAILS}',
                uuid_send(gen_random_uuid()), 1700000000000000 + i * 1000000, uuid_send(gen_random_uuid()),
                1700000000000000 + i * 1000000, 1700000000000000 + i * 1000000, uuid_send(gen_random_uuid())
         FROM generate_series(1, {count}::bigint) AS i"
    )
}

const DETAILS: &str = r#"{"given_name":"Ada","family_name":"Furnace","postal_code":"44035","region":"OH"}"#;

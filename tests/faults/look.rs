//! Looks into the SQLite file, beside the server or after it.

use std::{collections::BTreeMap, path::Path};

use diesel::{
    Connection, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    sql_query,
    sql_types::{BigInt, Nullable, Text},
};

#[derive(diesel::QueryableByName)]
struct Counted {
    #[diesel(sql_type = Text)]
    word: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// A mail in the outbox.
#[derive(Debug, diesel::QueryableByName)]
pub struct Mail {
    #[diesel(sql_type = Text)]
    pub id: String,
    #[diesel(sql_type = Text)]
    pub state: String,
    #[diesel(sql_type = BigInt)]
    pub attempts: i64,
    #[diesel(sql_type = Nullable<Text>)]
    pub last_error: Option<String>,
    /// Whether somebody has it in hand.
    #[diesel(sql_type = BigInt)]
    pub leased: i64,
}

/// A database file.
pub struct Look(SqliteConnection);

impl Look {
    /// Only to look.
    pub fn at(file: &Path) -> Self {
        let mut look = Self::to_write(file);
        look.run("PRAGMA query_only = ON");
        look
    }

    /// To hold its lock, or to change it as no openhearth of this version would.
    pub fn to_write(file: &Path) -> Self {
        let mut look = Self(SqliteConnection::establish(file.to_str().unwrap()).unwrap());
        look.run("PRAGMA busy_timeout = 10000");
        look
    }

    pub fn run(&mut self, statement: &str) {
        self.0.batch_execute(statement).unwrap();
    }

    /// What `SELECT … AS word, … AS count` gives.
    pub fn count(&mut self, query: &str) -> BTreeMap<String, i64> {
        let rows: Vec<Counted> = sql_query(query).load(&mut self.0).unwrap();
        rows.into_iter().map(|row| (row.word, row.count)).collect()
    }

    /// How often each address is in `signups`.
    pub fn signups(&mut self) -> BTreeMap<String, i64> {
        self.count("SELECT email AS word, count(*) AS count FROM signups GROUP BY email")
    }

    /// How many mails are in each state.
    pub fn states(&mut self) -> BTreeMap<String, i64> {
        self.count("SELECT state AS word, count(*) AS count FROM outbox GROUP BY state")
    }

    /// How many migrations are applied.
    pub fn migrations(&mut self) -> BTreeMap<String, i64> {
        self.count(
            "SELECT version AS word, count(*) AS count FROM __diesel_schema_migrations GROUP BY version",
        )
    }

    pub fn mails(&mut self) -> Vec<Mail> {
        sql_query(
            "SELECT lower(hex(id)) AS id, state, CAST(attempts AS BIGINT) AS attempts, last_error, \
             lease IS NOT NULL AS leased FROM outbox ORDER BY id",
        )
        .load(&mut self.0)
        .unwrap()
    }

    /// Panics unless the file is sound.
    pub fn check(&mut self) {
        let found = self.count("SELECT integrity_check AS word, 1 AS count FROM pragma_integrity_check");
        assert_eq!(found, BTreeMap::from([("ok".to_owned(), 1)]));
    }
}

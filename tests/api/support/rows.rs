//! A look into the tables, for what no answer shows; in SQL that both databases take, or nearly.

use std::time::Duration;

use diesel::{QueryableByName, RunQueryDsl, sql_types};
use openhearth::store::{Db, Lane, StoreError};

use super::TestApp;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = sql_types::BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    word: Option<String>,
}

/// The statement in the words of the database: the two write binary values differently.
fn for_db(db: &Db, statement: &str) -> String {
    match db {
        Db::Pg(_) => statement.replace("lower(hex(id))", "encode(id, 'hex')").replace("AS BLOB", "AS BYTEA"),
        Db::Sqlite(_) => statement.to_owned(),
    }
}

impl TestApp {
    /// The number that `SELECT … AS n` gives.
    pub async fn count(&self, select: &'static str) -> i64 {
        let wide = format!("SELECT CAST(n AS BIGINT) AS n FROM ({select}) AS counted");
        let read = move |db: &mut _| Ok::<_, StoreError>(diesel::sql_query(wide).get_result::<Count>(db)?.n);
        self.app().kernel.store.read(read).await.unwrap()
    }

    /// Waits for what the server does by itself after its answer: until `SELECT … AS n` gives 0.
    pub async fn until_none(&self, select: &'static str) {
        let none = async { while self.count(select).await > 0 {} };
        tokio::time::timeout(Duration::from_secs(20), none).await.expect(select);
    }

    /// The texts that `SELECT … AS word` gives; null as nothing.
    pub async fn words(&self, select: &'static str) -> Vec<String> {
        let read =
            move |db: &mut _| Ok::<_, StoreError>(diesel::sql_query(for_db(db, select)).load::<Word>(db)?);
        let words = self.app().kernel.store.read(read).await.unwrap();
        words.into_iter().map(|row| row.word.unwrap_or_default()).collect()
    }

    /// States of all sign-ups in the order they came.
    pub async fn signup_states(&self) -> Vec<String> {
        self.words("SELECT state AS word FROM signups ORDER BY id").await
    }

    /// States of all mails in the order they were owed.
    pub async fn outbox_states(&self) -> Vec<String> {
        self.words("SELECT state AS word FROM outbox ORDER BY id").await
    }

    /// Changes rows by hand, as nothing in the product does.
    pub async fn execute(&self, statement: &'static str) -> usize {
        let write =
            move |db: &mut _| Ok::<_, StoreError>(diesel::sql_query(for_db(db, statement)).execute(db)?);
        self.app().kernel.store.write(Lane::Staff, write).await.unwrap()
    }
}

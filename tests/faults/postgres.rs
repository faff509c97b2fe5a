//! [`Postgres`]: a database of one test's own, on the server of `tests/with_postgres`, or with a server of its own that
//! it may stop. And a look into it.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_query,
    sql_types::{BigInt, Text},
};

use crate::certificate::Certificate;

/// A database.
pub struct Postgres {
    server: String,
    name: String,
    own: Option<Own>,
}

/// A server of the test's own, which ends with it.
struct Own {
    child: Child,
    /// What stops and starts it.
    control: String,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Text)]
    word: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

impl Postgres {
    /// An empty database on the server of this run.
    pub fn empty() -> Self {
        Self::on(server_of_run(), None, "")
    }

    /// An empty database on the server of this run, in another encoding.
    pub fn encoded(encoding: &str) -> Self {
        let how = format!("ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
        Self::on(server_of_run(), None, &how)
    }

    /// An empty database on a server of its own.
    pub fn with_own_server() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/with_postgres");
        let tell =
            r#"echo "$OPENHEARTH_TEST_POSTGRES"; echo "$OPENHEARTH_TEST_POSTGRES_CTL"; cat >/dev/null"#;
        let mut child = Command::new(script)
            .args(["sh", "-c", tell])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = || lines.next().expect("the server starts").unwrap();
        let (server, control) = (line(), line());
        Self::on(server, Some(Own { child, control }), "")
    }

    fn on(server: String, own: Option<Own>, how: &str) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("faults_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        let made = Self { server, name, own };
        made.connect("postgres").batch_execute(&format!("CREATE DATABASE {} {how}", made.name)).unwrap();
        made
    }

    /// What the binary takes as `database.url`.
    pub fn url(&self) -> String {
        format!("{}{}", self.server, self.name)
    }

    /// Runs a statement.
    pub fn run(&self, statement: &str) {
        self.connect(&self.name).batch_execute(statement).unwrap();
    }

    /// A transaction of a stranger's that holds `lock` (the words of LOCK TABLE) until it is dropped.
    pub fn hold(&self, lock: &str) -> PgConnection {
        let mut connection = self.connect(&self.name);
        connection.batch_execute(&format!("BEGIN; LOCK TABLE {lock}")).unwrap();
        connection
    }

    fn connect(&self, name: &str) -> PgConnection {
        PgConnection::establish(&format!("{}{name}", self.server)).unwrap()
    }

    /// Ends the server as a crash would.
    pub fn stop(&self) {
        self.control("--mode immediate stop");
    }

    /// Starts it again.
    pub fn start(&self) {
        self.control("start");
    }

    /// Gives the server this certificate and key; returns once it takes connections with TLS.
    pub fn secure(&self, certificate: &Certificate) {
        let mut connection = self.connect("postgres");
        // The server writes its own files: it may run as another user.
        for file in ["server.crt", "server.key"] {
            let lines = certificate.with_key().replace('\'', "''");
            let write = format!(
                "COPY (SELECT unnest(string_to_array('{lines}', E'\\n'))) TO PROGRAM 'umask 077; cat >{file}'"
            );
            connection.batch_execute(&write).unwrap();
        }
        connection.batch_execute("ALTER SYSTEM SET ssl = on").unwrap();
        self.control("restart");
    }

    fn control(&self, verb: &str) {
        let own = self.own.as_ref().expect("a server of the test's own");
        let command = format!("{} {verb} >/dev/null", own.control);
        assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success(), "{verb}");
    }

    /// What `SELECT … AS word, … AS count` gives.
    pub fn count(&self, query: &str) -> BTreeMap<String, i64> {
        let rows: Vec<Counted> = sql_query(query).load(&mut self.connect(&self.name)).unwrap();
        rows.into_iter().map(|row| (row.word, row.count)).collect()
    }

    /// How often each address is in `signups`.
    pub fn signups(&self) -> BTreeMap<String, i64> {
        self.count("SELECT email AS word, count(*) AS count FROM signups GROUP BY email")
    }

    /// How many mails are in each state.
    pub fn states(&self) -> BTreeMap<String, i64> {
        self.count("SELECT state AS word, count(*) AS count FROM outbox GROUP BY state")
    }
}

fn server_of_run() -> String {
    std::env::var("OPENHEARTH_TEST_POSTGRES")
        .expect("a PostgreSQL server: run this by tests/with_postgres, as ./check does")
}

impl Drop for Postgres {
    fn drop(&mut self) {
        match &mut self.own {
            Some(own) => {
                // Its input at its end, the script ends the server.
                drop(own.child.stdin.take());
                drop(own.child.wait());
            }
            None => {
                let drop_it = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
                if let Ok(mut connection) = PgConnection::establish(&format!("{}postgres", self.server)) {
                    drop(connection.batch_execute(&drop_it));
                }
            }
        }
    }
}

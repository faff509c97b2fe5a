//! Mails a second: the outbox (claim, render, send, mark), and triage before it, beside our own senders without a
//! database and `smtp-source`, over as many connections to the same sink; one after the other in each round.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use crate::{
    arguments::Arguments,
    database::{Database, Engine},
    process::{Mode, Rig},
    rounds::Rounds,
    sink::Sink,
};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// Of a mail that is not due yet.
const FAR: i64 = 4_000_000_000_000_000;
const NONE_DUE: &str =
    "SELECT count(*) AS count FROM (SELECT 1 FROM outbox WHERE state = 'due' LIMIT 1) AS one";
const NONE_NEW: &str =
    "SELECT count(*) AS count FROM (SELECT 1 FROM signups WHERE state = 'new' LIMIT 1) AS one";

pub fn measure(engine: Engine, arguments: &Arguments) -> Fallible<()> {
    let (mails, rounds) = (arguments.number("--mails", 20_000), arguments.rounds(3));
    let message = one_message(engine)?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("message");
    std::fs::write(&file, &message)?;
    for senders in arguments.numbers("--senders", &[4, 16]) {
        for sink in [Some(Sink::own(false)?), Sink::postfix()?].into_iter().flatten() {
            let mut table = Table::default();
            let rig = Rig::make(engine, 0)?;
            let variables = variables(&sink, senders);
            let server = rig.serve(Mode::Workers, &variables)?;
            for round in 0..=rounds {
                let turn =
                    table.turn(&rig.database, &sink, (mails, senders), (round, &file, message.len()))?;
                // The first round warms up.
                if round > 0 {
                    table.add(turn);
                }
            }
            println!(
                "\nMails on {} to {}: {senders} connections, {mails} of {:.1} kB a round, {rounds} rounds; {:.1} MB RSS",
                engine.name(),
                sink.name(),
                f64::from(u32::try_from(message.len())?) / 1e3,
                server.memory()
            );
            table.print();
        }
    }
    Ok(())
}

pub fn per_second(count: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / took.as_secs_f64()
}

fn variables(sink: &Sink, senders: usize) -> Vec<(&'static str, String)> {
    vec![
        ("OPENHEARTH__MAIL__TRANSPORT", "smtp".to_owned()),
        ("OPENHEARTH__MAIL__SMTP__HOST", "127.0.0.1".to_owned()),
        ("OPENHEARTH__MAIL__SMTP__PORT", sink.port().to_string()),
        ("OPENHEARTH__MAIL__SMTP__TLS", "none".to_owned()),
        ("OPENHEARTH__MAIL__SENDERS", senders.to_string()),
    ]
}

/// A mail as the product writes it, so that all send the same.
fn one_message(engine: Engine) -> Fallible<Vec<u8>> {
    let (rig, sink) = (Rig::make(engine, 0)?, Sink::own(true)?);
    let _server = rig.serve(Mode::Workers, &variables(&sink, 1))?;
    owe(&rig.database, 1, 1_000, true)?;
    rig.database.wait_for_none(NONE_NEW)?;
    rig.database.wait_for_none(NONE_DUE)?;
    sink.message().ok_or_else(|| "the product sent nothing".into())
}

/// One round's mails a second.
#[derive(Clone, Copy)]
struct Turn {
    bare: f64,
    source: Option<f64>,
    outbox: f64,
    triage: f64,
}

#[derive(Default)]
struct Table(Vec<Turn>);

impl Table {
    fn turn(
        &self,
        database: &Database,
        sink: &Sink,
        (mails, senders): (usize, usize),
        (round, message, size): (usize, &Path, usize),
    ) -> Fallible<Turn> {
        let bare = bare(sink, mails, senders, message)?;
        let source = sink.by_source(mails, senders, size)?;
        owe(database, mails, round * 2, false)?;
        let due = format!("UPDATE outbox SET due_at = 0 WHERE due_at = {FAR}");
        // To make them due costs more than to claim them, and is not the outbox's work. It looks every 100 ms, and
        // waits for that time too.
        database.run(&due, &due)?;
        let begun = Instant::now();
        database.wait_for_none(NONE_DUE)?;
        let outbox = per_second(mails, begun.elapsed());
        owe(database, mails, round * 2 + 1, true)?;
        let begun = Instant::now();
        database.wait_for_none(NONE_NEW)?;
        database.wait_for_none(NONE_DUE)?;
        Ok(Turn { bare, source, outbox, triage: per_second(mails, begun.elapsed()) })
    }

    fn add(&mut self, turn: Turn) {
        self.0.push(turn);
    }

    fn column(&self, value: fn(&Turn) -> f64) -> Vec<f64> {
        self.0.iter().map(value).collect()
    }

    fn print(&self) {
        let bare = self.column(|turn| turn.bare);
        let source: Vec<f64> = self.0.iter().filter_map(|turn| turn.source).collect();
        println!("\n{:42} {:>9} {:>20} {:>20}", "", "mails/s", "ratio to bare", "ratio to smtp-source");
        let line = |name: &str, values: Vec<f64>| {
            let to = |ceiling: &[f64]| {
                if ceiling.is_empty() { String::new() } else { Rounds::ratios(&values, ceiling).spread() }
            };
            let (bare, source) = (to(&bare), to(&source));
            println!("{name:42} {:>9.0} {bare:>20} {source:>20}", Rounds::new(values).median());
        };
        line("our senders, no database", bare.clone());
        if source.is_empty() {
            println!("smtp-source: not here (Debian package postfix)");
        } else {
            line("smtp-source", source.clone());
        }
        line("outbox: claim, render, send, mark", self.column(|turn| turn.outbox));
        line("triage and outbox", self.column(|turn| turn.triage));
    }
}

fn bare(sink: &Sink, mails: usize, senders: usize, message: &Path) -> Fallible<f64> {
    let output = Command::new(std::env::current_exe()?)
        .args(["--bare", &format!("127.0.0.1:{}", sink.port())])
        .args(["--mails", &mails.to_string(), "--senders", &senders.to_string(), "--message"])
        .arg(message)
        .output()?;
    let seconds: f64 = String::from_utf8(output.stdout)?
        .trim()
        .parse()
        .map_err(|_| format!("the bare sender failed: {}", String::from_utf8_lossy(&output.stderr)))?;
    Ok(per_second(mails, Duration::from_secs_f64(seconds)))
}

/// Sign-ups that wait for triage; or, triaged, with their mails not due yet. `batch` keeps their ids apart.
fn owe(database: &Database, mails: usize, batch: usize, is_new: bool) -> Fallible<()> {
    let (state, triaged) = if is_new { ("new", "NULL") } else { ("pending", "created_at") };
    let base = 1_700_000_000_000_u64 + u64::try_from(batch)? * 10_000_000;
    let columns = "id, state, email, form, notice_id, language, details, created_at";
    let email = format!("'owed-{batch}-' || i || '@example.org'");
    let outbox = format!(
        "INSERT INTO outbox (id, template, subject_id, address, state, attempts, due_at, created_at) \
         SELECT id, 'confirm', id, email, 'due', 0, {FAR}, created_at FROM signups \
         WHERE email LIKE 'owed-{batch}-%' AND state = 'pending';"
    );
    let settle = format!(
        "UPDATE signups SET triaged_at = {triaged}, address_hash = HASH WHERE state = 'pending' \
         AND email LIKE 'owed-{batch}-%';"
    );
    let after = if is_new { String::new() } else { format!("{settle}{outbox}") };
    let sqlite = format!(
        "BEGIN IMMEDIATE; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {mails}) \
         INSERT INTO signups ({columns}) SELECT unhex(printf('%012x7%03x8%015x', {base} + i, i % 4096, i)), \
         '{state}', {email}, 'join', randomblob(16), 'en', '{{}}', {base} * 1000 FROM n; {} COMMIT;",
        after.replace("HASH", "randomblob(16)")
    );
    let postgres = format!(
        "BEGIN; INSERT INTO signups ({columns}) SELECT decode(lpad(to_hex({base} + i), 12, '0') || '7' || \
         lpad(to_hex(i % 4096), 3, '0') || '8' || lpad(to_hex(i), 15, '0'), 'hex'), '{state}', {email}, 'join', \
         uuid_send(gen_random_uuid()), 'en', '{{}}', {base}::bigint * 1000 FROM generate_series(1, {mails}::bigint) AS i; \
         {} COMMIT;",
        after.replace("HASH", "uuid_send(gen_random_uuid())")
    );
    database.run(&sqlite, &postgres)
}

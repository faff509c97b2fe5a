//! The export of a million supporters over HTTP, beside what the database's own program writes by the same statement.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Command, Stdio},
    time::Instant,
};

use crate::{
    arguments::Arguments,
    database::{Database, Engine},
    process::{Mode, Rig},
    rounds::Rounds,
};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// The default export as one statement, tags and groups gathered.
const SQLITE: &str = "SELECT lower(hex(id)), email, given_name, family_name, CASE WHEN phone_consent THEN phone END, \
     postal_code, region, country, language, status, \
     (SELECT group_concat(tags.slug, ';') FROM supporter_tags t JOIN tags ON tags.number = t.tag_number \
      WHERE t.supporter_number = supporters.number), involvement, \
     (SELECT group_concat(groups.slug, ';') FROM shares h JOIN groups ON groups.id = h.group_id \
      WHERE h.supporter_number = supporters.number AND h.withdrawn_at IS NULL), \
     source_code, form, strftime('%FT%TZ', signed_up_at / 1000000, 'unixepoch'), \
     strftime('%FT%TZ', confirmed_at / 1000000, 'unixepoch'), \
     strftime('%FT%TZ', unsubscribed_at / 1000000, 'unixepoch'), lower(hex(notice_id)) FROM supporters \
     WHERE status = 'confirmed' AND paused_until IS NULL ORDER BY number";
const POSTGRES: &str = "SELECT encode(id, 'hex'), email, given_name, family_name, CASE WHEN phone_consent THEN phone END, \
     postal_code, region, country, language, status, all_tags.slugs, involvement, all_groups.slugs, source_code, form, \
     to_timestamp(signed_up_at / 1000000), to_timestamp(confirmed_at / 1000000), \
     to_timestamp(unsubscribed_at / 1000000), encode(notice_id, 'hex') FROM supporters \
     LEFT JOIN (SELECT t.supporter_number, string_agg(tags.slug, ';') AS slugs FROM supporter_tags t \
      JOIN tags ON tags.number = t.tag_number GROUP BY t.supporter_number) AS all_tags \
      ON all_tags.supporter_number = supporters.number \
     LEFT JOIN (SELECT h.supporter_number, string_agg(groups.slug, ';') AS slugs FROM shares h \
      JOIN groups ON groups.id = h.group_id WHERE h.withdrawn_at IS NULL GROUP BY h.supporter_number) AS all_groups \
      ON all_groups.supporter_number = supporters.number \
     WHERE status = 'confirmed' AND paused_until IS NULL ORDER BY number";

pub fn measure(engine: Engine, arguments: &Arguments) -> Fallible<()> {
    let (count, rounds) = (arguments.number("--supporters", 1_000_000), arguments.rounds(3));
    let rig = Rig::make(engine, 0)?;
    rig.database.fill_supporters(count)?;
    rig.database.tag_and_share()?;
    let token = rig.token()?;
    println!("\nExport of {count} supporters with tags and shares on {}, {rounds} rounds", engine.name());
    println!("{:30} {:>9} {:>18} {:>14} {:>12}", "", "rows/s", "ratio", "memory before", "at most");
    let (mut exports, mut ceilings) = (Vec::new(), Vec::new());
    let server = rig.serve(Mode::Intake, &[])?;
    let idle = server.memory();
    for _ in 0..rounds {
        ceilings.push(by_program(&rig.database, count)?);
        let begun = Instant::now();
        let lines = download(server.address(), &token, "csv")?;
        if lines != count + 1 {
            return Err(format!("{lines} lines for {count} supporters").into());
        }
        exports.push(crate::outbox::per_second(count, begun.elapsed()));
    }
    let (ratio, most) = (Rounds::ratios(&exports, &ceilings).spread(), server.most_memory());
    println!("{:30} {:>9.0} {:>18}", own_program(engine), Rounds::new(ceilings).median(), "1.00");
    let rate = Rounds::new(exports).median();
    println!("{:30} {rate:>9.0} {ratio:>18} {idle:>11.1} MB {most:>9.1} MB", "supporters.csv over HTTP");
    drop(server);
    let server = rig.serve(Mode::Intake, &[])?;
    let (idle, begun) = (server.memory(), Instant::now());
    download(server.address(), &token, "xlsx")?;
    let rate = crate::outbox::per_second(count, begun.elapsed());
    let most = server.most_memory();
    println!("{:30} {rate:>9.0} {:>18} {idle:>11.1} MB {most:>9.1} MB", "supporters.xlsx over HTTP", "");
    Ok(())
}

const fn own_program(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "sqlite3 -csv",
        Engine::Postgres => "psql \\copy",
    }
}

/// Rows a second by the database's own program.
fn by_program(database: &Database, count: usize) -> Fallible<f64> {
    let url = database.url()?;
    let mut command = match url.strip_prefix("sqlite://") {
        Some(file) => {
            let mut command = Command::new("sqlite3");
            command.args(["-csv", "-header", file, SQLITE]);
            command
        }
        None => {
            let mut command = Command::new("psql");
            command.args([&url, "-qXc", &format!("\\copy ({POSTGRES}) TO STDOUT WITH (FORMAT csv, HEADER)")]);
            command
        }
    };
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let lines = lines(BufReader::with_capacity(1 << 16, child.stdout.take().ok_or("no output")?))?;
    if !child.wait()?.success() || lines != count + 1 {
        return Err(format!("{lines} lines for {count} supporters").into());
    }
    Ok(crate::outbox::per_second(count, begun.elapsed()))
}

fn lines(mut from: impl BufRead) -> Fallible<usize> {
    let mut count = 0;
    loop {
        let piece = from.fill_buf()?;
        if piece.is_empty() {
            return Ok(count);
        }
        count += piece.iter().filter(|byte| **byte == b'\n').count();
        let length = piece.len();
        from.consume(length);
    }
}

/// Downloads the list and counts its lines (chunks have lines of their own, which are taken off).
fn download(address: SocketAddr, token: &str, format: &str) -> Fallible<usize> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "GET /api/v1/admin/exports/supporters.{format}?purpose=bench HTTP/1.1\r\nhost: {address}\r\n\
         authorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    )?;
    let mut from = BufReader::with_capacity(1 << 16, stream);
    let mut line = String::new();
    from.read_line(&mut line)?;
    if !line.starts_with("HTTP/1.1 200") {
        return Err(format!("the export was refused: {line}").into());
    }
    while line != "\r\n" {
        line.clear();
        from.read_line(&mut line)?;
    }
    let (mut count, mut piece) = (0, Vec::new());
    loop {
        line.clear();
        from.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim(), 16)?;
        piece.resize(size + 2, 0);
        from.read_exact(&mut piece)?;
        if size == 0 {
            return Ok(count);
        }
        count += piece[..size].iter().filter(|byte| **byte == b'\n').count();
    }
}

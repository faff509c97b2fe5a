//! The export of a million supporters over HTTP, beside what the database's own program writes of the same columns.

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

/// The columns of the default export that are in the table, as text.
const SQLITE: &str = "SELECT lower(hex(id)), email, given_name, family_name, phone, postal_code, region, country, \
     language, status, '', involvement, '', source_code, form, strftime('%FT%TZ', signed_up_at / 1000000, 'unixepoch'), \
     strftime('%FT%TZ', confirmed_at / 1000000, 'unixepoch'), NULL, lower(hex(notice_id)) FROM supporters \
     WHERE status = 'confirmed' ORDER BY number";
const POSTGRES: &str = "SELECT encode(id, 'hex'), email, given_name, family_name, phone, postal_code, region, country, \
     language, status, '', involvement, '', source_code, form, to_timestamp(signed_up_at / 1000000), \
     to_timestamp(confirmed_at / 1000000), NULL, encode(notice_id, 'hex') FROM supporters \
     WHERE status = 'confirmed' ORDER BY number";

pub fn measure(engine: Engine, arguments: &Arguments) -> Fallible<()> {
    let (count, rounds) = (arguments.number("--supporters", 1_000_000), arguments.rounds(3));
    let rig = Rig::make(engine, 0)?;
    rig.database.fill_supporters(count)?;
    let server = rig.serve(Mode::Intake, &[])?;
    let token = rig.token()?;
    let (program, idle) = (own_program(engine), server.memory());
    let (mut exports, mut ceilings, mut most) = (Vec::new(), Vec::new(), idle);
    for _ in 0..rounds {
        ceilings.push(by_program(&rig.database, count)?);
        let begun = Instant::now();
        let lines = download(server.address(), &token, || most = most.max(server.memory()))?;
        if lines != count + 1 {
            return Err(format!("{lines} lines for {count} supporters").into());
        }
        exports.push(crate::outbox::per_second(count, begun.elapsed()));
    }
    println!(
        "\nExport of {count} supporters on {}: {rounds} rounds; memory {idle:.1} MB before, {most:.1} MB at most\n\n\
         {:42} {:>9} {:>18}",
        engine.name(),
        "",
        "rows/s",
        "ratio"
    );
    let ratio = Rounds::ratios(&exports, &ceilings).spread();
    println!("{:42} {:>9.0} {:>18}", program, Rounds::new(ceilings).median(), "1.00");
    println!("{:42} {:>9.0} {ratio:>18}", "supporters.csv over HTTP", Rounds::new(exports).median());
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

/// Downloads the list, counts its lines (chunks have lines of their own, which are taken off), and looks at the memory
/// now and then.
fn download(address: SocketAddr, token: &str, mut look: impl FnMut()) -> Fallible<usize> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "GET /api/v1/admin/exports/supporters.csv?purpose=bench HTTP/1.1\r\nhost: {address}\r\n\
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
    let (mut count, mut pieces, mut piece) = (0, 0_usize, Vec::new());
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
        pieces += 1;
        if pieces % 64 == 0 {
            look();
        }
    }
}

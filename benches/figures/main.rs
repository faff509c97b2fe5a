//! The measured figures, each beside its ceiling from the same run: `cargo bench` (for PostgreSQL too:
//! `POSTGRES_FSYNC=on tests/with_postgres cargo bench`), or
//! `cargo bench -- --seconds 9 --connections 64 --stored 1000000`.
//!
//! The server runs in a process of its own (this binary, started again with `--serve`), so that its memory is
//! its own; the load comes from this process, over loopback, bounded in count and time.

mod database;
mod load;
mod process;
mod server;

use std::{path::Path, time::Duration};

use database::Engine;
use load::{Figures, Load};
use process::Server;

/// One turn of echo or of sign-ups.
const ROUND: Duration = Duration::from_secs(1);

struct Arguments {
    seconds: u64,
    connections: usize,
    stored: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(mode) = arguments.iter().position(|argument| argument == "--serve") {
        return server::run(arguments.get(mode + 1).is_some_and(|workers| workers == "workers"));
    }
    let value = |name: &str, default: u64| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)).and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let arguments = Arguments {
        seconds: value("--seconds", 9).max(1),
        connections: usize::try_from(value("--connections", 64))?,
        stored: value("--stored", 1_000_000),
    };
    sqlite(&arguments)?;
    if Engine::Postgres.is_here() {
        postgres(&arguments)?;
    } else {
        println!("\nPostgreSQL: not measured; run this by POSTGRES_FSYNC=on tests/with_postgres cargo bench");
    }
    Ok(())
}

fn sqlite(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let started = process::cold_start(Path::new(env!("CARGO_BIN_EXE_openhearth")))?;
    headline(Engine::Sqlite, arguments)?;
    let empty = Server::start(Engine::Sqlite, 0, false)?;
    let idle = empty.memory();
    let beside_empty = measure(&empty, "empty database", arguments, arguments.connections)?;
    drop(empty);
    let full = Server::start(Engine::Sqlite, arguments.stored, false)?;
    let name = format!("{} stored before", arguments.stored);
    let beside_full = measure(&full, &name, arguments, arguments.connections)?;
    drop(full);
    let busy = Server::start(Engine::Sqlite, 0, true)?;
    measure(&busy, "triage and mail at work", arguments, arguments.connections)?;
    println!(
        "\nidle memory {idle:.1} MB; cold start to the first answer {:.0} ms; ratio with {} stored / ratio empty: {:.2}",
        started.as_secs_f64() * 1e3,
        arguments.stored,
        beside_full / beside_empty
    );
    Ok(())
}

fn postgres(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    headline(Engine::Postgres, arguments)?;
    let empty = Server::start(Engine::Postgres, 0, false)?;
    measure(&empty, "empty database", arguments, arguments.connections)?;
    let many = arguments.connections * 8;
    measure(&empty, &format!("the same, {many} connections"), arguments, many)?;
    drop(empty);
    let full = Server::start(Engine::Postgres, arguments.stored, false)?;
    measure(&full, &format!("{} stored before", arguments.stored), arguments, arguments.connections)?;
    Ok(())
}

fn headline(engine: Engine, arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    println!(
        "\nSign-up intake on {}, {} connections; load, server and database on the same {} cores; {} rounds of a \
         second of\necho and a second of sign-ups; ratio: the median over the rounds, and the lowest and highest\n",
        engine.name(),
        arguments.connections,
        std::thread::available_parallelism()?,
        arguments.seconds,
    );
    println!(
        "{:34} {:>9} {:>18} {:>8} {:>8} {:>8} {:>9}",
        "", "req/s", "ratio", "p50 ms", "p99 ms", "max ms", "RSS MB"
    );
    Ok(())
}

/// Measures and reports sign-ups beside their echo, checks that what was accepted is stored, and returns the ratio.
fn measure(
    server: &Server,
    name: &str,
    arguments: &Arguments,
    connections: usize,
) -> Result<f64, Box<dyn std::error::Error>> {
    let before = server.count()?;
    let beside = Beside::measure(server, arguments.seconds, connections)?;
    report("echo (parses, validates, stores not)", &beside.echo, "1.00", server.memory());
    report(name, &beside.durable, &beside.spread(), server.memory());
    server.check_count(before + beside.durable.accepted)?;
    Ok(beside.median())
}

/// Sign-ups beside their ceiling, turn by turn, since the machine's own speed changes within seconds.
struct Beside {
    echo: Figures,
    durable: Figures,
    ratios: Vec<f64>,
}

impl Beside {
    fn measure(server: &Server, rounds: u64, connections: usize) -> Result<Self, Box<dyn std::error::Error>> {
        let run = |path: &str| {
            let address = server.address();
            Load { address, path: path.to_owned(), connections }.run(ROUND)
        };
        let mut beside = Self { echo: Figures::default(), durable: Figures::default(), ratios: Vec::new() };
        // The first round warms up.
        beside.durable.count_only(&run("/bench/echo").and_then(|_| run("/api/v1/signups"))?);
        for _ in 0..rounds {
            let (echo, durable) = (run("/bench/echo")?, run("/api/v1/signups")?);
            beside.ratios.push(durable.rate() / echo.rate());
            beside.echo.add(echo);
            beside.durable.add(durable);
        }
        beside.ratios.sort_by(f64::total_cmp);
        Ok(beside)
    }

    fn median(&self) -> f64 {
        self.ratios[self.ratios.len() / 2]
    }

    fn spread(&self) -> String {
        let (lowest, highest) = (self.ratios[0], self.ratios[self.ratios.len() - 1]);
        format!("{:.2} ({lowest:.2}-{highest:.2})", self.median())
    }
}

fn report(name: &str, figures: &Figures, ratio: &str, memory: f64) {
    println!(
        "{name:36} {:>7.0} {ratio:>18} {:>8.2} {:>8.2} {:>8.2} {memory:>9.1}",
        figures.rate(),
        figures.percentile(0.50),
        figures.percentile(0.99),
        figures.percentile(1.0),
    );
}

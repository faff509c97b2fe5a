//! The measured figures, each beside its ceiling from the same run: `cargo bench`, or
//! `cargo bench -- --seconds 5 --connections 64 --stored 1000000`.
//!
//! The server runs in a process of its own (this binary, started again with `--serve`), so that its memory is
//! its own; the load comes from this process, over loopback, bounded in count and time.

mod load;
mod process;
mod seed;
mod server;

use std::{path::Path, time::Duration};

use load::{Figures, Load};
use process::Server;

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
        seconds: value("--seconds", 5),
        connections: usize::try_from(value("--connections", 64))?,
        stored: value("--stored", 1_000_000),
    };
    intake(&arguments)
}

fn intake(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    println!(
        "Sign-up intake on SQLite, {} connections, {} s each, load and server on the same {} cores\n",
        arguments.connections,
        arguments.seconds,
        std::thread::available_parallelism()?
    );
    let started = process::cold_start(Path::new(env!("CARGO_BIN_EXE_openhearth")))?;
    println!(
        "{:34} {:>9} {:>7} {:>8} {:>8} {:>8} {:>9}",
        "", "req/s", "ratio", "p50 ms", "p99 ms", "max ms", "RSS MB"
    );

    let empty = Server::start(0, false)?;
    let idle = empty.memory();
    let echo = measure(&empty, arguments, "/bench/echo")?;
    report("echo (parses, validates, stores not)", &echo, &echo, empty.memory());
    let durable = measure(&empty, arguments, "/api/v1/signups")?;
    report("durable, empty database", &durable, &echo, empty.memory());
    let again = measure(&empty, arguments, "/bench/echo")?;
    report("echo again", &again, &echo, empty.memory());
    empty.check_count(durable.accepted)?;
    drop(empty);

    let busy = Server::start(0, true)?;
    let with_workers = measure(&busy, arguments, "/api/v1/signups")?;
    report("durable, triage and mail at work", &with_workers, &echo, busy.memory());
    busy.check_count(with_workers.accepted)?;
    drop(busy);

    let full = Server::start(arguments.stored, false)?;
    let full_echo = measure(&full, arguments, "/bench/echo")?;
    let stored = measure(&full, arguments, "/api/v1/signups")?;
    report(&format!("durable, {} stored before", arguments.stored), &stored, &full_echo, full.memory());
    full.check_count(arguments.stored + stored.accepted)?;

    println!(
        "\nidle memory {idle:.1} MB; cold start to the first answer {:.0} ms",
        started.as_secs_f64() * 1e3
    );
    println!(
        "durable with {} stored / durable empty: {:.2}",
        arguments.stored,
        (stored.rate() / full_echo.rate()) / (durable.rate() / echo.rate())
    );
    Ok(())
}

fn measure(
    server: &Server,
    arguments: &Arguments,
    path: &str,
) -> Result<Figures, Box<dyn std::error::Error>> {
    let load = Load { address: server.address(), path: path.to_owned(), connections: arguments.connections };
    load.run(Duration::from_secs(1))?;
    load.run(Duration::from_secs(arguments.seconds))
}

fn report(name: &str, figures: &Figures, ceiling: &Figures, memory: f64) {
    println!(
        "{name:34} {:>9.0} {:>7.2} {:>8.2} {:>8.2} {:>8.2} {memory:>9.1}",
        figures.rate(),
        figures.rate() / ceiling.rate(),
        figures.percentile(0.50),
        figures.percentile(0.99),
        figures.percentile(1.0),
    );
}

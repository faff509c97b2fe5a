//! The measured figures, each beside its ceiling from the same run: `cargo bench`, or
//! `cargo bench -- --seconds 9 --connections 64 --stored 1000000`.
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
    intake(&arguments)
}

fn intake(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    println!(
        "Sign-up intake on SQLite, {} connections, load and server on the same {} cores; {} rounds of a second of \
         echo\nand a second of sign-ups; ratio: the median over the rounds, and the lowest and highest\n",
        arguments.connections,
        std::thread::available_parallelism()?,
        arguments.seconds,
    );
    let started = process::cold_start(Path::new(env!("CARGO_BIN_EXE_openhearth")))?;
    println!(
        "{:34} {:>9} {:>18} {:>8} {:>8} {:>8} {:>9}",
        "", "req/s", "ratio", "p50 ms", "p99 ms", "max ms", "RSS MB"
    );

    let empty = Server::start(0, false)?;
    let idle = empty.memory();
    let beside_empty = Beside::measure(&empty, arguments)?;
    report("echo (parses, validates, stores not)", &beside_empty.echo, "1.00", empty.memory());
    report("durable, empty database", &beside_empty.durable, &beside_empty.spread(), empty.memory());
    empty.check_count(beside_empty.durable.accepted)?;
    drop(empty);

    let full = Server::start(arguments.stored, false)?;
    let beside_full = Beside::measure(&full, arguments)?;
    let name = format!("durable, {} stored before", arguments.stored);
    report(&name, &beside_full.durable, &beside_full.spread(), full.memory());
    full.check_count(arguments.stored + beside_full.durable.accepted)?;
    drop(full);

    let busy = Server::start(0, true)?;
    let beside_work = Beside::measure(&busy, arguments)?;
    report("durable, triage and mail at work", &beside_work.durable, &beside_work.spread(), busy.memory());
    busy.check_count(beside_work.durable.accepted)?;

    println!(
        "\nidle memory {idle:.1} MB; cold start to the first answer {:.0} ms",
        started.as_secs_f64() * 1e3
    );
    println!(
        "ratio with {} stored / ratio empty: {:.2}",
        arguments.stored,
        beside_full.median() / beside_empty.median()
    );
    Ok(())
}

/// Sign-ups beside their ceiling, turn by turn, since the machine's own speed changes within seconds.
struct Beside {
    echo: Figures,
    durable: Figures,
    ratios: Vec<f64>,
}

impl Beside {
    fn measure(server: &Server, arguments: &Arguments) -> Result<Self, Box<dyn std::error::Error>> {
        let run = |path: &str| {
            let address = server.address();
            Load { address, path: path.to_owned(), connections: arguments.connections }.run(ROUND)
        };
        let mut beside = Self { echo: Figures::default(), durable: Figures::default(), ratios: Vec::new() };
        // The first round warms up.
        beside.durable.count_only(&run("/bench/echo").and_then(|_| run("/api/v1/signups"))?);
        for _ in 0..arguments.seconds {
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

//! Sign-ups, durable, beside an echo that parses and validates the same body with the same code and stores nothing: a
//! second of the one, then a second of the other.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use crate::{
    arguments::Arguments,
    database::{Engine, beside_the_build},
    load::{Figures, Load},
    process::{Mode, Rig, Server},
    rounds::Rounds,
};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// One turn of echo or of sign-ups.
const ROUND: Duration = Duration::from_secs(1);
/// The connections of every measuring but that of their number.
const USUAL: usize = 64;

pub fn measure(engine: Engine, arguments: &Arguments) -> Fallible<()> {
    let rounds = arguments.rounds(5);
    println!(
        "\nSign-up intake on {}: {rounds} rounds of a second of echo and a second of sign-ups; a sync of this disk \
         takes {:.2} ms now\n\n{:42} {:>9} {:>18} \
         {:>8} {:>8} {:>8} {:>7}",
        engine.name(),
        sync()?.as_secs_f64() * 1e3,
        "",
        "req/s",
        "ratio to echo",
        "p50 ms",
        "p99 ms",
        "max ms",
        "RSS MB"
    );
    let many: &[usize] = if engine == Engine::Postgres { &[16, USUAL, 256, 512] } else { &[16, USUAL, 256] };
    let rig = Rig::make(engine, 0)?;
    let empty = rig.serve(Mode::Intake, &[])?;
    println!("{:42} {:>55.1}", "idle", empty.memory());
    for connections in arguments.numbers("--connections", many) {
        beside_echo(&rig, &empty, "new addresses", (connections, 0), rounds)?;
    }
    beside_echo(&rig, &empty, "30 % repeated", (USUAL, 3), rounds)?;
    drop(empty);
    for stored in arguments.numbers("--stored", &[10_000, 1_000_000]) {
        let rig = Rig::make(engine, u64::try_from(stored)?)?;
        let full = rig.serve(Mode::Intake, &[])?;
        beside_echo(&rig, &full, &format!("{stored} stored"), (USUAL, 0), rounds)?;
    }
    let rig = Rig::make(engine, 0)?;
    let busy = rig.serve(Mode::Workers, &[])?;
    beside_echo(&rig, &busy, "triage and mail at work", (USUAL, 0), rounds)
}

/// What the disk takes for one page to be safe, in the mean of many: nobody who waits for an answer in turn gets one
/// sooner.
fn sync() -> Fallible<Duration> {
    const SYNCS: u32 = 100;
    let mut file = tempfile::tempfile_in(beside_the_build())?;
    let begun = Instant::now();
    for _ in 0..SYNCS {
        file.write_all(&[0; 8192])?;
        file.sync_data()?;
    }
    Ok(begun.elapsed() / SYNCS)
}

/// Measures and reports both, and checks that what was accepted is stored.
fn beside_echo(
    rig: &Rig,
    server: &Server,
    name: &str,
    (connections, repeated): (usize, u64),
    rounds: usize,
) -> Fallible<()> {
    let run = |path: &str| {
        Load { addresses: vec![server.address()], path: path.to_owned(), connections, repeated }.run(ROUND)
    };
    let before = rig.database.count()?;
    let (mut echo, mut durable) = (Figures::default(), Figures::default());
    let (mut echoes, mut rates) = (Vec::new(), Vec::new());
    // The first round warms up.
    durable.count_only(&run("/bench/echo").and_then(|_| run("/api/v1/signups"))?);
    for _ in 0..rounds {
        let (ceiling, turn) = (run("/bench/echo")?, run("/api/v1/signups")?);
        echoes.push(ceiling.rate());
        rates.push(turn.rate());
        echo.add(ceiling);
        durable.add(turn);
    }
    report("  echo", &echo, "1.00", server.memory());
    let name = format!("{name}, {connections} connections");
    report(&name, &durable, &Rounds::ratios(&rates, &echoes).spread(), server.memory());
    let (stored, acknowledged) = (rig.database.count()?, before + durable.accepted);
    if stored < acknowledged {
        return Err(format!("{acknowledged} sign-ups were acknowledged, {stored} are stored").into());
    }
    Ok(())
}

fn report(name: &str, figures: &Figures, ratio: &str, memory: f64) {
    println!(
        "{name:42} {:>9.0} {ratio:>18} {:>8.2} {:>8.2} {:>8.2} {memory:>7.1}",
        figures.rate(),
        figures.percentile(0.50),
        figures.percentile(0.99),
        figures.percentile(1.0),
    );
}

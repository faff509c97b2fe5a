//! From starting the real binary to its first answer: in an empty folder, and with a million sign-ups stored.

use std::path::Path;

use crate::{
    arguments::Arguments,
    database::{Database, Engine},
    process::cold_start,
    rounds::Rounds,
};

pub fn measure(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let binary = Path::new(env!("CARGO_BIN_EXE_openhearth"));
    println!("\nFrom the start of the binary to its first answer, in ms\n");
    for engine in [Engine::Sqlite, Engine::Postgres] {
        if !engine.is_here() || !arguments.wants_on(engine.name()) {
            continue;
        }
        let mut first = Vec::new();
        for _ in 0..arguments.rounds(5) {
            let database = Database::bare(engine)?;
            first.push(cold_start(binary, &database)?.as_secs_f64() * 1e3);
        }
        let stored = arguments.numbers("--stored", &[10_000, 1_000_000]);
        let stored = stored.into_iter().max().unwrap_or(0);
        let full = Database::make(engine, u64::try_from(stored)?)?;
        let mut again = Vec::new();
        for _ in 0..arguments.rounds(5) {
            again.push(cold_start(binary, &full)?.as_secs_f64() * 1e3);
        }
        let (first, again) = (Rounds::new(first), Rounds::new(again));
        println!("{:10} nothing there yet, migrations included: {}", engine.name(), first.spread());
        println!("{:10} {stored} sign-ups stored: {}", engine.name(), again.spread());
    }
    Ok(())
}

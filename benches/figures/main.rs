//! The measured figures, each beside its ceiling from the same run:
//!
//! ```text
//! POSTGRES_FSYNC=on tests/with_postgres cargo bench                      all, in a few minutes
//! cargo bench -- --only intake --on sqlite --connections 16,64,256 --stored 0,10000,1000000 --rounds 9
//! cargo bench -- --only outbox --senders 4,16 --mails 20000
//! ```
//!
//! Parts: `start`, `intake`, `outbox`, `replicas`, `exports`, `imports`. The server runs in processes of its own (this binary, started
//! again with `--serve`), so that its memory is its own; the load comes from this process, over loopback, bounded in
//! count and time.

mod arguments;
mod bare;
mod database;
mod exports;
mod imports;
mod intake;
mod load;
mod outbox;
mod process;
mod replicas;
mod rounds;
mod server;
mod sink;
mod start;

#[path = "../../tests/support/certificate.rs"]
#[expect(clippy::unwrap_used, reason = "made for tests, which fail by panicking")]
mod certificate;
#[path = "../../tests/support/smtp_server.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "made for tests, which ask for more and fail by panicking")]
mod smtp_server;
#[path = "../../tests/support/smtp_session.rs"]
#[expect(clippy::unwrap_used, reason = "made for tests, which fail by panicking")]
mod smtp_session;

use arguments::Arguments;
use database::Engine;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::read();
    if let Some(mode) = arguments.after("--serve") {
        return server::run(mode == "workers");
    }
    if let Some(relay) = arguments.after("--bare") {
        return bare::run(relay, &arguments);
    }
    println!(
        "Load, servers, databases and sinks share these {} cores. A ratio is the median over the rounds, with the \
         lowest and highest.",
        std::thread::available_parallelism()?
    );
    if arguments.wants("start") {
        start::measure(&arguments)?;
    }
    for engine in [Engine::Sqlite, Engine::Postgres] {
        if !arguments.wants_on(engine.name()) {
            continue;
        }
        if !engine.is_here() {
            println!(
                "\n{}: not measured; run this by POSTGRES_FSYNC=on tests/with_postgres cargo bench",
                engine.name()
            );
            continue;
        }
        if arguments.wants("intake") {
            intake::measure(engine, &arguments)?;
        }
        if arguments.wants("outbox") {
            outbox::measure(engine, &arguments)?;
        }
        if arguments.wants("replicas") && engine == Engine::Postgres {
            replicas::measure(&arguments)?;
        }
        if arguments.wants("exports") {
            exports::measure(engine, &arguments)?;
        }
        if arguments.wants("imports") {
            imports::measure(engine, &arguments)?;
        }
    }
    Ok(())
}

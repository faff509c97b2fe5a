//! `openhearth copy`: from SQLite to PostgreSQL, with a bar on a terminal and a line for each table elsewhere.

use std::{
    io::{IsTerminal, Write, stderr},
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::Args;

use crate::{
    config::{DatabaseConfig, DatabaseUrl},
    store::copy::{Progress, copy},
};

/// Cells of the bar.
const WIDTH: usize = 32;
/// Pause between two drawings.
const FRAME: Duration = Duration::from_millis(100);

#[derive(Args)]
pub(super) struct CopyArgs {
    /// The database to copy: sqlite://FILE. No openhearth may run on it.
    #[arg(long, value_name = "URL")]
    from: String,
    /// The empty database to fill: postgres://…
    #[arg(long, value_name = "URL")]
    to: String,
    /// A file that holds PostgreSQL's password alone.
    #[arg(long, value_name = "FILE")]
    to_password_file: Option<PathBuf>,
}

pub(super) async fn run(args: CopyArgs) -> Result<(), String> {
    // Not by clap, which repeats a value that it cannot read: a password may be in it.
    let from = DatabaseUrl::try_from(args.from).map_err(|_| "--from must be sqlite://FILE".to_owned())?;
    let to = DatabaseUrl::try_from(args.to)
        .map_err(|_| "--to must be postgres://USER@HOST/NAME".to_owned())
        .and_then(|to| DatabaseConfig::copy_target(to, args.to_password_file))?;
    let copied = tokio::task::spawn_blocking(move || {
        let mut bar = Bar::new();
        let outcome = copy(&from, &to, |progress| bar.show(progress));
        bar.end();
        outcome
    });
    let copied = copied.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    for (table, rows) in &copied.tables {
        println!("{table}: {rows}");
    }
    let rows: i64 = copied.tables.iter().map(|(_, rows)| rows).sum();
    println!(
        "{rows} rows of {} tables are in PostgreSQL, counted on both sides; set database.url to it, keep secret and \
         suppression_key, and start no openhearth on the SQLite file again",
        copied.tables.len()
    );
    Ok(())
}

/// What is shown while it goes on, on standard error.
struct Bar {
    is_terminal: bool,
    drawn: Option<Instant>,
    table: String,
}

impl Bar {
    fn new() -> Self {
        Self { is_terminal: stderr().is_terminal(), drawn: None, table: String::new() }
    }

    fn show(&mut self, progress: Progress<'_>) {
        let is_new = self.table != progress.table;
        progress.table.clone_into(&mut self.table);
        // What cannot be shown must not end the copy.
        if !self.is_terminal {
            if is_new {
                let _ = writeln!(
                    stderr(),
                    "{} of {} rows; now {}",
                    progress.copied,
                    progress.total,
                    progress.table
                );
            }
        } else if is_new || self.drawn.is_none_or(|at| at.elapsed() >= FRAME) {
            self.drawn = Some(Instant::now());
            let _ = write!(stderr(), "\r{}\x1b[K", line(progress));
        }
    }

    fn end(&mut self) {
        if self.drawn.take().is_some() {
            let _ = writeln!(stderr());
        }
    }
}

fn line(Progress { table, copied, total }: Progress<'_>) -> String {
    let part = |of: usize| {
        let of = i64::try_from(of).unwrap_or(0);
        usize::try_from(copied.saturating_mul(of) / total.max(1)).unwrap_or(0)
    };
    let done = part(WIDTH).min(WIDTH);
    format!(
        "[{}{}] {:3} %  {copied} of {total} rows, {table}",
        "#".repeat(done),
        ".".repeat(WIDTH - done),
        part(100).min(100)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_and_an_empty_database_has_one_too() {
        let shown = |copied, total| line(Progress { table: "signups", copied, total });
        assert_eq!(shown(0, 8), "[................................]   0 %  0 of 8 rows, signups");
        assert_eq!(shown(2, 8), "[########........................]  25 %  2 of 8 rows, signups");
        assert_eq!(shown(8, 8), "[################################] 100 %  8 of 8 rows, signups");
        assert_eq!(shown(0, 0), "[................................]   0 %  0 of 0 rows, signups");
    }
}

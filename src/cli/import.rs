//! `openhearth import FILE`: a contact list from this machine, beside a running server or, in bulk, without one.

use std::{io::IsTerminal, path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    config::Config,
    imports::{self, Basis, Bringing, Counts, ImportOptions, ListConsent, Outcome, Preview, Target},
};

/// Some rows were refused.
const SOME_REFUSED: u8 = 3;

#[derive(Args)]
pub(super) struct ImportArgs {
    /// CSV or XLSX.
    file: PathBuf,
    /// Why people on the list may be written to: they consented already, or they are asked by mail first.
    #[arg(long, value_enum)]
    consent: Consent,
    /// What they agreed to, to the letter (with --consent already).
    #[arg(long, required_if_eq("consent", "already"))]
    wording: Option<String>,
    /// The day on which they did, e.g. 2026-05-01 (with --consent already).
    #[arg(long, required_if_eq("consent", "already"))]
    consent_date: Option<String>,
    /// The wording covers calls and texts.
    #[arg(long)]
    phone_consent: bool,
    /// Only say what would happen.
    #[arg(long)]
    dry_run: bool,
    /// Fast, into SQLite while no server runs.
    #[arg(long, conflicts_with = "dry_run")]
    offline_bulk: bool,
    /// A tag that all people get; may be given several times.
    #[arg(long = "tag")]
    tags: Vec<String>,
    /// A column that holds something else than its header says: "Header=email", or "#3=field.local" for a custom field.
    #[arg(long = "map", value_parser = column)]
    columns: Vec<(String, Target)>,
    /// Let the list win over what is stored.
    #[arg(long)]
    overwrite: bool,
    /// Country of rows that name none.
    #[arg(long)]
    country: Option<String>,
    /// Source code of rows that name none.
    #[arg(long)]
    source: Option<String>,
    /// A file to make for the refused rows (readable by its owner alone); it must not be there yet.
    #[arg(long)]
    refused_to: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Consent {
    Already,
    Invite,
}

fn column(text: &str) -> Result<(String, Target), String> {
    let (name, target) = text.rsplit_once('=').ok_or("say COLUMN=field")?;
    let target = Target::named(target).ok_or_else(|| format!("there is no field {target}"))?;
    Ok((name.to_owned(), target))
}

impl ImportArgs {
    fn bringing(self) -> (Bringing, bool) {
        let basis = match self.consent {
            Consent::Already => Basis::Already,
            Consent::Invite => Basis::Invite,
        };
        let consent =
            ListConsent { basis, wording: self.wording, date: self.consent_date, phone: self.phone_consent };
        let options = ImportOptions {
            consent: Some(consent),
            tags: self.tags,
            overwrite: self.overwrite,
            country: self.country,
            source: self.source,
        };
        let bringing = Bringing {
            file: self.file,
            options,
            columns: self.columns,
            dry_run: self.dry_run,
            refused_to: self.refused_to,
        };
        (bringing, self.offline_bulk)
    }
}

/// Takes the list in. 0 when all rows went in, 3 when some were refused.
pub(super) async fn import(config: Config, args: ImportArgs) -> Result<ExitCode, String> {
    let (bringing, in_bulk) = args.bringing();
    bringing.options.check(&config.campaign.timezone, Clock::default().now()).map_err(|faults| {
        let sentences = faults.iter().map(|fault| format!("{}: {}", fault.field, fault.message));
        sentences.collect::<Vec<_>>().join("; ")
    })?;
    let refused_to = bringing.refused_to.clone();
    let bar = bar();
    let progress = {
        let bar = bar.clone();
        move |done, all| {
            bar.set_length(all);
            bar.set_position(done);
        }
    };
    let outcome = if in_bulk {
        config.check().map_err(|error| error.to_string())?;
        let work = move || imports::bulk::bring(&config, &Clock::default(), &bringing, progress);
        tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?
    } else {
        let app = super::build(config).await?;
        let stop = CancellationToken::new();
        let interrupt = stop.clone();
        let mut signal = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
        tokio::spawn(async move {
            if signal.recv().await.is_some() {
                interrupt.cancel();
            }
        });
        let outcome = app.imports.bring(bringing, &stop, progress).await;
        app.kernel.store.close().await;
        outcome
    };
    bar.finish_and_clear();
    let counts = match outcome? {
        Outcome::Would(preview, other_sheets) => {
            say_sheets(&other_sheets);
            say_preview(&preview)
        }
        Outcome::Did(report) => {
            if report.resumed {
                println!("went on with what an earlier run had begun");
            }
            say_sheets(&report.other_sheets);
            println!("{}", sentence(&report.counts, "went in", "did not"));
            if let Some(path) = refused_to {
                println!("the refused rows are in {}", path.display());
            }
            report.counts
        }
    };
    Ok(if counts.refused > 0 { ExitCode::from(SOME_REFUSED) } else { ExitCode::SUCCESS })
}

fn say_sheets(others: &[String]) {
    if !others.is_empty() {
        println!("these sheets have another header and are no part of the list: {}", others.join(", "));
    }
}

fn say_preview(preview: &Preview) -> Counts {
    println!("{}", sentence(&preview.counts, "would go in", "would not"));
    for (code, count) in &preview.reasons {
        println!("  {code}: {count}");
    }
    for example in &preview.examples {
        let field = if example.field.is_empty() { String::new() } else { format!("{}: ", example.field) };
        let sheet = example.sheet.as_ref().map(|name| format!("sheet {name}, ")).unwrap_or_default();
        println!("  {sheet}line {}: {field}{}", example.line, example.message);
    }
    preview.counts
}

fn sentence(counts: &Counts, went: &str, not: &str) -> String {
    format!(
        "{} of {} rows {went}: {} created, {} updated, {} unchanged, {} invited; {} {not}; {} without a value that \
         does not hold",
        counts.rows() - counts.refused,
        counts.rows(),
        counts.created,
        counts.updated,
        counts.unchanged,
        counts.invited,
        counts.refused,
        counts.left_out
    )
}

/// Shown on a terminal only.
fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

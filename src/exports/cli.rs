//! `openhearth export`: the same lists, taken on the machine itself.

use std::{io::Write, path::PathBuf};

use clap::Args;
use futures_util::StreamExt;

use super::{Format, Order, Preset, Taker, columns, delivery::Body, purpose, take};
use crate::{
    audit::Actor, error::AppError, files::create_private, kernel::Kernel, staff::Sight,
    supporters::SupporterQuery,
};

/// What the command is given.
#[derive(Args)]
pub struct ExportArgs {
    /// The kind of file.
    #[arg(long, default_value = "csv")]
    pub format: Format,
    /// Columns made for a tool.
    #[arg(long)]
    pub preset: Option<Preset>,
    /// Columns by name, separated by commas, `field.<slug>` for custom fields; instead of a preset.
    #[arg(long, value_name = "NAMES")]
    pub columns: Option<String>,
    /// Why the list is taken out; recorded.
    #[arg(long)]
    pub purpose: String,
    /// The file to make (readable by its owner alone); it must not be there yet. Standard output by default.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Leave cells that a spreadsheet would run as a formula as they are.
    #[arg(long)]
    pub raw: bool,
    /// Pack it with gzip.
    #[arg(long)]
    pub gzip: bool,
    /// Whom the list holds.
    #[command(flatten)]
    pub filter: SupporterQuery,
}

/// Takes a list out as the command line.
///
/// # Errors
/// A sentence that says what is wrong.
pub async fn export_by_command(kernel: &Kernel, args: ExportArgs) -> Result<(), String> {
    let order = order(kernel, &args).await.map_err(sentence)?;
    let out: Box<dyn Write + Send> = match &args.output {
        None => Box::new(std::io::stdout()),
        Some(path) => {
            let file = create_private(path);
            Box::new(file.map_err(|error| format!("--output {}: {error}", path.display()))?)
        }
    };
    let (mut body, ended) = take(kernel, order).await.map_err(sentence)?;
    let outcome = write(&mut body, out).await;
    // Also where the list was cut off: its end is recorded.
    drop(body);
    ended.await.map_err(|error| error.to_string())?;
    outcome.map_err(|error| format!("the list was cut off: {error}"))
}

async fn write(body: &mut Body, mut out: Box<dyn Write + Send>) -> std::io::Result<()> {
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(std::io::Error::other)?;
        out = tokio::task::spawn_blocking(move || out.write_all(&piece).map(|()| out)).await??;
    }
    tokio::task::spawn_blocking(move || out.flush()).await?
}

async fn order(kernel: &Kernel, args: &ExportArgs) -> Result<Order, AppError> {
    Ok(Order {
        taker: Taker { actor: Actor::CommandLine, staff_id: None, role: "command_line" },
        purpose: purpose(Some(&args.purpose))?,
        columns: columns(kernel, args.preset, args.columns.as_deref(), Sight::Everybody).await?,
        filter: args.filter.filter(kernel, Sight::Everybody).await?,
        recorded: args.filter.recorded(&kernel.keys),
        format: args.format,
        raw: args.raw,
        gzip: args.gzip,
    })
}

/// What is wrong, by flag where one is.
fn sentence(error: AppError) -> String {
    match error {
        AppError::Invalid(faults) => {
            let each = |fault: &crate::error::FieldError| {
                format!("--{}: {}", fault.field.replace('_', "-"), fault.message)
            };
            faults.iter().map(each).collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}

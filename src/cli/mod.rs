//! The command line: reads the configuration, does one thing, says in one sentence what is wrong.

mod admin;
mod audit;
mod copy;
mod import;
mod serve;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{
    app::{App, StartError},
    clock::Clock,
    config::Config,
    exports::{ExportArgs, export_by_command},
    stats,
    store::{backup, migrate},
    telemetry,
};

/// The backend a campaign coalition runs for itself.
#[derive(Parser)]
#[command(name = "openhearth", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the site, the API and the mail worker (the default).
    Serve(ServeArgs),
    /// Triage sign-ups, send mails and purge, without serving anything.
    Worker,
    /// Bring the database to this version and exit.
    Migrate,
    /// Copy SQLite's database while servers write, and check the copy.
    Backup {
        /// The file to make; it must not be there yet.
        file: PathBuf,
    },
    /// Move everything from SQLite to PostgreSQL; run again, it goes on where it was ended.
    Copy(copy::CopyArgs),
    /// Bring a contact list: CSV or XLSX.
    Import(import::ImportArgs),
    /// Take a contact list out, as the API does; recorded as taken by the command line.
    Export(Box<ExportArgs>),
    /// The figures of the dashboard.
    #[command(subcommand)]
    Stats(StatsCommand),
    /// Make accounts and tokens.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Verify, list and hand out the audit trail.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
}

#[derive(Subcommand)]
enum StatsCommand {
    /// Count everything anew, beside running servers, and correct the figures that differ.
    Rebuild,
}

#[derive(Args, Default)]
struct ServeArgs {
    /// Leave triage, mail and purge to other processes (`openhearth worker`).
    #[arg(long)]
    no_worker: bool,
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Make an account; the password is read from standard input.
    Create(CreateArgs),
    /// List the accounts.
    List,
    /// Let an account log in no more; its sessions end.
    Disable(AccountArgs),
    /// Let a disabled account log in again.
    Enable(AccountArgs),
    /// Print a link that sets a new password once, alone; or set the password that standard input gives.
    ResetPassword(ResetArgs),
    /// Make a bearer token and print it, alone.
    Token(TokenArgs),
}

#[derive(Args)]
struct CreateArgs {
    /// Address of the account.
    #[arg(long)]
    email: String,
    /// owner, organizer, analyst or group_manager.
    #[arg(long)]
    role: crate::staff::Role,
    /// Slug of the one member group of a group_manager.
    #[arg(long)]
    group: Option<String>,
    /// Read the password from the first line of standard input.
    #[arg(long, required = true)]
    password_stdin: bool,
}

#[derive(Args)]
struct AccountArgs {
    /// Address of the account.
    #[arg(long)]
    email: String,
}

#[derive(Args)]
struct ResetArgs {
    /// Address of the account.
    #[arg(long)]
    email: String,
    /// Read the password from the first line of standard input.
    #[arg(long)]
    password_stdin: bool,
    /// Switch its second factor off, too.
    #[arg(long)]
    remove_totp: bool,
}

#[derive(Args)]
struct TokenArgs {
    /// Address of the account the token belongs to.
    #[arg(long)]
    email: String,
    /// What the token is for.
    #[arg(long)]
    name: String,
    /// What it may do, e.g. supporters:read,exports
    #[arg(long, value_delimiter = ',', required = true)]
    scopes: Vec<String>,
    /// Slug of the one member group whose people the token may see.
    #[arg(long)]
    group: Option<String>,
}

/// What ends the process with something else than 0.
struct Failure {
    code: u8,
    sentence: String,
}

impl From<String> for Failure {
    fn from(sentence: String) -> Self {
        Self { code: 2, sentence }
    }
}

/// Runs the command line of this process.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| error.to_string().into())
        .and_then(|runtime| {
            let outcome = runtime
                .block_on(execute(cli.command.unwrap_or_else(|| Command::Serve(ServeArgs::default()))));
            // A thread that a locked database holds must not hold the end of the process.
            runtime.shutdown_background();
            outcome
        });
    match outcome {
        Ok(code) => code,
        Err(Failure { code, sentence }) => {
            eprintln!("openhearth: {sentence}");
            ExitCode::from(code)
        }
    }
}

async fn execute(command: Command) -> Result<ExitCode, Failure> {
    let config = Config::load().map_err(|error| error.to_string())?;
    telemetry::start(&config.log);
    let outcome = match command {
        Command::Audit(command) => {
            return audit::run(build(config).await?, command).await.map(|()| ExitCode::SUCCESS);
        }
        Command::Import(args) => return import::import(config, args).await.map_err(Failure::from),
        Command::Serve(args) => {
            serve::serve(config, !args.no_worker).await.map_err(|error| error.to_string())
        }
        Command::Worker => serve::work(config).await.map_err(|error| error.to_string()),
        Command::Backup { file } => back_up(config, file).await,
        Command::Copy(args) => copy::run(args).await,
        Command::Migrate => {
            let done =
                migrate::migrate(&config.database).map_err(|error| format!("database.url: {error}"))?;
            println!("{done} migrations applied; the database is at this version");
            Ok(())
        }
        Command::Stats(StatsCommand::Rebuild) => {
            let app = build(config).await?;
            let corrected = stats::rebuild(&app.kernel).await;
            app.kernel.store.close().await;
            println!("{} figures corrected", corrected.map_err(|error| error.to_string())?);
            Ok(())
        }
        Command::Export(args) => {
            let app = build(config).await?;
            let outcome = export_by_command(&app.kernel, *args).await;
            app.kernel.store.close().await;
            outcome
        }
        Command::Admin(AdminCommand::Create(args)) => admin::create(build(config).await?, args).await,
        Command::Admin(AdminCommand::List) => admin::list(build(config).await?).await,
        Command::Admin(AdminCommand::Disable(args)) => {
            admin::disable(build(config).await?, &args.email, true).await
        }
        Command::Admin(AdminCommand::Enable(args)) => {
            admin::disable(build(config).await?, &args.email, false).await
        }
        Command::Admin(AdminCommand::ResetPassword(args)) => admin::reset(build(config).await?, args).await,
        Command::Admin(AdminCommand::Token(args)) => admin::token(build(config).await?, args).await,
    };
    outcome.map(|()| ExitCode::SUCCESS).map_err(Failure::from)
}

async fn back_up(config: Config, file: PathBuf) -> Result<(), String> {
    let name = file.display().to_string();
    let size = tokio::task::spawn_blocking(move || backup::backup(&config.database.url, &file))
        .await
        .map_err(|error| error.to_string())?
        .map_err(|error| error.to_string())?;
    println!(
        "{name} holds the database, {size} bytes, and is sound; keep secret and suppression_key with it"
    );
    Ok(())
}

async fn build(config: Config) -> Result<App, String> {
    App::build(config, Clock::default()).await.map_err(|error: StartError| error.to_string())
}

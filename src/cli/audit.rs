//! `openhearth audit …`: the trail listed, handed out and verified, beside a running server or without one.

use std::io::Write;

use clap::{Args, Subcommand};
use serde_json::json;

use super::Failure;
use crate::{
    app::App,
    audit::{Act, Actor, EntryFilter, EntryView, Head, Trail, Verdict},
    id::Id,
    store::{Lane, StoreError},
    time_bound::TimeBound,
};

/// What a broken trail ends the process with.
const BROKEN: u8 = 3;

#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// Verify the whole trail: ends with 0 when it is intact, with 3 when it is not.
    Verify {
        /// A place that was kept elsewhere, NUMBER:MAC, e.g. from the log: shows also whether the end was cut off.
        #[arg(long)]
        expect: Option<Head>,
    },
    /// Print entries, newest first, one a line.
    List {
        #[command(flatten)]
        which: Which,
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Print all entries that match as NDJSON, newest first; this is itself an entry.
    Export {
        #[command(flatten)]
        which: Which,
    },
}

#[derive(Args)]
pub(super) struct Which {
    /// Id of who did it.
    #[arg(long)]
    actor: Option<Id>,
    /// The beginning of the action's name, e.g. export.
    #[arg(long)]
    action: Option<String>,
    /// Id of what it was done to.
    #[arg(long)]
    subject: Option<Id>,
    /// A day in the campaign's time zone, or an RFC 3339 time.
    #[arg(long)]
    from: Option<TimeBound>,
    /// A day in the campaign's time zone, or an RFC 3339 time.
    #[arg(long)]
    to: Option<TimeBound>,
}

impl Which {
    fn filter(self, timezone: &str) -> Result<EntryFilter, String> {
        let zone = jiff::tz::TimeZone::get(timezone).map_err(|error| error.to_string())?;
        if self.action.as_ref().is_some_and(|action| !EntryFilter::is_action(action)) {
            return Err("--action is made of small letters, digits, underscores and dots".to_owned());
        }
        Ok(EntryFilter {
            actor: self.actor,
            actor_kind: None,
            action: self.action,
            subject: self.subject,
            from: self.from.map(|bound| bound.resolve(&zone)),
            to: self.to.map(|bound| bound.resolve(&zone)),
        })
    }
}

pub(super) async fn run(app: App, command: AuditCommand) -> Result<(), Failure> {
    let timezone = app.kernel.config.campaign.timezone.clone();
    let outcome = match command {
        AuditCommand::Verify { expect } => verify(&app, expect).await,
        AuditCommand::List { which, limit } => list(&app, which.filter(&timezone)?, limit).await,
        AuditCommand::Export { which } => export(&app, which.filter(&timezone)?).await,
    };
    app.kernel.store.close().await;
    outcome
}

async fn verify(app: &App, expected: Option<Head>) -> Result<(), Failure> {
    match app.kernel.trail().verify(expected).await.map_err(|error| error.to_string())? {
        Verdict::Intact { retired, head } if head.number == retired => {
            println!("intact: no entries (up to {retired} retention took them away)");
            Ok(())
        }
        Verdict::Intact { retired, head } => {
            println!("intact: entries {} to {}\nhead {head}", retired + 1, head.number);
            Ok(())
        }
        Verdict::Broken(fault) => {
            Err(Failure { code: BROKEN, sentence: format!("the audit trail is broken: {fault}") })
        }
    }
}

async fn list(app: &App, filter: EntryFilter, limit: u32) -> Result<(), Failure> {
    let found = app.kernel.trail().list(filter, None, i64::from(limit)).await;
    for link in found.map_err(|error| error.to_string())? {
        let EntryView { number, at, actor_kind, actor_id, action, subject_kind, subject_id, details, .. } =
            link.into();
        let id = |id: Option<Id>| id.map_or(String::new(), |id| format!(" {id}"));
        let subject = subject_kind.map_or("-".to_owned(), |kind| kind + &id(subject_id));
        println!("{number}\t{at}\t{actor_kind}{}\t{action}\t{subject}\t{details}", id(actor_id));
    }
    Ok(())
}

async fn export(app: &App, filter: EntryFilter) -> Result<(), Failure> {
    let id = Id::new();
    let record = async |action, details| {
        let act = Act::new(Actor::CommandLine, action).on("export", id).with(details);
        app.kernel.trail().append(Lane::Staff, vec![act]).await.map_err(|error| error.to_string())
    };
    record("export.begin", json!({ "list": "audit", "format": "ndjson" })).await?;
    let (done, end) = tokio::sync::oneshot::channel();
    app.kernel.store.read_long(move |db| {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        let mut rows = 0_u64;
        let outcome = db.and_then(|db| {
            Trail::for_each(db, &filter, |link| {
                rows += 1;
                let line = serde_json::to_writer(&mut out, &EntryView::from(link));
                line.is_ok() && out.write_all(b"\n").is_ok()
            })
        });
        let written = outcome.is_ok() && out.flush().is_ok();
        let _ = done.send((rows, written, outcome));
    });
    let (rows, is_complete, outcome) = end.await.unwrap_or((0, false, Err(StoreError::Closed)));
    let how = if is_complete { "complete" } else { "cut_off" };
    record("export.end", json!({ "rows": rows, "outcome": how })).await?;
    outcome.map_err(|error| error.to_string())?;
    if is_complete { Ok(()) } else { Err("not all entries could be written".to_owned().into()) }
}

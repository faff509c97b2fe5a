//! Exports: contact lists as files, streamed with constant memory. Who took which list, and why, is recorded before the
//! first byte leaves, and who is in a piece of it before that piece does.
//!
//! A thread reads (`reading.rs`) and writes rows in their format (`sheet.rs`); a task records who they are and only then
//! hands them over (`delivery.rs`).

mod cli;
mod columns;
mod csv;
mod delivery;
mod reading;
pub(crate) mod routes;
mod sheet;
mod value;
mod xlsx;
mod zip;

pub use cli::{ExportArgs, export_by_command};
pub use columns::{Columns, Preset, default_columns};
pub use csv::guard;
pub use routes::api;
pub use sheet::Format;

use tokio::task::JoinHandle;

use crate::{
    audit::{self, Act, Actor},
    clock::Timestamp,
    contact::LineText,
    disclosures::{self, Begun},
    error::AppError,
    id::Id,
    kernel::Kernel,
    staff::Sight,
    store::Lane,
    supporters::{self, SupporterFilter},
};

/// Who takes a list out.
pub struct Taker {
    /// For the audit trail.
    pub actor: Actor,
    /// Their account, if they have one.
    pub staff_id: Option<Id>,
    /// Their role, or `command_line`.
    pub role: &'static str,
}

/// A list to be taken out.
pub struct Order {
    /// Who takes it.
    pub taker: Taker,
    /// Whom it holds, of those the taker may see.
    pub filter: SupporterFilter,
    /// The filter as it is recorded.
    pub recorded: String,
    /// Why.
    pub purpose: String,
    /// As which kind of file.
    pub format: Format,
    /// What it shows.
    pub columns: Columns,
    /// Leave cells that a spreadsheet would run as a formula as they are.
    pub raw: bool,
    /// Pack it.
    pub gzip: bool,
}

/// Why a list is taken out, as somebody typed it.
fn purpose(text: Option<&str>) -> Result<String, AppError> {
    let required =
        || AppError::field("purpose", "required", "say why this list is taken out; it is recorded");
    let parsed = LineText::<200>::parse(text.ok_or_else(required)?);
    let text = parsed.map_err(|error| AppError::field("purpose", error.code(), error.to_string()))?;
    text.map(|text| text.as_str().to_owned()).ok_or_else(required)
}

/// The columns of a preset, or those asked for by name.
async fn columns(
    kernel: &Kernel,
    preset: Option<Preset>,
    named: Option<&str>,
    sight: Sight,
) -> Result<Columns, AppError> {
    if preset.is_some() && named.is_some() {
        return Err(AppError::field("columns", "contradiction", "give either preset or columns, not both"));
    }
    let preset = preset.unwrap_or_default();
    let takes_own = named.map_or(preset.shows_own(), |list| list.contains(columns::OWN));
    let own = if takes_own && sight == Sight::Everybody {
        kernel.store.read(|db| Ok::<_, AppError>(supporters::list_fields(db)?)).await?
    } else {
        Vec::new()
    };
    match named {
        None => Ok(Columns::preset(preset, sight, &own)),
        Some(list) => Columns::named(list, sight, &own).map_err(AppError::Invalid),
    }
}

/// Records that the list is taken out and begins it. The second value ends with the record of its end.
///
/// # Errors
/// When the record cannot be written; nothing leaves then.
async fn take(kernel: &Kernel, order: Order) -> Result<(delivery::Body, JoinHandle<()>), AppError> {
    let now = kernel.clock.now();
    let begun = begun(&order, now);
    let (id, actor) = (begun.id, order.taker.actor);
    let keys = kernel.keys.clone();
    let details = serde_json::json!({
        "format": begun.format, "columns": begun.preset, "purpose": begun.purpose, "group": begun.group_id,
        "filter": serde_json::from_str::<serde_json::Value>(&begun.filter).unwrap_or_default(),
    });
    kernel
        .store
        .write(Lane::Staff, move |db| {
            disclosures::begin(db, &begun)?;
            let act = Act::new(actor, "export.begin").on("export", id).with(details);
            Ok::<_, AppError>(audit::append(db, &keys, &[act], now)?)
        })
        .await?;
    Ok(delivery::begin(kernel, id, order))
}

fn begun(order: &Order, now: Timestamp) -> Begun {
    Begun {
        id: Id::new(),
        staff_id: order.taker.staff_id,
        taken_by: order.taker.role.to_owned(),
        group_id: match order.filter.sight {
            Sight::Everybody => None,
            Sight::Group(group) => Some(group),
        },
        format: order.format.as_str().to_owned(),
        preset: order.columns.name.clone(),
        purpose: order.purpose.clone(),
        filter: order.recorded.clone(),
        started_at: now,
    }
}

/// What the file is called: its day is the campaign's.
fn file_name(kernel: &Kernel, format: Format, gzip: bool) -> String {
    let zone = jiff::tz::TimeZone::get(&kernel.config.campaign.timezone).unwrap_or(jiff::tz::TimeZone::UTC);
    let day = jiff::Timestamp::from_second(kernel.clock.now().as_seconds())
        .map_or_else(|_| String::new(), |at| zone.to_datetime(at).strftime("-%Y-%m-%d").to_string());
    format!("supporters{day}.{}{}", format.as_str(), if gzip { ".gz" } else { "" })
}

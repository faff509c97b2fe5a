//! `openhearth admin …`: accounts and tokens, beside a running server or without one.

use std::io::BufRead;

use super::{CreateArgs, TokenArgs};
use crate::{app::App, error::AppError};

pub(super) async fn create(app: App, args: CreateArgs) -> Result<(), String> {
    let mut password = String::new();
    std::io::stdin().lock().read_line(&mut password).map_err(|error| error.to_string())?;
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    let created = app.staff.create_by_command(&args.email, password.into(), args.role).await;
    app.kernel.store.close().await;
    created.map_err(|error| error.to_string())?;
    println!("made the account {} with the role {}", args.email, args.role.as_str());
    Ok(())
}

pub(super) async fn token(app: App, args: TokenArgs) -> Result<(), String> {
    let made = app.staff.token_by_command(&args.email, &args.name, &args.scopes).await;
    app.kernel.store.close().await;
    let token = made.map_err(|error| match error {
        AppError::Invalid(faults) => faults
            .iter()
            .map(|fault| format!("{}: {}", fault.field, fault.message))
            .collect::<Vec<_>>()
            .join("; "),
        other => other.to_string(),
    })?;
    println!("{token}");
    Ok(())
}

//! `openhearth admin …`: accounts and tokens, beside a running server or without one.

use std::io::BufRead;

use super::{CreateArgs, TokenArgs};
use crate::{app::App, error::AppError, staff::NewAccount};

pub(super) async fn create(app: App, args: CreateArgs) -> Result<(), String> {
    let mut password = String::new();
    std::io::stdin().lock().read_line(&mut password).map_err(|error| error.to_string())?;
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    let (email, role) = (args.email, args.role);
    let new = NewAccount { email: email.clone(), password: password.into(), role, group: args.group };
    let created = app.staff.create_in_group_by_command(new).await;
    app.kernel.store.close().await;
    created.map_err(|error| error.to_string())?;
    println!("made the account {email} with the role {}", role.as_str());
    Ok(())
}

pub(super) async fn token(app: App, args: TokenArgs) -> Result<(), String> {
    let made = app.staff.token_in_group_by_command(&args.email, &args.name, &args.scopes, args.group).await;
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

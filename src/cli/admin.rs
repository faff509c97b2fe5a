//! `openhearth admin …`: accounts and tokens, beside a running server or without one.

use std::io::BufRead;

use secrecy::SecretString;

use super::{CreateArgs, ResetArgs, TokenArgs};
use crate::{app::App, error::AppError, staff::NewAccount};

pub(super) async fn create(app: App, args: CreateArgs) -> Result<(), String> {
    let password = read_password()?;
    let (email, role) = (args.email, args.role);
    let new = NewAccount { email: email.clone(), password, role, group: args.group };
    let created = app.staff.create_in_group_by_command(new).await;
    app.kernel.store.close().await;
    created.map_err(|error| error.to_string())?;
    println!("made the account {email} with the role {}", role.as_str());
    Ok(())
}

pub(super) async fn token(app: App, args: TokenArgs) -> Result<(), String> {
    let made = app.staff.token_in_group_by_command(&args.email, &args.name, &args.scopes, args.group).await;
    app.kernel.store.close().await;
    let token = made.map_err(sentence)?;
    println!("{token}");
    Ok(())
}

pub(super) async fn list(app: App) -> Result<(), String> {
    let all = app.staff.list_by_command().await;
    app.kernel.store.close().await;
    for account in all.map_err(sentence)? {
        let totp = if account.totp { "second factor" } else { "password only" };
        let last = account.last_login_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
        let group = account.group_id.map_or_else(String::new, |id| format!("\tgroup {id}"));
        println!("{}\t{}\t{}\t{totp}\tlast login {last}{group}", account.email, account.role, account.status);
    }
    Ok(())
}

pub(super) async fn disable(app: App, email: &str, disabled: bool) -> Result<(), String> {
    let done = app.staff.disable_by_command(email, disabled).await;
    app.kernel.store.close().await;
    done.map_err(sentence)?;
    println!("{email} can {} log in", if disabled { "no longer" } else { "again" });
    Ok(())
}

pub(super) async fn reset(app: App, args: ResetArgs) -> Result<(), String> {
    let done = reset_password(&app, &args).await;
    app.kernel.store.close().await;
    match done? {
        Some(link) => println!("{link}"),
        None => println!("{} has a new password; its sessions and tokens have ended", args.email),
    }
    Ok(())
}

async fn reset_password(app: &App, args: &ResetArgs) -> Result<Option<String>, String> {
    if args.password_stdin {
        app.staff.set_password_by_command(&args.email, read_password()?).await.map_err(sentence)?;
    }
    if args.remove_totp {
        app.staff.remove_totp_by_command(&args.email).await.map_err(sentence)?;
    }
    if args.password_stdin {
        return Ok(None);
    }
    app.staff.reset_link_by_command(&args.email).await.map(Some).map_err(sentence)
}

fn read_password() -> Result<SecretString, String> {
    let mut password = String::new();
    std::io::stdin().lock().read_line(&mut password).map_err(|error| error.to_string())?;
    Ok(password.trim_end_matches(['\r', '\n']).into())
}

/// What is wrong, field by field where it is about fields.
fn sentence(error: AppError) -> String {
    match error {
        AppError::Invalid(faults) => {
            let sentences = faults.iter().map(|fault| format!("{}: {}", fault.field, fault.message));
            sentences.collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}

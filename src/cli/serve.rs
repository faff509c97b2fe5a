//! `openhearth serve`: until SIGTERM or Ctrl-C.

use tokio::signal::unix::{SignalKind, signal};

use crate::{
    app::{App, StartError},
    clock::Clock,
    config::Config,
    server,
};

pub(super) async fn serve(mut config: Config) -> Result<(), StartError> {
    // Asked for before anything listens, so that an early signal is not lost.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    config.check()?;
    let socket = server::bind(&mut config)?;
    let app = App::build(config, Clock::default()).await?;
    let setup = app.staff.setup_url().await?;
    let running = app.serve_on(socket, true, |_| {})?;
    if running.app().kernel.config.is_development() {
        let base_url = &running.app().kernel.base_url;
        println!("Openhearth runs in development at {base_url}/");
        if running.app().mailbox.is_some() {
            println!("Mails are kept at {base_url}/dev/mailbox");
        }
        if let Some(url) = setup {
            println!("Make the owner's account, once, at {url}");
        }
    } else if setup.is_some() {
        println!(
            "Nobody has an account yet: openhearth admin create --email … --role owner --password-stdin"
        );
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.stop().await;
    Ok(())
}

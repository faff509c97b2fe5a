//! `openhearth serve` and `openhearth worker`: until SIGTERM or Ctrl-C.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    app::{App, StartError},
    clock::Clock,
    config::Config,
    server,
};

/// What ends a process in order. Asked for before anything begins, so that an early signal is not lost.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Serves; with `workers`, also triages, sends and purges.
pub(super) async fn serve(mut config: Config, workers: bool) -> Result<(), StartError> {
    let signals = Signals::listen()?;
    config.check()?;
    let socket = server::bind(&mut config)?;
    let app = App::build(config, Clock::default()).await?;
    let setup = app.staff.setup_url().await?;
    let running = app.serve_on(socket, workers, |_| {})?;
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
    signals.wait().await;
    running.stop().await;
    Ok(())
}

/// Triages, sends and purges, for processes that serve elsewhere.
pub(super) async fn work(config: Config) -> Result<(), StartError> {
    let signals = Signals::listen()?;
    let app = App::build(config, Clock::default()).await?;
    println!("Openhearth works on what is owed");
    app.work_until(signals.wait()).await
}

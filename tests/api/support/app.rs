//! [`TestApp`]: the real server on port 0, with a clock and mails in the test's hand. Its workers do not run:
//! the test says when triage, outbox and purge do.

use std::time::Duration;

use openhearth::{
    app::App,
    clock::Clock,
    config::Config,
    mail::transport::{Transport, memory::Memory},
    server::Running,
};
use tokio_util::sync::CancellationToken;

use super::{Client, Mail, backend::Backend};

/// How people reach the server, as links in mails have it. Nothing listens there.
pub const BASE_URL: &str = "http://join.example.org";

/// A server of one test's own.
pub struct TestApp {
    /// Moves time for this server.
    pub clock: Clock,
    /// What it sent, and failures on order.
    pub mails: Memory,
    /// Its database.
    pub backend: Backend,
    client: Option<Client>,
    running: Option<Running>,
}

impl TestApp {
    /// With the defaults of development.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// With a configuration that `change` has changed.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::open(Backend::choose(), Clock::default(), Memory::new(), false, change).await
    }

    /// With workers, as `openhearth serve` runs them.
    pub async fn start_with_workers() -> Self {
        Self::open(Backend::choose(), Clock::default(), Memory::new(), true, |_| {}).await
    }

    async fn open(
        backend: Backend,
        clock: Clock,
        mails: Memory,
        workers: bool,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let mut config = config(&backend);
        change(&mut config);
        let transport = Transport::Memory(mails.clone());
        let app = App::build_with(config, clock.clone(), transport).await.unwrap();
        let running = app.serve(workers).unwrap();
        let client = Client::new(running.address);
        Self { clock, mails, backend, client: Some(client), running: Some(running) }
    }

    /// Stops, and starts again on the same database.
    pub async fn restart(mut self) -> Self {
        self.stop().await;
        let next = Backend::choose();
        let backend = std::mem::replace(&mut self.backend, next);
        Self::open(backend, self.clock.clone(), self.mails.clone(), false, |_| {}).await
    }

    /// What the server serves.
    pub fn app(&self) -> &App {
        self.running.as_ref().unwrap().app()
    }

    /// Another process on the same database: the same clock and relay, and a store of its own that reads over
    /// one connection.
    pub async fn second_process(&self) -> App {
        let mut config = config(&self.backend);
        config.database.read_connections = 1;
        let transport = Transport::Memory(self.mails.clone());
        App::build_with(config, self.clock.clone(), transport).await.unwrap()
    }

    /// A program without cookies or token.
    pub fn client(&self) -> &Client {
        self.client.as_ref().unwrap()
    }

    /// A browser of its own, which keeps cookies and accepts pages.
    pub fn browser(&self) -> Client {
        Client::browser(self.running.as_ref().unwrap().address)
    }

    /// Lets `span` pass.
    pub fn advance(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// Triages all that waits.
    pub async fn triage(&self) {
        while self.app().signups.triage_batch().await.unwrap() > 0 {}
    }

    /// Sends all that is due; returns what left.
    pub async fn deliver(&self) -> Vec<Mail> {
        let mut crew = self.app().crew(2);
        while crew.deliver_due(&CancellationToken::new()).await.unwrap() > 0 {}
        self.mails.take().iter().map(Mail::parse).collect()
    }

    /// Triage, then the outbox, until nothing is left to do; returns what left.
    pub async fn settle(&self) -> Vec<Mail> {
        self.triage().await;
        self.deliver().await
    }

    /// As [`TestApp::settle`], where exactly one mail must leave.
    pub async fn settle_one(&self) -> Mail {
        let mut mails = self.settle().await;
        assert_eq!(mails.len(), 1, "{mails:?}");
        mails.remove(0)
    }

    /// Erases what is due to be erased; returns how many sign-ups that was.
    pub async fn purge(&self) -> usize {
        self.app().signups.purge().await.unwrap()
    }

    /// Signs `email` up, clicks its link and returns the welcome mail.
    pub async fn supporter(&self, email: &str) -> Mail {
        self.supporter_of(&super::person(email)).await
    }

    /// The same for a whole sign-up.
    pub async fn supporter_of(&self, signup: &serde_json::Value) -> Mail {
        self.client().join(signup).await.expect(202);
        let asked = self.settle_one().await;
        self.client().confirm(&asked.link("/confirm/")).await.expect(200);
        self.settle_one().await
    }

    /// Stops in order; what is on disk stays until the test ends.
    pub async fn stop(&mut self) {
        // Connections that stay open would be waited for.
        self.client = None;
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.client = None;
        // Outside a runtime (a property test that failed) the process ends soon and takes the server along.
        let (Some(running), Ok(runtime)) = (self.running.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        tokio::task::block_in_place(|| runtime.block_on(running.stop()));
    }
}

fn config(backend: &Backend) -> Config {
    let mut config = Config::defaults().unwrap();
    config.server.listen = "127.0.0.1:0".parse().unwrap();
    config.server.base_url = BASE_URL.to_owned();
    config.server.workers = 1;
    // Tests move the clock far; how long a session may rest is for the tests of just that.
    config.staff.session_idle_minutes = 1440;
    config.database.url = backend.url();
    config.database.read_connections = 2;
    config.secret = Some("a secret of the tests, long enough to sign".into());
    config.suppression_key = Some("a suppression key of the tests, also long".into());
    config
}

//! The HTTP server: middleware in order, every slice's routes, and a stop that loses nothing.

use std::net::{SocketAddr, TcpListener};

use actix_web::{
    App as WebApp, HttpServer,
    dev::{Server, ServerHandle},
    middleware::from_fn,
    web::{self, Data, ServiceConfig},
};
use tokio::{
    net::TcpSocket,
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;
use tracing_actix_web::TracingLogger;

use crate::{
    app::{App, StartError},
    config::Config,
    exports, forms, groups,
    http::{
        ErrorPage, Https, OwnUrl, Page, TrustedProxies, error_pages, guard_origin, not_found,
        security_headers,
    },
    imports,
    kernel::Kernel,
    ops::{self, MetricsAccess},
    preferences, signups,
    site::{
        self,
        pages::{MessagePage, PageLink},
    },
    staff, stats, supporters,
    telemetry::RequestSpan,
    workers::{STOP_WITHIN, Workers},
};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;
/// Time for requests under way when the server stops.
const DRAIN_SECONDS: u64 = 4;
/// A server that listens, and its workers.
pub struct Running {
    /// The address it listens on (the port that was given when 0 was asked).
    pub address: SocketAddr,
    handle: ServerHandle,
    server: JoinHandle<std::io::Result<()>>,
    metrics: Option<ServerHandle>,
    workers: Option<Workers>,
    clock: JoinHandle<()>,
    reads: (JoinHandle<()>, CancellationToken),
    app: App,
}

/// Routes that a bench mounts beside the product's.
pub type Extra = fn(&mut ServiceConfig);

impl App {
    /// Listens and serves; with `workers`, also triages and sends mail.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn serve(self, workers: bool) -> Result<Running, StartError> {
        self.serve_with(workers, |_| {})
    }

    /// The same, with further routes.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn serve_with(self, workers: bool, extra: Extra) -> Result<Running, StartError> {
        let socket = open(self.kernel.config.server.listen)?;
        self.serve_on(socket, workers, extra)
    }

    /// The same, on a socket of [`bind`].
    ///
    /// # Errors
    /// When it cannot be listened on.
    pub fn serve_on(
        mut self,
        socket: TcpListener,
        workers: bool,
        extra: Extra,
    ) -> Result<Running, StartError> {
        if !workers {
            // Whoever works on the mails says so elsewhere.
            self.ops.mailer = None;
        }
        let metrics = self.listen_for_metrics()?;
        let (server, address) = listen(&self, socket, extra)?;
        let handle = server.handle();
        let workers = workers.then(|| self.start_workers());
        let stop = CancellationToken::new();
        let kernel = &self.kernel;
        let reads = tokio::spawn(kernel.trail().run_reads(kernel.reads.clone(), stop.clone()));
        let clock = tokio::spawn(self.kernel.clone().keep_clock());
        tracing::info!(%address, base_url = %self.kernel.base_url, "listening");
        Ok(Running {
            address,
            handle,
            server: tokio::spawn(server),
            metrics,
            workers,
            clock,
            reads: (reads, stop),
            app: self,
        })
    }

    /// Shows figures and health at `metrics.listen`, if there is one.
    ///
    /// # Errors
    /// When it cannot be listened on.
    pub(crate) fn listen_for_metrics(&self) -> Result<Option<ServerHandle>, StartError> {
        let listen = self.kernel.config.metrics.listen.parse::<SocketAddr>().ok();
        listen.map(|listen| serve_metrics(self, listen).map_err(StartError::Metrics)).transpose()
    }
}

impl Running {
    /// The app that is served.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Stops: no new connections, requests under way and the mail in hand are finished, the writer drained.
    /// At most ten seconds.
    pub async fn stop(self) {
        let deadline = Instant::now() + STOP_WITHIN;
        self.clock.abort();
        tracing::info!("stopping: finishing requests and the mail in hand");
        // Told at once, also while the figures' server stops.
        self.workers.iter().for_each(Workers::tell);
        let workers = futures_util::future::join_all(self.workers.map(Workers::finish));
        if let Some(metrics) = self.metrics {
            metrics.stop(false).await;
        }
        tokio::join!(self.handle.stop(true), workers);
        let _ = self.server.await;
        // Nobody reads any more: what was counted goes into the audit trail.
        let (reads, stop_reads) = self.reads;
        stop_reads.cancel();
        if timeout_at(deadline, reads).await.is_err() {
            tracing::warn!("the last reads could not be added to the audit trail in time");
        }
        self.app.close_store(deadline).await;
        tracing::info!("stopped");
    }
}

/// Takes the address of `config` before the app is built, and writes the port that was given into `config` when 0
/// was asked: links that start with the listen address are then right.
///
/// # Errors
/// When the address cannot be listened on.
pub fn bind(config: &mut Config) -> Result<TcpListener, StartError> {
    let socket = open(config.server.listen)?;
    config.server.listen = socket.local_addr()?;
    Ok(socket)
}

/// With a queue of connections as long as actix makes its own; the standard library's is short.
fn open(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

fn listen(app: &App, socket: TcpListener, extra: Extra) -> Result<(Server, SocketAddr), StartError> {
    let config = app.kernel.config.clone();
    let workers = match config.server.workers {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        workers => workers,
    };
    let app = app.clone();
    let address = socket.local_addr()?;
    let server = HttpServer::new(move || {
        WebApp::new()
            .configure(extra)
            .configure(|service| mount(&app, service))
            .default_service(web::to(not_found))
            .wrap(from_fn(staff::renew_sessions))
            .wrap(from_fn(guard_origin))
            .wrap(from_fn(error_pages))
            .wrap(from_fn(security_headers))
            .wrap(TracingLogger::<RequestSpan>::new())
    })
    .workers(workers)
    .shutdown_timeout(DRAIN_SECONDS)
    .disable_signals()
    .listen(socket)?;
    Ok((server.run(), address))
}

fn serve_metrics(app: &App, listen: SocketAddr) -> std::io::Result<ServerHandle> {
    let socket = open(listen)?;
    let ops = Data::new(app.ops.clone());
    let server = HttpServer::new(move || {
        WebApp::new()
            .app_data(ops.clone())
            .app_data(Data::new(MetricsAccess::Open))
            .configure(ops::watch_routes)
            .default_service(web::to(not_found))
    })
    .workers(1)
    .disable_signals()
    .listen(socket)?
    .run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(handle)
}

fn mount(app: &App, service: &mut ServiceConfig) {
    let config = &app.kernel.config;
    service
        .app_data(Data::new(app.kernel.clone()))
        .app_data(Data::new(app.groups.clone()))
        .app_data(Data::new(app.fields.clone()))
        .app_data(Data::new(app.segments.clone()))
        .app_data(Data::new(app.forms.clone()))
        .app_data(Data::new(app.signups.clone()))
        .app_data(Data::new(app.preferences.clone()))
        .app_data(Data::new(app.imports.clone()))
        .app_data(Data::new(app.staff.clone()))
        .app_data(Data::new(app.ops.clone()))
        .app_data(Data::new(app.recalls.clone()))
        .app_data(Data::new(metrics_access(config)))
        .app_data(Data::new(TrustedProxies(config.server.trusted_proxies.clone())))
        .app_data(Data::new(OwnUrl(app.kernel.base_url.clone())))
        .app_data(Data::new(Https(app.kernel.base_url.starts_with("https://"))))
        .app_data(Data::new(error_page(app.kernel.clone())))
        .configure(signups::api(&config.server.allowed_origins))
        .configure(signups::pages)
        .configure(groups::api(&config.server.allowed_origins))
        .configure(groups::pages)
        .configure(forms::api)
        .configure(preferences::api)
        .configure(preferences::pages)
        .configure(staff::api)
        .configure(staff::audit_api)
        .configure(staff::pages)
        .configure(supporters::api)
        .configure(exports::api)
        .configure(stats::api)
        .configure(groups::recall_routes::api)
        .configure(imports::api)
        .configure(groups::own_routes::api)
        .configure(ops::routes)
        .configure(ops::metrics_routes)
        .configure(site::routes);
    if let Some(mailbox) = &app.mailbox {
        service.app_data(Data::new(mailbox.clone())).configure(ops::mailbox_routes);
    }
}

fn metrics_access(config: &Config) -> MetricsAccess {
    match &config.metrics.token {
        Some(token) => MetricsAccess::Token(token.clone()),
        None if config.is_development() && config.metrics.listen.is_empty() => MetricsAccess::Open,
        None => MetricsAccess::Closed,
    }
}

/// Problems as pages, in the site's look.
fn error_page(kernel: Kernel) -> ErrorPage {
    ErrorPage(Box::new(move |problem, speech| {
        let nonce = Page::nonce()?;
        let (title, detail) = site::faults::problem(speech, &problem.title, &problem.detail);
        let site = kernel.site(&nonce).in_speech(speech);
        let label = site.words().front_page.to_owned();
        let page = MessagePage {
            site,
            title: title.clone(),
            heading: title,
            paragraphs: vec![detail],
            link: Some(PageLink { label, href: "/".to_owned() }),
        };
        Page::render(&page, nonce)
    }))
}

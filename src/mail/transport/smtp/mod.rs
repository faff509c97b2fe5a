//! SMTP: the relay as configured, and a sender that keeps one connection to it open between messages.
//! Called through [`super::Transport`]; must never risk handing the same message over twice within one try.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use lettre::transport::smtp::{authentication::Credentials, extension::ClientId};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::{Instant, timeout};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use super::{Outgoing, SendError, TRY_LIMIT};
use crate::tls::{TlsError, connector};
use dialogue::Link;

mod connect;
mod dialogue;
mod tls;

/// A connection idle for longer is not used again: what sits between may have forgotten it without telling.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// How long a goodbye may take.
const QUIT_LIMIT: Duration = Duration::from_secs(1);

/// The section `mail.smtp` of the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpSettings {
    /// Name or address of the relay; with TLS, the name its certificate must bear.
    pub host: String,
    /// Its port: usually 25 or 587 (`none`, `starttls`), 465 (`tls`).
    pub port: u16,
    /// How the connection is protected.
    pub tls: TlsMode,
    /// Log in under this name; empty or absent: no log-in.
    pub username: Option<String>,
    /// The password for it.
    pub password: Option<SecretString>,
    /// Trust the certificates in this PEM file, and only these, instead of the public authorities.
    pub ca_file: Option<PathBuf>,
}

/// How a connection to the relay is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    /// Not at all; with a password only on loopback.
    None,
    /// By STARTTLS; a relay that does not offer it gets no mail.
    Starttls,
    /// From the first byte.
    Tls,
}

/// What is wrong with the settings of the relay.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The host is empty, or cannot stand in a certificate.
    #[error("mail.smtp.host is not a host name or an IP address")]
    Host,
    /// Our own name is not a host name.
    #[error("the name to greet the relay with is not a host name or an IP address")]
    HelloName,
    /// A user name without a password, or the reverse.
    #[error("mail.smtp.username and mail.smtp.password go together")]
    HalfCredentials,
    /// A password would cross the network in the clear.
    #[error(
        "mail.smtp.password needs mail.smtp.tls = \"starttls\" or \"tls\" unless the relay is on loopback"
    )]
    PlainPassword,
    /// The CA file cannot be used.
    #[error("mail.smtp.ca_file: {0}")]
    CaFile(String),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] tokio_rustls::rustls::Error),
}

impl From<TlsError> for RelayError {
    fn from(error: TlsError) -> Self {
        match error {
            TlsError::CaFile(reason) => Self::CaFile(reason),
            TlsError::Setup(error) => Self::Tls(error),
        }
    }
}

/// A relay, ready to be connected to. Cheap to clone.
#[derive(Clone)]
pub struct Relay {
    inner: Arc<Inner>,
    limit: Duration,
}

struct Inner {
    host: String,
    port: u16,
    security: Security,
    hello: ClientId,
    login: Option<Credentials>,
}

enum Security {
    Plain,
    Starttls(TlsConnector, ServerName<'static>),
    Tls(TlsConnector, ServerName<'static>),
}

impl Relay {
    /// Checks the settings and reads the CA file; connects to nothing yet. `hello_name` is what EHLO says.
    ///
    /// # Errors
    /// When the settings contradict themselves or the CA file holds no certificate.
    pub fn new(settings: &SmtpSettings, hello_name: &str) -> Result<Self, RelayError> {
        let host = settings.host.trim().to_owned();
        if host.is_empty() {
            return Err(RelayError::Host);
        }
        let username = settings.username.as_deref().filter(|text| !text.is_empty());
        let password = settings.password.as_ref().map(ExposeSecret::expose_secret).filter(|p| !p.is_empty());
        let login = match (username, password) {
            (Some(name), Some(password)) => Some(Credentials::new(name.to_owned(), password.to_owned())),
            (None, None) => None,
            _ => return Err(RelayError::HalfCredentials),
        };
        let named = || ServerName::try_from(host.clone()).map_err(|_| RelayError::Host);
        let security = match settings.tls {
            TlsMode::None if login.is_some() && !is_loopback(&host) => return Err(RelayError::PlainPassword),
            TlsMode::None => Security::Plain,
            TlsMode::Starttls => Security::Starttls(connector(settings.ca_file.as_deref())?, named()?),
            TlsMode::Tls => Security::Tls(connector(settings.ca_file.as_deref())?, named()?),
        };
        let hello = client_id(hello_name).ok_or(RelayError::HelloName)?;
        let inner = Inner { host, port: settings.port, security, hello, login };
        Ok(Self { inner: Arc::new(inner), limit: TRY_LIMIT })
    }

    /// With another limit for a whole try than [`TRY_LIMIT`]: for tests.
    pub fn with_limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// A sender, not connected yet.
    pub fn sender(&self) -> SmtpSender {
        SmtpSender { relay: self.clone(), open: None }
    }
}

// By hand: it holds a password.
impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("host", &self.inner.host).field("port", &self.inner.port).finish()
    }
}

/// Sends one message after another over one connection, which it opens and opens again as needed.
pub struct SmtpSender {
    relay: Relay,
    open: Option<(Link, Instant)>,
}

impl fmt::Debug for SmtpSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpSender").field("relay", &self.relay).field("open", &self.open.is_some()).finish()
    }
}

impl SmtpSender {
    /// Hands one message to the relay, within the limit.
    ///
    /// # Errors
    /// What went wrong, as the outbox must treat it.
    pub async fn send(&mut self, mail: &Outgoing) -> Result<(), SendError> {
        let limit = self.relay.limit;
        match timeout(limit, self.attempt(mail)).await {
            Ok(result) => result,
            Err(_) => Err(SendError::Unreachable(format!("no answer within {limit:?}"))),
        }
    }

    async fn attempt(&mut self, mail: &Outgoing) -> Result<(), SendError> {
        // Taken out, so that a try that is cancelled half-way leaves no connection behind to go on with.
        if let Some((mut link, since)) = self.open.take()
            && since.elapsed() < IDLE_MAX
        {
            match link.transfer(mail).await {
                // The relay hung up while the connection was idle: nothing was transferred, so a second
                // connection cannot send twice.
                Err(failure) if failure.hung_up => {}
                result => return self.conclude(link, result),
            }
        }
        let mut link = connect::open(&self.relay.inner).await?;
        let result = link.transfer(mail).await;
        self.conclude(link, result)
    }

    fn conclude(&mut self, link: Link, result: Result<(), dialogue::Failure>) -> Result<(), SendError> {
        if result.as_ref().map_or_else(|failure| failure.usable, |()| true) {
            self.open = Some((link, Instant::now()));
        }
        result.map_err(|failure| failure.error)
    }

    /// Says QUIT; takes at most a second.
    pub async fn close(mut self) {
        if let Some((link, _)) = self.open.take() {
            // Only courtesy: whatever comes of it, the connection is gone.
            drop(timeout(QUIT_LIMIT, link.quit()).await);
        }
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn client_id(name: &str) -> Option<ClientId> {
    if let Ok(ip) = name.parse::<Ipv4Addr>() {
        return Some(ClientId::Ipv4(ip));
    }
    if let Ok(ip) = name.parse::<Ipv6Addr>() {
        return Some(ClientId::Ipv6(ip));
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    (!name.is_empty() && name.len() <= 255 && name.bytes().all(fits))
        .then(|| ClientId::Domain(name.to_owned()))
}

#[cfg(test)]
mod tests;

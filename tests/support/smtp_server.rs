//! A small SMTP server over real TCP that does as it is told: for tests of the dialogue, and a fast sink for
//! benches. It must answer as RFC 5321 says unless a [`Behaviour`] says otherwise.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use super::{certificate::Certificate, smtp_session};

/// What a connection is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    #[default]
    Plain,
    Starttls,
    Tls,
}

/// Where in the dialogue; `Body` is after the final dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Connect,
    Ehlo,
    Auth,
    Mail,
    Rcpt,
    Data,
    Body,
}

/// What the server does other than accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    Accept,
    /// Answers `reply` (with its code) the next `times` times that a dialogue is at `stage`. After 421 it hangs up.
    Reply {
        reply: &'static str,
        stage: Stage,
        times: usize,
    },
    /// Says nothing more.
    Hang {
        stage: Stage,
    },
    /// Answers only after so long.
    Slow {
        stage: Stage,
        by: Duration,
    },
    /// Hangs up without an answer the next `times` times. At `Body` it has taken the message by then.
    Close {
        stage: Stage,
        times: usize,
    },
    /// Sends replies in plain text behind its answer to STARTTLS, as somebody on the way would.
    Inject,
}

/// A message as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub from: String,
    /// What MAIL said behind the address.
    pub options: String,
    pub to: Vec<String>,
    pub data: Vec<u8>,
    pub tls: bool,
}

/// How a server starts.
#[derive(Clone, Debug)]
pub struct Options {
    pub security: Security,
    /// Demands this log-in.
    pub login: Option<(&'static str, &'static str)>,
    /// Announced in the answer to EHLO, beside STARTTLS.
    pub extensions: Vec<&'static str>,
    /// Asks for a message even when it refused every recipient.
    pub eager: bool,
    /// Remembers messages; a sink only counts them.
    pub keep: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            security: Security::Plain,
            login: None,
            extensions: vec!["PIPELINING", "8BITMIME", "SIZE 10485760"],
            eager: false,
            keep: true,
        }
    }
}

/// What all connections share.
pub struct Shared {
    pub options: Options,
    pub acceptor: TlsAcceptor,
    behaviour: Mutex<Behaviour>,
    messages: Mutex<Vec<Received>>,
    count: AtomicUsize,
    connections: AtomicUsize,
    hanging: AtomicUsize,
    quits: AtomicUsize,
}

/// What the server does at a stage.
pub enum Act {
    Go,
    Reply(&'static str),
    Hang,
    Wait(Duration),
    Close,
}

impl Shared {
    /// A session has come to where it hangs.
    pub fn hangs(&self) {
        self.hanging.fetch_add(1, Ordering::SeqCst);
    }

    pub fn act(&self, at: Stage) -> Act {
        let mut behaviour = self.behaviour.lock().unwrap();
        match &mut *behaviour {
            Behaviour::Reply { reply, stage, times } if *stage == at && *times > 0 => {
                *times -= 1;
                Act::Reply(reply)
            }
            Behaviour::Hang { stage } if *stage == at => Act::Hang,
            Behaviour::Slow { stage, by } if *stage == at => Act::Wait(*by),
            Behaviour::Close { stage, times } if *stage == at && *times > 0 => {
                *times -= 1;
                Act::Close
            }
            _ => Act::Go,
        }
    }

    pub fn injects(&self) -> bool {
        *self.behaviour.lock().unwrap() == Behaviour::Inject
    }

    pub fn take(&self, message: impl FnOnce() -> Received) {
        self.count.fetch_add(1, Ordering::SeqCst);
        if self.options.keep {
            self.messages.lock().unwrap().push(message());
        }
    }

    pub fn quit(&self) {
        self.quits.fetch_add(1, Ordering::SeqCst);
    }
}

/// The running server; it ends when this is dropped.
pub struct SmtpServer {
    addr: SocketAddr,
    certificate: Certificate,
    shared: Arc<Shared>,
    sessions: Arc<Mutex<JoinSet<()>>>,
    accepting: JoinHandle<()>,
}

impl SmtpServer {
    /// Listens on loopback; its tasks run on the caller's runtime.
    pub async fn start(options: Options) -> Self {
        Self::start_on(TcpListener::bind(("127.0.0.1", 0)).await.unwrap(), options)
    }

    /// The same, on a socket of the caller's.
    pub fn start_on(listener: TcpListener, options: Options) -> Self {
        let certificate = Certificate::new();
        let pem = certificate.with_key();
        let chain = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![chain], key)
            .unwrap();
        let shared = Arc::new(Shared {
            options,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            behaviour: Mutex::new(Behaviour::Accept),
            messages: Mutex::default(),
            count: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            hanging: AtomicUsize::new(0),
            quits: AtomicUsize::new(0),
        });
        let addr = listener.local_addr().unwrap();
        let sessions = Arc::new(Mutex::new(JoinSet::new()));
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared), Arc::clone(&sessions)));
        Self { addr, certificate, shared, sessions, accepting }
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What a client must trust, as a CA file has it.
    pub fn ca_pem(&self) -> &str {
        &self.certificate.pem
    }

    pub fn set_behaviour(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().unwrap() = behaviour;
    }

    /// The messages taken so far, in order.
    pub fn messages(&self) -> Vec<Received> {
        self.shared.messages.lock().unwrap().clone()
    }

    /// How many messages were taken.
    pub fn count(&self) -> usize {
        self.shared.count.load(Ordering::SeqCst)
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many sessions have come to where they hang.
    pub fn hanging(&self) -> usize {
        self.shared.hanging.load(Ordering::SeqCst)
    }

    /// How many QUITs were heard.
    pub fn quits(&self) -> usize {
        self.shared.quits.load(Ordering::SeqCst)
    }

    /// What a client sees of a restart: every connection is gone when this returns, new ones are taken.
    pub async fn restart(&self) {
        let mut sessions = std::mem::take(&mut *self.sessions.lock().unwrap());
        sessions.shutdown().await;
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.accepting.abort();
        self.sessions.lock().unwrap().abort_all();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, sessions: Arc<Mutex<JoinSet<()>>>) {
    loop {
        let (tcp, _) = listener.accept().await.unwrap();
        tcp.set_nodelay(true).unwrap();
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let shared = Arc::clone(&shared);
        sessions.lock().unwrap().spawn(async move {
            // A client that hangs up or distrusts us ends its session, not the test.
            drop(match shared.options.security {
                Security::Tls => match shared.acceptor.accept(tcp).await {
                    Ok(tls) => smtp_session::run(tls, &shared, true).await,
                    Err(error) => Err(error),
                },
                _ => smtp_session::run(tcp, &shared, false).await,
            });
        });
    }
}

/// What a session runs over.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

//! Where the mails of the benches go: an SMTP server in this process, or Postfix's `smtp-sink` if it is here; and
//! Postfix's `smtp-source`, the sender of reference.

use std::{
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tokio::runtime::Runtime;

use crate::smtp_server::{Options, SmtpServer};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

const SMTP_SINK: &str = "/usr/sbin/smtp-sink";
const SMTP_SOURCE: &str = "/usr/sbin/smtp-source";

/// A sink that takes whatever comes; gone with its value.
pub enum Sink {
    /// With the runtime that it runs on.
    Own(SmtpServer, #[expect(dead_code, reason = "held for its life alone")] Runtime),
    Postfix(Child, u16),
}

impl Sink {
    /// One in this process; `keep` remembers the messages.
    pub fn own(keep: bool) -> Fallible<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let server = runtime.block_on(SmtpServer::start(Options { keep, ..Options::default() }));
        Ok(Self::Own(server, runtime))
    }

    /// Postfix's, if it is here.
    pub fn postfix() -> Fallible<Option<Self>> {
        if !Path::new(SMTP_SINK).exists() {
            return Ok(None);
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new(SMTP_SINK);
        if Command::new("id").arg("-u").output()?.stdout == b"0\n" {
            command.args(["-u", "nobody"]);
        }
        let child = command
            .args([&format!("127.0.0.1:{port}"), "256"])
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()?;
        let sink = Self::Postfix(child, port);
        let end = Instant::now() + Duration::from_secs(5);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > end {
                return Err("smtp-sink does not listen".into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(Some(sink))
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Own(..) => "a sink in this process",
            Self::Postfix(..) => "smtp-sink",
        }
    }

    pub fn port(&self) -> u16 {
        match self {
            Self::Own(server, _) => server.addr().port(),
            Self::Postfix(_, port) => *port,
        }
    }

    /// One of the messages that were kept.
    pub fn message(&self) -> Option<Vec<u8>> {
        match self {
            Self::Own(server, _) => server.messages().pop().map(|message| message.data),
            Self::Postfix(..) => None,
        }
    }

    /// What `smtp-source` sends a second to here, over as many connections; nothing if it is not here.
    pub fn by_source(&self, mails: usize, senders: usize, size: usize) -> Fallible<Option<f64>> {
        if !Path::new(SMTP_SOURCE).exists() {
            return Ok(None);
        }
        let begun = Instant::now();
        let done = Command::new(SMTP_SOURCE)
            .args(["-d", "-s", &senders.to_string(), "-m", &mails.to_string(), "-l", &size.to_string()])
            .args(["-f", "join@example.org", "-t", "ada@example.org", &format!("127.0.0.1:{}", self.port())])
            .status()?;
        if !done.success() {
            return Err("smtp-source failed".into());
        }
        Ok(Some(crate::outbox::per_second(mails, begun.elapsed())))
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Self::Postfix(child, _) = self {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

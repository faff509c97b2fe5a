//! [`Receiver`]: a group's webhook as a group would run it, over TLS on loopback, which answers to order.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use super::certificate::Certificate;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The request line and the headers, as they were sent.
    pub head: String,
    pub body: Vec<u8>,
}

impl Delivery {
    /// The value of a header.
    pub fn header(&self, name: &str) -> String {
        let line = |line: &&str| line.to_lowercase().starts_with(&format!("{name}:"));
        let found = self.head.lines().find(line).unwrap_or_else(|| panic!("no {name} in {}", self.head));
        found.split_once(':').unwrap().1.trim().to_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What it says next.
#[derive(Clone, Debug)]
pub enum Says {
    /// This status with this body.
    Answer(u16, String),
    /// A redirect to this address.
    Redirect(String),
    /// Nothing, for as long as the other side waits.
    Nothing,
    /// 200 with a body without end.
    Flood,
}

/// A server of one test's own.
pub struct Receiver {
    pub url: String,
    pub certificate: Certificate,
    seen: Arc<Mutex<Vec<Delivery>>>,
    script: Arc<Mutex<VecDeque<Says>>>,
    otherwise: Arc<Mutex<Says>>,
}

impl Receiver {
    /// Answers 200 without a body, unless something else is ordered.
    pub async fn start() -> Self {
        let certificate = Certificate::new();
        let pem = certificate.with_key();
        let chain = CertificateDer::pem_slice_iter(pem.as_bytes()).map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, script) =
            (Arc::<Mutex<Vec<Delivery>>>::default(), Arc::<Mutex<VecDeque<Says>>>::default());
        let otherwise = Arc::new(Mutex::new(Says::Answer(200, String::new())));
        let (deliveries, answers, last) = (Arc::clone(&seen), Arc::clone(&script), Arc::clone(&otherwise));
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, deliveries, answers, last) =
                    (acceptor.clone(), Arc::clone(&deliveries), Arc::clone(&answers), Arc::clone(&last));
                tokio::spawn(async move {
                    if let Ok(mut tls) = acceptor.accept(tcp).await {
                        let _ = talk(&mut tls, &deliveries, &answers, &last).await;
                    }
                });
            }
        });
        Self {
            url: format!("https://127.0.0.1:{port}/recalls?from=openhearth"),
            certificate,
            seen,
            script,
            otherwise,
        }
    }

    /// What it says to the next deliveries, one each.
    pub fn order(&self, answers: impl IntoIterator<Item = Says>) {
        self.script.lock().unwrap().extend(answers);
    }

    /// What it says when nothing is ordered.
    pub fn say(&self, answer: Says) {
        *self.otherwise.lock().unwrap() = answer;
    }

    /// What arrived since the last call.
    pub fn take(&self) -> Vec<Delivery> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

async fn talk(
    tls: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin),
    seen: &Mutex<Vec<Delivery>>,
    script: &Mutex<VecDeque<Says>>,
    otherwise: &Mutex<Says>,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if tls.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    while bytes.len() < end + length.unwrap_or(0) {
        if tls.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    }
    seen.lock().unwrap().push(Delivery { head, body: bytes.split_off(end) });
    let ordered = script.lock().unwrap().pop_front();
    let says = ordered.unwrap_or_else(|| otherwise.lock().unwrap().clone());
    match says {
        Says::Answer(status, body) => {
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            tls.write_all(answer.as_bytes()).await?;
        }
        Says::Redirect(to) => {
            let answer = format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
            tls.write_all(answer.as_bytes()).await?;
        }
        Says::Nothing => tokio::time::sleep(Duration::from_secs(3600)).await,
        Says::Flood => {
            tls.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            loop {
                tls.write_all(&[b'x'; 8192]).await?;
            }
        }
    }
    tls.shutdown().await
}

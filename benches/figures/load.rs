//! The load: connections that each send the next sign-up as soon as the last was answered. Written by hand over
//! TCP, so that the generator takes as little of the two cores as it can.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// What is sent, and where to.
pub struct Load {
    /// The servers, of which each connection has one, in turn.
    pub addresses: Vec<SocketAddr>,
    pub path: String,
    pub connections: usize,
    /// Of ten sign-ups, so many with an address that signed up before.
    pub repeated: u64,
}

/// Addresses of one turn are not those of another.
static TURN: AtomicU32 = AtomicU32::new(0);

/// What a run measured.
#[derive(Default)]
pub struct Figures {
    pub accepted: u64,
    elapsed: Duration,
    /// Microseconds.
    latencies: Vec<u32>,
}

impl Figures {
    pub fn rate(&self) -> f64 {
        f64::from(u32::try_from(self.latencies.len()).unwrap_or(u32::MAX)) / self.elapsed.as_secs_f64()
    }

    /// Takes a further turn in.
    pub fn add(&mut self, turn: Self) {
        self.accepted += turn.accepted;
        self.elapsed += turn.elapsed;
        self.latencies.extend(turn.latencies);
    }

    /// Takes only what was accepted of a turn that is not measured.
    pub fn count_only(&mut self, turn: &Self) {
        self.accepted += turn.accepted;
    }

    /// The latency in milliseconds that this part of the requests stayed below.
    pub fn percentile(&self, part: f64) -> f64 {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        let permille = (0..=1000_u16).find(|n| f64::from(*n) >= part * 1000.0).unwrap_or(1000);
        sorted.get(last * usize::from(permille) / 1000).map_or(0.0, |micros| f64::from(*micros) / 1e3)
    }
}

impl Load {
    /// Sends for `span` and waits for the last answers.
    pub fn run(&self, span: Duration) -> Result<Figures, Box<dyn std::error::Error>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let begun = Instant::now();
            let end = begun + span;
            let mut connections = JoinSet::new();
            let turn = TURN.fetch_add(1, Ordering::Relaxed);
            for number in 0..self.connections {
                let address = self.addresses[number % self.addresses.len()];
                let name = format!("load-{}-{turn}-{number}", std::process::id());
                connections.spawn(connection(address, self.path.clone(), name, self.repeated, end));
            }
            let mut figures = Figures::default();
            while let Some(outcome) = connections.join_next().await {
                figures.latencies.extend(outcome??);
            }
            figures.elapsed = begun.elapsed();
            figures.accepted = u64::try_from(figures.latencies.len())?;
            Ok(figures)
        })
    }
}

async fn connection(
    address: SocketAddr,
    path: String,
    name: String,
    repeated: u64,
    end: Instant,
) -> std::io::Result<Vec<u32>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut latencies = Vec::with_capacity(16_384);
    let mut answer = vec![0; 4096];
    let mut count = 0_u64;
    while Instant::now() < end {
        count += 1;
        // Half a dozen before, which was sent as new unless that was a repeat too.
        let known = if count % 10 < repeated { count.saturating_sub(6) } else { count };
        let body = format!(
            r#"{{"email":"{name}-{known}@example.org","given_name":"Ada","family_name":"Furnace","postal_code":"44035","involvement":["worker"],"consent":{{"email":true}},"source":{{"code":"bench","utm_source":"load"}}}}"#
        );
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let at = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        read_accepted(&mut stream, &mut answer).await?;
        latencies.push(u32::try_from(at.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    Ok(latencies)
}

/// Reads one answer, which must be a 202 with a content length.
async fn read_accepted(stream: &mut TcpStream, buffer: &mut [u8]) -> std::io::Result<()> {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Err(std::io::Error::other("the server closed the connection"));
        }
        filled += read;
        let text = &buffer[..filled];
        let Some(head) = text.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        if !text.starts_with(b"HTTP/1.1 202") {
            return Err(std::io::Error::other(String::from_utf8_lossy(text).into_owned()));
        }
        if filled >= head + 4 + content_length(&text[..head]) {
            return Ok(());
        }
    }
}

fn content_length(head: &[u8]) -> usize {
    let head = std::str::from_utf8(head).unwrap_or("");
    let line = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    line.and_then(|length| length.parse().ok()).unwrap_or(0)
}

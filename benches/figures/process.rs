//! The server as a process: started in an empty folder, measured from outside, ended with its handle.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::database::{Database, Engine, beside_the_build};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// A running server with its folder and its database.
pub struct Server {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
    database: Database,
}

impl Server {
    /// Starts with `stored` sign-ups in the database, with or without triage and mail.
    pub fn start(engine: Engine, stored: u64, workers: bool) -> Fallible<Self> {
        let folder = tempfile::tempdir_in(beside_the_build())?;
        let database = Database::make(engine, stored)?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--serve", if workers { "workers" } else { "intake" }])
            .current_dir(folder.path())
            .env("OPENHEARTH__SERVER__LISTEN", "127.0.0.1:0")
            .env("OPENHEARTH__DATABASE__URL", database.url()?)
            .env("OPENHEARTH__LOG__FILTER", "warn")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        Ok(Self { child, address: line.trim().parse()?, _folder: folder, database })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resident memory in megabytes.
    pub fn memory(&self) -> f64 {
        resident(self.child.id()).unwrap_or(0.0)
    }

    /// Sign-ups in the table.
    pub fn count(&self) -> Fallible<u64> {
        self.database.count()
    }

    /// Fails unless at least `expected` sign-ups are stored: what was counted as accepted must be there.
    pub fn check_count(&self, expected: u64) -> Fallible<()> {
        let count = self.count()?;
        if count < expected {
            return Err(format!("{expected} sign-ups were acknowledged, {count} are stored").into());
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Closing its input ends it; should it hang, its own process id does.
        drop(self.child.stdin.take());
        let end = Instant::now() + Duration::from_secs(12);
        while Instant::now() < end {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Time from starting the real binary in an empty folder to its first answer.
pub fn cold_start(binary: &Path) -> Fallible<Duration> {
    let folder = tempfile::tempdir_in(beside_the_build())?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let at = Instant::now();
    let mut child = Command::new(binary)
        .current_dir(folder.path())
        .env("OPENHEARTH__SERVER__LISTEN", address.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut answered = Err("the server did not answer within ten seconds".into());
    while at.elapsed() < Duration::from_secs(10) {
        if let Ok(mut stream) = TcpStream::connect(address) {
            stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            answered = Ok(at.elapsed());
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let _ = child.kill();
    let _ = child.wait();
    answered
}

fn resident(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes / 1024.0)
}

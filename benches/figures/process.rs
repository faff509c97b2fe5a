//! The server as a process: started in an empty folder, measured from outside, ended with its handle.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use diesel::{Connection, SqliteConnection, dsl::count_star, prelude::*};
use openhearth::store::schema::signups;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// A running server with its folder.
pub struct Server {
    child: Child,
    address: SocketAddr,
    folder: tempfile::TempDir,
    before: u64,
}

impl Server {
    /// Starts with `stored` sign-ups in the database, with or without triage and mail.
    pub fn start(stored: u64, workers: bool) -> Fallible<Self> {
        let folder = tempfile::tempdir_in(target())?;
        if stored > 0 {
            crate::seed::seed(folder.path(), stored)?;
        }
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--serve", if workers { "workers" } else { "intake" }])
            .current_dir(folder.path())
            .env("OPENHEARTH__SERVER__LISTEN", "127.0.0.1:0")
            .env("OPENHEARTH__LOG__FILTER", "warn")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        Ok(Self { child, address: line.trim().parse()?, folder, before: stored })
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
        let file = self.folder.path().join("var/openhearth.db");
        let mut connection = SqliteConnection::establish(&file.to_string_lossy())?;
        let count: i64 = signups::table.select(count_star()).first(&mut connection)?;
        Ok(u64::try_from(count)?)
    }

    /// Fails unless at least `expected` sign-ups are stored: what was counted as accepted must be there.
    pub fn check_count(&self, expected: u64) -> Fallible<()> {
        let count = self.count()?;
        if count < expected {
            return Err(format!(
                "{expected} sign-ups were acknowledged, {count} are stored ({} before)",
                self.before
            )
            .into());
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
    let folder = tempfile::tempdir_in(target())?;
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

/// Databases lie beside the build, on the disk that is meant, not in a memory file system.
fn target() -> PathBuf {
    let beside = std::env::current_exe().ok().and_then(|path| path.parent().map(Path::to_path_buf));
    beside.unwrap_or_else(std::env::temp_dir)
}

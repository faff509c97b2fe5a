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

/// What a server does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Takes sign-ups, and no more.
    Intake,
    /// Triages and sends too.
    Workers,
}

/// A database, and the folder that its servers share with their keys.
pub struct Rig {
    pub database: Database,
    folder: tempfile::TempDir,
}

impl Rig {
    /// With `stored` sign-ups in it.
    pub fn make(engine: Engine, stored: u64) -> Fallible<Self> {
        let folder = tempfile::tempdir_in(beside_the_build())?;
        Ok(Self { database: Database::make(engine, stored)?, folder })
    }

    /// A token that may export.
    pub fn token(&self) -> Fallible<String> {
        const OWNER: [&str; 2] = ["--email", "owner@example.org"];
        self.tell(&["admin", "create", "--role", "owner", "--password-stdin"], &OWNER)?;
        self.tell(&["admin", "token", "--name", "bench", "--scopes", "exports,supporters:read"], &OWNER)
    }

    /// What the real binary answers to a command.
    fn tell(&self, command: &[&str], more: &[&str]) -> Fallible<String> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_openhearth"))
            .args(command)
            .args(more)
            .current_dir(self.folder.path())
            .env("OPENHEARTH__DATABASE__URL", self.database.url()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        child.stdin.take().ok_or("no input")?.write_all(b"correct horse battery staple\n")?;
        let output = child.wait_with_output()?;
        if !output.status.success() {
            return Err(format!("{command:?} failed").into());
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Starts a server.
    pub fn serve(&self, mode: Mode, variables: &[(&str, String)]) -> Fallible<Server> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--serve", if mode == Mode::Workers { "workers" } else { "intake" }])
            .current_dir(self.folder.path())
            .env("OPENHEARTH__SERVER__LISTEN", "127.0.0.1:0")
            .env("OPENHEARTH__DATABASE__URL", self.database.url()?)
            .env("OPENHEARTH__LOG__FILTER", "warn")
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        Ok(Server { child, address: line.trim().parse()? })
    }
}

/// A running server.
pub struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resident memory in megabytes.
    pub fn memory(&self) -> f64 {
        memory(self.child.id(), "VmRSS:").unwrap_or(0.0)
    }

    /// The most it ever had.
    pub fn most_memory(&self) -> f64 {
        memory(self.child.id(), "VmHWM:").unwrap_or(0.0)
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
pub fn cold_start(binary: &Path, database: &Database) -> Fallible<Duration> {
    let folder = tempfile::tempdir_in(beside_the_build())?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let at = Instant::now();
    let mut child = Command::new(binary)
        .current_dir(folder.path())
        .env("OPENHEARTH__SERVER__LISTEN", address.to_string())
        .env("OPENHEARTH__DATABASE__URL", database.url()?)
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

/// One of the process's figures, in megabytes.
pub fn memory(process: u32, figure: &str) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(figure))?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes / 1024.0)
}

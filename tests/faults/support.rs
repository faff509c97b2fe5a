//! [`Server`]: the real binary in an empty folder. Every process is ended by its own id when its value is dropped,
//! also when a test panics.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use reqwest::Client;

/// The real binary.
pub const BINARY: &str = env!("CARGO_BIN_EXE_openhearth");
/// Longest wait for something that takes moments on an idle machine.
pub const SOON: Duration = Duration::from_secs(60);
/// Pause between two looks at a condition.
const GLANCE: Duration = Duration::from_millis(20);
const OWNER: &str = "owner@example.org";
const PASSWORD: &str = "correct horse battery staple";

/// Looks until `look` says yes.
pub async fn until<F: AsyncFnMut() -> bool>(what: &str, limit: Duration, mut look: F) {
    let end = Instant::now() + limit;
    while !look().await {
        assert!(Instant::now() < end, "within {limit:?} it did not come about that {what}");
        tokio::time::sleep(GLANCE).await;
    }
}

/// A command with nothing of this process's own configuration in it.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    clean(Command::new(BINARY), folder, arguments)
}

fn clean(mut command: Command, folder: &Path, arguments: &[&str]) -> Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("OPENHEARTH") {
            command.env_remove(name);
        }
    }
    command.current_dir(folder).args(arguments).env("OPENHEARTH__SERVER__LISTEN", "127.0.0.1:0");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Names a library that the dynamic linker puts before libc (ld.so(8)).
pub const PRELOAD: &str = "LD_PRELOAD";

/// Compiles a small library in `folder` for [`PRELOAD`].
pub fn preloaded(folder: &Path, name: &str, text: &str) -> PathBuf {
    let (source, library) = (folder.join(format!("{name}.c")), folder.join(format!("{name}.so")));
    fs::write(&source, text).unwrap();
    let compiled =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).output();
    let compiled = compiled.expect("a C compiler named cc, which building openhearth needs too");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    library
}

/// What a command that ends by itself said.
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Runs a command to its end, which must come soon.
pub fn run(mut command: Command, input: &str) -> Said {
    let child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut process = Process::watch(child);
    // A command that has failed by now reads nothing.
    drop(process.child.stdin.take().map(|mut pipe| pipe.write_all(input.as_bytes())));
    let status = process.end(SOON);
    Said { code: status.code(), out: process.out(), err: process.err() }
}

/// A process and what it says.
pub struct Process {
    child: Child,
    out: Arc<Mutex<String>>,
    err: Arc<Mutex<String>>,
    readers: Vec<thread::JoinHandle<()>>,
}

impl Process {
    pub fn watch(mut child: Child) -> Self {
        let (out, err) = (Arc::default(), Arc::default());
        let readers =
            vec![keep(child.stdout.take().unwrap(), &out), keep(child.stderr.take().unwrap(), &err)];
        Self { child, out, err, readers }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn out(&self) -> String {
        self.out.lock().unwrap().clone()
    }

    pub fn err(&self) -> String {
        self.err.lock().unwrap().clone()
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// SIGTERM, to this process alone.
    pub fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    /// SIGKILL, to this process alone.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end and for all it said; kills it when `limit` is over.
    pub fn end(&mut self, limit: Duration) -> ExitStatus {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.readers.drain(..).for_each(|reader| reader.join().unwrap());
                return status;
            }
            if Instant::now() > deadline {
                self.kill();
                panic!("it did not end within {limit:?}; it said:\n{}{}", self.out(), self.err());
            }
            thread::sleep(GLANCE);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

fn keep(pipe: impl Read + Send + 'static, into: &Arc<Mutex<String>>) -> thread::JoinHandle<()> {
    let into = Arc::clone(into);
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            let Ok(line) = line else { return };
            into.lock().unwrap().push_str(&(line + "\n"));
        }
    })
}

/// A server that is ready.
pub struct Server {
    pub process: Process,
    pub url: String,
    pub folder: PathBuf,
    /// What it was started with beside its folder.
    variables: Vec<(String, String)>,
}

impl Server {
    /// Starts the server in `folder` with `variables`, and waits until it is ready.
    pub async fn start(folder: &Path, variables: &[(&str, &str)]) -> Self {
        Self::spawn(Command::new(BINARY), folder, variables).await
    }

    /// The same by another command, which becomes the server.
    pub async fn spawn(command: Command, folder: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = clean(command, folder, &[]);
        command.envs(variables.iter().copied());
        let mut process = Process::watch(command.spawn().unwrap());
        let mut url = String::new();
        until("the server says where it listens", SOON, async || {
            assert!(!process.has_ended(), "the server did not start:\n{}", process.err());
            let out = process.out();
            let line = out.lines().find_map(|line| line.strip_prefix("Openhearth runs in development at "));
            url = line.unwrap_or_default().trim_end_matches('/').to_owned();
            !url.is_empty()
        })
        .await;
        let variables =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let server = Self { process, url, folder: folder.to_owned(), variables };
        until("the server is ready", SOON, async || server.ready().await == Some(200)).await;
        server
    }

    pub fn database(&self) -> PathBuf {
        self.folder.join("var/openhearth.db")
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// What `/readyz` answers, if anything.
    pub async fn ready(&self) -> Option<u16> {
        let request = Client::new().get(self.at("/readyz")).timeout(Duration::from_secs(5));
        request.send().await.ok().map(|response| response.status().as_u16())
    }

    /// SIGTERM; the time until the end, which must be clean, and what was logged.
    pub async fn stop(mut self) -> (Duration, String) {
        let begun = Instant::now();
        self.process.terminate();
        let (status, process) = tokio::task::spawn_blocking(move || {
            let status = self.process.end(Duration::from_secs(30));
            (status, self.process)
        })
        .await
        .unwrap();
        let took = begun.elapsed();
        let log = process.err();
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(!log.contains("panicked"), "{log}");
        (took, log)
    }

    /// Makes the owner's account by the one-time link; logged in.
    async fn owner(&self) -> Client {
        let out = self.process.out();
        let link = out.lines().find_map(|line| line.split_once("once, at ")).expect("a one-time link").1;
        let client = Client::builder().cookie_store(true).build().unwrap();
        let form = [("email", OWNER), ("password", PASSWORD)];
        let made = client.post(link).form(&form).send().await.unwrap();
        assert_eq!(made.status(), 200, "{}", made.text().await.unwrap());
        let login = serde_json::json!({ "email": OWNER, "password": PASSWORD });
        let session = client.post(self.at("/api/v1/admin/session")).json(&login).send().await.unwrap();
        assert_eq!(session.status(), 200, "{}", session.text().await.unwrap());
        client
    }

    /// Makes the owner's account, and a token that may read supporters, export and import them; that by the command, so
    /// that nobody is mailed about it.
    pub async fn token(&self) -> String {
        self.owner().await;
        let scopes = "supporters:read,exports,imports";
        let arguments = ["admin", "token", "--email", OWNER, "--name", "test", "--scopes", scopes];
        let mut token = command(&self.folder, &arguments);
        token.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let token = tokio::task::spawn_blocking(move || run(token, "")).await.unwrap();
        assert_eq!(token.code, Some(0), "{}", token.err);
        token.out.trim_end().to_owned()
    }

    /// The same by the session, where no other process finds the database; its owner is mailed about it.
    pub async fn token_by_session(&self) -> String {
        let wish = serde_json::json!({ "name": "test", "scopes": ["supporters:read", "exports", "imports"] });
        let token =
            self.owner().await.post(self.at("/api/v1/admin/tokens")).json(&wish).send().await.unwrap();
        assert_eq!(token.status(), 201);
        let token: serde_json::Value = token.json().await.unwrap();
        token["token"].as_str().unwrap().to_owned()
    }

    /// Memory in use, in KiB.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

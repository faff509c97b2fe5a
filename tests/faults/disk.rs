//! The disk under the database full, and read-only: 503 while it lasts, no corruption, recovery by itself.
//!
//! Full: the server gets a small tmpfs as `var/` in a mount namespace of its own, which needs no root.
//! Read-only: a mounted file system cannot be made read-only under a process that has files open for writing, except
//! by an error of its disk. So a small library, compiled here and loaded before libc, answers as the kernel would.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use reqwest::{Client, StatusCode};

use crate::{
    load::sign_up,
    look::Look,
    support::{BINARY, PRELOAD, SOON, Server, command, preloaded, run, until},
};

/// Sign-ups that may still find room in what is allocated already.
const LEFTOVER: usize = 20_000;
/// Time for more than one look of the server at its disk; a verdict holds for a second.
const STAYS: Duration = Duration::from_millis(2500);

/// What a visitor and the staff see while and after the disk fails.
struct Watch {
    server: Server,
    token: String,
    client: Client,
    acknowledged: BTreeSet<String>,
    tried: usize,
}

impl Watch {
    async fn new(server: Server) -> Self {
        let token = server.token_by_session().await;
        Self { server, token, client: Client::new(), acknowledged: BTreeSet::new(), tried: 0 }
    }

    async fn sign_up(&mut self) -> StatusCode {
        self.tried += 1;
        let email = format!("disk-{}@example.org", self.tried);
        let answer = sign_up(&self.client, &self.server.url, &email).await.unwrap();
        let status = answer.status();
        if status == 202 {
            self.acknowledged.insert(email);
        } else {
            assert_eq!(status, 503, "{}", answer.text().await.unwrap());
            assert!(answer.headers()["retry-after"].to_str().unwrap().parse::<u32>().unwrap() >= 1);
        }
        status
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        let request = self.client.get(self.server.at(path)).bearer_auth(&self.token);
        request.timeout(Duration::from_secs(10)).send().await.unwrap()
    }

    /// The disk has failed: sign-ups are put off, `/readyz` is red, and what only reads answers. Lists of people are
    /// not shown: that they are read could not be noted in the trail.
    async fn assert_failing(&mut self) {
        // A checkpoint may still find room in what is allocated, a few times: then the server is right to go on.
        let end = Instant::now() + SOON;
        while !self.stays_failed().await {
            assert!(Instant::now() < end, "sign-ups are refused, and then they are not, again and again");
        }
        for path in ["/", "/join", "/healthz", "/groups"] {
            assert_eq!(self.get(path).await.status(), 200, "{path}");
        }
        assert_eq!(self.get("/api/v1/admin/supporters").await.status(), 503);
    }

    /// Signs up until that is refused; whether it is then refused, and said to be, for longer than the server's
    /// verdict on its disk holds.
    async fn stays_failed(&mut self) -> bool {
        let mut last = StatusCode::ACCEPTED;
        for _ in 0..LEFTOVER {
            last = self.sign_up().await;
            if last == 503 {
                break;
            }
        }
        assert_eq!(last, 503, "the disk did not fail");
        until("the server says that it is not ready", SOON, async || {
            let ready = self.get("/readyz").await;
            ready.status() == 503 && ready.text().await.unwrap().contains(r#""store":"failing""#)
        })
        .await;
        for _ in 0..20 {
            if self.sign_up().await != 503 {
                return false;
            }
        }
        // From here on, nothing but readyz asks the writer.
        let since = Instant::now();
        while since.elapsed() <= STAYS {
            if self.server.ready().await != Some(503) {
                return false;
            }
        }
        true
    }

    /// The disk is good again: nobody has to do anything.
    async fn assert_recovered(&mut self) {
        until("the server says that it is ready, before anybody signs up", SOON, async || {
            self.server.ready().await == Some(200)
        })
        .await;
        for _ in 0..20 {
            assert_eq!(self.sign_up().await, 202);
        }
        let mut listed = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("/api/v1/admin/signups?limit=500{cursor}")).await;
            let page: serde_json::Value = page.json().await.unwrap();
            let rows = page["data"].as_array().unwrap();
            listed.extend(rows.iter().map(|row| row["email"].as_str().unwrap().to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let distinct: BTreeSet<_> = listed.iter().cloned().collect();
        assert_eq!(listed.len(), distinct.len(), "none is doubled");
        assert_eq!(distinct, self.acknowledged, "what was acknowledged is there, and nothing else");
    }
}

/// `unshare` with what it takes to mount something, here and for this user.
fn unshare() -> Command {
    for arguments in [&["--user", "--map-root-user", "--mount"][..], &["--mount"]] {
        let mut probe = Command::new("unshare");
        probe.args(arguments).args(["mount", "-t", "tmpfs", "none", "/mnt"]);
        let worked = probe.stdout(Stdio::null()).stderr(Stdio::null()).status();
        if worked.is_ok_and(|status| status.success()) {
            let mut command = Command::new("unshare");
            command.args(arguments);
            return command;
        }
    }
    panic!(
        "a full disk is shown on a tmpfs in a mount namespace, and this user may make none: run as root, or allow \
         user namespaces (sysctl user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns)"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_sign_ups_get_503_and_all_goes_on_when_there_is_room_again() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::create_dir(folder.path().join("var")).unwrap();
    let mut small = unshare();
    small.args(["sh", "-c", "mount -t tmpfs -o size=6m,mode=700 tmpfs var && exec \"$0\"", BINARY]);
    let server = Server::spawn(small, folder.path(), &[]).await;
    // What the server sees, seen from here.
    let root = PathBuf::from(format!("/proc/{}/root", server.process.id()));
    let var = root.join(folder.path().strip_prefix("/").unwrap()).join("var");
    let mut watch = Watch::new(server).await;
    for round in 0..2 {
        for _ in 0..50 {
            assert_eq!(watch.sign_up().await, 202);
        }
        fill(&var.join("filling"));
        watch.assert_failing().await;
        fs::remove_file(var.join("filling")).unwrap();
        watch.assert_recovered().await;
        println!("round {round}: {} of {} sign-ups stored", watch.acknowledged.len(), watch.tried);
    }
    // SQLite itself cannot be pointed into another namespace. The database first: what a checkpoint moves in
    // between stays in the log until somebody writes.
    for name in ["openhearth.db", "openhearth.db-wal"] {
        fs::copy(var.join(name), copy.path().join(name)).unwrap();
    }
    let mut look = Look::at(&copy.path().join("openhearth.db"));
    look.check();
    assert!(look.signups().keys().eq(&watch.acknowledged));
    watch.server.stop().await;
}

/// Takes all the room there is.
fn fill(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    for size in [64 * 1024, 4096, 1] {
        while file.write_all(&vec![b'x'; size]).is_ok() {}
    }
}

/// The library that plays a read-only disk while a file of this name is there.
const SWITCH: &str = "disk-is-read-only";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_read_only_disk_sign_ups_get_503_and_all_goes_on_when_it_is_writable_again() {
    let (folder, tools) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (library, switch) = (
        preloaded(tools.path(), "readonly_disk", include_str!("readonly_disk.c")),
        tools.path().join(SWITCH),
    );
    let disk = folder.path().join("var");
    let variables = [
        (PRELOAD, library.to_str().unwrap()),
        ("READONLY_DISK", disk.to_str().unwrap()),
        ("READONLY_WHILE", switch.to_str().unwrap()),
    ];
    let server = Server::start(folder.path(), &variables).await;
    let database = server.database();
    let mut watch = Watch::new(server).await;
    for round in 0..2 {
        for _ in 0..50 {
            assert_eq!(watch.sign_up().await, 202);
        }
        fs::write(&switch, "").unwrap();
        watch.assert_failing().await;
        fs::remove_file(&switch).unwrap();
        watch.assert_recovered().await;
        println!("round {round}: {} of {} sign-ups stored", watch.acknowledged.len(), watch.tried);
    }
    watch.server.stop().await;
    let mut look = Look::at(&database);
    look.check();
    assert!(look.signups().keys().eq(&watch.acknowledged));
    drop(look);

    // Nor does a start on such a disk panic, or harm what is there.
    fs::write(&switch, "").unwrap();
    let mut serve = command(folder.path(), &["serve"]);
    serve.envs(variables);
    let said = run(serve, "");
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(
        said.err.contains("openhearth: database.url: ") && !said.err.contains("panicked"),
        "{}",
        said.err
    );
    let mut look = Look::at(&database);
    look.check();
    assert!(look.signups().keys().eq(&watch.acknowledged));
}

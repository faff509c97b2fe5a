//! [`Pooler`]: PgBouncer in transaction mode before a [`Postgres`], with fewer connections than its clients have.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

use crate::{
    postgres::Postgres,
    support::{Process, SOON, until},
};

/// Connections to the server, for all clients together.
const POOL: usize = 3;

/// A running PgBouncer.
pub struct Pooler {
    /// What the binary takes as `database.url`.
    pub url: String,
    _process: Process,
    _folder: tempfile::TempDir,
}

impl Pooler {
    pub async fn before(postgres: &Postgres) -> Self {
        let direct = postgres.url();
        let address = direct.split_once('@').unwrap().1.split('/').next().unwrap();
        let (host, port) = address.split_once(':').unwrap();
        let own_port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let users = folder.path().join("users.txt");
        let settings = folder.path().join("pgbouncer.ini");
        fs::write(&users, "\"openhearth\" \"\"\n").unwrap();
        let lines = [
            "[databases]".to_owned(),
            format!("* = host={host} port={port}"),
            "[pgbouncer]".to_owned(),
            "listen_addr = 127.0.0.1".to_owned(),
            format!("listen_port = {own_port}"),
            "unix_socket_dir =".to_owned(),
            "auth_type = trust".to_owned(),
            format!("auth_file = {}", users.display()),
            "pool_mode = transaction".to_owned(),
            format!("default_pool_size = {POOL}"),
            "ignore_startup_parameters = extra_float_digits".to_owned(),
        ];
        fs::write(&settings, lines.join("\n") + "\n").unwrap();
        // It may run as another user, since it refuses to be root.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--"]);
            command.arg("/usr/sbin/pgbouncer");
            command
        } else {
            Command::new("/usr/sbin/pgbouncer")
        };
        command
            .arg(&settings)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().expect("PgBouncer (Debian package pgbouncer)");
        let mut process = Process::watch(child);
        until("PgBouncer listens", SOON, async || {
            assert!(!process.has_ended(), "{}", process.err());
            TcpStream::connect(("127.0.0.1", own_port)).is_ok()
        })
        .await;
        let url = direct.replace(address, &format!("127.0.0.1:{own_port}"));
        Self { url, _process: process, _folder: folder }
    }
}

fn is_root() -> bool {
    let user = Command::new("id").arg("-u").output().unwrap();
    user.stdout == b"0\n"
}

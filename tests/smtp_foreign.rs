//! The SMTP sender against a third party's server: aiosmtpd (Debian: python3-aiosmtpd), in each mode of TLS.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{BufRead, BufReader, Write as _},
    process::{Child, ChildStdout, Command, Stdio},
    time::SystemTime,
};

use openhearth::mail::{
    message::{Content, Identity},
    transport::{
        Outgoing, SendError, Transport,
        smtp::{Relay, SmtpSettings, TlsMode},
    },
};
use tempfile::NamedTempFile;
use uuid::Uuid;

#[path = "support/certificate.rs"]
mod certificate;

const PYTHON: &str = "/usr/bin/python3";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/aiosmtpd_server.py");

/// The running server; it ends with this, because its standard input does.
struct Foreign {
    child: Child,
    lines: BufReader<ChildStdout>,
    port: u16,
    ca: NamedTempFile,
    _key: NamedTempFile,
}

impl Foreign {
    fn start(mode: &str) -> Self {
        let found = Command::new(PYTHON).args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
        assert!(
            found.is_ok_and(|status| status.success()),
            "{PYTHON} has no aiosmtpd: install the Debian package python3-aiosmtpd"
        );
        let certificate = certificate::Certificate::new();
        let (ca, key) = (pem_file(&certificate.pem), pem_file(&certificate.with_key()));
        let mut child = Command::new(PYTHON)
            .arg(SCRIPT)
            .arg(mode)
            .arg(key.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let port = line(&mut lines).parse().unwrap();
        Self { child, lines, port, ca, _key: key }
    }

    fn relay(&self, tls: TlsMode, password: &str) -> Transport {
        let settings = SmtpSettings {
            host: "localhost".into(),
            port: self.port,
            tls,
            username: Some("coalition".into()),
            password: Some(password.to_owned().into()),
            ca_file: (tls != TlsMode::None).then(|| self.ca.path().to_owned()),
        };
        Transport::Smtp(Relay::new(&settings, "app.example.org").unwrap())
    }

    fn message(&mut self) -> serde_json::Value {
        serde_json::from_str(&line(&mut self.lines)).unwrap()
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

fn line(lines: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    assert_ne!(lines.read_line(&mut line).unwrap(), 0, "the server ended");
    line.trim_end().to_owned()
}

fn pem_file(pem: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(pem.as_bytes()).unwrap();
    file
}

fn mail(to: &str) -> Outgoing {
    let content = Content {
        subject: "Bitte bestätigen".into(),
        text: "Hello\n.\n..dots\nGrüße\n".into(),
        html: "<p>Hello – Grüße</p>".into(),
        unsubscribe: Some("https://example.org/unsubscribe/abc".into()),
    };
    let identity = Identity::parse("Coalition <hello@example.org>", None).unwrap();
    identity.build(Uuid::now_v7(), to, &content, SystemTime::now()).unwrap()
}

#[tokio::test]
async fn every_mode_of_tls() {
    for (name, tls) in [("none", TlsMode::None), ("starttls", TlsMode::Starttls), ("tls", TlsMode::Tls)] {
        let mut server = Foreign::start(name);
        let mut sender = server.relay(tls, "hunter2").sender();
        for to in ["anna@example.org", "bert@bücher.example", "grüße@example.org"] {
            let mail = mail(to);
            sender.send(&mail).await.unwrap();
            let received = server.message();
            assert_eq!(received["from"], "hello@example.org", "{name}");
            assert_eq!(received["to"], serde_json::json!([mail.envelope.to()[0].to_string()]), "{name}");
            assert_eq!(received["data"], String::from_utf8(mail.bytes).unwrap(), "{name}");
            assert_eq!(received["tls"], tls != TlsMode::None, "{name}");
            assert_eq!(received["login"], true, "{name}");
        }
        sender.close().await;

        let wrong = server.relay(tls, "wrong").sender().send(&mail("anna@example.org")).await;
        assert_eq!(wrong, Err(SendError::Deferred("535 5.7.8 to AUTH".into())), "{name}");
    }
}

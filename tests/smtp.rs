//! The SMTP sender against a relay that does as it is told (`support/smtp_server.rs`).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{io::Write as _, time::Duration};

use lettre::address::Envelope;
use openhearth::mail::{
    message::{Content, Identity},
    transport::{
        Outgoing, SendError, Sender, Transport,
        smtp::{Relay, SmtpSettings, TlsMode},
    },
};
use tempfile::NamedTempFile;
use uuid::Uuid;

use smtp_server::{Behaviour, Options, Security, SmtpServer, Stage};

#[path = "support/certificate.rs"]
mod certificate;
#[path = "support/smtp_server.rs"]
mod smtp_server;
#[path = "support/smtp_session.rs"]
mod smtp_session;

/// Long enough for any answer on loopback; the tests of the limit take a shorter one.
const LIMIT: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(500);
const STAGES: [Stage; 6] = [Stage::Connect, Stage::Ehlo, Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Body];

fn mail_to(to: &str) -> Outgoing {
    let content = Content {
        subject: "Please confirm".into(),
        text: "Hello\n.\n..dots\n".into(),
        html: "<p>Hello</p>".into(),
        unsubscribe: None,
    };
    let identity = Identity::parse("Coalition <hello@example.org>", None).unwrap();
    identity.build(Uuid::now_v7(), to, &content, std::time::SystemTime::now()).unwrap()
}

fn mail() -> Outgoing {
    mail_to("anna@example.org")
}

fn settings(server: &SmtpServer, tls: TlsMode) -> SmtpSettings {
    let (host, port) = (server.addr().ip().to_string(), server.addr().port());
    SmtpSettings { host, port, tls, username: None, password: None, ca_file: None }
}

fn sender(settings: &SmtpSettings, limit: Duration) -> Sender {
    Transport::Smtp(Relay::new(settings, "app.example.org").unwrap().with_limit(limit)).sender()
}

fn plain(server: &SmtpServer) -> Sender {
    sender(&settings(server, TlsMode::None), LIMIT)
}

fn ca_file(pem: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(pem.as_bytes()).unwrap();
    file
}

async fn start(security: Security) -> SmtpServer {
    SmtpServer::start(Options { security, ..Options::default() }).await
}

#[tokio::test]
async fn many_messages_go_over_one_connection() {
    for extensions in [vec!["PIPELINING", "8BITMIME"], vec![]] {
        let server = SmtpServer::start(Options { extensions, ..Options::default() }).await;
        let mut sender = plain(&server);
        let mails: Vec<_> = (0..50).map(|n| mail_to(&format!("a{n}@example.org"))).collect();
        for mail in &mails {
            sender.send(mail).await.unwrap();
        }
        sender.close().await;
        assert_eq!((server.connections(), server.quits()), (1, 1));
        let received = server.messages();
        assert_eq!(received.len(), mails.len());
        for (sent, received) in mails.iter().zip(received) {
            assert_eq!(received.from, "hello@example.org");
            assert_eq!(received.to, [sent.envelope.to()[0].to_string()]);
            assert_eq!(received.data, sent.bytes, "not a byte more or less");
            assert_eq!(received.options, "");
            assert!(!received.tls);
        }
    }
}

#[tokio::test]
async fn tls_is_from_the_first_byte_or_after_starttls() {
    for (security, tls) in [(Security::Tls, TlsMode::Tls), (Security::Starttls, TlsMode::Starttls)] {
        let server = start(security).await;
        let ca = ca_file(server.ca_pem());
        for host in ["127.0.0.1", "localhost"] {
            let trusting = SmtpSettings {
                ca_file: Some(ca.path().to_owned()),
                host: host.to_owned(),
                ..settings(&server, tls)
            };
            let mut sender = sender(&trusting, LIMIT);
            for _ in 0..3 {
                sender.send(&mail()).await.unwrap();
            }
            sender.close().await;
        }
        assert_eq!(server.connections(), 2);
        assert_eq!(server.messages().len(), 6);
        assert!(server.messages().iter().all(|received| received.tls));
    }
}

#[tokio::test]
async fn a_certificate_we_do_not_trust_gets_nothing() {
    for (security, tls) in [(Security::Tls, TlsMode::Tls), (Security::Starttls, TlsMode::Starttls)] {
        let server = start(security).await;
        let other = ca_file(&certificate::Certificate::new().pem);
        for ca_file in [None, Some(other.path().to_owned())] {
            let distrusting = SmtpSettings { ca_file, ..settings(&server, tls) };
            let error = sender(&distrusting, LIMIT).send(&mail()).await.unwrap_err();
            let told = error.to_string();
            assert!(matches!(error, SendError::Unreachable(_)) && told.contains("certificate"), "{told}");
        }
        assert_eq!(server.count(), 0);
    }
}

#[tokio::test]
async fn starttls_never_goes_on_in_plain_text() {
    let server = start(Security::Plain).await;
    let error = sender(&settings(&server, TlsMode::Starttls), LIMIT).send(&mail()).await.unwrap_err();
    assert!(matches!(&error, SendError::Unreachable(text) if text.contains("STARTTLS")), "{error}");
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn replies_slipped_in_before_the_handshake_are_not_believed() {
    let server = start(Security::Starttls).await;
    server.set_behaviour(Behaviour::Inject);
    let ca = ca_file(server.ca_pem());
    let trusting =
        SmtpSettings { ca_file: Some(ca.path().to_owned()), ..settings(&server, TlsMode::Starttls) };
    let error = sender(&trusting, LIMIT).send(&mail()).await.unwrap_err();
    assert!(matches!(&error, SendError::Unreachable(text) if text.starts_with("TLS")), "{error}");
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn log_in_by_what_the_relay_offers() {
    for offered in ["AUTH PLAIN LOGIN", "AUTH LOGIN", "AUTH CRAM-MD5"] {
        let login = Some(("coalition", "hunter2"));
        let server =
            SmtpServer::start(Options { login, extensions: vec![offered], ..Options::default() }).await;
        let with = |password: &str| SmtpSettings {
            username: Some("coalition".to_owned()),
            password: Some(password.to_owned().into()),
            ..settings(&server, TlsMode::None)
        };
        let sent = sender(&with("hunter2"), LIMIT).send(&mail()).await;
        if offered == "AUTH CRAM-MD5" {
            assert!(matches!(sent, Err(SendError::Deferred(_))), "{sent:?}");
            continue;
        }
        sent.unwrap();
        let wrong = sender(&with("wrong"), LIMIT).send(&mail()).await;
        assert_eq!(wrong, Err(SendError::Deferred("535 5.7.8 to AUTH".into())));
        let absent = plain(&server).send(&mail()).await;
        assert_eq!(absent, Err(SendError::Deferred("530 5.7.0 to MAIL".into())));
        assert_eq!(server.count(), 1);
    }
}

#[tokio::test]
async fn a_4xx_puts_the_message_off_at_every_stage() {
    let server = start(Security::Plain).await;
    let reply = "451 4.7.1 <anna@example.org>: later";
    for stage in STAGES {
        let mut sender = plain(&server);
        server.set_behaviour(Behaviour::Reply { reply, stage, times: 1 });
        let error = sender.send(&mail()).await.unwrap_err();
        assert!(matches!(&error, SendError::Deferred(text) if text.starts_with("451 4.7.1 to ")), "{error}");
        sender.send(&mail()).await.unwrap();
    }
    assert_eq!(server.count(), STAGES.len());
}

#[tokio::test]
async fn a_5xx_condemns_only_at_recipient_and_message() {
    for extensions in [vec!["PIPELINING"], vec![]] {
        let server = SmtpServer::start(Options { extensions, ..Options::default() }).await;
        let reply = "550 5.7.1 <anna@example.org>: not here";
        for stage in STAGES {
            let mut sender = plain(&server);
            sender.send(&mail()).await.unwrap();
            if matches!(stage, Stage::Connect | Stage::Ehlo) {
                server.restart().await;
            }
            let connections = server.connections();
            server.set_behaviour(Behaviour::Reply { reply, stage, times: 1 });
            let error = sender.send(&mail()).await.unwrap_err();
            assert!(!error.to_string().contains('@'), "{error}");
            let condemned = matches!(stage, Stage::Rcpt | Stage::Data | Stage::Body);
            assert_eq!(matches!(&error, SendError::Refused(_)), condemned, "{stage:?}: {error}");
            assert_eq!(matches!(&error, SendError::Deferred(_)), !condemned, "{stage:?}: {error}");
            sender.send(&mail()).await.unwrap();
            if condemned {
                assert_eq!(server.connections(), connections, "a refusal costs no connection");
            }
        }
        assert_eq!(server.count(), 2 * STAGES.len());
    }
}

#[tokio::test]
async fn a_refused_recipient_is_never_followed_by_an_empty_message() {
    let server = SmtpServer::start(Options { eager: true, ..Options::default() }).await;
    let mut sender = plain(&server);
    server.set_behaviour(Behaviour::Reply { reply: "550 5.1.1 no", stage: Stage::Rcpt, times: 1 });
    assert_eq!(sender.send(&mail()).await, Err(SendError::Refused("550 5.1.1 to RCPT".into())));
    sender.send(&mail()).await.unwrap();
    assert_eq!((server.count(), server.connections()), (1, 2));
}

#[tokio::test]
async fn one_refused_recipient_of_two_stops_the_message() {
    let server = start(Security::Plain).await;
    let mut mail = mail();
    let both = ["anna@example.org", "bert@example.org"].map(|to| to.parse().unwrap()).to_vec();
    mail.envelope = Envelope::new(mail.envelope.from().cloned(), both).unwrap();
    let mut sender = plain(&server);
    server.set_behaviour(Behaviour::Reply { reply: "550 5.1.1 no", stage: Stage::Rcpt, times: 1 });
    assert!(matches!(sender.send(&mail).await, Err(SendError::Refused(_))));
    assert_eq!(server.count(), 0);
    sender.send(&mail).await.unwrap();
    assert_eq!(server.messages()[0].to, ["anna@example.org", "bert@example.org"]);
}

#[tokio::test]
async fn a_relay_that_hangs_costs_no_more_than_the_limit() {
    let server = start(Security::Plain).await;
    for (n, stage) in STAGES.into_iter().enumerate() {
        let mut sender = sender(&settings(&server, TlsMode::None), SHORT);
        server.set_behaviour(Behaviour::Hang { stage });
        // Far above the limit, far below a hang: it only keeps a failing test from lasting for ever.
        let result = tokio::time::timeout(LIMIT, sender.send(&mail())).await.unwrap();
        assert!(matches!(result, Err(SendError::Unreachable(_))), "{stage:?}: {result:?}");
        assert_eq!((server.connections(), server.hanging()), (2 * n + 1, n + 1), "{stage:?}");
        server.set_behaviour(Behaviour::Accept);
        sender.send(&mail()).await.unwrap();
        assert_eq!(server.connections(), 2 * n + 2, "a connection in doubt is not used again");
    }
}

#[tokio::test]
async fn a_relay_that_is_slow_at_every_stage_is_waited_for() {
    let server = start(Security::Plain).await;
    for stage in STAGES {
        server.set_behaviour(Behaviour::Slow { stage, by: Duration::from_millis(20) });
        sender(&settings(&server, TlsMode::None), LIMIT).send(&mail()).await.unwrap();
    }
    assert_eq!(server.count(), STAGES.len());
}

#[tokio::test]
async fn a_connection_lost_while_idle_is_made_again() {
    for behaviour in [
        Behaviour::Accept,
        Behaviour::Close { stage: Stage::Mail, times: 1 },
        Behaviour::Close { stage: Stage::Data, times: 1 },
        Behaviour::Reply { reply: "421 4.4.2 timeout", stage: Stage::Mail, times: 1 },
        Behaviour::Reply { reply: "421 4.3.2 shutting down", stage: Stage::Rcpt, times: 1 },
    ] {
        let server = start(Security::Plain).await;
        let mut sender = plain(&server);
        sender.send(&mail()).await.unwrap();
        server.set_behaviour(behaviour);
        if behaviour == Behaviour::Accept {
            server.restart().await;
        }
        sender.send(&mail()).await.unwrap();
        sender.send(&mail()).await.unwrap();
        assert_eq!((server.count(), server.connections()), (3, 2), "{behaviour:?}");
    }
}

#[tokio::test]
async fn a_fresh_connection_that_is_lost_is_not_tried_again_at_once() {
    let server = start(Security::Plain).await;
    for stage in [Stage::Connect, Stage::Ehlo, Stage::Mail] {
        let before = server.connections();
        server.set_behaviour(Behaviour::Close { stage, times: 1 });
        let result = plain(&server).send(&mail()).await;
        assert!(matches!(result, Err(SendError::Unreachable(_))), "{stage:?}: {result:?}");
        assert_eq!(server.connections(), before + 1);
    }
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn a_message_in_doubt_is_not_sent_twice_in_one_try() {
    let server = start(Security::Plain).await;
    let mut sender = plain(&server);
    sender.send(&mail()).await.unwrap();
    for behaviour in [
        Behaviour::Close { stage: Stage::Body, times: 1 },
        Behaviour::Reply { reply: "421 4.3.0 shutting down", stage: Stage::Body, times: 1 },
    ] {
        let before = (server.count(), server.connections());
        server.set_behaviour(behaviour);
        let (again, taken) = match sender.send(&mail()).await {
            Err(SendError::Unreachable(_)) => ("unreachable", 1),
            Err(SendError::Deferred(_)) => ("deferred", 0),
            other => panic!("{other:?}"),
        };
        assert_eq!((server.count(), server.connections()), (before.0 + taken, before.1), "{again}");
        sender.send(&mail()).await.unwrap();
    }
}

#[tokio::test]
async fn a_cancelled_try_leaves_no_connection_behind() {
    let server = start(Security::Plain).await;
    let mut sender = plain(&server);
    sender.send(&mail()).await.unwrap();
    server.set_behaviour(Behaviour::Hang { stage: Stage::Body });
    assert!(tokio::time::timeout(SHORT, sender.send(&mail())).await.is_err());
    server.set_behaviour(Behaviour::Accept);
    sender.send(&mail()).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn goodbye_is_bounded_too() {
    let server = start(Security::Plain).await;
    let mut sender = plain(&server);
    sender.send(&mail()).await.unwrap();
    server.restart().await;
    tokio::time::timeout(LIMIT, sender.close()).await.unwrap();
}

#[tokio::test]
async fn nobody_listening_is_unreachable() {
    let server = start(Security::Plain).await;
    let settings = settings(&server, TlsMode::None);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let result = sender(&SmtpSettings { port, ..settings }, LIMIT).send(&mail()).await;
    assert!(matches!(result, Err(SendError::Unreachable(_))), "{result:?}");
}

#[tokio::test]
async fn international_addresses_need_a_relay_that_takes_them() {
    let server = start(Security::Plain).await;
    let mut sender = plain(&server);
    assert!(matches!(sender.send(&mail_to("grüße@example.org")).await, Err(SendError::Refused(_))));
    sender.send(&mail_to("anna@bücher.example")).await.unwrap();
    assert_eq!(server.messages()[0].to, ["anna@xn--bcher-kva.example"]);
    assert_eq!(server.connections(), 1);

    let extensions = vec!["PIPELINING", "8BITMIME", "SMTPUTF8"];
    let server = SmtpServer::start(Options { extensions, ..Options::default() }).await;
    plain(&server).send(&mail_to("grüße@example.org")).await.unwrap();
    let received = &server.messages()[0];
    assert_eq!(received.to, ["grüße@example.org"]);
    assert_eq!(received.options, "SMTPUTF8 BODY=8BITMIME");
}

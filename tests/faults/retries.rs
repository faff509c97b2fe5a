//! A relay that is away or says "later". Retries take from half a minute to hours, so these tests run the whole
//! server in this process, with the clock that every `App` is built with, and move it.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use openhearth::{
    app::App,
    clock::Clock,
    config::{Config, DatabaseUrl, TransportKind},
    mail::transport::smtp::TlsMode,
    server::{self, Running},
};

use tokio::net::TcpSocket;

use crate::{
    load::{Load, sign_up},
    look::Look,
    relay::ids_of,
    smtp_server::{Behaviour, Options, SmtpServer, Stage},
    support::{SOON, until},
};

/// Longer than any delay between two tries.
const LATER: Duration = Duration::from_secs(6 * 3600);

struct Inside {
    running: Running,
    clock: Clock,
    url: String,
    folder: tempfile::TempDir,
}

impl Inside {
    async fn start(smtp_port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::defaults().unwrap();
        config.server.listen = "127.0.0.1:0".parse().unwrap();
        config.secret_file = folder.path().join("secret");
        config.database.url = DatabaseUrl::Sqlite(folder.path().join("test.db"));
        config.mail.transport = TransportKind::Smtp;
        config.mail.smtp.host = "127.0.0.1".to_owned();
        config.mail.smtp.port = smtp_port;
        config.mail.smtp.tls = TlsMode::None;
        let (socket, clock) = (server::bind(&mut config).unwrap(), Clock::default());
        let app = App::build(config, clock.clone()).await.unwrap();
        let url = app.kernel.base_url.to_string();
        let running = app.serve_on(socket, true, |_| {}).unwrap();
        Self { running, clock, url, folder }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("test.db")
    }

    /// Waits until `count` mails were each tried `attempts` times in vain and nobody has one in hand.
    async fn all_tried(&self, count: usize, attempts: i64) {
        until("every mail was tried and put off", SOON, async || {
            let mails = Look::at(&self.database()).mails();
            mails.len() == count
                && mails
                    .iter()
                    .all(|mail| (mail.state.as_str(), mail.attempts, mail.leased) == ("due", attempts, 0))
        })
        .await;
    }

    async fn all_sent(&self, count: i64) {
        until("every mail is sent", SOON, async || states(&self.database()) == [("sent".to_owned(), count)])
            .await;
    }
}

fn states(database: &Path) -> Vec<(String, i64)> {
    Look::at(database).states().into_iter().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_relay_is_away_nothing_is_lost_and_then_every_mail_arrives_once() {
    // Bound and not listening: whoever connects is refused, and nobody else can take the port.
    let away = TcpSocket::new_v4().unwrap();
    away.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let inside = Inside::start(away.local_addr().unwrap().port()).await;
    let tally = Load::start(&inside.url, "away", 8, 200).finish().await;
    assert_eq!(tally.acknowledged.len(), 200);
    for attempts in 1..=5 {
        inside.all_tried(200, attempts).await;
        inside.clock.advance(LATER);
    }
    inside.all_tried(200, 6).await;
    let mails = Look::at(&inside.database()).mails();
    let errors: Vec<_> = mails.iter().filter_map(|mail| mail.last_error.clone()).collect();
    assert!(errors.len() == 200 && errors.iter().all(|error| error.contains("could not be reached")));

    let relay = SmtpServer::start_on(away.listen(64).unwrap(), Options::default());
    inside.clock.advance(LATER);
    inside.all_sent(200).await;
    inside.running.stop().await;
    let messages = relay.messages();
    let to: BTreeSet<_> = messages.iter().flat_map(|message| message.to.clone()).collect();
    assert_eq!(messages.len(), 200, "each once");
    assert_eq!(to, tally.acknowledged);
    let owed: BTreeSet<_> = mails.into_iter().map(|mail| mail.id).collect();
    assert_eq!(ids_of(&messages).into_iter().collect::<BTreeSet<_>>(), owed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_put_off_with_4xx_or_without_an_answer_is_tried_again_under_its_message_id() {
    let relay = SmtpServer::start(Options::default()).await;
    let inside = Inside::start(relay.addr().port()).await;
    let reply = "451 4.7.1 <ida@example.org> greylisted, ida@example.org may try later";
    relay.set_behaviour(Behaviour::Reply { reply, stage: Stage::Rcpt, times: 1 });
    let answer = sign_up(&reqwest::Client::new(), &inside.url, "ida@example.org").await.unwrap();
    assert_eq!(answer.status(), 202);
    inside.all_tried(1, 1).await;
    let mail = Look::at(&inside.database()).mails().remove(0);
    let reason = mail.last_error.unwrap();
    assert!(reason.contains("451 4.7.1"), "{reason}");
    assert!(!reason.contains("ida@") && !reason.contains("example.org"), "{reason}");
    assert_eq!(relay.count(), 0);

    // It takes the message and hangs up without a word: the one case that must be repeated.
    relay.set_behaviour(Behaviour::Close { stage: Stage::Body, times: 1 });
    inside.clock.advance(LATER);
    inside.all_tried(1, 2).await;
    assert_eq!(relay.count(), 1);
    inside.clock.advance(LATER);
    inside.all_sent(1).await;
    inside.running.stop().await;
    assert_eq!(ids_of(&relay.messages()), [mail.id.clone(), mail.id]);
}

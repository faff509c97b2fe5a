//! The ceiling of the outbox: our own senders with one finished message and no database, in a process of their own.

use std::time::Instant;

use lettre::address::Envelope;
use openhearth::mail::transport::{
    Outgoing, Transport,
    smtp::{Relay, SmtpSettings, TlsMode},
};

use crate::arguments::Arguments;

/// Sends `--mails` copies of the message in the file `--message` by `--senders` senders to `relay`; prints the seconds.
pub fn run(relay: &str, arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let (host, port) = relay.split_once(':').ok_or("no port")?;
    let settings = SmtpSettings {
        host: host.to_owned(),
        port: port.parse()?,
        tls: TlsMode::None,
        username: None,
        password: None,
        ca_file: None,
    };
    let transport = Transport::Smtp(Relay::new(&settings, "localhost")?);
    let (mails, senders) = (arguments.number("--mails", 1), arguments.number("--senders", 1));
    let bytes = std::fs::read(arguments.after("--message").ok_or("no message")?)?;
    let envelope = Envelope::new(Some("join@example.org".parse()?), vec!["ada@example.org".parse()?])?;
    let mail = Outgoing { id: uuid::Uuid::nil(), envelope, bytes };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let begun = Instant::now();
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for sender in 0..senders {
            let (transport, mail) = (transport.clone(), mail.clone());
            let own = mails / senders + usize::from(sender < mails % senders);
            tasks.spawn(async move {
                let mut sender = transport.sender();
                for _ in 0..own {
                    // The outbox hands over a message of its own each time.
                    sender.send(&mail.clone()).await?;
                }
                sender.close().await;
                Ok::<_, openhearth::mail::transport::SendError>(())
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    println!("{}", begun.elapsed().as_secs_f64());
    Ok(())
}

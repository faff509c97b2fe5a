//! From nothing to a relay that is ready for MAIL: TCP, TLS, EHLO, log-in.
//! Called by [`super::SmtpSender`]; must never go on in plain text where TLS was asked for.

use std::io;

use lettre::transport::smtp::{
    authentication::Mechanism, client::AsyncSmtpConnection, commands::Ehlo, extension::ClientId,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use super::{
    Inner, Security, SendError,
    dialogue::{Failure, Link, Stage, verdict},
    tls::{Io, Wire},
};

/// Longest reply before TLS; nobody greets at greater length.
const REPLY_MAX: usize = 8 * 1024;

pub(super) async fn open(relay: &Inner) -> Result<Link, SendError> {
    let tcp = TcpStream::connect((relay.host.as_str(), relay.port))
        .await
        .map_err(|error| unreachable("connecting", &error))?;
    // Without it every message waits 40 ms for a delayed acknowledgement.
    tcp.set_nodelay(true).map_err(|error| unreachable("connecting", &error))?;

    let wire = match &relay.security {
        Security::Plain => Wire { ahead: b"", io: Io::Plain(tcp) },
        Security::Tls(connector, name) => Wire { ahead: b"", io: handshake(connector, name, tcp).await? },
        Security::Starttls(connector, name) => {
            let tcp = ask_for_tls(tcp, &relay.hello).await?;
            // lettre waits for a greeting, which no relay repeats after STARTTLS.
            Wire { ahead: b"220 \r\n", io: handshake(connector, name, tcp).await? }
        }
    };
    let greeted = |error| Failure::from_lettre(Stage::Greeting, &error).error;
    let mut smtp =
        AsyncSmtpConnection::connect_with_transport(Box::new(wire), &relay.hello).await.map_err(greeted)?;
    // lettre keeps what it knows of the relay's abilities and forgets PIPELINING: ask again, once a connection.
    let abilities = smtp.command(Ehlo::new(relay.hello.clone())).await.map_err(greeted)?;
    let pipelining = abilities.message().skip(1).any(|line| is_keyword(line, "PIPELINING"));

    if let Some(login) = &relay.login {
        smtp.auth(&[Mechanism::Plain, Mechanism::Login], login).await.map_err(|error| {
            if error.is_client() {
                return SendError::Deferred("it offers no log-in by PLAIN or LOGIN".to_owned());
            }
            Failure::from_lettre(Stage::Auth, &error).error
        })?;
    }
    Ok(Link::new(smtp, pipelining))
}

async fn handshake(
    connector: &TlsConnector,
    name: &ServerName<'static>,
    tcp: TcpStream,
) -> Result<Io, SendError> {
    let tls = connector.connect(name.clone(), tcp).await.map_err(|error| unreachable("TLS", &error))?;
    Ok(Io::Tls(Box::new(tls)))
}

/// Greeting, EHLO and STARTTLS in plain text, up to where the handshake begins. Not lettre's own: it keeps
/// what it has read so far across the handshake, so somebody on the way could slip replies in under TLS.
async fn ask_for_tls(mut tcp: TcpStream, hello: &ClientId) -> Result<TcpStream, SendError> {
    expect(&mut tcp, "220").await?;
    say(&mut tcp, &format!("EHLO {hello}\r\n")).await?;
    let abilities = expect(&mut tcp, "250").await?;
    if !abilities.iter().skip(1).any(|line| is_keyword(line, "STARTTLS")) {
        return Err(SendError::Unreachable(
            "it does not offer STARTTLS, which the settings demand".to_owned(),
        ));
    }
    say(&mut tcp, "STARTTLS\r\n").await?;
    expect(&mut tcp, "220").await?;
    Ok(tcp)
}

async fn say(tcp: &mut TcpStream, line: &str) -> Result<(), SendError> {
    tcp.write_all(line.as_bytes()).await.map_err(|error| unreachable("greeting", &error))
}

/// One reply, its lines without their codes; any other code than the wanted one is an error.
async fn expect(tcp: &mut TcpStream, wanted: &str) -> Result<Vec<String>, SendError> {
    let mut lines = Vec::new();
    let mut size = 0;
    loop {
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            // One byte at a time: what comes after this reply belongs to the handshake.
            line.push(tcp.read_u8().await.map_err(|error| unreachable("greeting", &error))?);
            size += 1;
            if size > REPLY_MAX {
                return Err(SendError::Unreachable("its greeting has no end".to_owned()));
            }
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        let (Some(code), rest) = (line.get(..3), line.get(3..).unwrap_or_default()) else {
            return Err(SendError::Unreachable("it does not speak SMTP".to_owned()));
        };
        let last = !rest.starts_with('-');
        let text = rest.get(1..).unwrap_or_default().to_owned();
        if code != wanted {
            return Err(code.parse().map_or_else(
                |_| SendError::Unreachable("it does not speak SMTP".to_owned()),
                |code| verdict(Stage::Greeting, code, &text),
            ));
        }
        lines.push(text);
        if last {
            return Ok(lines);
        }
    }
}

fn is_keyword(line: &str, keyword: &str) -> bool {
    line.split_ascii_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case(keyword))
}

/// TLS errors come as io errors and say what the certificate lacks; others say no more than their kind.
fn unreachable(doing: &str, error: &io::Error) -> SendError {
    match error.get_ref() {
        Some(inner) if doing == "TLS" => SendError::Unreachable(format!("{doing}: {inner}")),
        _ => SendError::Unreachable(format!("{doing}: {}", error.kind())),
    }
}

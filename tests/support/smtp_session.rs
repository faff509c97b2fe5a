//! One connection of the SMTP server of the tests. Called by `smtp_server` alone.

use std::io;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use super::smtp_server::{Act, Received, Security, Shared, Stage, Stream};

struct Session<'a, S> {
    io: BufReader<S>,
    shared: &'a Shared,
    out: Vec<u8>,
    tls: bool,
    logged_in: bool,
    from: Option<(String, String)>,
    to: Vec<String>,
}

/// Greets and serves until the client leaves, and once more from EHLO after STARTTLS.
pub async fn run<S: Stream>(stream: S, shared: &Shared, tls: bool) -> io::Result<()> {
    let mut session = Session::new(stream, shared, tls);
    if session.answer(Stage::Connect, "220 relay.example.org ESMTP").await? && session.serve().await? {
        let secured = shared.acceptor.accept(session.io.into_inner()).await?;
        Session::new(secured, shared, true).serve().await?;
    }
    Ok(())
}

impl<'a, S: Stream> Session<'a, S> {
    fn new(stream: S, shared: &'a Shared, tls: bool) -> Self {
        let (io, out) = (BufReader::with_capacity(16 * 1024, stream), Vec::new());
        Self { io, shared, out, tls, logged_in: false, from: None, to: Vec::new() }
    }

    /// Does as told: `None` when that is nothing special, else whether the connection goes on.
    async fn told(&mut self, act: Act) -> io::Result<Option<bool>> {
        match act {
            Act::Go => Ok(None),
            Act::Reply(reply) => {
                self.say(reply).await?;
                Ok(Some(!reply.starts_with("421")))
            }
            Act::Hang => {
                self.flush().await?;
                self.shared.hangs();
                std::future::pending().await
            }
            Act::Wait(by) => {
                tokio::time::sleep(by).await;
                Ok(None)
            }
            Act::Close => Ok(Some(false)),
        }
    }

    /// Answers as told for this stage, else `usual`; false when the connection is to end.
    async fn answer(&mut self, stage: Stage, usual: &str) -> io::Result<bool> {
        if let Some(go_on) = self.told(self.shared.act(stage)).await? {
            return Ok(go_on);
        }
        self.say(usual).await?;
        Ok(true)
    }

    /// Keeps replies back while more commands are at hand, as PIPELINING has it.
    async fn say(&mut self, reply: &str) -> io::Result<()> {
        self.out.extend_from_slice(reply.as_bytes());
        self.out.extend_from_slice(b"\r\n");
        if self.io.buffer().is_empty() || reply.starts_with("421") { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.io.get_mut().write_all(&self.out).await?;
        self.io.get_mut().flush().await?;
        self.out.clear();
        Ok(())
    }

    async fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::with_capacity(80);
        self.io.read_until(b'\n', &mut line).await?;
        Ok(line.strip_suffix(b"\r\n").map(|line| String::from_utf8_lossy(line).into_owned()))
    }

    /// True when TLS is to begin.
    async fn serve(&mut self) -> io::Result<bool> {
        while let Some(line) = self.line().await? {
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let go_on = match verb.to_ascii_uppercase().as_str() {
                "EHLO" => {
                    let abilities = self.abilities();
                    self.answer(Stage::Ehlo, &abilities).await?
                }
                // As smtp-source greets.
                "HELO" => self.answer(Stage::Ehlo, "250 relay.example.org").await?,
                "STARTTLS" if self.offers_tls() => {
                    let extra = if self.shared.injects() { "\r\n250-evil\r\n250 AUTH PLAIN" } else { "" };
                    self.say(&format!("220 2.0.0 go on{extra}")).await?;
                    return Ok(true);
                }
                "AUTH" => self.auth(rest).await?,
                "MAIL" if self.shared.options.login.is_some() && !self.logged_in => {
                    self.say("530 5.7.0 log in first").await?;
                    true
                }
                "MAIL" => self.mail(rest).await?,
                "RCPT" => self.rcpt(rest).await?,
                "DATA" if self.to.is_empty() && !self.shared.options.eager => {
                    self.answer(Stage::Data, "554 5.5.1 no valid recipients").await?
                }
                "DATA" => self.data().await?,
                "RSET" => {
                    (self.from, self.to) = (None, Vec::new());
                    self.say("250 2.0.0 ok").await?;
                    true
                }
                "QUIT" => {
                    self.shared.quit();
                    self.say("221 2.0.0 bye").await?;
                    false
                }
                _ => {
                    self.say("502 5.5.2 unknown").await?;
                    true
                }
            };
            if !go_on {
                return Ok(false);
            }
        }
        Ok(false)
    }

    fn offers_tls(&self) -> bool {
        self.shared.options.security == Security::Starttls && !self.tls
    }

    fn abilities(&self) -> String {
        let mut lines = vec!["relay.example.org"];
        lines.extend(&self.shared.options.extensions);
        if self.offers_tls() {
            lines.push("STARTTLS");
        }
        let (last, others) = lines.split_last().unwrap();
        others.iter().map(|line| format!("250-{line}\r\n")).chain([format!("250 {last}")]).collect()
    }

    async fn auth(&mut self, rest: &str) -> io::Result<bool> {
        let (name, password) = self.shared.options.login.unwrap_or_default();
        let right = if let Some(given) = rest.strip_prefix("PLAIN ") {
            given == BASE64.encode(format!("\0{name}\0{password}"))
        } else {
            let mut answers = Vec::new();
            for question in ["Username:", "Password:"] {
                self.say(&format!("334 {}", BASE64.encode(question))).await?;
                answers.extend(self.line().await?);
            }
            answers == [BASE64.encode(name), BASE64.encode(password)]
        };
        self.logged_in = right && !name.is_empty();
        let usual = if self.logged_in { "235 2.7.0 welcome" } else { "535 5.7.8 wrong" };
        self.answer(Stage::Auth, usual).await
    }

    async fn mail(&mut self, rest: &str) -> io::Result<bool> {
        if let Some(go_on) = self.told(self.shared.act(Stage::Mail)).await? {
            return Ok(go_on);
        }
        let (from, options) = rest.split_once('>').unwrap_or((rest, ""));
        self.from = Some((from.trim_start_matches("FROM:<").to_owned(), options.trim().to_owned()));
        self.say("250 2.1.0 ok").await?;
        Ok(true)
    }

    async fn rcpt(&mut self, rest: &str) -> io::Result<bool> {
        if let Some(go_on) = self.told(self.shared.act(Stage::Rcpt)).await? {
            return Ok(go_on);
        }
        if self.from.is_none() {
            self.say("503 5.5.1 MAIL first").await?;
            return Ok(true);
        }
        let (to, _) = rest.split_once('>').unwrap_or((rest, ""));
        self.to.push(to.trim_start_matches("TO:<").to_owned());
        self.say("250 2.1.5 ok").await?;
        Ok(true)
    }

    async fn data(&mut self) -> io::Result<bool> {
        if let Some(go_on) = self.told(self.shared.act(Stage::Data)).await? {
            return Ok(go_on);
        }
        self.say("354 go on").await?;
        let Some(data) = self.body().await? else { return Ok(false) };
        let (from, options) = self.from.take().unwrap_or_default();
        let (to, tls) = (std::mem::take(&mut self.to), self.tls);
        let act = self.shared.act(Stage::Body);
        // Whoever refuses has not taken it; whoever hangs or hangs up has, and does not tell.
        if !matches!(act, Act::Reply(_)) {
            self.shared.take(|| Received { from, options, to, data, tls });
        }
        if let Some(go_on) = self.told(act).await? {
            return Ok(go_on);
        }
        self.say("250 2.0.0 taken").await?;
        Ok(true)
    }

    /// Up to the final dot; `None` when the client hangs up before it.
    async fn body(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut data = Vec::with_capacity(8 * 1024);
        loop {
            let start = data.len();
            if self.io.read_until(b'\n', &mut data).await? == 0 {
                return Ok(None);
            }
            if &data[start..] == b".\r\n" {
                data.truncate(start);
                return Ok(Some(data));
            }
            if data[start] == b'.' {
                data.remove(start);
            }
        }
    }
}

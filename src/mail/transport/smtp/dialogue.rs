//! One message over an open connection, and what each reply means for it.
//! Called by [`super::SmtpSender`] and `connect`; must never let a reply's text out: relays quote addresses.

use std::{error::Error as _, fmt, io};

use lettre::{
    Address,
    transport::smtp::{
        Error,
        client::AsyncSmtpConnection,
        commands::{Data, Mail, Rcpt, Rset},
        extension::{Extension, MailBodyParameter, MailParameter},
        response::{Response, Severity},
    },
};

use crate::mail::transport::{Outgoing, SendError};

/// How far the dialogue has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Greeting,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// The message itself, up to the reply to its final dot.
    Body,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Greeting => "greeting",
            Self::Auth => "AUTH",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::Body => "message",
        })
    }
}

/// A message that was not handed over.
pub(super) struct Failure {
    pub(super) error: SendError,
    /// The connection can take the next message.
    pub(super) usable: bool,
    /// The connection ended before anything of the message was transferred: a fresh one may succeed.
    pub(super) hung_up: bool,
}

impl Failure {
    pub(super) fn from_lettre(stage: Stage, error: &Error) -> Self {
        let early = stage != Stage::Body;
        let Some(code) = error.status().map(u16::from) else {
            let kind = error.source().and_then(|source| source.downcast_ref::<io::Error>());
            let why = kind.map_or_else(|| "an unfinished reply".to_owned(), |error| error.kind().to_string());
            return Self {
                error: SendError::Unreachable(format!("{stage}: {why}")),
                usable: false,
                hung_up: early,
            };
        };
        let text = error.source().map(ToString::to_string).unwrap_or_default();
        // 421 is how a relay hangs up.
        Self { error: verdict(stage, code, &text), usable: code != 421, hung_up: code == 421 && early }
    }

    fn unfit(why: &str) -> Self {
        Self { error: SendError::Refused(why.to_owned()), usable: true, hung_up: false }
    }

    fn disorder(stage: Stage) -> Self {
        let error = SendError::Unreachable(format!("{stage}: a reply out of order"));
        Self { error, usable: false, hung_up: false }
    }
}

/// What a negative reply means. Only a refusal of the recipient or of the message condemns the mail; when the
/// relay refuses us (log-in, our sender's address), the fault is in our settings and the mail waits for them.
pub(super) fn verdict(stage: Stage, code: u16, text: &str) -> SendError {
    let shown = match enhanced(text) {
        Some(enhanced) => format!("{code} {enhanced} to {stage}"),
        None => format!("{code} to {stage}"),
    };
    let ours = matches!(code, 530 | 534 | 535 | 538);
    match stage {
        Stage::Rcpt | Stage::Data | Stage::Body if (500..600).contains(&code) && !ours => {
            SendError::Refused(shown)
        }
        _ => SendError::Deferred(shown),
    }
}

/// The enhanced status code (RFC 3463) that begins a reply's text.
fn enhanced(text: &str) -> Option<&str> {
    let word = text.split_ascii_whitespace().next()?;
    let mut parts = 0;
    for part in word.split('.') {
        parts += 1;
        if !(1..=3).contains(&part.len()) || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
    }
    (parts == 3).then_some(word)
}

/// An open connection, past greeting and log-in.
pub(super) struct Link {
    smtp: AsyncSmtpConnection,
    pipelining: bool,
}

impl Link {
    pub(super) fn new(smtp: AsyncSmtpConnection, pipelining: bool) -> Self {
        Self { smtp, pipelining }
    }

    /// Hands one message over.
    pub(super) async fn transfer(&mut self, mail: &Outgoing) -> Result<(), Failure> {
        let commands = self.commands(mail)?;
        if let Err(mut failure) = self.dialogue(&commands, &mail.bytes).await {
            // An envelope begun must not be mixed with the next one.
            failure.usable = failure.usable && self.smtp.command(Rset).await.is_ok();
            return Err(failure);
        }
        Ok(())
    }

    pub(super) async fn quit(mut self) -> Result<(), Error> {
        self.smtp.quit().await.map(drop)
    }

    /// MAIL, each RCPT and DATA, with the stage each belongs to.
    fn commands(&self, mail: &Outgoing) -> Result<Vec<(Stage, String)>, Failure> {
        let relay = self.smtp.server_info();
        let (from, to) = (mail.envelope.from(), mail.envelope.to());
        let mut options = Vec::new();
        if from.into_iter().chain(to).any(|address: &Address| !AsRef::<str>::as_ref(address).is_ascii()) {
            if !relay.supports_feature(Extension::SmtpUtfEight) {
                return Err(Failure::unfit("an address needs SMTPUTF8, which it does not offer"));
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        if !mail.bytes.is_ascii() {
            if !relay.supports_feature(Extension::EightBitMime) {
                return Err(Failure::unfit("the message needs 8BITMIME, which it does not offer"));
            }
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let mut commands = vec![(Stage::Mail, Mail::new(from.cloned(), options).to_string())];
        commands.extend(to.iter().map(|to| (Stage::Rcpt, Rcpt::new(to.clone(), Vec::new()).to_string())));
        commands.push((Stage::Data, Data.to_string()));
        Ok(commands)
    }

    async fn dialogue(&mut self, commands: &[(Stage, String)], bytes: &[u8]) -> Result<(), Failure> {
        if self.pipelining {
            self.ask_at_once(commands).await?
        } else {
            self.ask_in_turn(commands).await?
        }
        // lettre ends the last line itself; the message's own ending would become an empty line.
        let bytes = bytes.strip_suffix(b"\r\n").unwrap_or(bytes);
        let reply = self.smtp.message(bytes).await;
        let reply = reply.map_err(|error| Failure::from_lettre(Stage::Body, &error))?;
        if is_expected(Stage::Body, &reply) { Ok(()) } else { Err(Failure::disorder(Stage::Body)) }
    }

    async fn ask_in_turn(&mut self, commands: &[(Stage, String)]) -> Result<(), Failure> {
        for (stage, command) in commands {
            let reply = self.smtp.command(command).await;
            let reply = reply.map_err(|error| Failure::from_lettre(*stage, &error))?;
            if !is_expected(*stage, &reply) {
                return Err(Failure::disorder(*stage));
            }
        }
        Ok(())
    }

    /// RFC 2920: all commands in one packet, then all replies; two round trips a message instead of four.
    async fn ask_at_once(&mut self, commands: &[(Stage, String)]) -> Result<(), Failure> {
        let batch: String = commands.iter().map(|(_, command)| command.as_str()).collect();
        let mut batch = Some(batch);
        let mut first: Option<Failure> = None;
        for (stage, _) in commands {
            let reply = match batch.take() {
                Some(batch) => self.smtp.command(batch).await,
                None => self.smtp.read_response().await,
            };
            match reply {
                Ok(reply) if !is_expected(*stage, &reply) => return Err(Failure::disorder(*stage)),
                Ok(_) if *stage == Stage::Data => {
                    if let Some(mut failure) = first {
                        // It now waits for a message whose recipient it refused: only hanging up sends none.
                        failure.usable = false;
                        return Err(failure);
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    let failure = Failure::from_lettre(*stage, &error);
                    let usable = failure.usable;
                    // The first refusal is the reason; those after it only follow from it.
                    let failure = first.take().map_or(failure, |first| Failure { usable, ..first });
                    if !usable {
                        return Err(failure);
                    }
                    first = Some(failure);
                }
            }
        }
        first.map_or(Ok(()), Err)
    }
}

fn is_expected(stage: Stage, reply: &Response) -> bool {
    match stage {
        Stage::Data => reply.has_code(354),
        _ => reply.code().severity == Severity::PositiveCompletion,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refused_recipient_or_message_condemns_the_mail() {
        use Stage::{Auth, Body, Data, Greeting, Mail, Rcpt};
        for stage in [Greeting, Auth, Mail, Rcpt, Data, Body] {
            let refused = matches!(verdict(stage, 550, ""), SendError::Refused(_));
            assert_eq!(refused, matches!(stage, Rcpt | Data | Body), "{stage}");
            for code in [421, 450, 530, 535] {
                assert!(matches!(verdict(stage, code, ""), SendError::Deferred(_)), "{code} to {stage}");
            }
        }
    }

    #[test]
    fn of_a_reply_only_the_codes_are_kept() {
        let text = "5.1.1 <anna@example.org>: no such user";
        assert_eq!(verdict(Stage::Rcpt, 550, text), SendError::Refused("550 5.1.1 to RCPT".into()));
        for text in
            ["anna@example.org unknown", "5.1 no", "5.1.1.1 no", "5.1.1234 no", "5..1 no", "a.b.c no", ""]
        {
            assert_eq!(verdict(Stage::Rcpt, 550, text), SendError::Refused("550 to RCPT".into()));
        }
    }
}

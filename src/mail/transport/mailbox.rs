//! The mailbox of development: every message becomes `<id>.eml` in one folder, and a page reads them back.
//! Called through [`super::Sender`] and by the `/dev/mailbox` page; must never drop or change a message.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mail_parser::{Message, MessageParser};
use uuid::Uuid;

use super::{Outgoing, SendError};

/// A folder of messages. Ids are UUIDv7, so names sort by time, and a retried message replaces itself.
#[derive(Clone, Debug)]
pub struct Mailbox {
    dir: PathBuf,
}

/// A line of the mailbox page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The message's id, which is its file name.
    pub id: Uuid,
    /// Whom it is to.
    pub to: String,
    /// Its subject, decoded.
    pub subject: String,
    /// Its Date header.
    pub date: SystemTime,
}

/// One message, read back.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The headers a list shows.
    pub summary: Summary,
    /// The plain text part.
    pub text: Option<String>,
    /// The HTML part.
    pub html: Option<String>,
    /// The file as it is.
    pub raw: Vec<u8>,
}

impl Mailbox {
    /// A mailbox in `dir`, which the first message creates.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The newest `limit` messages, newest first. Files that are not ours are passed over.
    ///
    /// # Errors
    /// When the folder cannot be read; a folder that does not exist yet is empty.
    pub async fn list(&self, limit: usize) -> io::Result<Vec<Summary>> {
        let this = self.clone();
        blocking(move || this.list_now(limit)).await
    }

    /// One message, or `None` when there is none (or none that parses) of that id.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn read(&self, id: Uuid) -> io::Result<Option<Stored>> {
        let this = self.clone();
        blocking(move || this.read_now(id)).await
    }

    pub(super) async fn keep(&self, mail: &Outgoing) -> Result<(), SendError> {
        let (this, mail) = (self.clone(), mail.clone());
        let kept = blocking(move || this.keep_now(&mail)).await;
        // A full disk may have room again: worth another try, like a relay that is away. No path in the text.
        kept.map_err(|error| SendError::Unreachable(format!("the mailbox folder: {}", error.kind())))
    }

    fn keep_now(&self, mail: &Outgoing) -> io::Result<()> {
        fs::create_dir_all(&self.dir)?;
        // Same folder, so that the rename is atomic; own name, so that two processes never share a half file.
        let part = self.dir.join(format!(".{}.part", Uuid::now_v7()));
        let written =
            fs::write(&part, &mail.bytes).and_then(|()| fs::rename(&part, file_name(&self.dir, mail.id)));
        if written.is_err() {
            // The first error is the one to tell; the leftover is a hidden file that nothing reads.
            drop(fs::remove_file(&part));
        }
        written
    }

    fn list_now(&self, limit: usize) -> io::Result<Vec<Summary>> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut ids = Vec::new();
        for entry in entries {
            ids.extend(id_of(&entry?.path()));
        }
        ids.sort_unstable_by(|a, b| b.cmp(a));
        let mut found = Vec::with_capacity(limit.min(ids.len()));
        for id in ids {
            if found.len() == limit {
                break;
            }
            found.extend(self.read_now(id)?.map(|stored| stored.summary));
        }
        Ok(found)
    }

    fn read_now(&self, id: Uuid) -> io::Result<Option<Stored>> {
        let raw = match fs::read(file_name(&self.dir, id)) {
            Ok(raw) => raw,
            // Gone, or a folder of that name: foreign, not ours to report.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::IsADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let Some(message) = MessageParser::default().parse(&raw) else { return Ok(None) };
        let Some(summary) = summarise(id, &message) else { return Ok(None) };
        let text = message.body_text(0).map(Into::into);
        let html = message.body_html(0).map(Into::into);
        Ok(Some(Stored { summary, text, html, raw }))
    }
}

fn summarise(id: Uuid, message: &Message<'_>) -> Option<Summary> {
    let to = message.to()?.first()?.address()?.to_owned();
    let subject = message.subject().unwrap_or_default().to_owned();
    let seconds = u64::try_from(message.date()?.to_timestamp()).ok()?;
    let date = UNIX_EPOCH + Duration::from_secs(seconds);
    Some(Summary { id, to, subject, date })
}

fn file_name(dir: &Path, id: Uuid) -> PathBuf {
    dir.join(format!("{id}.eml"))
}

fn id_of(path: &Path) -> Option<Uuid> {
    let stem = path.file_name()?.to_str()?.strip_suffix(".eml")?;
    let id = Uuid::try_parse(stem).ok()?;
    // Only the spelling we write: anything else would be listed, and then not found under its name.
    (id.to_string() == stem).then_some(id)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::mail::{message::sample, transport::Transport};

    #[tokio::test]
    async fn a_message_comes_back_as_it_was_and_a_retry_replaces_itself() {
        let dir = tempfile::tempdir().unwrap();
        let mailbox = Mailbox::new(dir.path().join("var/mail"));
        assert!(mailbox.list(10).await.unwrap().is_empty());
        let mut sender = Transport::Mailbox(mailbox.clone()).sender();
        let (first, second) = (sample("one@example.org"), sample("two@example.org"));
        for mail in [&first, &second, &first] {
            sender.send(mail).await.unwrap();
        }

        let listed = mailbox.list(10).await.unwrap();
        assert_eq!(listed.iter().map(|summary| summary.id).collect::<Vec<_>>(), [second.id, first.id]);
        assert_eq!(mailbox.list(1).await.unwrap()[0].id, second.id);
        let stored = mailbox.read(first.id).await.unwrap().unwrap();
        assert_eq!(stored.raw, first.bytes);
        assert_eq!(stored.summary, listed[1]);
        assert_eq!(
            (stored.summary.to.as_str(), stored.summary.subject.as_str()),
            ("one@example.org", "Größe")
        );
        assert_eq!(stored.text.unwrap().trim_end(), "Guten Tag – hello");
        assert_eq!(stored.html.unwrap().trim_end(), "<p>Guten Tag – hello</p>");
        assert!(mailbox.read(Uuid::now_v7()).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn foreign_files_are_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let mailbox = Mailbox::new(dir.path());
        let mail = sample("one@example.org");
        mailbox.keep(&mail).await.unwrap();
        fs::write(dir.path().join("notes.txt"), "x").unwrap();
        fs::write(dir.path().join("x.eml"), "x").unwrap();
        fs::write(dir.path().join(format!("{}.eml", Uuid::now_v7())), [0xff, 0, 0x80]).unwrap();
        fs::write(dir.path().join(format!("{}.eml", Uuid::now_v7().simple())), &mail.bytes).unwrap();
        fs::create_dir(dir.path().join(format!("{}.eml", Uuid::now_v7()))).unwrap();
        let listed = mailbox.list(10).await.unwrap();
        assert_eq!(listed.iter().map(|summary| summary.id).collect::<Vec<_>>(), [mail.id]);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_made_is_worth_another_try() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let kept = Mailbox::new(dir.path().join("file/mail")).keep(&sample("one@example.org")).await;
        assert!(matches!(kept, Err(SendError::Unreachable(_))));
    }
}

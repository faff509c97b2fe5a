//! A mail as words: subject, text and HTML, rendered from the templates of a slice and tidied for sending.
//! Called by each slice's `mails.rs`; must not know what any mail says, nor whom it goes to.

use askama::Template;

use super::message::Content;

/// Text lines are filled up to this many characters; a line that holds an address (URL) is never broken.
const TEXT_WIDTH: usize = 72;

/// A mail ready to be put into a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailParts {
    /// The subject: one line, no personal data.
    pub subject: String,
    /// The `text/plain` part.
    pub text: String,
    /// The `text/html` part, with inline styles only: no images, nothing fetched, nothing tracked.
    pub html: String,
}

impl MailParts {
    /// The content of a message, with the one-click address of mails that can be unsubscribed from.
    #[must_use]
    pub fn into_content(self, unsubscribe: Option<String>) -> Content {
        Content { subject: self.subject, text: self.text, html: self.html, unsubscribe }
    }

    /// Renders the three templates of one mail: the subject becomes one line, long text lines are filled.
    ///
    /// # Errors
    /// When a template cannot be rendered.
    pub fn render(
        subject: &impl Template,
        text: &impl Template,
        html: &impl Template,
    ) -> askama::Result<Self> {
        Ok(Self { subject: one_line(&subject.render()?), text: fill(&print(text)?), html: print(html)? })
    }
}

/// What a mail's links and names add to its template at most, mostly: it is then written into memory that is had once.
const FILLED: usize = 2048;

fn print<T: Template>(template: &T) -> askama::Result<String> {
    let mut printed = String::with_capacity(T::SIZE_HINT + FILLED);
    template.render_into(&mut printed)?;
    Ok(printed)
}

/// Every run of white space and control characters becomes one space, so that no header can be added.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Breaks long lines at spaces, keeping each line's indent, and ends the text with one line feed.
fn fill(text: &str) -> String {
    let mut filled = String::with_capacity(text.len() + 64);
    for line in text.trim().lines() {
        let line = line.trim_end();
        // Cheapest first: no character is shorter than a byte.
        if line.len() <= TEXT_WIDTH || line.chars().count() <= TEXT_WIDTH || line.contains("://") {
            filled.push_str(line);
        } else {
            fill_line(line, &mut filled);
        }
        filled.push('\n');
    }
    filled
}

/// Fills one line; the lines it becomes hang under its first word (and under the text of a `- ` item).
fn fill_line(line: &str, filled: &mut String) {
    let words = line.trim_start();
    let mut indent = line.chars().take_while(|c| c.is_whitespace()).collect::<String>();
    filled.push_str(&indent);
    let mut width = indent.chars().count();
    if words.starts_with("- ") {
        indent.push_str("  ");
    }
    for (nth, word) in words.split(' ').enumerate() {
        let length = word.chars().count();
        if nth > 0 && width + 1 + length > TEXT_WIDTH {
            filled.push('\n');
            filled.push_str(&indent);
            width = indent.chars().count();
        } else if nth > 0 {
            filled.push(' ');
            width += 1;
        }
        filled.push_str(word);
        width += length;
    }
}

/// Implements `render()` for a mail's data from `templates/mail/<name>/{subject.txt,body.txt,body.html}`,
/// in which the data is called `mail`.
macro_rules! mail_templates {
    ($data:ident, $subject:literal, $text:literal, $html:literal) => {
        const _: () = {
            #[derive(askama::Template)]
            #[template(path = $subject, escape = "none")]
            struct Subject<'a> {
                mail: &'a $data,
            }
            #[derive(askama::Template)]
            #[template(path = $text, escape = "none")]
            struct Text<'a> {
                mail: &'a $data,
            }
            #[derive(askama::Template)]
            #[template(path = $html)]
            struct Html<'a> {
                mail: &'a $data,
            }
            impl $data {
                /// Renders subject, text and HTML.
                ///
                /// # Errors
                /// When a template cannot be rendered.
                pub fn render(&self) -> askama::Result<$crate::mail::render::MailParts> {
                    let (subject, text, html) =
                        (Subject { mail: self }, Text { mail: self }, Html { mail: self });
                    $crate::mail::render::MailParts::render(&subject, &text, &html)
                }
            }
        };
    };
}
pub(crate) use mail_templates;

#[cfg(test)]
pub(crate) mod soundness {
    //! What must hold for every mail; also writes its HTML to `OPENHEARTH_PAGES_DIR`, to look at it.

    use super::MailParts;

    /// Checks a mail and shows it whole, for a snapshot.
    pub(crate) fn check(name: &str, mail: &MailParts) -> askama::Result<String> {
        if let Some(folder) = std::env::var_os("OPENHEARTH_PAGES_DIR") {
            let file = std::path::Path::new(&folder).join(format!("mail_{name}.html"));
            std::fs::write(file, &mail.html).map_err(|error| askama::Error::Custom(error.into()))?;
        }
        for line in mail.text.lines() {
            assert!(line.chars().count() < 78 || line.trim().starts_with("http"), "{name}: {line:?} is long");
            assert!(!line.contains("://") || line.trim().starts_with("http"), "{name}: {line:?}");
        }
        assert!(
            !mail.subject.is_empty() && !mail.subject.contains(char::is_control),
            "{name}: {:?}",
            mail.subject
        );
        for fetched in ["<img", "<link", "<style", "<script", "url(", "src="] {
            assert!(!mail.html.contains(fetched), "{name} has {fetched}");
        }
        let MailParts { subject, text, html } = mail;
        Ok(format!("Subject: {subject}\n\n{text}\n=== HTML ===\n{html}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{TEXT_WIDTH, fill, one_line};
    use proptest::prelude::*;

    #[test]
    fn a_subject_is_one_line() {
        assert_eq!(
            one_line(" Please confirm:\r\nBcc: x@example.org\n"),
            "Please confirm: Bcc: x@example.org"
        );
    }

    #[test]
    fn long_lines_are_filled_and_hang() {
        let word = "a".repeat(30);
        let filled = fill(&format!("- {word} {word} {word}\n\n    {word} {word} {word}\n"));
        assert_eq!(filled, format!("- {word} {word}\n  {word}\n\n    {word} {word}\n    {word}\n"));
    }

    #[test]
    fn a_line_with_a_link_is_left_alone() {
        let link = format!("https://example.org/confirm/{}", "a".repeat(90));
        assert_eq!(fill(&link), format!("{link}\n"));
    }

    proptest! {
        #[test]
        fn filling_loses_no_word_and_keeps_the_width(text in "([a-z.,]{1,12} ){1,60}") {
            let filled = fill(&text);
            prop_assert!(filled.split_whitespace().eq(text.split_whitespace()));
            prop_assert!(filled.lines().all(|line| line.chars().count() <= TEXT_WIDTH));
        }
    }
}

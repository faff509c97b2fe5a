//! [`Stencil`]: a mail of which only the links differ from one to the next. It is rendered once, with stand-ins for its
//! links; each mail is then put together from the pieces between them. For what goes out by the thousand; called by the
//! `owed.rs` of slices; must not know what any mail says.

use std::sync::OnceLock;

use askama::filters::{Escaper, Html};

use super::render::MailParts;
use crate::speech::Speech;

/// A rendered mail with gaps for `LINKS` links.
#[derive(Debug)]
pub struct Stencil<const LINKS: usize> {
    subject: String,
    text: Cut,
    html: Cut,
}

impl<const LINKS: usize> Stencil<LINKS> {
    /// Of the mail that `render` makes of its links. It must treat them as templates treat links: put them in as they are,
    /// escaped in HTML, and nothing else may depend on them.
    ///
    /// # Errors
    /// When it cannot be rendered.
    pub fn of(render: impl FnOnce([String; LINKS]) -> askama::Result<MailParts>) -> askama::Result<Self> {
        // A name that nobody has (RFC 6761, 6.4), in characters that no template escapes.
        let stand_ins = std::array::from_fn(|nth| format!("https://link-{nth}.stencil.invalid/"));
        let parts = render(stand_ins.clone())?;
        Ok(Self {
            subject: parts.subject,
            text: Cut::of(&parts.text, &stand_ins),
            html: Cut::of(&parts.html, &stand_ins),
        })
    }

    /// The mail with these links.
    ///
    /// # Errors
    /// When a link cannot be escaped.
    pub fn with(&self, links: &[String; LINKS]) -> askama::Result<MailParts> {
        let mut escaped = [const { String::new() }; LINKS];
        for (escaped, link) in escaped.iter_mut().zip(links) {
            Html.write_escaped_str(escaped, link)?;
        }
        Ok(MailParts {
            subject: self.subject.clone(),
            text: self.text.with(links),
            html: self.html.with(&escaped),
        })
    }
}

/// A text cut at its stand-ins.
#[derive(Debug)]
struct Cut {
    /// Each with the link that follows it.
    pieces: Vec<(String, usize)>,
    end: String,
}

impl Cut {
    fn of(text: &str, stand_ins: &[String]) -> Self {
        let (mut pieces, mut rest) = (Vec::new(), text);
        let next = |rest: &str| {
            let found = stand_ins.iter().enumerate().filter_map(|(nth, link)| Some((rest.find(link)?, nth)));
            found.min()
        };
        while let Some((at, nth)) = next(rest) {
            let (piece, after) = rest.split_at(at);
            pieces.push((piece.to_owned(), nth));
            rest = after.strip_prefix(&stand_ins[nth]).unwrap_or(after);
        }
        Self { pieces, end: rest.to_owned() }
    }

    fn with(&self, links: &[String]) -> String {
        let gaps: usize = self.pieces.iter().map(|(piece, nth)| piece.len() + links[*nth].len()).sum();
        let mut text = String::with_capacity(gaps + self.end.len());
        for (piece, nth) in &self.pieces {
            text.push_str(piece);
            text.push_str(&links[*nth]);
        }
        text.push_str(&self.end);
        text
    }
}

/// The stencils of a mail, one for each language, each made when it is first needed.
#[derive(Debug, Default)]
pub struct Stencils<const LINKS: usize>([OnceLock<Stencil<LINKS>>; Speech::ALL.len()]);

impl<const LINKS: usize> Stencils<LINKS> {
    /// The stencil in `speech`, which is made of what `render` makes of its links; see [`Stencil::of`].
    ///
    /// # Errors
    /// When it cannot be rendered.
    pub fn in_speech(
        &self,
        speech: Speech,
        render: impl FnOnce([String; LINKS]) -> askama::Result<MailParts>,
    ) -> askama::Result<&Stencil<LINKS>> {
        let place = &self.0[speech.index()];
        match place.get() {
            Some(stencil) => Ok(stencil),
            None => Stencil::of(render).map(|stencil| place.get_or_init(|| stencil)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    fn mail([first, second]: [String; 2]) -> askama::Result<MailParts> {
        let mut html = String::from("<a href=\"");
        Html.write_escaped_str(&mut html, &first)?;
        html.push_str("\">");
        Html.write_escaped_str(&mut html, &first)?;
        Html.write_escaped_str(&mut html, &second)?;
        Ok(MailParts { subject: "Hello".to_owned(), text: format!("Größe\n{second}\n\n{first}\n"), html })
    }

    proptest! {
        #[test]
        fn a_mail_from_a_stencil_is_the_mail_that_would_be_rendered(first in "\\PC{0,40}", second in "\\PC{0,40}") {
            let links = [first, second];
            prop_assert_eq!(Stencil::of(mail).unwrap().with(&links).unwrap(), mail(links).unwrap());
        }
    }

    #[test]
    fn each_language_has_its_own() {
        let stencils = Stencils::<0>::default();
        let named = |name: &'static str| {
            move |[]: [String; 0]| -> askama::Result<MailParts> {
                Ok(MailParts { subject: name.to_owned(), text: String::new(), html: String::new() })
            }
        };
        for (name, speech) in [("en", Speech::English), ("es", Speech::Spanish), ("again", Speech::English)] {
            let mail = stencils.in_speech(speech, named(name)).unwrap().with(&[]).unwrap();
            assert_eq!(mail.subject, speech.tag());
        }
    }
}

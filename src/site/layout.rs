//! What every page shows around its content, and how a form names what is wrong with a field.
//! Built by each slice's routes; must not hold anything about a visitor.

use crate::speech::Speech;

/// The frame of a page: whose it is, and the nonce of its scripts.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// The campaign's name, as people know it.
    pub campaign_name: String,
    /// Where this server is reached, without a slash at the end.
    pub base_url: String,
    /// The campaign's postal address for the footer; line feeds are kept.
    pub postal_address: Option<String>,
    /// The nonce this response's Content-Security-Policy names in `script-src`.
    pub nonce: String,
    /// The language of the page.
    pub speech: Speech,
    /// The same page in the other languages, where it can be chosen.
    pub languages: Vec<LanguageLink>,
    /// Whether the browser would choose another language than the page's by itself.
    pub is_chosen: bool,
}

/// The same page in another language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanguageLink {
    /// The language's tag.
    pub tag: &'static str,
    /// Its name in itself.
    pub name: &'static str,
    /// Where the page is in it.
    pub href: String,
}

crate::sentences! {
    /// What every page says around its content.
    FrameWords:
    skip = "Skip to the content", "Ir al contenido";
    no_trackers = "No trackers here, and nothing loaded from anywhere else.",
        "Aquí no hay rastreadores, y nada se carga de otros sitios.";
    languages = "Language", "Idioma";
    optional = "optional", "opcional";
    error = "Error: ", "Error: ";
    front_page = "To the front page", "A la página principal";
    one_error = "One thing needs another look", "Hay algo que revisar";
    many_errors = "{count} things need another look", "Hay {count} cosas que revisar";
}

impl Site {
    /// The frame in another language.
    #[must_use]
    pub fn in_speech(self, speech: Speech) -> Self {
        Self { speech, ..self }
    }

    /// The frame with a link to this page, `path`, in every other language; `query` is what else its address says, and
    /// `liked` the language that the browser would choose by itself.
    #[must_use]
    pub fn with_languages(self, path: &str, query: &str, liked: Speech) -> Self {
        let others = Speech::ALL.into_iter().filter(|speech| *speech != self.speech);
        let rest = if query.is_empty() { String::new() } else { format!("&{query}") };
        let link = |speech: Speech| LanguageLink {
            tag: speech.tag(),
            name: speech.name(),
            href: format!("{path}?lang={}{rest}", speech.tag()),
        };
        Self { languages: others.map(link).collect(), is_chosen: self.speech != liked, ..self }
    }

    /// Where `path`, a page whose language can be chosen, is in the language of this one: the address says so where the
    /// browser would choose another.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        let mark = if path.contains('?') { '&' } else { '?' };
        if self.is_chosen { format!("{path}{mark}lang={}", self.speech.tag()) } else { path.to_owned() }
    }

    /// The heading above so many errors.
    #[must_use]
    pub fn errors_heading(&self, count: usize) -> String {
        match count {
            1 => self.words().one_error.to_owned(),
            count => self.words().many_errors.replace("{count}", &count.to_string()),
        }
    }

    /// What the frame says.
    #[must_use]
    pub const fn words(&self) -> &'static FrameWords {
        FrameWords::of(self.speech)
    }
}

/// One thing wrong with what was typed, in words for the person who typed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The HTML name of the field, which is also its id; one that the form does not show (or an empty one) is
    /// listed without a link.
    pub field: String,
    /// A sentence that says what to do.
    pub message: String,
}

impl FieldError {
    /// The error `message` for the field named `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }

    /// The first error among `errors` for the field named `field`.
    #[must_use]
    pub fn find<'a>(errors: &'a [Self], field: &str) -> Option<&'a str> {
        errors.iter().find(|error| error.field == field).map(|error| error.message.as_str())
    }
}

#[cfg(test)]
mod tests {
    use crate::speech::Speech;

    #[test]
    fn a_page_leads_to_itself_in_the_other_languages_and_on_in_its_own() {
        let site = || super::Site::default().in_speech(Speech::Spanish);
        let chosen = site().with_languages("/join", "zip=44035&group=a", Speech::English);
        let hrefs: Vec<_> = chosen.languages.iter().map(|link| (link.tag, link.href.as_str())).collect();
        assert_eq!(hrefs, [("en", "/join?lang=en&zip=44035&group=a")]);
        assert_eq!(chosen.at("/join"), "/join?lang=es");
        assert_eq!(chosen.at("/join?group=a"), "/join?group=a&lang=es");
        let liked = site().with_languages("/join", "", Speech::Spanish);
        assert_eq!(liked.at("/join"), "/join", "the browser asks for it by itself");
    }

    #[test]
    fn the_frame_says_the_same_in_every_language() {
        assert!(super::FrameWords::faults().is_empty());
    }
}

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
}

crate::sentences! {
    /// What every page says around its content.
    FrameWords:
    skip = "Skip to the content", "Ir al contenido";
    no_trackers = "No trackers here, and nothing loaded from anywhere else.",
        "Aquí no hay rastreadores, y nada se carga de otros sitios.";
    one_error = "One thing needs another look", "Hay algo que revisar";
    many_errors = "{count} things need another look", "Hay {count} cosas que revisar";
}

impl Site {
    /// The frame in another language.
    #[must_use]
    pub fn in_speech(self, speech: Speech) -> Self {
        Self { speech, ..self }
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
    #[test]
    fn the_frame_says_the_same_in_every_language() {
        assert!(super::FrameWords::faults().is_empty());
    }
}

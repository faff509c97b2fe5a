//! What every page shows around its content, and how a form names what is wrong with a field.
//! Built by each slice's routes; must not hold anything about a visitor.

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

//! A certificate for loopback, made anew for each test. Called by the SMTP servers of the tests.

/// A self-signed certificate for `localhost` and 127.0.0.1.
pub struct Certificate {
    /// The certificate; whoever trusts it puts this into a CA file.
    pub pem: String,
    key: String,
}

impl Certificate {
    pub fn new() -> Self {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        Self { pem: made.cert.pem(), key: made.signing_key.serialize_pem() }
    }

    /// Certificate and key in one PEM text, for a server.
    pub fn with_key(&self) -> String {
        format!("{}{}", self.pem, self.key)
    }
}

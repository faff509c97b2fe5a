//! A consent receipt: which wording somebody agreed to, and when.
//! Shown in the welcome mail and on the preferences page; must hold the wording exactly as it was shown.

use super::Notice;
use crate::clock::Timestamp;

/// What somebody agreed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsentReceipt {
    /// The exact wording.
    pub wording: String,
    /// SHA-256 of the wording, in hexadecimal.
    pub sha256: String,
    /// When it was confirmed, for people to read.
    pub at: String,
    /// The language it was shown in.
    pub language: String,
}

impl ConsentReceipt {
    /// The receipt for agreeing to `notice`, confirmed at `at`.
    #[must_use]
    pub fn of(notice: &Notice, at: Timestamp) -> Self {
        Self {
            wording: notice.wording.clone(),
            sha256: notice.sha256.clone(),
            at: at.to_string(),
            language: notice.language.clone(),
        }
    }

    /// The wording with its later lines indented like the first, for the text mail.
    #[must_use]
    pub fn indented_wording(&self) -> String {
        self.wording.lines().collect::<Vec<_>>().join("\n    ")
    }
}

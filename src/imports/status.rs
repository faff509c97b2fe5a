//! What a list says of whether somebody may be written to, in the words of the programs that lists come from. Pure.

/// What it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// They may.
    In,
    /// They must not be written to: they left, complained, or their mailbox is gone.
    Out,
    /// They never confirmed.
    Unconfirmed,
    /// It does not say.
    Unknown,
}

impl Says {
    /// Whether it says for certain that nobody may write to them.
    #[must_use]
    pub const fn forbids(self) -> bool {
        matches!(self, Self::Out | Self::Unconfirmed)
    }
}

/// Reads a cell that is not empty.
#[must_use]
pub fn says(text: &str) -> Says {
    let word = text.trim().to_lowercase().replace(['_', '-'], " ");
    match word.as_str() {
        "subscribed" | "confirmed" | "active" | "enabled" | "opted in" | "opt in" | "yes" | "y" | "true"
        | "t" | "1" | "x" => Says::In,
        "unsubscribed" | "not subscribed" | "opted out" | "opt out" | "no" | "n" | "false" | "f" | "0"
        | "cleaned" | "bounced" | "bouncing" | "bounce" | "hard bounce" | "spam" | "spamming"
        | "spam complaint" | "complained" | "complaint" | "suppressed" | "blocklisted" | "blacklisted"
        | "blocked" | "disabled" | "inactive" | "archived" | "left" => Says::Out,
        "unconfirmed" | "pending" | "non subscribed" | "transactional" => Says::Unconfirmed,
        _ => Says::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_all_presets_are_understood_and_doubt_is_no_consent() {
        for word in ["confirmed", "Subscribed", "subscribed", "true", "TRUE", "1", "enabled"] {
            assert_eq!(says(word), Says::In, "{word}");
        }
        for word in [
            "unsubscribed",
            "Not Subscribed",
            "false",
            "suppressed",
            "blocklisted",
            "cleaned",
            "spam_complaint",
        ] {
            assert_eq!(says(word), Says::Out, "{word}");
        }
        assert_eq!(says("unconfirmed"), Says::Unconfirmed);
        for word in ["maybe", "2", "?"] {
            assert_eq!(says(word), Says::Unknown, "{word}");
        }
    }
}

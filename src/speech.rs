//! [`Speech`]: the languages that pages and mails to supporters are written in, and `sentences!`, which keeps what they
//! say in all of them side by side: a sentence that lacks a language does not compile. [`Messages`] does the same for what
//! is wrong with a field, which the API says in English and a page in its language. Called by slices; what is said to staff
//! is English.

use crate::contact::Language;

/// A language of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Speech {
    /// English, where nothing else is known.
    #[default]
    English,
    /// Spanish.
    Spanish,
}

impl Speech {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::English, Self::Spanish];

    /// Its place in [`Self::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::English => 0,
            Self::Spanish => 1,
        }
    }

    /// The language of ours for somebody who reads `tag` (BCP 47).
    #[must_use]
    pub fn of(tag: &str) -> Self {
        Language::parse(tag)
            .map_or(Self::English, |language| Self::known(language.primary()).unwrap_or_default())
    }

    /// The language of ours that `accept`, an Accept-Language header (RFC 9110, 12.5.4), likes best.
    #[must_use]
    pub fn accepted(accept: &str) -> Self {
        let weighed = accept.split(',').take(20).filter_map(|range| {
            let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
            let weight: f32 = weight.trim().strip_prefix("q=")?.trim().parse().ok()?;
            let speech = Self::known(tag.trim().split('-').next()?)?;
            (weight > 0.0).then_some((speech, weight))
        });
        // Of equals, the first.
        let best = weighed.reduce(|best, next| if next.1 > best.1 { next } else { best });
        best.map_or(Self::English, |(speech, _)| speech)
    }

    fn known(primary: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|speech| primary.eq_ignore_ascii_case(speech.tag()))
    }

    /// Its tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }

    /// `message` in this language, if it is one of `known`, whatever fills its gaps.
    #[must_use]
    pub fn say(self, known: Messages, message: &str) -> Option<String> {
        known.iter().find_map(|&(english, spanish)| {
            let there = match self {
                Self::English => english,
                Self::Spanish => spanish,
            };
            refill(english, there, message)
        })
    }

    /// Its name in itself.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Spanish => "Español",
        }
    }
}

/// Messages, each in English, as the API says it, and in Spanish. Gaps stand between braces, alike in both.
pub type Messages = &'static [(&'static str, &'static str)];

/// `there` with its gaps filled as those of `from` are in `message`; nothing where that is another message.
fn refill(from: &str, there: &str, message: &str) -> Option<String> {
    let mut filled = there.to_owned();
    let mut pieces = from.split('{');
    let mut rest = message.strip_prefix(pieces.next()?)?;
    for piece in pieces {
        let (gap, after) = piece.split_once('}')?;
        let end = if after.is_empty() { rest.len() } else { rest.find(after)? };
        filled = filled.replace(&format!("{{{gap}}}"), rest.get(..end)?);
        rest = rest.get(end.checked_add(after.len())?..)?;
    }
    rest.is_empty().then_some(filled)
}

/// Messages whose languages have other gaps to fill, or that lack one.
#[cfg(test)]
pub(crate) fn message_faults(known: Messages) -> Vec<&'static str> {
    let faulty =
        known.iter().filter(|(english, spanish)| gaps(english) != gaps(spanish) || spanish.is_empty());
    faulty.map(|(english, _)| *english).collect()
}

/// Declares a struct of sentences with `of(Speech)`; each line is one sentence in English and in Spanish. What is filled in
/// stands between braces, alike in both: `w.leave.replace("{campaign}", site.campaign_name)`.
#[macro_export]
macro_rules! sentences {
    ($(#[$doc:meta])* $name:ident: $($field:ident = $english:literal, $spanish:literal;)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $(#[doc = $english] pub $field: &'static str,)+
        }

        impl $name {
            /// The sentences in this language.
            #[must_use]
            pub const fn of(speech: $crate::speech::Speech) -> &'static Self {
                const ENGLISH: $name = $name { $($field: $english,)+ };
                const SPANISH: $name = $name { $($field: $spanish,)+ };
                match speech {
                    $crate::speech::Speech::English => &ENGLISH,
                    $crate::speech::Speech::Spanish => &SPANISH,
                }
            }

            /// Sentences whose languages have other gaps to fill, or the same words.
            #[cfg(test)]
            pub(crate) fn faults() -> Vec<&'static str> {
                let pairs = [$((stringify!($field), $english, $spanish)),+];
                let differ = |pair: &&(&str, &str, &str)| {
                    $crate::speech::gaps(pair.1) != $crate::speech::gaps(pair.2) || pair.2.is_empty()
                };
                pairs.iter().filter(differ).map(|pair| pair.0).collect()
            }
        }
    };
}

/// The gaps of a sentence, in alphabetical order.
#[cfg(test)]
pub(crate) fn gaps(sentence: &str) -> Vec<&str> {
    let mut gaps: Vec<&str> = sentence.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
    gaps.sort_unstable();
    gaps
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    sentences! {
        /// Two sentences.
        Two:
        good = "Hello, {name}.", "Hola, {name}.";
        bad = "From {a} to {b}.", "De {a}.";
    }

    #[test]
    fn a_sentence_with_another_gap_is_found() {
        assert_eq!(Two::faults(), ["bad"]);
        assert_eq!(Two::of(Speech::Spanish).good.replace("{name}", "Ada"), "Hola, Ada.");
    }

    #[test]
    fn a_message_is_said_in_another_language_with_its_gaps_filled() {
        const KNOWN: Messages =
            &[("No.", "Que no."), ("At most {max} of {what}.", "Como máximo {max} de {what}.")];
        let say = |message| Speech::Spanish.say(KNOWN, message);
        assert_eq!(say("No.").as_deref(), Some("Que no."));
        assert_eq!(say("At most 12 of these.").as_deref(), Some("Como máximo 12 de these."));
        for other in ["", "No", "No. Never.", "At most 12", "At most 12 of these"] {
            assert_eq!(say(other), None, "{other:?}");
        }
        assert_eq!(Speech::English.say(KNOWN, "At most 1 of x.").as_deref(), Some("At most 1 of x."));
        assert_eq!(message_faults(&[("{a}", "{a}"), ("{a}", ""), ("b", "{b}")]), ["{a}", "b"]);
    }

    #[test]
    fn a_language_is_found_by_its_tag_and_by_what_a_browser_likes() {
        for (tag, speech) in [
            ("es", Speech::Spanish),
            ("es-MX", Speech::Spanish),
            ("en-US", Speech::English),
            ("fr", Speech::English),
            ("", Speech::English),
        ] {
            assert_eq!(Speech::of(tag), speech, "{tag}");
        }
        for (accept, speech) in [
            ("es-MX,es;q=0.9,en;q=0.8", Speech::Spanish),
            ("en-US,en;q=0.9,es;q=0.8", Speech::English),
            ("fr, es;q=0.5, en;q=0.4", Speech::Spanish),
            ("es;q=0, en;q=0.1", Speech::English),
            ("ES", Speech::Spanish),
            ("*", Speech::English),
            ("", Speech::English),
        ] {
            assert_eq!(Speech::accepted(accept), speech, "{accept}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(text in ".*") {
            let _ = (Speech::accepted(&text), Speech::of(&text));
            let _ = Speech::Spanish.say(&[("a{b}c", "c{b}a")], &text);
        }
    }
}

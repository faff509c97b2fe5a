//! What a search by staff looks through: the words of a name, the address and its domain, each in a column with an
//! index of its own, so that "begins with" is a range of it on both databases. Pure.

use diesel::prelude::*;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::{contact::EmailAddress, store::schema::supporters};

/// Columns for words of a name; further words of a longer name are not found by themselves.
pub(super) const WORDS: usize = 6;
/// Most words of a search.
pub(super) const MOST_TERMS: usize = 8;

/// The words a supporter is found by. Whoever writes names or the address of a supporter writes these with them.
#[derive(Clone, Debug, PartialEq, Eq, Insertable, AsChangeset)]
#[diesel(table_name = supporters, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct SearchWords {
    word_1: Option<String>,
    word_2: Option<String>,
    word_3: Option<String>,
    word_4: Option<String>,
    word_5: Option<String>,
    word_6: Option<String>,
    domain: Option<String>,
}

impl SearchWords {
    /// The words of a person with these names and the address with this matching key.
    #[must_use]
    pub fn of(given_name: Option<&str>, family_name: Option<&str>, email_key: &str) -> Self {
        let mut words: Vec<String> = Vec::new();
        for word in [given_name, family_name].into_iter().flatten().flat_map(split) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        // The last word is likely to be what a family is called by.
        if words.len() > WORDS {
            let last = words.pop();
            words.truncate(WORDS - 1);
            words.extend(last);
        }
        let mut words = words.into_iter();
        Self {
            word_1: words.next(),
            word_2: words.next(),
            word_3: words.next(),
            word_4: words.next(),
            word_5: words.next(),
            word_6: words.next(),
            domain: Some(domain(email_key).to_owned()),
        }
    }

    /// The columns in their order, the domain last, for a statement over many supporters.
    pub(in crate::supporters) fn columns(&self) -> [Option<&str>; WORDS + 1] {
        [&self.word_1, &self.word_2, &self.word_3, &self.word_4, &self.word_5, &self.word_6, &self.domain]
            .map(|word| word.as_deref())
    }
}

fn domain(email_key: &str) -> &str {
    email_key.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// Letters and digits in runs, lower-cased, without accents.
fn split(text: &str) -> Vec<String> {
    let plain: String = text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect();
    let plain: String = plain.nfkd().filter(|c| !is_combining_mark(*c)).collect();
    plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// What begins with a text: a range of the column, since both databases compare these columns by their bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Prefix {
    pub from: String,
    /// Above every text that begins so, and above no greater one.
    pub below: String,
}

impl Prefix {
    pub fn new(text: impl Into<String>) -> Self {
        let from = text.into();
        Self { below: format!("{from}\u{10FFFF}"), from }
    }
}

/// One word of a search. With an `@` in it, it begins an address, or, with the `@` before it, a domain; else it begins
/// an address, a domain, or words of a name: each part of `O'Hara` one. A label of an international domain is found when it
/// is typed whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    /// The beginning of an address.
    pub address: Option<Prefix>,
    /// The beginning of its domain.
    pub domain: Option<Prefix>,
    /// Beginnings of words of a name, all of them; the longest first.
    pub parts: Vec<Prefix>,
}

impl Term {
    /// The terms of a search text.
    pub fn all(q: &str) -> Vec<Self> {
        q.split_whitespace().map(Self::parse).collect()
    }

    fn parse(word: &str) -> Self {
        let begins = |text: String| Some(Prefix::new(text));
        if let Some(domain) = word.strip_prefix('@') {
            let domain = begins(EmailAddress::domain_of_beginning(domain));
            return Self { address: None, domain, parts: Vec::new() };
        }
        let address = begins(EmailAddress::key_of_beginning(word));
        if word.contains('@') {
            return Self { address, domain: None, parts: Vec::new() };
        }
        let mut parts = split(word);
        parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
        let parts = parts.into_iter().map(Prefix::new).collect();
        Self { address, domain: begins(EmailAddress::domain_of_beginning(word)), parts }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(given: &str, family: &str) -> Vec<String> {
        let found = SearchWords::of(Some(given), Some(family), "a@example.org");
        let words = [found.word_1, found.word_2, found.word_3, found.word_4, found.word_5, found.word_6];
        words.into_iter().flatten().collect()
    }

    #[test]
    fn names_become_words_without_case_accents_and_punctuation() {
        assert_eq!(words("Zoë Mary-Ann", "O'Hara"), ["zoe", "mary", "ann", "o", "hara"]);
        assert_eq!(words("Ada", "Ada"), ["ada"]);
        assert_eq!(words("a b c d", "e f g last"), ["a", "b", "c", "d", "e", "last"]);
        assert_eq!(words("李 小龍", "مریم"), ["李", "小龍", "مریم"]);
        assert_eq!(SearchWords::of(None, None, "x@example.org").domain.as_deref(), Some("example.org"));
    }

    #[test]
    fn an_at_sign_says_which_end_of_an_address_is_meant() {
        let [whole, domain, either] = &Term::all("Ada@Example @Example.org O'Ha")[..] else { panic!() };
        assert_eq!((&whole.address, whole.parts.len()), (&Some(Prefix::new("ada@example")), 0));
        assert_eq!((&domain.address, &domain.domain), (&None, &Some(Prefix::new("example.org"))));
        assert_eq!(either.parts, [Prefix::new("ha"), Prefix::new("o")]);
    }

    proptest! {
        #[test]
        fn every_beginning_lies_below_its_end_and_nothing_else_does(text in "\\PC{0,8}", prefix in "\\PC{0,3}") {
            let range = Prefix::new(prefix.as_str());
            prop_assert_eq!(text >= range.from && text < range.below, text.starts_with(&prefix));
        }

        #[test]
        fn a_name_is_found_by_what_it_is_typed_as(given in "\\PC{0,20}") {
            let found = words(&given, "");
            for part in split(&given).iter().take(WORDS - 1) {
                prop_assert!(found.contains(part));
            }
        }
    }
}

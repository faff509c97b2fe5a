//! What the text of a cell is: a formula or not, behind a guard or not, words, a tag. Pure.

use unicode_normalization::UnicodeNormalization;

use super::{
    refusals,
    table::{Kind, Layout},
};

/// What a spreadsheet would run, or take for something else than text.
const STARTS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// Which cells of a file are formulas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formulas {
    /// CSV: those that begin as one. Behind a guard it is text.
    Bare,
    /// A workbook: none. Its formulas are cells of their own kind, of which the value is read.
    Never,
    /// Refused rows that are brought again: those that begin as one, behind a guard too. It was put there for whoever
    /// opens that file, and does not mend the row.
    Guarded,
}

impl Formulas {
    /// Of a file that is laid out so.
    pub fn of(layout: &Layout) -> Self {
        match layout.kind {
            _ if refusals::are_in(&layout.header) => Self::Guarded,
            Kind::Csv => Self::Bare,
            Kind::Xlsx => Self::Never,
        }
    }

    /// Whether a cell of this text is one.
    pub fn is_one(self, text: &str) -> bool {
        let begins = |text: &str| text.trim_start().starts_with(['=', '＝']);
        match self {
            Self::Bare => begins(text),
            Self::Never => false,
            Self::Guarded => begins(unguarded(text)),
        }
    }
}

/// With a guard before what a spreadsheet would run.
pub fn guarded(cell: String) -> String {
    if cell.starts_with(STARTS) { format!("'{cell}") } else { cell }
}

/// Without the guard that exports and refused rows have.
pub fn unguarded(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| rest.starts_with(STARTS)).unwrap_or(text)
}

/// A JSON value as a cell would have it.
pub fn plain_text(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Bool(yes) => Some(yes.to_string()),
        serde_json::Value::Array(list) => {
            Some(list.iter().filter_map(|one| one.as_str()).collect::<Vec<_>>().join(";"))
        }
        serde_json::Value::Null | serde_json::Value::Object(_) => None,
    }
}

/// Words of a list within a cell.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', '|'])
        .map(|word| word.trim_matches([' ', '"', '[', ']', '\'']))
        .filter(|word| !word.is_empty())
}

/// A tag as it is stored: letters without their accents, in lower case, words joined by dashes, at most 64 of them.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for letter in text.nfkd().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter);
        } else if !unicode_normalization::char::is_combining_mark(letter)
            && !slug.is_empty()
            && !slug.ends_with('-')
        {
            slug.push('-');
        }
        if slug.len() == 64 {
            break;
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_formula_is_told_by_the_kind_of_file() {
        let all = [Formulas::Bare, Formulas::Never, Formulas::Guarded];
        for (text, expected) in [
            ("=1+1", [true, false, true]),
            ("＝1", [true, false, true]),
            ("'=1+1", [false, false, true]),
            ("'\t=1+1", [false, false, true]),
            ("+1 212 555 0123", [false; 3]),
            ("'-Dash", [false; 3]),
            ("'' =1", [false; 3]),
            ("O'Hara = me", [false; 3]),
        ] {
            assert_eq!(all.map(|formulas| formulas.is_one(text)), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_guarded_comes_back_and_no_guard_mends_a_formula(text in "[=＝+'\t -]{0,3}.{0,8}") {
            let cell = guarded(text.clone());
            prop_assert!(!cell.starts_with(STARTS));
            prop_assert!(unguarded(&cell) == text || text.starts_with('\''));
            prop_assert_eq!(
                Formulas::Bare.is_one(&text) && !Formulas::Guarded.is_one(&cell), false, "{}", cell
            );
        }
    }
}

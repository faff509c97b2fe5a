//! Which new passwords are refused (NIST SP 800-63B, 5.1.1.2): too short, too long, the address itself, or easy to
//! guess. Pure. There are no rules about capitals or signs: they make passwords worse.
//!
//! A password is read as common words, walks over the keyboard, repeats and years, and what is left of it. Each such
//! piece is worth little, each character that is left is worth one point, and too few points are easy to guess. So
//! "Passw0rd2024!" is refused without standing in any list, and a few words that do not belong together are not.

use std::{collections::HashSet, sync::LazyLock};

use secrecy::{ExposeSecret, SecretString};

/// Fewest characters of a password.
pub const MIN_CHARACTERS: usize = 12;
/// Most characters of a password.
pub const MAX_CHARACTERS: usize = 128;
/// Fewest points.
const ENOUGH: usize = 6;
/// Shortest piece that counts as a walk or a repeat.
const SHORTEST_RUN: usize = 3;

const LIST: &str = include_str!("common.txt");
static COMMON: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let lines = LIST.lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_whitespace).map(folded).collect()
});

/// Rows and columns of keyboards, and the alphabet; read both ways, and around the end for digits.
const WALKS: [&str; 12] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "!@#$%^&*()",
    "147258369",
];

/// What is wrong with a new password for the account `email`, if anything.
pub fn weakness(password: &SecretString, email: &str) -> Option<(&'static str, &'static str)> {
    let text = password.expose_secret();
    let length = text.chars().count();
    if length < MIN_CHARACTERS {
        Some(("too_short", "choose a password of at least 12 characters; a few words will do"))
    } else if length > MAX_CHARACTERS {
        Some(("too_long", "choose a password of at most 128 characters"))
    } else if is_the_address(text, email) {
        Some(("same_as_email", "choose a password other than the e-mail address"))
    } else if points(text, email) < ENOUGH {
        let sentence = "this password is easy to guess; choose a few words that do not belong together";
        Some(("too_common", sentence))
    } else {
        None
    }
}

/// The address or its local part, in whatever case.
fn is_the_address(text: &str, email: &str) -> bool {
    let (text, email) = (text.trim().to_lowercase(), email.trim().to_lowercase());
    let local = email.split('@').next().unwrap_or("");
    text == email || (!local.is_empty() && text == local)
}

/// How much of the password nobody would guess first.
fn points(text: &str, email: &str) -> usize {
    let plain: Vec<char> = text.to_lowercase().chars().collect();
    let folded: Vec<char> = plain.iter().map(|c| look_alike(*c)).collect();
    let own: HashSet<String> = email
        .split(['@', '.', '-', '_', '+'])
        .filter(|part| part.chars().count() > 2)
        .map(self::folded)
        .collect();
    let (mut at, mut points) = (0, 0);
    let mut seen = HashSet::new();
    while at < plain.len() {
        let word = word_at(&folded, at, &own);
        let run = run_at(&plain, at).max(year_at(&plain, at));
        if word >= run && word > 0 {
            // The same word again is no harder to guess.
            points += if seen.insert(&folded[at..at + word]) { 2 } else { 0 };
            at += word;
        } else if run > 0 {
            points += 1;
            at += run;
        } else {
            // So is the same character again and again.
            points +=
                usize::from(!plain[..at].contains(&plain[at]) || at < 2 || plain.len() > 2 * MIN_CHARACTERS);
            at += 1;
        }
    }
    points
}

/// Length of the longest common word, or part of the address, that begins at `at`.
fn word_at(text: &[char], at: usize, own: &HashSet<String>) -> usize {
    let longest = (text.len() - at).min(24);
    (3..=longest)
        .rev()
        .find(|length| {
            let word: String = text[at..at + length].iter().collect();
            COMMON.contains(&word) || own.contains(&word)
        })
        .unwrap_or(0)
}

/// Length of the walk or repeat that begins at `at`, if it is long enough to be one.
fn run_at(text: &[char], at: usize) -> usize {
    let repeat = text[at..].iter().take_while(|c| **c == text[at]).count();
    let walk = WALKS.iter().map(|walk| walk_at(&text[at..], walk).max(walk_back_at(&text[at..], walk)));
    let longest = walk.max().unwrap_or(0).max(repeat);
    if longest >= SHORTEST_RUN { longest } else { 0 }
}

fn walk_at(text: &[char], walk: &str) -> usize {
    let walk: Vec<char> = walk.chars().collect();
    longest_common_start(text, &walk)
}

fn walk_back_at(text: &[char], walk: &str) -> usize {
    let walk: Vec<char> = walk.chars().rev().collect();
    longest_common_start(text, &walk)
}

fn longest_common_start(text: &[char], walk: &[char]) -> usize {
    let starts =
        (0..walk.len()).map(|from| text.iter().zip(&walk[from..]).take_while(|(a, b)| a == b).count());
    starts.max().unwrap_or(0)
}

/// Four digits that are a year of somebody's life.
fn year_at(text: &[char], at: usize) -> usize {
    let digits: String = text[at..].iter().take(4).collect();
    let is_year = digits.len() == 4
        && digits.bytes().all(|digit| digit.is_ascii_digit())
        && (digits.starts_with("19") || digits.starts_with("20"));
    if is_year { 4 } else { 0 }
}

fn folded(text: &str) -> String {
    text.to_lowercase().chars().map(look_alike).collect()
}

/// What a sign is put for.
const fn look_alike(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' | '|' => 'i',
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(text: &str) -> Option<&'static str> {
        weakness(&text.to_owned().into(), "maria.keller@example.org").map(|(code, _)| code)
    }

    #[test]
    fn lengths_count_characters_and_not_bytes() {
        assert_eq!(code("kurz & gut!"), Some("too_short"));
        assert_eq!(code("äöüßÄÖÜẞéèêx"), None);
        assert_eq!(code(&"wüstenrose ".repeat(12)), Some("too_long"));
        assert_eq!(code(&"über dem Kamin ".repeat(8)), None);
    }

    #[test]
    fn the_address_and_what_it_is_made_of_are_no_password() {
        assert_eq!(code("Maria.Keller@example.org"), Some("same_as_email"));
        assert_eq!(code("MARIA.KELLER"), Some("same_as_email"));
        assert_eq!(code("mariakeller2024"), Some("too_common"));
        assert_eq!(code("keller-example"), Some("too_common"));
    }

    #[test]
    fn what_is_tried_first_is_refused_in_every_disguise() {
        for text in [
            "password1234",
            "Passw0rd2024!",
            "P@$$w0rd12345",
            "passwordpassword",
            "qwertyuiop123",
            "1q2w3e4r5t6y",
            "123456789012",
            "098765432109",
            "aaaaaaaaaaaa",
            "abababababab",
            "abcabcabcabc",
            "letmeinletmein",
            "iloveyou2023!",
            "welcome12345",
            "Welcome2Welcome",
            "adminadminadmin",
            "Summer2024!!!",
            "1qaz2wsx3edc",
            "football12345",
            "zxcvbnmasdfg",
            "qazwsxedcrfv",
            "openhearth2026",
            "abcdefghijkl",
            "111122223333",
            "changeme1234",
            "superman12345",
            "trustno1trustno1",
            "asdfghjkl1234",
            "            ",
        ] {
            assert_eq!(code(text), Some("too_common"), "{text}");
        }
    }

    #[test]
    fn words_that_do_not_belong_together_are_taken() {
        for text in [
            "correct horse battery staple",
            "seven quiet herons over the slag heap",
            "furnace-lilac-37-otter",
            "xK9#mQ2vLp8z",
            "tidal pewter mango",
            "пять синих слонов",
        ] {
            assert_eq!(code(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_common_word_with_digits_behind_it_is_never_enough(word in 0usize..40, digits in "[0-9]{3}") {
            let common = LIST.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace);
            let word = common.filter(|word| word.len() >= 8).nth(word).unwrap_or("password");
            let text = format!("{word}{digits}{}", &digits[..1]);
            prop_assume!(text.chars().count() >= MIN_CHARACTERS);
            prop_assert_eq!(code(&text), Some("too_common"));
        }

        #[test]
        fn no_text_makes_the_rules_panic(text in ".*", email in ".*") {
            weakness(&text.into(), &email);
        }

        #[test]
        fn what_a_password_manager_makes_is_taken(text in "[a-zA-Z0-9#%&*+=?-]{20}") {
            prop_assert_eq!(code(&text), None);
        }
    }
}

//! What is wrong with a file or a variable, said without repeating what stands in it: a misplaced quotation mark makes a
//! password part of what cannot be read.

use std::path::Path;

use config::ConfigError as Fault;

/// What the values of an enumeration are; the library names it by its type.
const CHOICES: [(&str, &str); 4] = [
    ("Mode", "\"development\" or \"production\""),
    ("TransportKind", "\"mailbox\" or \"smtp\""),
    ("TlsMode", "\"starttls\", \"tls\" or \"none\""),
    ("LogFormat", "\"text\" or \"json\""),
];

/// One sentence that names the file and the line, or the key.
pub(super) fn sentence(fault: &Fault) -> String {
    let place = |sentence: String, key: &Option<String>, origin: &Option<String>| {
        let key = key.as_ref().map(|key| format!(" for key `{key}`")).unwrap_or_default();
        let origin = origin.as_ref().map(|origin| format!(" in {origin}")).unwrap_or_default();
        sentence + &key + &origin
    };
    match fault {
        Fault::NotFound(key) => format!("the key {key} is missing"),
        Fault::FileParse { uri, cause } => {
            let file = uri.as_deref().unwrap_or("the configuration");
            format!("{file}{}", syntax(&cause.to_string()))
        }
        Fault::Type { origin, expected, key, .. } => {
            place(format!("a value of another type than expected ({expected})"), key, origin)
        }
        Fault::At { error, origin, key } => place(sentence(error), key, origin),
        Fault::Message(message) => without_value(message),
        Fault::PathParse { .. } => {
            "the name of a key or variable is none; keys are made of letters and underscores".to_owned()
        }
        Fault::Foreign(cause) => before_quote(&cause.to_string()).to_owned(),
        _ => "it does not fit".to_owned(),
    }
}

/// Line and kind of what the TOML parser says, which shows the line itself in between.
fn syntax(text: &str) -> String {
    let line = text
        .strip_prefix("TOML parse error at line ")
        .and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
    let Some(line) = line else { return format!(": {}", before_quote(text)) };
    let kind = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    let kind = before_quote(kind).split(',').next().unwrap_or_default().trim();
    format!(", line {line}: {kind}; is a quotation mark missing there?")
}

/// A file that cannot be read at all.
pub(super) fn unreadable(file: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}; OPENHEARTH_ENV names it", file.display())
}

/// What a type says of a value that it does not take, without the value where that may be anything.
fn without_value(message: &str) -> String {
    if message.starts_with("invalid type: ") || message.starts_with("invalid value: ") {
        let expected = message.rfind(", expected ").and_then(|at| message.get(at..)).unwrap_or_default();
        return format!("a value that does not fit{expected}");
    }
    let choice = message.strip_prefix("enum ").and_then(|rest| {
        let (name, _) = rest.split_once(' ')?;
        CHOICES.iter().find(|(choice, _)| *choice == name)
    });
    choice.map_or_else(|| message.to_owned(), |(_, values)| format!("the value must be {values}"))
}

/// The beginning, up to the first piece of something else that is repeated.
fn before_quote(text: &str) -> &str {
    text.split(['"', '`', '\'', '\n']).next().unwrap_or_default().trim()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use proptest::{prelude::*, test_runner::Config as Runs};

    use super::*;
    use crate::config::Config;

    /// What is said of a file with this text over the defaults, if it cannot be read.
    fn said(text: &str) -> Option<String> {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let source = config::File::new(file.path().to_str().unwrap(), config::FileFormat::Toml);
        let builder = config::Config::builder().add_source(super::super::defaults()).add_source(source);
        Config::build(builder).err().map(|error| error.to_string())
    }

    #[test]
    fn a_file_that_is_not_toml_is_named_with_its_line_and_none_of_its_text() {
        for text in [
            "\n[database]\nurl = \"postgres://oh:WRONGpw9@x/y\n",
            "\n[mail.smtp]\npassword = WRONGpw9\n",
            "\n\nsecret = \"WRONGpw9 and more\nmode = \"production\"\n",
            "\n\nsecret = '''WRONGpw9",
            "\n\nsecret WRONGpw9",
            "\n\nWRONGpw9 = 1\nWRONGpw9 = 2",
            "\n\nsecret = \"\\WRONGpw9\"",
        ] {
            let said = said(text).unwrap();
            assert!(said.contains(".toml, line "), "{said}");
            assert!(!said.contains("WRONG") && !said.contains('\n'), "{said}");
        }
    }

    #[test]
    fn a_value_in_the_wrong_place_is_not_repeated() {
        for (text, key) in [
            ("old_secrets = \"WRONGpw9\"", "old_secrets"),
            ("database = \"postgres://oh:WRONGpw9@x/y\"", "database"),
            ("[mail]\nsmtp = \"WRONGpw9\"", "mail.smtp"),
            ("[mail.smtp]\nport = \"WRONGpw9\"", "mail.smtp.port"),
            ("[database]\nurl = \"postgers://oh:WRONGpw9@x/y\"", "database.url"),
        ] {
            let said = said(text).unwrap();
            assert!(said.contains(key) && !said.contains("WRONG"), "{said}");
        }
    }

    #[test]
    fn where_there_is_a_choice_the_values_are_named() {
        for (text, values) in [
            ("mode = \"staging\"", CHOICES[0].1),
            ("[mail]\ntransport = \"pigeon\"", CHOICES[1].1),
            ("[mail.smtp]\ntls = \"maybe\"", CHOICES[2].1),
            ("[log]\nformat = \"xml\"", CHOICES[3].1),
        ] {
            let said = said(text).unwrap();
            assert!(said.contains(values), "{said}");
        }
    }

    proptest! {
        #![proptest_config(Runs::with_cases(256))]

        #[test]
        fn no_fault_of_a_file_repeats_a_piece_of_a_password(
            password in "[QXZ0-9\"'=\\[\\]{}#,. \\\\]{8,20}",
            shape in 0_usize..6,
        ) {
            let text = match shape {
                0 => format!("[mail.smtp]\npassword = {password}\n"),
                1 => format!("[mail.smtp]\npassword = \"{password}\n"),
                2 => format!("secret = \"{password}\"\n"),
                3 => format!("[mail.smtp\npassword = {password}\n"),
                4 => format!("old_secrets = [{password}\n"),
                _ => format!("database.url = \"postgres://oh:{password}@h/d\n"),
            };
            if let Some(said) = said(&text) {
                for piece in password.as_bytes().windows(4) {
                    let piece = std::str::from_utf8(piece).unwrap();
                    let is_odd = piece.contains(['Q', 'X', 'Z']);
                    prop_assert!(!is_odd || !said.contains(piece), "{piece:?} of {password:?} is in {said}");
                }
            }
        }
    }
}

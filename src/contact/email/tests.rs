//! The rules of e-mail identity, by example and by property.

use proptest::prelude::*;

use super::syntax::turns_ascii;
use super::*;

fn parse(text: &str) -> EmailAddress {
    match EmailAddress::parse(text) {
        Ok(address) => address,
        Err(error) => panic!("{text:?}: {error}"),
    }
}

fn error(text: &str) -> Option<EmailError> {
    EmailAddress::parse(text).err()
}

#[test]
fn accepts_dot_atoms_at_dotted_domains() {
    for text in [
        "ada@example.org",
        "a@b.co",
        "ada.l@sub.example.org",
        "o'brien+steel@example.org",
        "!#$%&'*+-/=?^_`{|}~@example.org",
        "1234@4.example",
        "é@example.org",
        "用户@例子.example",
        "ada@xn--bcher-kva.example",
    ] {
        assert_eq!(parse(text).as_str(), text);
    }
}

#[test]
fn trims_ascii_white_space_only() {
    assert_eq!(parse(" \t\r\nada@example.org\n ").as_str(), "ada@example.org");
    assert_eq!(error("\u{A0}ada@example.org"), Some(EmailError::WhiteSpace));
    assert_eq!(error(" \n"), Some(EmailError::Empty));
}

#[test]
fn names_the_rule_that_is_broken() {
    for (text, expected) in [
        ("", EmailError::Empty),
        ("ada", EmailError::AtSign),
        ("ada@lovelace@example.org", EmailError::AtSign),
        ("ada l@example.org", EmailError::WhiteSpace),
        ("ada\u{3000}l@example.org", EmailError::WhiteSpace),
        ("@example.org", EmailError::LocalPart),
        (".ada@example.org", EmailError::LocalPart),
        ("ada.@example.org", EmailError::LocalPart),
        ("a..da@example.org", EmailError::LocalPart),
        ("Ada <ada", EmailError::WhiteSpace),
        ("<ada@example.org>", EmailError::LocalPart),
        ("a,b@example.org", EmailError::LocalPart),
        ("\"a b\"@example.org", EmailError::Quoted),
        ("ada@", EmailError::Domain),
        ("ada@localhost", EmailError::Domain),
        ("ada@example.org.", EmailError::Domain),
        ("ada@.example.org", EmailError::Domain),
        ("ada@example..org", EmailError::Domain),
        ("ada@-example.org", EmailError::Domain),
        ("ada@example-.org", EmailError::Domain),
        ("ada@ex_ample.org", EmailError::Domain),
        ("ada@ab--cd.example", EmailError::Domain),
        ("ada@xn--.example", EmailError::Domain),
        ("ada@xn--a-ecp.example", EmailError::Domain),
        ("ada@192.0.2.1", EmailError::Domain),
        ("ada@example.123", EmailError::Domain),
        ("ada@example.１２", EmailError::Domain),
        ("ada@[192.0.2.1]", EmailError::IpLiteral),
        ("ada@[IPv6:2001:db8::1]", EmailError::IpLiteral),
    ] {
        assert_eq!(error(text), Some(expected), "{text:?}");
    }
}

#[test]
fn refuses_what_cannot_be_seen() {
    for c in [
        '\0',
        '\u{7}',
        '\u{B}',
        '\u{7F}',
        '\u{85}',
        '\u{AD}',
        '\u{200B}',
        '\u{200D}',
        '\u{200E}',
        '\u{202E}',
        '\u{2067}',
        '\u{FEFF}',
        '\u{E000}',
        '\u{FFFF}',
        '\u{FFFD}',
        '\u{10FFFD}',
        '\u{E0061}',
    ] {
        for text in [format!("a{c}b@example.org"), format!("ab@exa{c}mple.org")] {
            assert_eq!(error(&text), Some(EmailError::Characters), "{text:?}");
        }
    }
    assert_eq!(error("a.\u{301}b@example.org"), Some(EmailError::Characters));
    assert_eq!(error("ada\r\nBcc: eve@example.org"), Some(EmailError::Characters));
}

#[test]
fn lengths_are_in_octets() {
    let domain = format!("{}.example", "d".repeat(63));
    assert!(EmailAddress::parse(&format!("{}@{domain}", "a".repeat(64))).is_ok());
    assert_eq!(error(&format!("{}@{domain}", "a".repeat(65))), Some(EmailError::TooLong));
    assert!(EmailAddress::parse(&format!("{}@{domain}", "é".repeat(32))).is_ok());
    assert_eq!(error(&format!("{}@{domain}", "é".repeat(33))), Some(EmailError::TooLong));
    assert_eq!(error(&format!("a@{}.example", "d".repeat(64))), Some(EmailError::Domain));

    let long = [61, 63, 63].map(|n| "d".repeat(n)).join(".");
    let local = "a".repeat(64);
    assert_eq!(parse(&format!("{local}@{long}")).as_str().len(), 254);
    assert_eq!(error(&format!("{local}@d{long}")), Some(EmailError::TooLong));
    assert_eq!(error(&"a".repeat(5000)), Some(EmailError::TooLong));
}

#[test]
fn stored_form_is_nfc_with_its_case() {
    assert_eq!(parse("Ju\u{308}rgen@Bu\u{308}cher.Example").as_str(), "J\u{fc}rgen@B\u{fc}cher.Example");
    assert_eq!(parse("Ada@Example.ORG").as_str(), "Ada@Example.ORG");
    // What IDNA reads differently is stored as IDNA reads it.
    assert_eq!(parse("ada@ｅxample。org").as_str(), "ada@example.org");
    assert_eq!(parse("ada@example.\u{212A}im").key(), "ada@example.kim");
}

#[test]
fn key_folds_ascii_case_and_the_domain_only() {
    assert_eq!(parse("Ada.L+Steel@Example.ORG").key(), "ada.l+steel@example.org");
    assert_eq!(parse("JÜRGEN@BÜCHER.example").key(), "jÜrgen@xn--bcher-kva.example");
    assert_eq!(parse("a@Bücher.example").key(), parse("a@XN--BCHER-KVA.example").key());
    assert_eq!(parse("a@straße.example").key(), "a@xn--strae-oqa.example");
    // Only the case of an ASCII letter differs, so the key must not.
    assert_eq!(parse("H\u{331}@example.org").key(), parse("\u{1E96}@example.org").key());
}

#[test]
fn kelvin_sign_is_another_mailbox() {
    let kelvin = parse("mi\u{212A}e@example.org");
    assert_eq!(kelvin.as_str(), "mi\u{212A}e@example.org");
    for other in ["mike@example.org", "miKe@example.org"] {
        assert_ne!(kelvin.key(), parse(other).key());
        assert_ne!(kelvin, parse(other));
        assert_eq!(kelvin.limit_key(), parse(other).limit_key());
    }
    assert_ne!(parse("a\u{1FEF}b@example.org").key(), parse("a`b@example.org").key());
    assert_eq!(parse("mi\u{212A}\u{327}e@example.org").as_str(), "mi\u{212A}\u{327}e@example.org");
}

#[test]
fn nothing_else_normalises_into_ascii() {
    for c in (128..=0x10_FFFF_u32).filter_map(char::from_u32).filter(|&c| !turns_ascii(c)) {
        assert!(!c.to_string().nfc().all(|n| n.is_ascii()), "U+{:04X}", u32::from(c));
    }
}

#[test]
fn limit_key_folds_what_providers_fold() {
    assert_eq!(parse("A.d.a+steel+x@Example.org").limit_key(), "ada@example.org");
    assert_eq!(parse("JÜR.GEN@example.org").limit_key(), "jürgen@example.org");
    assert_eq!(parse("ａｄａ＋x@example.org").limit_key(), "ada@example.org");
    assert_eq!(parse("+x@example.org").limit_key(), "+x@example.org");
}

#[test]
fn mask_shows_the_ends_of_long_words_only() {
    assert_eq!(parse("mike@example.org").masked(), "m…e@e…e.org");
    assert_eq!(parse("bob@mail.example.co.uk").masked(), "b…@m…o.uk");
    assert_eq!(parse("a@b.co").masked(), "a…@b….co");
}

#[test]
fn debug_and_errors_keep_the_address_to_themselves() {
    assert_eq!(format!("{:?}", Some(parse("ada@example.org"))), "Some(EmailAddress(…))");
    let refused = serde_json::from_str::<EmailAddress>("\"secret@localhost\"");
    assert!(refused.is_err_and(|error| !error.to_string().contains("secret")));
}

#[test]
fn travels_as_a_json_string() {
    let json = serde_json::to_string(&parse("Ada@example.org")).unwrap_or_default();
    assert_eq!(json, "\"Ada@example.org\"");
    assert_eq!(serde_json::from_str::<EmailAddress>(&json).ok(), Some(parse("Ada@example.org")));
}

/// Mostly acceptable, with the characters that have caught others out.
fn nearly_address() -> impl Strategy<Value = String> {
    let local =
        "[a-cA-CkKhH.+'=é\u{c9}\u{212A}\u{1FEF}\u{301}\u{308}\u{331}\u{338}\u{327}ßΣσςİıｋ用. ]{1,12}";
    let domain = "([a-cA-CkKéÉß\u{212A}\u{308}例ΣＡ-]{1,6}|xn--bcher-kva|xn--[a-z0-9-]{1,8})([.。][a-cKéü1-]{1,4}){1,3}";
    (local, domain).prop_map(|(local, domain)| format!("{local}@{domain}"))
}

/// Plain ASCII, acceptable or one step from it.
fn ascii_address() -> impl Strategy<Value = String> {
    let likely = (
        "[a-cA-C0-9+_]{1,5}([.'+][a-c]{1,3}){0,2}",
        "[a-cA-C0-9]{1,4}(-{1,2}[a-c0-9]){0,2}([.][a-cA-C0-9]{1,3}){1,3}",
    );
    let wild = ("[a-cA-C0-9+_.'\"(-]{1,8}", "[a-cA-C0-9.@_-]{1,12}");
    prop_oneof![likely, wild].prop_map(|(local, domain)| format!("{local}@{domain}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn parse_never_panics(text in any::<String>()) {
        let _ = EmailAddress::parse(&text);
        let _ = EmailAddress::parse(&format!("{text}@{text}"));
        let _ = EmailAddress::parse(&format!("a@{text}.example"));
    }

    #[test]
    fn accepted_addresses_hold_together(text in prop_oneof![nearly_address(), ascii_address()]) {
        let Ok(address) = EmailAddress::parse(&text) else { return Ok(()) };
        prop_assert_eq!(EmailAddress::parse(address.as_str()), Ok(address.clone()));
        prop_assert!(!address.as_str().chars().any(|c| c.is_control() || c.is_whitespace()));
        prop_assert!(address.as_str().len() <= MAX_ADDRESS);
        prop_assert!(address.ascii_domain().is_ascii());
        prop_assert_eq!(format!("{}@{}", address.local_part(), address.domain()), address.as_str());

        let key = EmailAddress::parse(&address.key());
        prop_assert_eq!(key.as_ref().map(EmailAddress::key), Ok(address.key()));
        prop_assert_eq!(key.map(|key| key.limit_key()), Ok(address.limit_key()));
        prop_assert!(!address.masked().is_empty());
    }

    #[test]
    fn keys_tell_different_ascii_addresses_apart(
        (a, b) in ascii_address().prop_flat_map(|a| {
            let upper = a.to_ascii_uppercase();
            (Just(a), prop_oneof![Just(upper), ascii_address()])
        }),
    ) {
        let (Ok(a), Ok(b)) = (EmailAddress::parse(&a), EmailAddress::parse(&b)) else { return Ok(()) };
        prop_assert_eq!(a.key() == b.key(), a.as_str().eq_ignore_ascii_case(b.as_str()));
    }

    #[test]
    fn keys_keep_the_ascii_of_a_local_part(local in "[a-dkK\u{212A}\u{1FEF}`é]{1,4}", other in "[a-dkK`]{1,4}") {
        let (a, b) = (parse(&format!("{local}@example.org")), parse(&format!("{other}@example.org")));
        prop_assert_eq!(a.key() == b.key(), local.eq_ignore_ascii_case(&other));
    }

    #[test]
    fn case_of_ascii_letters_never_matters(text in "[a-kA-KéÉ\u{212A}ß.+]{1,9}@[a-kéÉß]{1,6}[.][a-kA-K]{2}") {
        let (Ok(a), Ok(b)) = (EmailAddress::parse(&text), EmailAddress::parse(&text.to_ascii_uppercase())) else {
            return Ok(());
        };
        prop_assert_eq!(a.key(), b.key());
        prop_assert_eq!(a.limit_key(), b.limit_key());
    }

    #[test]
    fn fast_path_agrees_with_the_general_one(text in ascii_address()) {
        let general = EmailAddress::parse_general(&text);
        prop_assert_eq!(&EmailAddress::parse(&text), &general);
        if !text.contains("--") {
            prop_assert_eq!(plain_at(text.as_bytes()).is_some(), general.is_ok());
        }
    }
}

#[test]
fn a_beginning_is_what_keys_begin_with() {
    for (typed, key) in [
        ("Ada", "ada"),
        ("Zoë@Bücher.example", "zoë@xn--bcher-kva.example"),
        ("zoe\u{308}@BU\u{308}CHER.ex", "zoë@xn--bcher-kva.ex"),
        ("zoë@bücher", "zoë@xn--bcher-kva"),
        ("ada@mail.bücher.", "ada@mail.xn--bcher-kva."),
        ("ada@Exam", "ada@exam"),
        ("ada@ex_", "ada@ex_"),
        // What IDNA maps to nothing stays what was typed: nobody's.
        ("ada@\u{AD}", "ada@\u{AD}"),
    ] {
        assert_eq!(EmailAddress::key_of_beginning(typed), key, "{typed}");
    }
}

proptest! {
    #[test]
    fn an_address_is_found_by_itself_and_by_what_ends_with_a_label(
        local in "[a-zé]{1,8}", labels in proptest::collection::vec("[a-zü]{1,8}", 2..4), cut in 1..4_usize,
    ) {
        let address = format!("{local}@{}", labels.join("."));
        if let Ok(parsed) = EmailAddress::parse(&address) {
            prop_assert_eq!(EmailAddress::key_of_beginning(&address), parsed.key());
            let beginning = format!("{local}@{}", labels[..cut.min(labels.len())].join("."));
            prop_assert!(parsed.key().starts_with(&EmailAddress::key_of_beginning(&beginning)));
        }
    }

    #[test]
    fn no_beginning_of_a_domain_becomes_everybodys(typed in "\\PC{1,8}|[\u{AD}\u{200B}\u{200D}\u{FE0F}]{1,3}") {
        prop_assert!(!EmailAddress::domain_of_beginning(&typed).is_empty());
    }
}

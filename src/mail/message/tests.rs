//! Tests of a finished message: its bytes, read back by another parser.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, UNIX_EPOCH};

use mail_parser::MessageParser;

use super::*;

const ID: Uuid = Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0001);

fn content() -> Content {
    Content {
        subject: "Please confirm".into(),
        text: "Hello\n.\n..dots\nGoodbye\n".into(),
        html: "<p>Hello</p>\n".into(),
        unsubscribe: Some("https://example.org/unsubscribe/abc".into()),
    }
}

fn identity() -> Identity {
    Identity::parse("Coalition <hello@example.org>", Some("office@example.org")).unwrap()
}

fn build(to: &str, content: &Content) -> Outgoing {
    identity().build(ID, to, content, UNIX_EPOCH + Duration::from_secs(1_750_000_000)).unwrap()
}

/// The lines of the header section, unfolded.
fn headers(mail: &Outgoing) -> Vec<String> {
    let text = String::from_utf8(mail.bytes.clone()).unwrap();
    let head = text.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
    head.split("\r\n").map(str::to_owned).collect()
}

#[test]
fn every_header_is_there_once() {
    let mail = build("anna@example.org", &content());
    let mut found = headers(&mail);
    found.sort();
    assert_eq!(
        found,
        [
            "Auto-Submitted: auto-generated",
            &format!("Content-Type: multipart/alternative; boundary=\"part-{}\"", ID.simple()),
            "Date: Sun, 15 Jun 2025 15:06:40 +0000",
            "From: Coalition <hello@example.org>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            "List-Unsubscribe: <https://example.org/unsubscribe/abc>",
            "MIME-Version: 1.0",
            &format!("Message-ID: <{ID}@example.org>"),
            "Reply-To: office@example.org",
            "Subject: Please confirm",
            "To: anna@example.org",
        ]
    );
    assert_eq!(mail.envelope.from().unwrap().to_string(), "hello@example.org");
    assert_eq!(mail.envelope.to()[0].to_string(), "anna@example.org");
    let parsed = MessageParser::default().parse(&mail.bytes).unwrap();
    assert_eq!(parsed.body_text(0).unwrap().trim_end(), "Hello\r\n.\r\n..dots\r\nGoodbye");
    assert_eq!(parsed.body_html(0).unwrap().trim_end(), "<p>Hello</p>");
    assert_eq!(build("anna@example.org", &content()).bytes, mail.bytes, "every try sends the same bytes");
}

#[test]
fn nothing_but_what_is_asked_for() {
    let identity = Identity::parse("hello@example.org", Some(" ")).unwrap();
    let mail = identity.build(ID, "a@example.org", &Content { unsubscribe: None, ..content() }, UNIX_EPOCH);
    let found = headers(&mail.unwrap()).join("\n");
    assert!(found.contains("From: hello@example.org"));
    assert!(!found.contains("Reply-To") && !found.contains("List-"), "{found}");
}

#[test]
fn headers_cannot_be_injected() {
    for broken in ["\r\n", "\n", "\r", "\0", "\u{b}", "\u{85}"] {
        let evil = format!("x{broken}Bcc: eve@example.org");
        let mail = build("anna@example.org", &Content { subject: evil.clone(), ..content() });
        assert_eq!(headers(&mail).len(), 11, "{broken:?}");
        assert!(!headers(&mail).iter().any(|line| line.starts_with("Bcc")), "{broken:?}");

        let link = Some(format!("https://example.org/{evil}"));
        let content = Content { unsubscribe: link, ..content() };
        let refused = identity().build(ID, "anna@example.org", &content, UNIX_EPOCH).unwrap_err();
        assert_eq!(refused, MessageError::Unsubscribe);
        for to in [format!("anna{evil}"), format!("a@example.org{evil}"), format!("{evil}@example.org")] {
            assert_eq!(identity().build(ID, &to, &content, UNIX_EPOCH).unwrap_err(), MessageError::To);
        }
        let from = format!("Coalition {evil} <hello@example.org>");
        assert_eq!(Identity::parse(&from, None).unwrap_err(), MessageError::From);
        let found = Identity::parse("hello@example.org", Some(&evil));
        assert_eq!(found.unwrap_err(), MessageError::ReplyTo);
    }
}

#[test]
fn a_plain_recipient_is_written_as_any_other_is() {
    for to in
        ["a@example.org", "o'neil+x=y@xn--bcher-kva.example", &format!("{0}@{0}.example", "a".repeat(60))]
    {
        let to = address(to).unwrap();
        let printed = print(header::To::from(Mailboxes::from(Mailbox::new(None, to.clone()))));
        assert_eq!(to_header(to), printed);
    }
}

#[test]
fn odd_recipients_are_refused_without_being_quoted() {
    for to in [
        "",
        "a",
        "@example.org",
        "a@",
        "a b@example.org",
        "\"a b\"@example.org",
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "<a@example.org>",
        "a@b@example.org",
        "a@exa mple.org",
        "a@example.org,b@example.org",
        "a@example..org",
        "a@bücher_x.example",
    ] {
        let error = identity().build(ID, to, &content(), UNIX_EPOCH).unwrap_err();
        assert_eq!(error, MessageError::To, "{to}");
        assert_eq!(SendError::from(error).to_string().matches('@').count(), 0);
    }
}

#[test]
fn a_link_is_http_and_fits_a_line() {
    let long = format!("https://example.org/{}", "x".repeat(LINK_MAX));
    for link in
        ["javascript:x", "mailto:a@example.org", "https://example.org/>", "https://bücher.example/", &long]
    {
        let content = Content { unsubscribe: Some(link.to_owned()), ..content() };
        let refused = identity().build(ID, "a@example.org", &content, UNIX_EPOCH).unwrap_err();
        assert_eq!(refused, MessageError::Unsubscribe, "{link}");
    }
    let link = &long[..LINK_MAX];
    let mail = build("a@example.org", &Content { unsubscribe: Some(link.to_owned()), ..content() });
    assert!(headers(&mail).contains(&format!("List-Unsubscribe: <{link}>")), "neither folded nor encoded");
}

#[test]
fn an_international_domain_goes_out_in_a_labels() {
    let mail = build("Anna@Bücher.example", &content());
    assert_eq!(mail.envelope.to()[0].to_string(), "Anna@xn--bcher-kva.example");
    assert!(headers(&mail).contains(&"To: Anna@xn--bcher-kva.example".to_owned()));
    assert!(mail.bytes.is_ascii());
    let identity = Identity::parse("Bücher <hallo@bücher.example>", None).unwrap();
    assert_eq!(identity.domain(), "xn--bcher-kva.example");
}

#[test]
fn an_international_local_part_stays_as_it_is() {
    let mail = build("grüße@example.org", &content());
    assert!(headers(&mail).contains(&"To: grüße@example.org".to_owned()));
}

#[test]
fn names_and_subjects_in_any_script_come_back() {
    for name in
        ["Koalition für Stahl & Luft, e.V.", "Steel, Jobs & Air", "鋼鉄", "a \"b\" c", "dots. (and) more;"]
    {
        let identity = Identity::parse(&format!("{name} <hello@example.org>"), None).unwrap();
        let subject = format!("{name}: {}", "Bitte bestätigen – ".repeat(20));
        let content = Content { subject: subject.trim().to_owned(), ..content() };
        let mail = identity.build(ID, "a@example.org", &content, UNIX_EPOCH).unwrap();
        assert!(mail.bytes.is_ascii());
        let parsed = MessageParser::default().parse(&mail.bytes).unwrap();
        assert_eq!(parsed.from().unwrap().first().unwrap().name().unwrap(), name);
        assert_eq!(parsed.subject().unwrap(), subject.trim());
    }
    assert_eq!(
        Identity::parse("\"Coalition\" <a@example.org>", None).unwrap().from.name.unwrap(),
        "Coalition"
    );
    assert_eq!(Identity::parse(" <a@example.org> ", None).unwrap().from.name, None);
}

#[test]
fn every_line_ends_in_crlf_and_is_short_enough() {
    for text in [
        "a\nb\r\nc\rd",
        "\r.\r",
        "\n.\n",
        "lone\r",
        "ü\r.\rü",
        &"x".repeat(5000),
        &"ü ".repeat(5000),
        "nul\0",
        &"y".repeat(998),
    ] {
        let content = Content { text: text.into(), html: text.into(), ..content() };
        let mail = build("anna@example.org", &content);
        let bytes = &mail.bytes;
        assert!(bytes.ends_with(b"\r\n"));
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'\n' => assert_eq!(bytes[at - 1], b'\r', "{text:?}"),
                b'\r' => assert_eq!(bytes[at + 1], b'\n', "{text:?}"),
                _ => {}
            }
        }
        assert!(bytes.split(|byte| *byte == b'\n').all(|line| line.len() <= 999), "{text:?}");
    }
}

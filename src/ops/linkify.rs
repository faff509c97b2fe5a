//! Finds the links in a plain text. Called by the page that shows a mail in development.
//! Yields pieces of text, never HTML: the template escapes them, so that no text can become a tag.

/// A piece of a text; the pieces of a text, put together, are that text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text without links.
    Text(String),
    /// A link: `http://` or `https://` and printable ASCII.
    Link(String),
}

/// Cuts `text` into links and what stands between them.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece> {
    let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
    while let Some(first) = rest.chars().next() {
        let inside_word = plain.chars().next_back().is_some_and(char::is_alphanumeric);
        let length = if inside_word { 0 } else { link_length(rest) };
        if length > 0 {
            let (link, after) = rest.split_at(length);
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Link(link.to_owned()));
            rest = after;
        } else {
            plain.push(first);
            rest = rest.split_at(first.len_utf8()).1;
        }
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    pieces
}

/// How long the link is that `text` starts with, in bytes; 0 if it starts with none.
fn link_length(text: &str) -> usize {
    let Some(scheme) = ["https://", "http://"].into_iter().find(|scheme| text.starts_with(scheme)) else {
        return 0;
    };
    let end = text.find(|c| !may_be_in_link(c)).unwrap_or(text.len());
    let link = text.split_at(end).0;
    let link = without_closing_marks(link);
    let host = link.strip_prefix(scheme).unwrap_or_default();
    if host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[') { link.len() } else { 0 }
}

/// Printable ASCII except the marks that stand around links.
fn may_be_in_link(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '\'' | '`' | '{' | '}' | '|' | '\\' | '^')
}

/// Drops the full stop, comma or bracket that belongs to the sentence around the link.
fn without_closing_marks(mut link: &str) -> &str {
    loop {
        let shorter = link.trim_end_matches(['.', ',', ';', ':', '!', '?']);
        let shorter = match shorter.strip_suffix(')') {
            Some(inner) if inner.matches('(').count() <= inner.matches(')').count() => inner,
            _ => shorter,
        };
        if shorter.len() == link.len() {
            return link;
        }
        link = shorter;
    }
}

#[cfg(test)]
mod tests {
    use super::{Piece, pieces};
    use proptest::prelude::*;

    fn links(text: &str) -> Vec<String> {
        let links = pieces(text).into_iter().filter_map(|piece| match piece {
            Piece::Link(link) => Some(link),
            Piece::Text(_) => None,
        });
        links.collect()
    }

    #[test]
    fn links_end_where_people_think_they_end() {
        let ends = [
            ("Open https://example.org/confirm/k1.a~b_c-d.", "https://example.org/confirm/k1.a~b_c-d"),
            ("(see http://127.0.0.1:8080/x?a=1&b=2#c)", "http://127.0.0.1:8080/x?a=1&b=2#c"),
            ("https://example.org/a_(b), and so on", "https://example.org/a_(b)"),
            ("<https://example.org/>", "https://example.org/"),
            ("http://[::1]:8080/!?", "http://[::1]:8080/"),
            ("“https://example.org/é”", "https://example.org/"),
            ("http://https://example.org", "http://https://example.org"),
        ];
        for (text, link) in ends {
            assert_eq!(links(text), [link], "{text}");
        }
    }

    #[test]
    fn nothing_else_is_a_link() {
        for text in [
            "javascript:alert(1)",
            "HTTPS://example.org",
            "xhttps://example.org",
            "https://",
            "https:// example.org",
            "https://.",
            "ftp://example.org",
            "data:text/html,<b>",
            "//example.org",
            "http://\u{202e}gro.elpmaxe",
        ] {
            assert_eq!(links(text), Vec::<String>::new(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn pieces_are_the_text_and_links_hold_nothing_dangerous(
            text in prop_oneof!["(https?://|[<>\"'&().a-z/]{0,5}| |\n|é){0,12}", "\\PC{0,40}"],
        ) {
            let mut joined = String::new();
            for piece in pieces(&text) {
                match piece {
                    Piece::Text(text) => joined.push_str(&text),
                    Piece::Link(link) => {
                        prop_assert!(link.starts_with("http://") || link.starts_with("https://"));
                        prop_assert!(link.chars().all(|c| c.is_ascii_graphic() && !"<>\"'`".contains(c)));
                        joined.push_str(&link);
                    }
                }
            }
            prop_assert_eq!(joined, text);
        }
    }
}

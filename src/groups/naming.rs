//! The slug of a group, made from its name: for addresses, and never changed. Pure.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Characters of it, with room for a number behind.
const MOST: usize = 56;
/// Paths of our own beside `/groups/{slug}`.
const RESERVED: [&str; 5] = ["answer", "apply", "applied", "confirm", "directory"];

/// The slug that `name` asks for: its letters and digits without marks, in lower case, with dashes between.
pub(super) fn of(name: &str) -> String {
    let mut slug = String::new();
    for c in name.nfkd().filter(|c| !is_combining_mark(*c)) {
        let kept = match c {
            'ß' => "ss",
            'ø' | 'Ø' => "o",
            'æ' | 'Æ' => "ae",
            'ł' | 'Ł' => "l",
            // An apostrophe stands inside a word.
            '\'' | '’' => continue,
            c if c.is_ascii_alphanumeric() => {
                slug.push(c.to_ascii_lowercase());
                continue;
            }
            _ => "-",
        };
        if kept != "-" || !(slug.is_empty() || slug.ends_with('-')) {
            slug.push_str(kept);
        }
    }
    // All of it is ASCII by now.
    slug.truncate(MOST);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "group".to_owned() } else { slug.to_owned() }
}

/// `slug`, or the first of `slug-2`, `slug-3`, … that is neither among those `taken` nor a path of our own.
pub(super) fn free(slug: &str, taken: &[String]) -> String {
    let is_free = |slug: &str| !RESERVED.contains(&slug) && taken.iter().all(|one| one != slug);
    if is_free(slug) {
        return slug.to_owned();
    }
    // One more than are taken: one of these is free.
    (2..=taken.len() + 3)
        .map(|number| format!("{slug}-{number}"))
        .find(|slug| is_free(slug))
        .unwrap_or_else(|| slug.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::contact::Slug;

    #[test]
    fn a_slug_is_made_of_the_letters_of_a_name() {
        for (name, slug) in [
            ("Valley Clean Air", "valley-clean-air"),
            ("Mill Workers' Local 12", "mill-workers-local-12"),
            ("  Ärzte & Øre – für Großstädte! ", "arzte-ore-fur-grossstadte"),
            ("Peña, Łódź", "pena-lodz"),
            ("清風", "group"),
            ("---", "group"),
        ] {
            assert_eq!(of(name), slug, "{name}");
        }
    }

    #[test]
    fn a_taken_slug_gets_a_number() {
        let taken = |slugs: &[&str]| slugs.iter().map(|slug| (*slug).to_owned()).collect::<Vec<_>>();
        assert_eq!(free("valley", &[]), "valley");
        assert_eq!(free("valley", &taken(&["valley"])), "valley-2");
        assert_eq!(free("valley", &taken(&["valley", "valley-2", "valley-green"])), "valley-3");
        assert_eq!(free("apply", &[]), "apply-2");
    }

    proptest! {
        #[test]
        fn every_name_has_a_slug_that_is_one(name in any::<String>()) {
            let slug = of(&name);
            prop_assert!(Slug::parse(&slug).is_ok(), "{}", slug);
            prop_assert!(Slug::parse(&free(&slug, std::slice::from_ref(&slug))).is_ok());
        }
    }
}

//! Classes of characters that have no place in a person's contact data.
//!
//! Called by the sibling modules only. Must not decide what a field accepts: it names classes, the field
//! combines them. Ranges are facts of the Unicode Character Database (general category Cf, property
//! Default_Ignorable_Code_Point, Bidi_Control), kept here because no dependency we have offers them.

/// Embeddings, overrides and isolates (UAX #9, 2.1 to 2.5): they reorder the text around them.
pub(super) fn reorders_text(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Characters that print nothing: format characters, fillers, variation selectors, zero-width joiners.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{600}'..='\u{605}' | '\u{61C}' | '\u{6DD}' | '\u{70F}' | '\u{890}'..='\u{891}'
        | '\u{8E2}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{110BD}' | '\u{110CD}'
        | '\u{13430}'..='\u{1343F}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}')
}

/// Code points without a shared meaning: private use, non-characters, and the mark of a decoding fault.
pub(super) fn is_meaningless(c: char) -> bool {
    let code = u32::from(c);
    matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'.. | '\u{FDD0}'..='\u{FDEF}' | '\u{FFFD}')
        || code & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_what_they_name() {
        for c in ['\u{202E}', '\u{2066}', '\u{2069}'] {
            assert!(reorders_text(c) && is_invisible(c));
        }
        for c in ['\u{200B}', '\u{200D}', '\u{FEFF}', '\u{E0041}', '\u{3164}'] {
            assert!(is_invisible(c) && !reorders_text(c));
        }
        for c in ['\u{E000}', '\u{10FFFD}', '\u{FFFE}', '\u{1FFFF}', '\u{FFFD}'] {
            assert!(is_meaningless(c));
        }
        for c in ['a', 'é', 'ж', '例', '\u{301}', '🔥', '~'] {
            assert!(!reorders_text(c) && !is_invisible(c) && !is_meaningless(c));
        }
    }
}

//! Time-based one-time passwords (RFC 6238 over RFC 4226): SHA-1, six digits, 30 seconds, a step to either side. Pure.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Length of a step in seconds.
const STEP: i64 = 30;

/// The code of `step`.
fn code(secret: &[u8], step: i64) -> u32 {
    // HMAC takes a key of any length.
    let Ok(mac) = Hmac::<Sha1>::new_from_slice(secret) else { return u32::MAX };
    let digest = mac.chain_update(step.to_be_bytes()).finalize().into_bytes();
    let at = usize::from(digest[19] & 0x0f);
    let mut four = [0; 4];
    four.copy_from_slice(&digest[at..at + 4]);
    (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000
}

/// The newest step that `text` is the code of, among those that count at `seconds` since 1970.
pub fn matching_step(secret: &[u8], text: &str, seconds: i64) -> Option<i64> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let wanted: u32 = digits.parse().ok()?;
    let now = seconds.div_euclid(STEP);
    [now + 1, now, now - 1].into_iter().find(|step| code(secret, *step) == wanted)
}

/// The code that an app shows at `seconds` since 1970; for tests.
#[must_use]
pub fn code_at(secret: &[u8], seconds: i64) -> String {
    format!("{:06}", code(secret, seconds.div_euclid(STEP)))
}

/// RFC 4648, section 6, without padding: what people type into an app that cannot see the picture.
pub fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut buffer, mut bits, mut text) = (0_u32, 0, String::new());
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            let index = usize::try_from((buffer >> bits) & 31).unwrap_or(0);
            text.push(char::from(ALPHABET[index]));
        }
        buffer &= (1 << bits) - 1;
    }
    if bits > 0 {
        let index = usize::try_from((buffer << (5 - bits)) & 31).unwrap_or(0);
        text.push(char::from(ALPHABET[index]));
    }
    text
}

/// What the picture says to an app (Key URI Format).
pub fn key_uri(issuer: &str, account: &str, secret: &[u8]) -> String {
    let (issuer, account) = (escaped(issuer), escaped(account));
    let secret = base32(secret);
    format!(
        "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30"
    )
}

fn escaped(text: &str) -> String {
    use std::fmt::Write;
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// A recovery code as it is compared: small letters and digits, however it was typed.
pub fn folded_recovery_code(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The test vectors of RFC 6238, appendix B, cut from eight digits to six.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let secret = b"12345678901234567890";
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code_at(secret, seconds), code);
        }
    }

    /// RFC 4648, section 10.
    #[test]
    fn base32_is_that_of_the_rfc() {
        for (plain, coded) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn a_uri_cannot_be_broken_by_names() {
        let uri = key_uri("Good & Steel: Co", "a+b@example.org", b"x");
        assert!(
            uri.starts_with("otpauth://totp/Good%20%26%20Steel%3A%20Co:a%2Bb%40example.org?secret=PA&"),
            "{uri}"
        );
    }

    proptest! {
        #[test]
        fn a_code_counts_for_its_step_and_one_to_either_side(seconds in 0i64..4_000_000_000, secret: [u8; 20]) {
            let text = code_at(&secret, seconds);
            let step = seconds / 30;
            for late in [-30, 0, 30] {
                // Two steps may share a code by chance; the newest is then meant.
                let found = matching_step(&secret, &text, seconds + late);
                prop_assert!(found.is_some_and(|found| found >= step && found <= step + 2), "{found:?}");
            }
            let far = matching_step(&secret, &text, seconds + 90);
            prop_assert!(far.is_none_or(|far| far > step));
        }

        #[test]
        fn no_text_makes_the_check_panic(text in ".*") {
            matching_step(b"secret", &text, 0);
        }
    }
}

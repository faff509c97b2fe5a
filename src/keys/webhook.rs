//! The secrets that webhooks are signed with: derived for a group and a version, so that none is stored, and a new
//! version ends the one before. Under the key that is never rotated: a group would not know that it was.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::Mac;

use super::{Keys, hash::write_hex, hmac};
use crate::id::Id;

impl Keys {
    /// The secret that this group's webhook is signed with, as it is shown once.
    #[must_use]
    pub fn webhook_secret(&self, group: Id, version: i32) -> String {
        let mac = self.suppression.clone().chain_update("webhook").chain_update([0]);
        let secret = mac.chain_update(group.as_bytes()).chain_update(version.to_be_bytes()).finalize();
        format!("whsec_{}", URL_SAFE_NO_PAD.encode(secret.into_bytes()))
    }
}

/// HMAC-SHA-256 in lower-case hexadecimal over the seconds since 1970, a full stop, and the body, with the characters
/// of `secret` as the key.
#[must_use]
pub fn signature(secret: &str, seconds: i64, body: &[u8]) -> String {
    struct Hex(Vec<u8>);
    impl std::fmt::Display for Hex {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write_hex(f, &self.0)
        }
    }
    let mac = hmac(secret.as_bytes()).chain_update(seconds.to_string()).chain_update(".").chain_update(body);
    Hex(mac.finalize().into_bytes().to_vec()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_belongs_to_one_group_and_one_version() {
        let keys = Keys::new(&"s".to_owned().into(), &[], &"stays".to_owned().into());
        let after_rotation = Keys::new(&"t".to_owned().into(), &[], &"stays".to_owned().into());
        let (a, b) = (Id::new(), Id::new());
        let secret = keys.webhook_secret(a, 1);
        assert!(secret.starts_with("whsec_") && secret.len() == 6 + 43);
        assert_eq!(after_rotation.webhook_secret(a, 1), secret);
        assert_ne!(keys.webhook_secret(b, 1), secret);
        assert_ne!(keys.webhook_secret(a, 2), secret);
    }

    #[test]
    fn the_signature_is_what_other_tools_compute() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac whsec_test
        let expected = "38877139021993b830af32feea6e18a8da83eb2f6e49ee50bd9e4cf4ca4d3789";
        assert_eq!(signature("whsec_test", 1_700_000_000, br#"{"a":1}"#), expected);
        assert_ne!(signature("whsec_test", 1_700_000_001, br#"{"a":1}"#), expected);
    }
}

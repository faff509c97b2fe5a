//! Keys: what signs links, and what hashes addresses. Every other secret use goes through here.
//!
//! `secret` signs and may be rotated (`old_secrets` verify until removed); the suppression key is never
//! rotated, since the hashes made with it must still match in ten years.

mod hash;
mod link;
mod webhook;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

pub use hash::{AddressHash, FileHasher, sha256, sha256_hex};
pub use link::{Link, LinkError, Purpose};
pub use webhook::signature;

/// All key material of one process. Clones share nothing secret with logs: `Debug` prints no key.
#[derive(Clone)]
pub struct Keys {
    current: SigningKey,
    old: Vec<SigningKey>,
    /// Ready to take the text: its key is worked in already.
    suppression: Hmac<Sha256>,
}

#[derive(Clone)]
struct SigningKey {
    id: [u8; 4],
    root: [u8; 32],
}

impl SigningKey {
    fn from_secret(secret: &SecretString) -> Self {
        let root: [u8; 32] = Sha256::new()
            .chain_update(b"openhearth signing key\0")
            .chain_update(secret.expose_secret())
            .finalize()
            .into();
        let digest = Sha256::new().chain_update(b"openhearth key id\0").chain_update(root).finalize();
        let mut id = [0; 4];
        id.copy_from_slice(&digest[..4]);
        Self { id, root }
    }
}

impl Keys {
    /// Keys from configured secrets of any length (production demands at least 32 characters).
    #[must_use]
    pub fn new(secret: &SecretString, old_secrets: &[SecretString], suppression: &SecretString) -> Self {
        Self {
            current: SigningKey::from_secret(secret),
            old: old_secrets.iter().map(SigningKey::from_secret).collect(),
            suppression: hmac(
                &Sha256::new()
                    .chain_update(b"openhearth suppression key\0")
                    .chain_update(suppression.expose_secret())
                    .finalize(),
            ),
        }
    }

    fn signing_key(&self, id: &[u8]) -> Option<&SigningKey> {
        std::iter::once(&self.current).chain(&self.old).find(|key| key.id == id)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(…)")
    }
}

/// HMAC-SHA-256 (RFC 2104). Any key length is valid for HMAC, so making one cannot fail.
#[expect(clippy::expect_used, reason = "HMAC accepts keys of every length")]
fn hmac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length")
}

fn derive(key: &[u8; 32], label: &str) -> [u8; 32] {
    hmac(key).chain_update(label).finalize().into_bytes().into()
}

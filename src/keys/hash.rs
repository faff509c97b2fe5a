//! Hashes: keyed ones that stand for an address or a client, and the plain SHA-256 of tokens and wordings.

use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    serialize::{self, Output, ToSql},
    sql_types::Binary,
};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::Keys;
use crate::id::Id;

/// A keyed hash (HMAC-SHA-256 cut to 128 bits) that stands for an address or a client without naming it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = Binary)]
pub struct AddressHash([u8; 16]);

impl Keys {
    /// Stands for one mailbox, by its matching key: the suppression list and "is this person known".
    #[must_use]
    pub fn address_hash(&self, key: &str) -> AddressHash {
        self.keyed("address", key.as_bytes())
    }

    /// Stands for one folded address: how often it may be mailed before somebody clicks.
    #[must_use]
    pub fn limit_hash(&self, limit_key: &str) -> AddressHash {
        self.keyed("mail limit", limit_key.as_bytes())
    }

    /// Stands for one client address (the /64 network for IPv6, whose hosts are one household).
    #[must_use]
    pub fn client_hash(&self, client: std::net::IpAddr) -> AddressHash {
        match client {
            std::net::IpAddr::V4(v4) => self.keyed("client", &v4.octets()),
            std::net::IpAddr::V6(v6) => self.keyed("client", &v6.octets()[..8]),
        }
    }

    /// Stands for a search text in the record of an export.
    #[must_use]
    pub fn search_hash(&self, text: &str) -> AddressHash {
        self.keyed("search", text.as_bytes())
    }

    /// Stands for who or what tries to log in: `kind` is `account`, `client` or `browser`.
    #[must_use]
    pub fn attempt_hash(&self, kind: &str, name: &str) -> AddressHash {
        self.keyed("login attempt", format!("{kind} {name}").as_bytes())
    }

    /// Stands for one recovery code of one account, so that codes cannot be guessed from the database alone.
    #[must_use]
    pub fn recovery_hash(&self, staff: Id, code: &str) -> AddressHash {
        self.keyed("recovery code", &[staff.as_bytes().as_slice(), code.as_bytes()].concat())
    }

    /// The secret of somebody's authenticator app (160 bits, RFC 4226, section 4). It is derived from the key that is
    /// never rotated and from what the database holds, so that the database alone gives no codes.
    #[must_use]
    pub fn totp_secret(&self, staff: Id, nonce: &[u8]) -> [u8; 20] {
        let mac = self.suppression.clone().chain_update("totp").chain_update([0]);
        let full = mac.chain_update(staff.as_bytes()).chain_update(nonce).finalize().into_bytes();
        let mut secret = [0; 20];
        secret.copy_from_slice(&full[..20]);
        secret
    }

    /// The link of an audit entry: HMAC-SHA-256, 32 bytes, under the key that is never rotated, so that an old trail
    /// still verifies.
    #[must_use]
    pub fn audit_mac(&self, bytes: &[u8]) -> Vec<u8> {
        let full =
            self.suppression.clone().chain_update("audit").chain_update([0]).chain_update(bytes).finalize();
        full.into_bytes().to_vec()
    }

    /// The seal of an audit trail's checkpoint, of 32 bytes: like a link's, and never taken for one.
    #[must_use]
    pub fn audit_seal(&self, bytes: &[u8]) -> Vec<u8> {
        let full = self.suppression.clone().chain_update("audit checkpoint").chain_update([0]);
        full.chain_update(bytes).finalize().into_bytes().to_vec()
    }

    /// Stands for an uploaded file; it is fed piece by piece.
    #[must_use]
    pub fn file_hash(&self) -> FileHasher {
        FileHasher(self.suppression.clone().chain_update("file").chain_update([0]))
    }

    fn keyed(&self, label: &str, bytes: &[u8]) -> AddressHash {
        let full =
            self.suppression.clone().chain_update(label).chain_update([0]).chain_update(bytes).finalize();
        let mut cut = [0; 16];
        cut.copy_from_slice(&full.into_bytes()[..16]);
        AddressHash(cut)
    }
}

/// The keyed hash of a file in the making.
#[derive(Clone)]
pub struct FileHasher(Hmac<Sha256>);

impl FileHasher {
    /// Takes the next bytes of the file.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all that was taken.
    #[must_use]
    pub fn finish(self) -> AddressHash {
        let mut cut = [0; 16];
        cut.copy_from_slice(&self.0.finalize().into_bytes()[..16]);
        AddressHash(cut)
    }
}

impl AddressHash {
    /// As the number that a database locks by.
    pub(crate) fn lock_key(self) -> i64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        i64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// As the subject of a link that is about an address and no row: such a link outlives every row.
    #[must_use]
    pub const fn as_subject(self) -> Id {
        Id::from_bytes(self.0)
    }

    /// The address that a link with this subject is about.
    #[must_use]
    pub const fn from_subject(subject: Id) -> Self {
        Self(*subject.as_bytes())
    }
}

impl std::fmt::Display for AddressHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write_hex(f, &self.0)
    }
}

impl<DB: Backend> ToSql<Binary, DB> for AddressHash
where
    [u8]: ToSql<Binary, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        <[u8] as ToSql<Binary, DB>>::to_sql(&self.0, out)
    }
}

impl<DB: Backend> FromSql<Binary, DB> for AddressHash
where
    Vec<u8>: FromSql<Binary, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let bytes = Vec::<u8>::from_sql(bytes)?;
        Ok(Self(bytes.as_slice().try_into()?))
    }
}

/// The SHA-256 of a token or session id, as it is stored.
#[must_use]
pub fn sha256(text: &str) -> Vec<u8> {
    Sha256::digest(text).to_vec()
}

/// The SHA-256 of a wording or a file, in lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: impl AsRef<[u8]>) -> String {
    struct Hex<'a>(&'a [u8]);
    impl std::fmt::Display for Hex<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write_hex(f, self.0)
        }
    }
    Hex(&Sha256::digest(bytes)).to_string()
}

pub(super) fn write_hex(f: &mut std::fmt::Formatter<'_>, bytes: &[u8]) -> std::fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(secret: &str) -> Keys {
        Keys::new(&"signing".to_owned().into(), &[], &secret.to_owned().into())
    }

    #[test]
    fn the_hash_of_an_address_depends_on_the_key_and_on_what_it_is_for() {
        let keys_a = keys("a");
        assert_eq!(keys_a.address_hash("x@example.org"), keys_a.address_hash("x@example.org"));
        assert_ne!(keys_a.address_hash("x@example.org"), keys("b").address_hash("x@example.org"));
        assert_ne!(keys_a.address_hash("x@example.org"), keys_a.limit_hash("x@example.org"));
    }

    #[test]
    fn sha256_hex_is_the_published_digest_of_abc() {
        assert_eq!(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}

//! Envelope encryption: a data key per person, wrapped by a versioned key-encryption key.
//!
//! AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce for each message. The associated data ties a
//! ciphertext to its place, so that a row moved elsewhere does not open. Destroying the wrapped key makes all
//! that a person said unreadable (crypto-shredding).

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use thiserror::Error;

const FORMAT: u8 = 1;
const NONCE_BYTES: usize = 12;

/// A 96-bit nonce: random, used once.
pub type NonceBytes = [u8; NONCE_BYTES];

/// Why something cannot be sealed or opened. Says nothing about the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SealError {
    /// The key-encryption keys are not `version:base64(32 bytes)[,…]`.
    #[error("key ring is malformed")]
    KeyRing,
    /// The key was wrapped with a version that the ring does not have.
    #[error("key-encryption key version {0} is unknown")]
    UnknownVersion(u32),
    /// Wrong key, wrong place, or changed bytes.
    #[error("ciphertext does not open")]
    Rejected,
}

fn encrypt(key: &[u8; 32], nonce: NonceBytes, plain: &[u8], place: &str) -> Result<Vec<u8>, SealError> {
    let payload = Payload {
        msg: plain,
        aad: place.as_bytes(),
    };
    let body = Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key))
        .encrypt(Nonce::from_slice(&nonce), payload)
        .map_err(|_| SealError::Rejected)?;
    let mut out = Vec::with_capacity(1 + NONCE_BYTES + body.len());
    out.push(FORMAT);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&body);
    Ok(out)
}

fn decrypt(key: &[u8; 32], sealed: &[u8], place: &str) -> Result<Vec<u8>, SealError> {
    let (format, rest) = sealed.split_first().ok_or(SealError::Rejected)?;
    let (nonce, body) = rest.split_at_checked(NONCE_BYTES).ok_or(SealError::Rejected)?;
    if *format != FORMAT {
        return Err(SealError::Rejected);
    }
    let payload = Payload {
        msg: body,
        aad: place.as_bytes(),
    };
    Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key))
        .decrypt(Nonce::from_slice(nonce), payload)
        .map_err(|_| SealError::Rejected)
}

/// The key that seals what one person says and hears.
#[derive(Clone)]
pub struct DataKey([u8; 32]);

impl DataKey {
    /// Takes 32 random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Seals `plain` for `place` (for example `session|turn|input`).
    ///
    /// # Errors
    /// [`SealError::Rejected`] where the text is longer than AES-GCM allows.
    pub fn seal(&self, plain: &[u8], place: &str, nonce: NonceBytes) -> Result<Vec<u8>, SealError> {
        encrypt(&self.0, nonce, plain, place)
    }

    /// Opens what [`DataKey::seal`] made for the same place.
    ///
    /// # Errors
    /// [`SealError::Rejected`] where key, place or bytes differ.
    pub fn open(&self, sealed: &[u8], place: &str) -> Result<Vec<u8>, SealError> {
        decrypt(&self.0, sealed, place)
    }
}

/// A data key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrappedKey {
    /// Version of the key-encryption key.
    pub version: u32,
    /// Base 64 of the sealed data key.
    pub sealed: String,
}

/// The key-encryption keys of a deployment, from one secret.
pub struct KeyRing(Vec<(u32, [u8; 32])>);

impl KeyRing {
    /// Reads `1:base64,2:base64`: the highest version wraps, all of them unwrap.
    ///
    /// # Errors
    /// [`SealError::KeyRing`] where an entry is malformed, doubled, or there is none.
    pub fn parse(text: &str) -> Result<Self, SealError> {
        let mut keys: Vec<(u32, [u8; 32])> = Vec::new();
        for entry in text.split(',') {
            let (version, encoded) = entry.trim().split_once(':').ok_or(SealError::KeyRing)?;
            let version: u32 = version.parse().map_err(|_| SealError::KeyRing)?;
            let bytes = STANDARD.decode(encoded).map_err(|_| SealError::KeyRing)?;
            let key: [u8; 32] = bytes.try_into().map_err(|_| SealError::KeyRing)?;
            if keys.iter().any(|(other, _)| *other == version) {
                return Err(SealError::KeyRing);
            }
            keys.push((version, key));
        }
        keys.sort_by_key(|(version, _)| *version);
        Ok(Self(keys))
    }

    /// The version that wraps new keys.
    #[must_use]
    pub fn current(&self) -> u32 {
        self.0.last().map_or(0, |(version, _)| *version)
    }

    /// Wraps a data key for its owner with the current version.
    ///
    /// # Errors
    /// [`SealError::KeyRing`] where the ring is empty.
    pub fn wrap(&self, key: &DataKey, owner: &str, nonce: NonceBytes) -> Result<WrappedKey, SealError> {
        let (version, wrapping) = self.0.last().ok_or(SealError::KeyRing)?;
        let sealed = encrypt(wrapping, nonce, &key.0, owner)?;
        Ok(WrappedKey {
            version: *version,
            sealed: STANDARD.encode(sealed),
        })
    }

    /// Unwraps a data key of its owner.
    ///
    /// # Errors
    /// [`SealError::UnknownVersion`] or [`SealError::Rejected`].
    pub fn unwrap(&self, wrapped: &WrappedKey, owner: &str) -> Result<DataKey, SealError> {
        let (_, wrapping) = self
            .0
            .iter()
            .find(|(version, _)| *version == wrapped.version)
            .ok_or(SealError::UnknownVersion(wrapped.version))?;
        let sealed = STANDARD.decode(&wrapped.sealed).map_err(|_| SealError::Rejected)?;
        let bytes = decrypt(wrapping, &sealed, owner)?;
        Ok(DataKey(bytes.try_into().map_err(|_| SealError::Rejected)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use proptest::prelude::*;

    fn ring(versions: &[u32]) -> KeyRing {
        let text: Vec<String> = versions
            .iter()
            .map(|version| {
                let byte = u8::try_from(*version).unwrap();
                format!("{version}:{}", STANDARD.encode([byte; 32]))
            })
            .collect();
        KeyRing::parse(&text.join(",")).unwrap()
    }

    #[test]
    fn format_unchanged() {
        let sealed = DataKey::new([7; 32]).seal(b"hello", "s|t|input", [9; 12]).unwrap();
        assert_eq!(
            STANDARD.encode(&sealed),
            "AQkJCQkJCQkJCQkJCU/g6PjR9RakTIRsvrEFFNv7HznCCw=="
        );
    }

    #[test]
    fn an_older_version_still_unwraps_and_a_lost_one_does_not() {
        let key = DataKey::new([3; 32]);
        let wrapped = ring(&[1]).wrap(&key, "per_a", [1; 12]).unwrap();
        let newer = ring(&[1, 2]);
        assert_eq!(newer.current(), 2);
        assert_eq!(newer.unwrap(&wrapped, "per_a").unwrap().0, key.0);
        assert_eq!(
            ring(&[2]).unwrap(&wrapped, "per_a").err(),
            Some(SealError::UnknownVersion(1))
        );
        assert_eq!(newer.unwrap(&wrapped, "per_b").err(), Some(SealError::Rejected));
    }

    #[test]
    fn malformed_rings_are_refused() {
        for text in ["", "1", "x:AAAA", "1:AAAA", "1:not base64"] {
            assert_eq!(KeyRing::parse(text).err(), Some(SealError::KeyRing), "{text}");
        }
    }

    proptest! {
        #[test]
        fn opens_only_in_its_place(plain: Vec<u8>, place in "[a-z|]{1,20}", nonce: [u8; 12], flip: usize) {
            let key = DataKey::new([5; 32]);
            let sealed = key.seal(&plain, &place, nonce).unwrap();
            prop_assert_eq!(key.open(&sealed, &place).unwrap(), plain);
            let elsewhere = format!("{place}x");
            prop_assert!(key.open(&sealed, &elsewhere).is_err());
            let mut changed = sealed.clone();
            let at = flip % changed.len();
            changed[at] ^= 1;
            prop_assert!(key.open(&changed, &place).is_err());
        }
    }
}

//! Encrypts secrets, so that the database alone does not reveal them.

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use gassync_domain::AccountId;
use sha2::{Digest, Sha256};

/// Nonce length in bytes; the nonce precedes the ciphertext.
const NONCE_BYTES: usize = 12;

/// A source of randomness, passed in by the program.
pub type Random = std::sync::Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// AES-256-GCM under one key; each secret is bound to its context.
#[derive(Clone)]
pub struct Vault {
    cipher: Aes256Gcm,
    key: [u8; 32],
    key_id: String,
    cache_key: [u8; 32],
    random: Random,
}

/// A secret cannot be decrypted. The reason is not given, since it would help an attacker.
#[derive(Debug, thiserror::Error)]
#[error("the secret cannot be decrypted with this host's key")]
pub struct DecryptError;

impl Vault {
    /// Creates a vault with a 32-byte key.
    pub fn new(key: &[u8; 32], random: Random) -> Self {
        Self {
            cipher: Aes256Gcm::new(key.into()),
            key: *key,
            key_id: hex::encode(&derive(key, b"gassync key id")[..8]),
            cache_key: derive(key, b"gassync compiled plugins"),
            random,
        }
    }

    /// The id of the key.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The key that authenticates compiled plugins in this host's cache.
    pub fn cache_key(&self) -> [u8; 32] {
        self.cache_key
    }

    /// Encrypts a secret for a context, such as `account/connection/slot/field`.
    pub fn encrypt(&self, place: &str, secret: &str) -> Result<Vec<u8>, DecryptError> {
        self.encrypt_with(&self.cipher, place, secret.as_bytes())
    }

    /// Encrypts bytes with an account key, which is derived and stored nowhere.
    pub fn encrypt_for(&self, account: AccountId, place: &str, bytes: &[u8]) -> Result<Vec<u8>, DecryptError> {
        self.encrypt_with(&self.of_account(account), place, bytes)
    }

    /// Decrypts bytes that were encrypted for the same account and context.
    pub fn decrypt_for(&self, account: AccountId, place: &str, sealed: &[u8]) -> Result<Vec<u8>, DecryptError> {
        decrypt_with(&self.of_account(account), place, sealed)
    }

    fn of_account(&self, account: AccountId) -> Aes256Gcm {
        Aes256Gcm::new(&derive(&self.key, format!("gassync account {account}").as_bytes()).into())
    }

    fn encrypt_with(&self, cipher: &Aes256Gcm, place: &str, bytes: &[u8]) -> Result<Vec<u8>, DecryptError> {
        let mut nonce = [0; NONCE_BYTES];
        (self.random)(&mut nonce);
        let payload = Payload { msg: bytes, aad: place.as_bytes() };
        let sealed = cipher.encrypt(&Nonce::from(nonce), payload).map_err(|_| DecryptError)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts a secret that was encrypted for the same context under the same key.
    pub fn decrypt(&self, place: &str, sealed: &[u8]) -> Result<String, DecryptError> {
        String::from_utf8(decrypt_with(&self.cipher, place, sealed)?).map_err(|_| DecryptError)
    }
}

fn decrypt_with(cipher: &Aes256Gcm, place: &str, sealed: &[u8]) -> Result<Vec<u8>, DecryptError> {
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(DecryptError)?;
    let payload = Payload { msg: ciphertext, aad: place.as_bytes() };
    cipher.decrypt(&Nonce::from(*nonce), payload).map_err(|_| DecryptError)
}

fn derive(key: &[u8; 32], purpose: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(key).chain_update(purpose).finalize().into()
}

/// The operating system's randomness.
pub fn system_random() -> Random {
    std::sync::Arc::new(|buffer| {
        // Without randomness there are neither keys nor nonces: stopping is safer.
        #[expect(clippy::expect_used, reason = "see above")]
        getrandom::fill(buffer).expect("the operating system gives randomness");
    })
}

/// A token of 256 random bits with a prefix that names its kind.
pub fn token(random: &Random, prefix: &str) -> String {
    let mut bytes = [0; 32];
    random(&mut bytes);
    format!("{prefix}{}", hex::encode(bytes))
}

/// Hashes a secret to hex, where only equality matters; for other texts, a digest.
pub fn fingerprint(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// Reads a private file, creating it with `make` if missing; only this user may read it.
pub fn private_file(path: &Path, make: impl FnOnce() -> String) -> std::io::Result<String> {
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            let text = make();
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            Ok(text)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Ok(fs::read_to_string(path)?.trim().to_owned())
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_decrypts_only_in_its_context() {
        let vault = Vault::new(&[7; 32], system_random());
        let sealed = vault.encrypt("1/2/beds24/token", "s3cret").expect("sealed");
        assert_eq!(vault.decrypt("1/2/beds24/token", &sealed).expect("opened"), "s3cret");
        assert!(vault.decrypt("1/3/beds24/token", &sealed).is_err(), "another connection");
        assert!(Vault::new(&[8; 32], system_random()).decrypt("1/2/beds24/token", &sealed).is_err(), "another key");
        assert!(!sealed.windows(6).any(|w| w == b"s3cret"));
        assert_ne!(sealed, vault.encrypt("1/2/beds24/token", "s3cret").expect("sealed"), "a nonce is used once");
    }
}

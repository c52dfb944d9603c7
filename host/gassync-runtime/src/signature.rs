//! Signature algorithms by name, for signing guests' texts and verifying inbound calls.

use ring::{hmac, rand::SystemRandom, rsa, signature};
use rustls::pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer, pem::PemObject};

/// Supported algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-1, for channels without SHA-256.
    HmacSha1,
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-512.
    HmacSha512,
    /// RSA with SHA-256, PKCS #1 v1.5.
    RsaSha256,
}

/// Why signing or verifying failed. It never reveals the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The algorithm is unknown.
    #[error("the algorithm is none of hmac-sha1, hmac-sha256, hmac-sha512, rsa-sha256")]
    Algorithm,
    /// The key does not fit the algorithm.
    #[error("the key is not of the kind that the algorithm needs: PEM, PKCS #8 to sign and SPKI to verify, for RSA")]
    Key,
}

impl Algorithm {
    /// Finds an algorithm by its name in the contract.
    pub fn by_name(name: &str) -> Result<Self, SignatureError> {
        match name {
            "hmac-sha1" => Ok(Self::HmacSha1),
            "hmac-sha256" => Ok(Self::HmacSha256),
            "hmac-sha512" => Ok(Self::HmacSha512),
            "rsa-sha256" => Ok(Self::RsaSha256),
            _ => Err(SignatureError::Algorithm),
        }
    }

    fn hmac(self) -> Option<hmac::Algorithm> {
        match self {
            Self::HmacSha1 => Some(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
            Self::HmacSha256 => Some(hmac::HMAC_SHA256),
            Self::HmacSha512 => Some(hmac::HMAC_SHA512),
            Self::RsaSha256 => None,
        }
    }

    /// Signs a text.
    pub fn sign(self, key: &str, text: &[u8]) -> Result<Vec<u8>, SignatureError> {
        if let Some(algorithm) = self.hmac() {
            return Ok(hmac::sign(&hmac::Key::new(algorithm, key.as_bytes()), text).as_ref().to_vec());
        }
        let der = PrivatePkcs8KeyDer::from_pem_slice(key.as_bytes()).map_err(|_| SignatureError::Key)?;
        let pair = rsa::KeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| SignatureError::Key)?;
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature)
            .map_err(|_| SignatureError::Key)?;
        Ok(signature)
    }

    /// True if the signature belongs to this text. HMACs are compared in constant time.
    pub fn verify(self, key: &str, text: &[u8], signature: &[u8]) -> Result<bool, SignatureError> {
        if let Some(algorithm) = self.hmac() {
            return Ok(hmac::verify(&hmac::Key::new(algorithm, key.as_bytes()), text, signature).is_ok());
        }
        let der = SubjectPublicKeyInfoDer::from_pem_slice(key.as_bytes()).map_err(|_| SignatureError::Key)?;
        let public = rsa_public_key(&der).ok_or(SignatureError::Key)?;
        let key = signature::UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, public);
        Ok(key.verify(text, signature).is_ok())
    }
}

/// Extracts the key from `SEQUENCE { SEQUENCE { algorithm }, BIT STRING { key } }`.
fn rsa_public_key(spki: &[u8]) -> Option<&[u8]> {
    let (inside, _) = element(spki, 0x30)?;
    let (_, rest) = element(inside, 0x30)?;
    let (bits, _) = element(rest, 0x03)?;
    // The first byte is the number of unused bits at the end, which is 0 for keys.
    bits.split_first().filter(|(unused, _)| **unused == 0).map(|(_, key)| key)
}

/// Splits off a leading DER element of this type: its content, and the rest.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.split_first()?;
    let (short, rest) = rest.split_first()?;
    let (length, rest) = match usize::from(*short) {
        length @ ..=0x7f => (length, rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => (usize::from(*rest.first()?) << 8 | usize::from(*rest.get(1)?), rest.get(2..)?),
        _ => return None,
    };
    (*first == tag && rest.len() >= length).then(|| rest.split_at(length))
}

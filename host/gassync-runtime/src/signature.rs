//! Signatures by name, for guests that have texts signed and for calls that prove themselves.

use ring::{hmac, rand::SystemRandom, rsa, signature};
use rustls::pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer, pem::PemObject};

/// The ways there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-1, for channels that know no better.
    HmacSha1,
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-512.
    HmacSha512,
    /// RSA with SHA-256, PKCS #1 v1.5.
    RsaSha256,
}

/// Why nothing can be signed or verified. It never tells of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Nobody knows it.
    #[error("the algorithm is none of hmac-sha1, hmac-sha256, hmac-sha512, rsa-sha256")]
    Algorithm,
    /// It is not what the algorithm needs.
    #[error("the key is not of the kind that the algorithm needs: PEM, PKCS #8 to sign and SPKI to verify, for RSA")]
    Key,
}

impl Algorithm {
    /// By its name in the contract.
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

    /// Whether a signature is one of this text, compared in constant time.
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

/// The key inside `SEQUENCE { SEQUENCE { algorithm }, BIT STRING { key } }`.
fn rsa_public_key(spki: &[u8]) -> Option<&[u8]> {
    let (inside, _) = element(spki, 0x30)?;
    let (_, rest) = element(inside, 0x30)?;
    let (bits, _) = element(rest, 0x03)?;
    // The first byte tells how many bits at the end are not used: none, in a key.
    bits.split_first().filter(|(unused, _)| **unused == 0).map(|(_, key)| key)
}

/// An element of this type at the start: what is inside, and what comes after.
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

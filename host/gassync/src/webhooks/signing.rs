//! Signatures of Standard Webhooks 1.0 (<https://www.standardwebhooks.com>): `v1` is HMAC with SHA-256, `v1a` is
//! Ed25519. The signed content is `{id}.{timestamp}.{body}`, byte for byte.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gassync_domain::Timestamp;
use ring::{
    hmac,
    signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey},
};

use crate::{store::webhooks::Signing, vault::Random};

/// Prefix of a symmetric secret.
const SYMMETRIC: &str = "whsec_";
/// Prefix of a private key.
const PRIVATE: &str = "whsk_";
/// Prefix of a public key.
const PUBLIC: &str = "whpk_";
/// Length of a symmetric secret in bytes.
const SYMMETRIC_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Length of a generated secret in bytes.
const MADE_BYTES: usize = 32;
/// Length of an Ed25519 seed in bytes.
const SEED_BYTES: usize = 32;
/// Maximum difference between message time and clock in seconds.
const TOLERANCE_SECONDS: u64 = 5 * 60;

/// A signing secret. Only [`SigningSecret::text`] reveals it.
pub enum SigningSecret {
    /// A shared secret.
    Symmetric(Vec<u8>),
    /// A key pair and its seed.
    Pair(Ed25519KeyPair, [u8; SEED_BYTES]),
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// The text is not a valid secret. The message never contains the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be whsec_ and 24 to 64 bytes in base64, or for v1a whsk_ and the 32 or 64 bytes of an Ed25519 key")]
pub struct InvalidSecret;

/// Why a message failed verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerificationFailure {
    /// The timestamp is malformed.
    #[error("webhook-timestamp is not a number of seconds")]
    Timestamp,
    /// The timestamp is outside the tolerance.
    #[error("webhook-timestamp is more than {TOLERANCE_SECONDS} seconds away from now")]
    Time,
    /// No signature matches the key.
    #[error("no signature matches this message and key")]
    Signature,
}

impl SigningSecret {
    /// Generates a secret.
    pub fn make(signing: Signing, random: &Random) -> Result<Self, InvalidSecret> {
        let mut bytes = [0; MADE_BYTES];
        random(&mut bytes);
        match signing {
            Signing::V1 => Ok(Self::Symmetric(bytes.to_vec())),
            Signing::V1a => Self::of_seed(bytes),
        }
    }

    /// Reads `whsec_…` or `whsk_…`.
    pub fn parse(text: &str) -> Result<Self, InvalidSecret> {
        if let Some(encoded) = text.strip_prefix(SYMMETRIC) {
            let bytes = STANDARD.decode(encoded).map_err(|_| InvalidSecret)?;
            return if SYMMETRIC_BYTES.contains(&bytes.len()) {
                Ok(Self::Symmetric(bytes))
            } else {
                Err(InvalidSecret)
            };
        }
        let bytes = STANDARD.decode(text.strip_prefix(PRIVATE).ok_or(InvalidSecret)?).map_err(|_| InvalidSecret)?;
        let (seed, public) = bytes.split_first_chunk::<SEED_BYTES>().ok_or(InvalidSecret)?;
        let secret = Self::of_seed(*seed)?;
        // Some libraries append the public key to the seed.
        let agrees = match &secret {
            Self::Pair(pair, _) => public.is_empty() || public == pair.public_key().as_ref(),
            Self::Symmetric(_) => false,
        };
        if agrees { Ok(secret) } else { Err(InvalidSecret) }
    }

    fn of_seed(seed: [u8; SEED_BYTES]) -> Result<Self, InvalidSecret> {
        Ok(Self::Pair(Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| InvalidSecret)?, seed))
    }

    /// The signature scheme.
    pub fn signing(&self) -> Signing {
        match self {
            Self::Symmetric(_) => Signing::V1,
            Self::Pair(..) => Signing::V1a,
        }
    }

    /// The secret as text, to be encrypted or shown once.
    pub fn text(&self) -> String {
        match self {
            Self::Symmetric(bytes) => format!("{SYMMETRIC}{}", STANDARD.encode(bytes)),
            Self::Pair(pair, seed) => {
                format!("{PRIVATE}{}", STANDARD.encode([seed.as_slice(), pair.public_key().as_ref()].concat()))
            }
        }
    }

    /// The key for verification: the secret itself, or the public key.
    pub fn verifier(&self) -> String {
        match self {
            Self::Symmetric(_) => self.text(),
            Self::Pair(pair, _) => format!("{PUBLIC}{}", STANDARD.encode(pair.public_key().as_ref())),
        }
    }

    /// Signs a message; returns the header value.
    pub fn sign(&self, id: &str, second: i64, body: &[u8]) -> String {
        let text = signed(id, &second.to_string(), body);
        let signature = match self {
            Self::Symmetric(bytes) => hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, bytes), &text).as_ref().to_vec(),
            Self::Pair(pair, _) => pair.sign(&text).as_ref().to_vec(),
        };
        format!("{},{}", self.signing(), STANDARD.encode(signature))
    }
}

fn signed(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat()
}

/// Verifies a message by the signatures of its header. `key` is `whsec_…`, `whsk_…` or `whpk_…`.
pub fn verify(
    key: &str,
    (id, timestamp, signatures): (&str, &str, &str),
    body: &[u8],
    now: Timestamp,
) -> Result<(), VerifyError> {
    let second: i64 = timestamp.parse().map_err(|_| VerificationFailure::Timestamp)?;
    if now.as_second().abs_diff(second) > TOLERANCE_SECONDS {
        return Err(VerificationFailure::Time.into());
    }
    let text = signed(id, timestamp, body);
    let key = Verifier::parse(key)?;
    let is_good = signatures.split(' ').any(|signature| key.verifies(&text, signature));
    if is_good { Ok(()) } else { Err(VerificationFailure::Signature.into()) }
}

/// Why verification failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The key is malformed.
    #[error(transparent)]
    Key(#[from] InvalidSecret),
    /// The message failed verification.
    #[error(transparent)]
    Message(#[from] VerificationFailure),
}

enum Verifier {
    Symmetric(hmac::Key),
    Public(Vec<u8>),
}

impl Verifier {
    fn parse(key: &str) -> Result<Self, InvalidSecret> {
        if let Some(encoded) = key.strip_prefix(PUBLIC) {
            return Ok(Self::Public(STANDARD.decode(encoded).map_err(|_| InvalidSecret)?));
        }
        Ok(match SigningSecret::parse(key)? {
            SigningSecret::Symmetric(bytes) => Self::Symmetric(hmac::Key::new(hmac::HMAC_SHA256, &bytes)),
            SigningSecret::Pair(pair, _) => Self::Public(pair.public_key().as_ref().to_vec()),
        })
    }

    /// Verifies in constant time.
    fn verifies(&self, text: &[u8], signature: &str) -> bool {
        let Some((version, encoded)) = signature.split_once(',') else { return false };
        let Ok(bytes) = STANDARD.decode(encoded) else { return false };
        match (self, version.parse().ok()) {
            (Self::Symmetric(key), Some(Signing::V1)) => hmac::verify(key, text, &bytes).is_ok(),
            (Self::Public(key), Some(Signing::V1a)) => {
                UnparsedPublicKey::new(&ED25519, key).verify(text, &bytes).is_ok()
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::system_random;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("an instant")
    }

    /// Test vectors of the standard's reference implementations.
    #[test]
    fn the_vectors_of_others_hold() {
        for (secret, id, second, body, signature) in [
            (
                "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1_614_265_330,
                r#"{"test": 2432232314}"#,
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
            (
                "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
                "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
                1_649_367_553,
                r#"{"email":"test@example.com","username":"test_user"}"#,
                "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
            ),
        ] {
            assert_eq!(SigningSecret::parse(secret).expect("a secret").sign(id, second, body.as_bytes()), signature);
            let headers = (id, &*second.to_string(), signature);
            assert_eq!(verify(secret, headers, body.as_bytes(), at(second)), Ok(()));
        }
    }

    #[test]
    fn what_was_touched_is_not_believed() {
        for signing in [Signing::V1, Signing::V1a] {
            let secret = SigningSecret::make(signing, &system_random()).expect("a secret");
            let other = SigningSecret::make(signing, &system_random()).expect("a secret");
            let body = br#"{"price": 1.0}"#;
            let (good, foreign) = (secret.sign("msg_1", 100, body), other.sign("msg_1", 100, body));
            let key = secret.verifier();
            let judged =
                |id, second, signatures: &str, body: &[u8], now| verify(&key, (id, second, signatures), body, at(now));
            assert_eq!(judged("msg_1", "100", &good, body, 399), Ok(()));
            assert_eq!(judged("msg_1", "100", &format!("{foreign} {good}"), body, 100), Ok(()), "a rotation");
            assert_eq!(judged("msg_1", "100", &format!("v2,abc {good}"), body, 100), Ok(()), "of a later version");
            let refused = Err(VerifyError::Message(VerificationFailure::Signature));
            assert_eq!(judged("msg_1", "100", &foreign, body, 100), refused);
            assert_eq!(judged("msg_1", "100", &good[..good.len() - 4], body, 100), refused, "a part of it");
            assert_eq!(
                judged("msg_1", "100", good.trim_start_matches("v1,").trim_start_matches("v1a,"), body, 100),
                refused
            );
            assert_eq!(judged("msg_1", "100", "", body, 100), refused);
            assert_eq!(judged("msg_2", "100", &good, body, 100), refused);
            assert_eq!(judged("msg_1", "101", &good, body, 100), refused);
            assert_eq!(judged("msg_1", "100", &good, br#"{"price":1}"#, 100), refused, "written anew");
            assert_eq!(judged("msg_1", "100", &good, body, 401), Err(VerificationFailure::Time.into()));
            assert_eq!(judged("msg_1", "100", &good, body, -201), Err(VerificationFailure::Time.into()));
            let never = i64::MIN.to_string();
            assert_eq!(judged("msg_1", &never, &good, body, 100), Err(VerificationFailure::Time.into()));
            assert_eq!(judged("msg_1", "soon", &good, body, 100), Err(VerificationFailure::Timestamp.into()));
            assert_eq!(verify(&secret.text(), ("msg_1", "100", &good), body, at(100)), Ok(()), "the signer can verify");
        }
    }

    #[test]
    fn secrets_round_trip_and_are_not_printed() {
        for signing in [Signing::V1, Signing::V1a] {
            let secret = SigningSecret::make(signing, &system_random()).expect("a secret");
            let again = SigningSecret::parse(&secret.text()).expect("the same");
            assert_eq!((again.text(), again.signing()), (secret.text(), signing));
            assert_eq!(format!("{secret:?}"), "(hidden)");
        }
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        for bad in [&*of(23), &of(65), "whsec_***", "whsk_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", ""] {
            assert!(SigningSecret::parse(bad).is_err(), "{bad}");
        }
        assert!(SigningSecret::parse(&of(24)).is_ok() && SigningSecret::parse(&of(64)).is_ok());
        let mismatched = STANDARD.encode([[1; 32], [2; 32]].concat());
        assert!(SigningSecret::parse(&format!("whsk_{mismatched}")).is_err(), "two halves of two pairs");
    }
}

//! Signing with keys that stay in the host. The text may contain placeholders, which the host fills before signing.

use crate::ChannelError;

/// HMAC with SHA-256.
pub const HMAC_SHA256: &str = "hmac-sha256";
/// HMAC with SHA-512.
pub const HMAC_SHA512: &str = "hmac-sha512";
/// HMAC with SHA-1, for legacy channels.
pub const HMAC_SHA1: &str = "hmac-sha1";
/// RSA with SHA-256, PKCS #1 v1.5.
pub const RSA_SHA256: &str = "rsa-sha256";

/// Signs with the secret of a slot field. `secrets` declares the placeholders of the text, as `slot.field`.
pub fn sign(
    (slot, field): (&str, &str),
    algorithm: &str,
    text: &[u8],
    secrets: &[&str],
) -> Result<Vec<u8>, ChannelError> {
    host::sign(slot, field, algorithm, text, &owned(secrets)).map_err(ChannelError::Unauthorized)
}

/// Verifies a signature with the secret of a slot field.
pub fn verify(
    (slot, field): (&str, &str),
    algorithm: &str,
    text: &[u8],
    secrets: &[&str],
    signature: &[u8],
) -> Result<bool, ChannelError> {
    host::verify(slot, field, algorithm, text, &owned(secrets), signature).map_err(ChannelError::Unauthorized)
}

fn owned(secrets: &[&str]) -> Vec<String> {
    secrets.iter().map(|name| (*name).to_owned()).collect()
}

#[cfg(target_arch = "wasm32")]
use crate::generated::gassync::channel::signing as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::signing as host;

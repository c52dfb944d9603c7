//! Signing with keys the adapter never sees: it builds the text, the host signs it.

#[cfg(target_family = "wasm")]
use crate::bindings::host::gassync::channel::keys as host;
#[cfg(not(target_family = "wasm"))]
use crate::testing as host;

/// Signs a text with the key in a credential slot.
pub fn sign(slot: &str, algorithm: &str, text: &[u8]) -> Result<Vec<u8>, String> {
    host::sign(slot, algorithm, text)
}

/// Whether a signature fits a text.
pub fn verify(slot: &str, algorithm: &str, text: &[u8], signature: &[u8]) -> Result<bool, String> {
    host::verify(slot, algorithm, text, signature)
}

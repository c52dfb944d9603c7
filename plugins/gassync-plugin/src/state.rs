//! A small memory per source, committed together with the call's outcome.

#[cfg(target_family = "wasm")]
use crate::bindings::host::gassync::channel::state as host;
#[cfg(not(target_family = "wasm"))]
use crate::testing as host;

/// What is kept under this key.
pub fn get(key: &str) -> Option<Vec<u8>> {
    host::get(key)
}

/// Keeps a value; the limit is 1 MiB for all of them.
pub fn set(key: &str, value: &[u8]) {
    host::set(key, value);
}

/// Forgets a value.
pub fn delete(key: &str) {
    host::delete(key);
}

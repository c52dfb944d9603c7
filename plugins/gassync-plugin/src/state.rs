//! A small memory per source (1 MiB in all). What a call writes is kept when it ends, with an answer or with an error; only
//! a call that traps or goes over a limit changes nothing.

use serde::{Serialize, de::DeserializeOwned};

use crate::ChannelError;

/// What is kept under a key, if anything. What another version of the plugin wrote and this one cannot read is `Broken`.
pub fn get<T: DeserializeOwned>(key: &str) -> Result<Option<T>, ChannelError> {
    let read = |bytes: Vec<u8>| serde_json::from_slice(&bytes);
    kept::get(key).map(read).transpose().map_err(|error| ChannelError::Broken(format!("state {key}: {error}")))
}

/// Keeps a value under a key.
pub fn set<T: Serialize>(key: &str, value: &T) -> Result<(), ChannelError> {
    let bytes = serde_json::to_vec(value).map_err(|error| ChannelError::Broken(format!("state {key}: {error}")))?;
    kept::set(key, &bytes);
    Ok(())
}

/// Forgets a key.
pub fn delete(key: &str) {
    kept::delete(key);
}

/// The keys that begin so, in order.
pub fn keys(prefix: &str) -> Vec<String> {
    kept::list_keys(prefix)
}

#[cfg(target_arch = "wasm32")]
use crate::generated::gassync::channel::state as kept;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::state as kept;

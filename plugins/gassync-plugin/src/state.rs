//! Persistent state per source (1 MiB in total). Writes are stored when the call ends with a result or an error; a call
//! that traps or exceeds a limit changes nothing.

use serde::{Serialize, de::DeserializeOwned};

use crate::ChannelError;

/// The value of a key, if any. A value that this version cannot read is `Broken`.
pub fn get<T: DeserializeOwned>(key: &str) -> Result<Option<T>, ChannelError> {
    let read = |bytes: Vec<u8>| serde_json::from_slice(&bytes);
    kept::get(key).map(read).transpose().map_err(|error| ChannelError::Broken(format!("state {key}: {error}")))
}

/// Stores a value.
pub fn set<T: Serialize>(key: &str, value: &T) -> Result<(), ChannelError> {
    let bytes = serde_json::to_vec(value).map_err(|error| ChannelError::Broken(format!("state {key}: {error}")))?;
    kept::set(key, &bytes);
    Ok(())
}

/// Deletes a key.
pub fn delete(key: &str) {
    kept::delete(key);
}

/// Keys with a prefix, in order.
pub fn keys(prefix: &str) -> Vec<String> {
    kept::list_keys(prefix)
}

#[cfg(target_arch = "wasm32")]
use crate::generated::gassync::channel::state as kept;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::state as kept;

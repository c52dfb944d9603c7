use serde::de::DeserializeOwned;

use crate::ChannelError;

/// Deserialises the source's settings. The host has applied the manifest's defaults.
pub fn settings<T: DeserializeOwned>() -> Result<T, ChannelError> {
    serde_json::from_str(&text()).map_err(|error| ChannelError::Unavailable(format!("settings: {error}")))
}

#[cfg(target_arch = "wasm32")]
fn text() -> String {
    crate::generated::gassync::channel::settings::get()
}

#[cfg(not(target_arch = "wasm32"))]
fn text() -> String {
    crate::testing::settings()
}

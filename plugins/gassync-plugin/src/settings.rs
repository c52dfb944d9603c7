use serde::de::DeserializeOwned;

use crate::ChannelError;

/// The source's settings, read into a type of yours. The host has filled in the manifest's defaults.
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

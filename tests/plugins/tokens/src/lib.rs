//! A plugin with credentials of every kind, which does nothing with them.

use gassync_plugin::{Adapter, ChannelError, Decoded, HttpRequest, Inbound};

/// The plugin, which only has a manifest.
pub struct Tokens;

gassync_plugin::export!(crate::Tokens: Inbound);

impl Adapter for Tokens {
    fn manifest() -> String {
        include_str!("manifest.json").to_owned()
    }
}

impl Inbound for Tokens {
    fn decode(_: HttpRequest) -> Result<Decoded, ChannelError> {
        Err(ChannelError::Unsupported)
    }
}

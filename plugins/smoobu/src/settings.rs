//! The source's settings, entered by an admin.

use gassync_plugin::{ChannelError, settings};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Settings {
    pub base_url: String,
    /// The channel of bookings that we make. Its id differs between accounts.
    pub channel_id: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { base_url: "https://login.smoobu.com".to_owned(), channel_id: 70 }
    }
}

impl Settings {
    pub fn read() -> Result<Self, ChannelError> {
        settings()
    }
}

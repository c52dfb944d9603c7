//! A sketch of an adapter for Calry. Its API cannot filter by modification time, so windows of nights are read
//! repeatedly, and webhooks are hints only.

mod connection;
mod envelope;
mod inbound;
mod pull;
mod reservation;

use gassync_plugin::{
    Adapter, ChannelError, Connection, Decoded, HttpRequest, Inbound, Page, Pull, Query, Report, Subscribed,
};

/// The adapter.
pub struct Calry;

gassync_plugin::export!(crate::Calry: Inbound, Pull, Connection);

impl Adapter for Calry {
    fn manifest() -> String {
        include_str!("manifest.json").to_owned()
    }
}

impl Inbound for Calry {
    fn decode(request: HttpRequest) -> Result<Decoded, ChannelError> {
        inbound::decode(&request)
    }
}

impl Pull for Calry {
    fn fetch(query: Query) -> Result<Page, ChannelError> {
        pull::fetch(&query)
    }
}

impl Connection for Calry {
    fn check() -> Result<Report, ChannelError> {
        connection::check()
    }

    fn subscribe(endpoint: String) -> Result<Subscribed, ChannelError> {
        connection::subscribe(&endpoint)
    }
}

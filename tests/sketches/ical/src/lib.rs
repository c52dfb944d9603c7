//! A sketch of an adapter for calendars by iCal (RFC 5545): one address, which is a secret, holds all of what a site has
//! sold; and ours is fetched from us in the same form.
//!
//! One source is one thing that is sold. A calendar has no ids but those of its events, so the settings name it.

mod event;
mod feed;
mod lines;
mod pull;

use gassync_plugin::{Adapter, ChannelError, Chunk, Feeds, HttpRequest, Page, Pull, Query};
use serde::Deserialize;

/// The adapter.
pub struct Ical;

gassync_plugin::export!(crate::Ical: Pull, Feeds);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    /// Stands for the property and for the room type.
    unit_id: String,
    unit_name: String,
    /// Whose calendar it is.
    source: String,
    /// A summary that has one of these is no booking.
    block_words: Vec<String>,
}

impl Adapter for Ical {
    fn manifest() -> String {
        include_str!("manifest.json").to_owned()
    }
}

impl Pull for Ical {
    fn fetch(query: Query) -> Result<Page, ChannelError> {
        pull::fetch(&query)
    }
}

impl Feeds for Ical {
    fn render(request: HttpRequest, cursor: Option<String>) -> Result<Chunk, ChannelError> {
        feed::render(&request, cursor.as_deref())
    }
}

//! A sketch of an adapter for iCal calendars (RFC 5545): one secret URL returns all that a site has sold, and the site
//! fetches our calendar in the same format.
//!
//! A source is one rentable unit. A calendar has no ids but those of its events, so the settings contain the unit's.

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
    /// Id of the property and of its room type.
    unit_id: String,
    unit_name: String,
    /// The site whose calendar it is.
    source: String,
    /// An event whose summary contains one of these is a block.
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

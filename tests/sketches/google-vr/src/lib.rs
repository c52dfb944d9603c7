//! A sketch for Google Vacation Rentals that tests whether the contract fits: everything is pushed to Google, and no
//! booking is returned.
//!
//! [`content`] pushes properties as [`document`] reads them, and must come first; [`ari`] pushes availability and
//! rates, [`listings`] is fetched, and [`query`] prices several properties at once.

mod ari;
mod content;
mod document;
mod listings;
mod query;
#[cfg(test)]
mod tests;
mod upload;
mod weekdays;

use gassync_plugin::{
    Adapter, Attempt, CalendarNights, Change, ChangeResult, ChannelError, Chunk, ContentItem, Decoded, Feeds,
    HttpRequest, HttpResponse, Inbound, Outcome, PushCalendar, PushContent, Reply,
};
use serde::Deserialize;

/// The adapter.
pub struct GoogleVr;

gassync_plugin::export!(crate::GoogleVr: Inbound, Reply, PushCalendar, PushContent, Feeds);

/// The source's settings, as the manifest describes them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    partner: String,
    landing_page: String,
    language: String,
    package: String,
    prices_with_tax: bool,
}

impl Adapter for GoogleVr {
    fn manifest() -> String {
        include_str!("manifest.json").to_owned()
    }
}

impl Inbound for GoogleVr {
    fn decode(request: HttpRequest) -> Result<Decoded, ChannelError> {
        let changes = query::questions(request.bytes())?;
        Ok(Decoded { event_id: None, changes, reply: None })
    }
}

impl Reply for GoogleVr {
    fn respond(request: HttpRequest, _: Vec<Change>, results: Vec<ChangeResult>) -> Result<HttpResponse, ChannelError> {
        query::answer(request.bytes(), &results)
    }
}

impl PushCalendar for GoogleVr {
    fn push_calendar(updates: Vec<CalendarNights>, _: Attempt) -> Result<Vec<Outcome>, ChannelError> {
        // The messages carry state: repeating them is harmless.
        ari::push(&updates)
    }
}

impl PushContent for GoogleVr {
    fn push_content(items: Vec<ContentItem>, _: Attempt) -> Result<Vec<Outcome>, ChannelError> {
        content::push(&items)
    }
}

impl Feeds for GoogleVr {
    fn render(_: HttpRequest, cursor: Option<String>) -> Result<Chunk, ChannelError> {
        listings::render(cursor.as_deref())
    }
}

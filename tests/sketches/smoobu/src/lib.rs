//! A sketch of an adapter for Smoobu: signed requests, bookings by polls and webhooks, and nights closed by blocked
//! bookings.
//!
//! There is only one level: an apartment is what is sold, so its id is used for the property and for the room type.

mod booking;
mod calendar;
mod inbound;
mod pull;
mod signature;

use gassync_plugin::{
    Adapter, Attempt, CalendarNights, ChannelError, Decoded, HttpRequest, Inbound, Outcome, Page, Pull, PushCalendar,
    Query,
};

/// The adapter.
pub struct Smoobu;

gassync_plugin::export!(crate::Smoobu: Inbound, Pull, PushCalendar);

impl Adapter for Smoobu {
    fn manifest() -> String {
        include_str!("manifest.json").to_owned()
    }
}

impl Inbound for Smoobu {
    fn decode(request: HttpRequest) -> Result<Decoded, ChannelError> {
        inbound::decode(&request)
    }
}

impl Pull for Smoobu {
    fn fetch(query: Query) -> Result<Page, ChannelError> {
        pull::fetch(&query)
    }
}

impl PushCalendar for Smoobu {
    fn push_calendar(updates: Vec<CalendarNights>, attempt: Attempt) -> Result<Vec<Outcome>, ChannelError> {
        calendar::push(&updates, attempt)
    }
}

//! Adapter for Beds24, API V2, with what is still needed of V1.
//!
//! [`inbound`] reads what Beds24 sends, [`pull`] asks for what it holds; both hand records to [`booking`],
//! [`property`] and [`calendar`], which turn the channel's words into the contract's. [`push`] writes reservations,
//! blocks and nights, and [`connection`] tells how the connection stands.

mod booking;
mod booking_v1;
mod booking_versions;
mod calendar;
mod client;
mod connection;
mod envelope;
mod exact;
mod free_nights;
mod inbound;
mod invoice;
mod property;
mod pull;
mod push;
mod refusal;
mod settings;
mod texts;
mod vocabulary;
mod webhook_lines;
mod webhooks;

use gassync_plugin::{
    Adapter, Attempt, CalendarNights, ChannelError, Connection, Decoded, HttpRequest, Inbound, Operation, Outcome,
    Page, Pull, PushCalendar, PushReservations, Query, Report, Subscribed,
};

/// The adapter.
pub struct Beds24;

gassync_plugin::export!(crate::Beds24: Inbound, Pull, PushCalendar, PushReservations, Connection);

impl Adapter for Beds24 {
    fn manifest() -> String {
        include_str!("manifest.json").to_owned()
    }
}

impl Inbound for Beds24 {
    fn decode(request: HttpRequest) -> Result<Decoded, ChannelError> {
        inbound::decode(&request)
    }
}

impl Pull for Beds24 {
    fn fetch(query: Query) -> Result<Page, ChannelError> {
        pull::fetch(&query)
    }
}

impl PushCalendar for Beds24 {
    fn push_calendar(updates: Vec<CalendarNights>, _: Attempt) -> Result<Vec<Outcome>, ChannelError> {
        // Nights that may be there already are merely said again.
        push::calendar::push(&updates)
    }
}

impl PushReservations for Beds24 {
    fn push_reservations(operations: Vec<Operation>) -> Result<Vec<Outcome>, ChannelError> {
        push::operations::push(&operations)
    }
}

impl Connection for Beds24 {
    fn check() -> Result<Report, ChannelError> {
        connection::check()
    }

    fn subscribe(endpoint: String) -> Result<Subscribed, ChannelError> {
        webhooks::subscribe(&endpoint)
    }

    fn unsubscribe(subscriptions: Vec<String>) -> Result<Vec<String>, ChannelError> {
        webhooks::unsubscribe(&subscriptions)
    }
}

#[cfg(test)]
mod tests;

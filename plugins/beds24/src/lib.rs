//! Adapter for Beds24 API V2, and the parts of V1 still needed.
//!
//! [`inbound`] decodes webhooks and [`pull`] fetches records; both pass records to [`booking`], [`property`] and
//! [`calendar`], which convert them to the contract. [`push`] writes reservations, blocks and nights, and
//! [`connection`] tests the connection.

mod booking;
mod booking_v1;
mod booking_versions;
mod calendar;
mod client;
mod connection;
mod envelope;
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
        // Writing the same nights twice is harmless, so `attempt` is ignored.
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

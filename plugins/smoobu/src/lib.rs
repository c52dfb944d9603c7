//! Adapter for Smoobu: signed requests, bookings by polls and webhooks, and nights closed by blocked bookings.
//!
//! There is only one level: an apartment is what is sold, so its id is used for the property and for the room type.
//!
//! [`inbound`] decodes webhooks and [`pull`] fetches records; both pass records to [`booking`], [`apartment`] and
//! [`rates`], which convert them to the contract. [`push`] writes reservations, blocks and nights, and [`connection`]
//! tests the connection.

mod account;
mod apartment;
mod booking;
mod connection;
mod inbound;
mod mark;
mod price;
mod pull;
mod push;
mod rates;
mod refusal;
mod related;
mod remembered;
mod settings;
mod signature;
mod vocabulary;

use gassync_plugin::{
    Adapter, Attempt, CalendarNights, ChannelError, Connection, Decoded, HttpRequest, Inbound, Operation, Outcome,
    Page, Pull, PushCalendar, PushReservations, Query, Report, Subscribed,
};

/// The adapter.
pub struct Smoobu;

gassync_plugin::export!(crate::Smoobu: Inbound, Pull, PushCalendar, PushReservations, Connection);

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
        push::calendar::push(&updates, attempt)
    }
}

impl PushReservations for Smoobu {
    fn push_reservations(operations: Vec<Operation>) -> Result<Vec<Outcome>, ChannelError> {
        push::operations::push(&operations)
    }
}

impl Connection for Smoobu {
    fn check() -> Result<Report, ChannelError> {
        connection::check()
    }

    fn subscribe(_: String) -> Result<Subscribed, ChannelError> {
        Ok(connection::steps())
    }

    /// Webhooks are removed by hand, as they are entered.
    fn unsubscribe(_: Vec<String>) -> Result<Vec<String>, ChannelError> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests;

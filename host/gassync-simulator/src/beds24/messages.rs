//! `/bookings/messages`: messages between guests and hosts, on bookings sold by other sites.

use axum::{Extension, Router, body::Bytes, extract::State, response::Response, routing::get};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Account, Admitted, Beds24, Settings,
    answer::{self, Malformed, refused},
    booking::{BookingRecord, whole_second},
    fields::whole,
    query::{BadParameter, QueryParams},
};

/// Maximum of `maxAge`, in days.
const OLDEST_DAYS: u64 = 999;
const SENDS: &str = "new message";

/// A message, for comparison in tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GuestMessage {
    /// The message's id.
    pub id: u64,
    /// The message's booking.
    pub booking_id: u64,
    /// Time of writing.
    pub time: Timestamp,
    /// True if a guest's message was read; `None` for messages of the host.
    pub read: Option<bool>,
    /// Text.
    pub message: String,
    /// Author: `guest` or `host`.
    pub source: String,
}

#[derive(Clone, Default)]
pub(super) struct Messages {
    pub all: Vec<GuestMessage>,
}

impl Messages {
    pub fn add(&mut self, booking_id: u64, source: &str, text: &str, now: Timestamp) -> GuestMessage {
        let message = GuestMessage {
            id: 1_001 + self.all.len() as u64,
            booking_id,
            time: whole_second(now),
            read: (source == "guest").then_some(false),
            message: text.to_owned(),
            source: source.to_owned(),
        };
        self.all.push(message.clone());
        message
    }

    fn mark(&mut self, id: u64, read: bool) -> bool {
        let message = self.all.iter_mut().find(|message| message.id == id && message.read.is_some());
        message.is_some_and(|message| {
            message.read = Some(read);
            true
        })
    }
}

impl GuestMessage {
    /// Returns the message as in the API.
    pub(super) fn wire(&self, booking: &BookingRecord, owner: u64) -> Value {
        let author = (self.source == "host").then_some(owner);
        json!({
            "id": self.id,
            "bookingId": self.booking_id,
            "roomId": booking.entry.room_id,
            "propertyId": booking.entry.property_id,
            "time": self.time.to_string(),
            "read": self.read,
            "message": self.message,
            "source": self.source,
            "authorOwnerId": author,
            "attachment": null,
            "attachmentName": null,
            "attachmentMimeType": null,
        })
    }
}

pub(super) fn router() -> Router<Beds24> {
    Router::new().route("/bookings/messages", get(list).post(write).patch(write))
}

async fn list(State(simulator): State<Beds24>, query: QueryParams) -> Result<Response, BadParameter> {
    let settings = &simulator.inner.settings;
    let ids = [query.numbers("id")?, query.numbers("bookingId")?, query.numbers("roomId")?];
    let (properties, masters) = (query.numbers("propertyId")?, query.numbers("masterId")?);
    let read = query.word("filter", &["read", "unread"])?.map(|word| word == "read");
    let source = query.word("source", &["guest", "host", "internalNote", "system"])?;
    let days = query.number("maxAge")?;
    if days.is_some_and(|days| !(1..=OLDEST_DAYS).contains(&days)) {
        return Err(BadParameter("Parameter maxAge must be between 1 and 999".to_owned()));
    }
    let oldest = days.map(|days| simulator.now() - SignedDuration::from_hours(24 * i64::try_from(days).unwrap_or(0)));
    let account = simulator.account();
    let one_of = |list: &[u64], id: u64| list.is_empty() || list.contains(&id);
    let wanted = |message: &GuestMessage, booking: &BookingRecord| {
        let (e, [messages, bookings, rooms]) = (&booking.entry, &ids);
        one_of(messages, message.id)
            && one_of(bookings, e.id)
            && one_of(rooms, e.room_id)
            && one_of(&properties, e.property_id)
            && one_of(&masters, e.master_id.unwrap_or(e.id))
            && read.is_none_or(|read| message.read == Some(read))
            && source.is_none_or(|source| message.source == source)
            && oldest.is_none_or(|oldest| message.time >= oldest)
    };
    let with_bookings = account.messages.all.iter().filter_map(|m| Some((m, account.book.get(m.booking_id)?)));
    let found: Vec<_> = with_bookings.filter(|(message, booking)| wanted(message, booking)).collect();
    Ok(answer::list("message", found, &query, settings.page_size, |(m, b)| m.wire(b, settings.owner_id())))
}

async fn write(
    State(simulator): State<Beds24>,
    Extension(call): Extension<Admitted>,
    body: Bytes,
) -> Result<Response, Malformed> {
    let items = answer::items(&body)?;
    Ok(simulator.write(&call, |account, settings, now| {
        items.iter().map(|item| item_of(account, settings, item, now)).collect()
    }))
}

/// Writes an item: with an id it marks a message as read, with a booking it sends one.
fn item_of(account: &mut Account, settings: &Settings, item: &Value, now: Timestamp) -> Value {
    if let Some(id) = item.get("id") {
        let Some(read) = item["read"].as_bool() else { return refused("modify message", &[("read", "invalid")]) };
        let Some(id) = whole(id).filter(|id| account.messages.mark(*id, read)) else {
            return refused("modify message", &[("id", "not found")]);
        };
        return json!({ "success": true, "modified": { "id": id, "read": read } });
    }
    let booking = whole(&item["bookingId"]).and_then(|id| account.book.get(id)).filter(|booking| booking.is_of_ota());
    let Some(booking) = booking else { return refused(SENDS, &[("bookingId", "invalid")]) };
    let Some(text) = item["message"].as_str().filter(|text| !text.is_empty()) else {
        return refused(SENDS, &[("message", "required")]);
    };
    let message = account.messages.add(booking.entry.id, "host", text, now);
    json!({ "success": true, "new": message.wire(booking, settings.owner_id()),
        "info": [{ "action": SENDS, "id": message.id, "message": "message sent" }] })
}

//! `POST /api/reservations`: a booking, or a block on the blocked channel.

use axum::{
    Extension, Json,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use jiff::{Timestamp, civil::Date};
use serde_json::{Map, Value, json};

use super::{
    super::{
        Account, Smoobu, SmoobuSettings,
        booking::{GuestAddress, SmoobuBooking},
        channel::Channel,
        middleware::AdmittedCall,
        price_element::PriceElement,
        query::day,
        webhook::BookingEvent,
    },
    written::{self, Write},
};

/// Why a booking is not made.
enum Refusal {
    /// Fields, each with its message.
    Fields(Map<String, Value>),
    Taken,
}

pub(super) async fn create(
    State(simulator): State<Smoobu>,
    Extension(call): Extension<AdmittedCall>,
    body: Bytes,
) -> Response {
    let Ok(given) = serde_json::from_slice::<Value>(&body) else {
        return simulator.inner.settings.refuse("The body is not JSON");
    };
    simulator.write(call, |account, settings, now| match account.create(&given, settings, now) {
        Ok(id) => {
            account.notify(settings, id, BookingEvent::New, now);
            Json(json!({ "id": id })).into_response()
        }
        Err(Refusal::Fields(messages)) => settings.refuse_fields(&messages.into()),
        Err(Refusal::Taken) => {
            settings.refuse_fields(&json!({ "error": "The chosen day is not available or is already booked" }))
        }
    })
}

/// Where and when a booking is to be.
struct Stay {
    apartment: u64,
    channel: Channel,
    nights: (Date, Date),
}

impl Account {
    fn create(&mut self, given: &Value, settings: &SmoobuSettings, now: Timestamp) -> Result<u64, Refusal> {
        let stay = self.stay(given, settings)?;
        if !self.book.is_free(stay.apartment, stay.nights, None) {
            return Err(Refusal::Taken);
        }
        let mut booking = SmoobuBooking::new(self.book.next_id(), stay.apartment, stay.channel, stay.nights, now);
        let mut invalid = written::write(&mut booking, given, Write::Create);
        booking.address = address(given, &booking.address.country);
        for element in given.get("priceElements").and_then(Value::as_array).into_iter().flatten() {
            let currency = self.book.apartment(stay.apartment).map_or("EUR", |apartment| apartment.currency());
            match PriceElement::read(self.book.next_element_id(), element, currency) {
                Some(element) => booking.elements.push(element),
                None => drop(invalid.insert("priceElements".to_owned(), json!("invalid value"))),
            }
        }
        if !invalid.is_empty() {
            return Err(Refusal::Fields(invalid));
        }
        let reference = reference(&booking.notice).to_owned();
        self.book.made_by_api.push(reference.clone());
        booking.given_reference = Some(reference);
        let id = booking.id;
        self.book.bookings.push(booking);
        Ok(id)
    }

    /// Reads what is required.
    fn stay(&self, given: &Value, settings: &SmoobuSettings) -> Result<Stay, Refusal> {
        let date = |name: &str| given.get(name).and_then(Value::as_str).and_then(day);
        let number = |name: &str| given.get(name).and_then(Value::as_u64);
        let (arrival, departure) = (date("arrivalDate"), date("departureDate"));
        let apartment = number("apartmentId").filter(|id| self.book.apartment(*id).is_some());
        let channel = number("channelId").and_then(|id| Channel::of_id(id, self.book.first_channel));
        let is_empty = |name: &&String| given.get(name.as_str()).is_none_or(|value| value.is_null() || *value == "");
        let missing = settings.required_fields.iter().filter(is_empty).map(String::as_str);
        let missing = missing.filter(|_| channel != Some(Channel::Blocked));
        let missing: Vec<&str> = [
            ("arrivalDate", arrival.is_none()),
            ("departureDate", departure.is_none() || departure <= arrival),
            ("apartmentId", apartment.is_none()),
            ("channelId", channel.is_none()),
        ]
        .into_iter()
        .filter_map(|(name, wrong)| wrong.then_some(name))
        .chain(missing)
        .collect();
        match (arrival, departure, apartment, channel) {
            (Some(arrival), Some(departure), Some(apartment), Some(channel)) if missing.is_empty() => {
                Ok(Stay { apartment, channel, nights: (arrival, departure) })
            }
            _ => {
                let message = |name: &str| (name.to_owned(), json!("missing or invalid"));
                Err(Refusal::Fields(missing.into_iter().map(message).collect()))
            }
        }
    }
}

/// Returns what stands for the caller's reference, since there is no field for one: the first word of the notice like
/// `abc-12`, else its first line.
fn reference(notice: &str) -> &str {
    let words = notice.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let is_reference = |word: &&str| {
        let parts = word.split_once('-');
        parts.is_some_and(|(first, rest)| {
            first.chars().all(char::is_alphabetic) && rest.ends_with(|c: char| c.is_ascii_digit())
        })
    };
    words.clone().find(is_reference).unwrap_or_else(|| notice.lines().next().unwrap_or_default().trim())
}

fn address(given: &Value, country: &str) -> GuestAddress {
    let text = |key: &str| {
        let text = given.get("address").and_then(|address| address.get(key)).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    // The city is written as `location`.
    let (street, postal_code, city) = (text("street"), text("postalCode"), text("location"));
    GuestAddress { street, postal_code, city, country: country.to_owned() }
}

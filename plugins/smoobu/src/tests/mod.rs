//! Tests through the adapter's exports. Each peculiarity of the channel has a test.

mod apartments;
mod bookings;
mod calendars;
mod closing;
mod connection;
mod inbound;
mod manifest;
mod operations;
mod pull;
mod related;
mod signing;

use gassync_plugin::{
    Change, ChangeKind, ChannelError, Date, Entity, Inbound, Nights, Page, Pull, Query, Reservation, Selection,
    parse_date,
    testing::{FakeHost, post},
};
use serde_json::Value;

use crate::Smoobu;

const BOOKING: &str = r#"{"id":48101,"reference-id":"HMKIVA77","type":"modification of booking",
    "arrival":"2027-09-05","departure":"2027-09-09","created-at":"2027-04-11 16:02",
    "modifiedAt":"2027-04-12 08:30:45","apartment":{"id":7301,"name":"Boathouse"},
    "channel":{"id":55012,"name":"Airbnb"},"guest-name":"Tuva Hedberg","firstname":"Tuva","lastname":"Hedberg",
    "email":null,"phone":"+46 00 000 0077","adults":2,"children":null,"check-in":"16:30","check-out":null,
    "notice":"","assistant-notice":"","price":611.4,"price-details":"","city-tax":null,"price-paid":"Yes",
    "commission-included":91.71,"prepayment":0,"prepayment-paid":"No","deposit":null,"deposit-paid":"No",
    "language":"sv","guest-app-url":"https://guest.example.org/?t=77","is-blocked-booking":false,"guestId":5077,
    "related":[]}"#;

/// A fresh host, in March of the year before the stays.
fn begin() {
    FakeHost::reset();
    FakeHost::set_now("2027-03-04T05:06:07Z");
    FakeHost::sign_with(|_, _, _, _| vec![1, 2, 3]);
}

/// The booking with other members.
fn booking(members: &[(&str, &str)]) -> String {
    let mut booking: serde_json::Map<String, Value> = serde_json::from_str(BOOKING).expect("JSON");
    for (name, json) in members {
        booking.insert((*name).to_owned(), serde_json::from_str(json).expect("JSON"));
    }
    Value::from(booking).to_string()
}

/// A page of a list of bookings.
fn list(bookings: &[String]) -> String {
    format!(
        r#"{{"page_count":1,"page_size":100,"total_items":{},"page":1,"bookings":[{}]}}"#,
        bookings.len(),
        bookings.join(",")
    )
}

fn webhook(action: &str, data: &str) -> Result<Vec<Change>, ChannelError> {
    let body = format!(r#"{{"action":"{action}","user":912,"data":{data}}}"#);
    Smoobu::decode(post("/", body)).map(|decoded| decoded.changes)
}

/// The change of a webhook about this booking.
fn reported(members: &[(&str, &str)]) -> Change {
    begin();
    webhook("updateReservation", &booking(members)).expect("decoded").remove(0)
}

fn reservation(members: &[(&str, &str)]) -> Reservation {
    match reported(members).data {
        ChangeKind::Reservation(reservation) => reservation,
        other => panic!("not a reservation: {other:?}"),
    }
}

fn fetch(entity: Entity, selection: Selection, cursor: Option<&str>) -> Result<Page, ChannelError> {
    Smoobu::fetch(Query { cursor: cursor.map(str::to_owned), ..Query::new(entity, selection) })
}

fn day(text: &str) -> Date {
    parse_date(text).expect("a date")
}

fn nights(start: &str, until: &str) -> Nights {
    Nights { start: day(start), until: day(until) }
}

/// Returns method, path with query, and body of the sent requests; asserts that each is signed.
fn asked() -> Vec<(String, String, Value)> {
    let requests = FakeHost::take_requests().into_iter().map(|request| {
        let header = |name: &str| request.headers.iter().find(|h| h.name == name).map(|h| h.value.clone());
        assert_eq!(header("X-API-Key").as_deref(), Some("{{smoobu.apiKey}}"), "{}", request.url);
        assert!(header("X-Signature").is_some() && header("Api-Key").is_none(), "{}", request.url);
        let path = request.url.strip_prefix("https://login.smoobu.com").expect("the API").to_owned();
        let body = request.body.map(|body| serde_json::from_slice(&body).expect("JSON")).unwrap_or_default();
        (request.method, path, body)
    });
    requests.collect()
}

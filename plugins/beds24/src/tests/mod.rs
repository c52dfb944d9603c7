//! Tests through the adapter's exports. Each peculiarity of the channel has a test.

mod bookings;
mod calendars;
mod connection;
mod groups;
mod inbound;
mod manifest;
mod operations;
mod pull;
mod webhooks;

use gassync_plugin::{
    ChangeKind, ChannelError, Date, Entity, HttpRequest, Inbound, Page, Pull, Query, Reservation, Selection,
    parse_date,
    testing::{FakeHost, post},
};
use serde_json::Value;

use crate::Beds24;

const BOOKING: &str = r#"{"id":71000001,"masterId":null,"propertyId":4100,"roomId":5200,"unitId":0,"roomQty":1,
    "status":"new","subStatus":"none","arrival":"2027-03-05","departure":"2027-03-08","numAdult":2,"numChild":1,
    "firstName":"Ilse","lastName":"Vandermolen","email":"","phone":"","mobile":"+3100000001","country":"nl",
    "country2":"NL","comments":"Late arrival","notes":"","lang":"nl","price":450.00,"commission":"67.50",
    "channel":"booking","apiSourceId":19,"apiSource":"Booking.com","apiReference":"990011",
    "bookingTime":"2027-01-02T10:00:00Z","modifiedTime":"2027-01-03T11:12:13Z","cancelTime":null,
    "stripeToken":null,"bookingGroup":{"master":null,"ids":[71000001]}}"#;

fn decode(call: HttpRequest) -> Result<Vec<ChangeKind>, ChannelError> {
    Beds24::decode(call).map(|decoded| decoded.changes.into_iter().map(|change| change.data).collect())
}

fn webhook(booking: &str) -> Reservation {
    let body = format!(r#"{{"timeStamp":"2027-01-03T11:12:20Z","booking":{booking},"messages":[],"retries":0}}"#);
    match decode(post("/", body)).expect("decoded").remove(0) {
        ChangeKind::Reservation(reservation) => reservation,
        other => panic!("not a reservation: {other:?}"),
    }
}

fn fetch(entity: Entity, selection: Selection, cursor: Option<&str>) -> Result<Page, ChannelError> {
    let cursor = cursor.map(str::to_owned);
    Beds24::fetch(Query { entity, selection, property_id: None, room_type_id: None, cursor })
}

fn page(records: &str, another: bool) -> String {
    format!(r#"{{"success":true,"type":"x","count":1,"pages":{{"nextPageExists":{another}}},"data":[{records}]}}"#)
}

fn day(text: &str) -> Date {
    parse_date(text).expect("a date")
}

/// Returns method, path with query, and body of the sent requests; asserts that each has the token.
fn asked() -> Vec<(String, String, Value)> {
    let requests = FakeHost::take_requests().into_iter().map(|request| {
        let token = request.headers.iter().find(|header| header.name == "token").map(|header| header.value.as_str());
        assert_eq!(token, Some("{{beds24.token}}"), "{}", request.url);
        let path = request.url.strip_prefix("https://beds24.com/api/v2").expect("the API").to_owned();
        let body = request.body.map(|body| serde_json::from_slice(&body).expect("JSON")).unwrap_or_default();
        (request.method, path, body)
    });
    requests.collect()
}

//! Manual actions of the owner or a guest.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{
    Beds24, BookingChange, NewBooking, NightsSet,
    money::{cents, number},
};
use crate::control::{WebhookRequested, failed, notification, yes};

fn one() -> u32 {
    1
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Made {
    room_id: u64,
    arrival: Date,
    departure: Date,
    #[serde(default = "one")]
    room_qty: u32,
    #[serde(default = "one")]
    num_adult: u32,
    #[serde(default)]
    price: Value,
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
    /// True to send a webhook.
    #[serde(default = "yes")]
    notify: bool,
}

pub(super) async fn make(State(simulator): State<Beds24>, Json(made): Json<Made>) -> Response {
    let price = if made.price.is_null() { number(0) } else { made.price };
    let Some(price_cents) = cents(&price) else {
        return failed(StatusCode::BAD_REQUEST, "the price must be a number with at most two decimals");
    };
    let new = NewBooking {
        room_id: made.room_id,
        arrival: made.arrival,
        departure: made.departure,
        room_qty: made.room_qty,
        num_adult: made.num_adult,
        price_cents,
        first_name: made.first_name,
        last_name: made.last_name,
    };
    match simulator.make(new, notification(made.notify)) {
        Some(id) => (StatusCode::CREATED, Json(json!({ "id": id }))).into_response(),
        None => failed(StatusCode::CONFLICT, "there is no such room, no room left, or no night in between"),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Changed {
    room_id: Option<u64>,
    arrival: Option<Date>,
    departure: Option<Date>,
    num_adult: Option<u32>,
    price: Option<Value>,
    #[serde(default = "yes")]
    notify: bool,
}

pub(super) async fn change(
    State(simulator): State<Beds24>,
    Path(id): Path<u64>,
    Json(changed): Json<Changed>,
) -> Response {
    let Some(entry) = simulator.book().into_iter().find(|entry| entry.id == id) else {
        return failed(StatusCode::NOT_FOUND, "there is no such booking");
    };
    let price_cents = changed.price.as_ref().map(cents);
    if price_cents == Some(None) {
        return failed(StatusCode::BAD_REQUEST, "the price must be a number with at most two decimals");
    }
    let dates = (changed.arrival.unwrap_or(entry.arrival), changed.departure.unwrap_or(entry.departure));
    let change = BookingChange {
        room_id: changed.room_id,
        dates: (dates != (entry.arrival, entry.departure)).then_some(dates),
        num_adult: changed.num_adult,
        price_cents: price_cents.flatten(),
    };
    if simulator.change(id, &change, notification(changed.notify)) {
        Json(json!({ "id": id })).into_response()
    } else {
        failed(StatusCode::CONFLICT, "it is cancelled, or there is no room left")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    message: String,
}

pub(super) async fn message(
    State(simulator): State<Beds24>,
    Path(id): Path<u64>,
    Json(written): Json<Written>,
) -> Response {
    match simulator.guest_writes(id, &written.message) {
        Some(message) => (StatusCode::CREATED, Json(json!({ "id": message }))).into_response(),
        None => failed(StatusCode::CONFLICT, "only guests of another site can write"),
    }
}

/// Nights to set by hand.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ByHand {
    room_id: u64,
    from: Date,
    to: Date,
    #[serde(flatten)]
    set: NightsSet,
}

pub(super) async fn set_nights(State(simulator): State<Beds24>, Json(by_hand): Json<ByHand>) -> Response {
    if simulator.set_nights(by_hand.room_id, (by_hand.from, by_hand.to), &by_hand.set) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        failed(StatusCode::NOT_FOUND, "there is no such room")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Invited {
    /// Scopes of the code; by default those of the settings.
    scopes: Option<Vec<String>>,
}

pub(super) async fn invite(State(simulator): State<Beds24>, Json(invited): Json<Invited>) -> Response {
    let code = match invited.scopes {
        Some(scopes) => simulator.invite_code_with(scopes),
        None => simulator.invite_code(),
    };
    Json(json!({ "inviteCode": code })).into_response()
}

pub(super) async fn inventory_webhook(
    State(simulator): State<Beds24>,
    Json(requested): Json<WebhookRequested>,
) -> StatusCode {
    simulator.set_inventory_webhook(requested.into());
    StatusCode::NO_CONTENT
}

pub(super) async fn end_access_tokens(State(simulator): State<Beds24>, Json(_): Json<Value>) -> StatusCode {
    simulator.end_access_tokens();
    StatusCode::NO_CONTENT
}

//! Reads the state of the account.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::{Span, civil::Date};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{
    Beds24, BookEntry, GuestMessage, NightWrite, SeenCall, SimulatedProperty, nights::PRICED_NIGHTS, today,
    webhook::Delivered,
};

/// Number of nights shown without an end date.
const SHOWN_NIGHTS: i64 = 14;

pub(super) async fn state(State(simulator): State<Beds24>) -> Json<Value> {
    Json(json!({
        "now": simulator.now(),
        "bookings": simulator.book().len(),
        "creditsRemaining": simulator.credits_remaining(),
        "parallelCalls": simulator.parallel_calls(),
        "webhooksPending": simulator.webhooks_pending(),
        "webhooksAcknowledged": simulator.webhooks_acknowledged().len(),
    }))
}

pub(super) async fn properties(State(simulator): State<Beds24>) -> Json<Vec<SimulatedProperty>> {
    Json(simulator.properties())
}

pub(super) async fn book(State(simulator): State<Beds24>) -> Json<Vec<BookEntry>> {
    Json(simulator.book())
}

pub(super) async fn messages(State(simulator): State<Beds24>) -> Json<Vec<GuestMessage>> {
    Json(simulator.messages())
}

pub(super) async fn creates(State(simulator): State<Beds24>) -> Json<BTreeMap<String, usize>> {
    Json(simulator.creates_by_reference())
}

#[derive(Deserialize)]
pub(super) struct Last {
    last: Option<usize>,
}

/// Returns all calls, or the last ones up to a number.
pub(super) async fn requests(
    State(simulator): State<Beds24>,
    Query(Last { last }): Query<Last>,
) -> Json<Vec<SeenCall>> {
    let mut calls = simulator.requests();
    if let Some(last) = last {
        calls.drain(..calls.len().saturating_sub(last));
    }
    Json(calls)
}

pub(super) async fn deliveries(State(simulator): State<Beds24>) -> Json<Vec<Delivered>> {
    Json(simulator.deliveries())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NightsQuery {
    room_id: Option<u64>,
    from: Option<Date>,
    to: Option<Date>,
}

/// Returns the calendar writes by API, in order.
pub(super) async fn night_writes(State(simulator): State<Beds24>) -> Json<Vec<NightWrite>> {
    Json(simulator.night_writes())
}

pub(super) async fn calendar(State(simulator): State<Beds24>, Query(query): Query<NightsQuery>) -> Response {
    let from = query.from.unwrap_or_else(|| today(simulator.now()));
    let to = query.to.unwrap_or_else(|| from.saturating_add(Span::new().days(SHOWN_NIGHTS - 1)));
    if to > from.saturating_add(Span::new().days(PRICED_NIGHTS)) {
        return super::act::failed(StatusCode::BAD_REQUEST, "that is more nights than there are prices for");
    }
    let properties = simulator.properties();
    let rooms = properties.iter().flat_map(|property| property.room_types.iter().map(move |room| (property, room)));
    let shown: Vec<Value> = rooms
        .filter(|(_, room)| query.room_id.is_none_or(|id| id == room.id))
        .map(|(property, room)| {
            json!({ "propertyId": property.id, "property": property.name, "currency": property.currency,
                "roomId": room.id, "room": room.name, "qty": room.qty, "nights": simulator.nights(room.id, from, to) })
        })
        .collect();
    Json(shown).into_response()
}

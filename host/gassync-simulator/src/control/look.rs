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

use super::{Controlled, failed};
use crate::{Delivered, SeenCall, SimulatedProperty, SimulatedReservation};

/// Number of nights shown without an end date.
const SHOWN_NIGHTS: i64 = 14;
/// Maximum nights shown.
const MOST_NIGHTS: i64 = 500;

pub(super) async fn state(State(control): State<Controlled>) -> Json<Value> {
    let account = &control.account;
    Json(json!({
        "channel": account.channel(),
        "abilities": account.abilities(),
        "now": (control.clock)(),
        "reservations": account.reservations().len(),
        "webhooksPending": account.webhooks_pending(),
        "webhooksAcknowledged": account.webhooks_acknowledged(),
        "figures": account.figures(),
    }))
}

pub(super) async fn properties(State(control): State<Controlled>) -> Json<Vec<SimulatedProperty>> {
    Json(control.account.properties())
}

pub(super) async fn reservations(State(control): State<Controlled>) -> Json<Vec<SimulatedReservation>> {
    Json(control.account.reservations())
}

pub(super) async fn creates(State(control): State<Controlled>) -> Json<BTreeMap<String, usize>> {
    Json(control.account.created_by_reference())
}

#[derive(Deserialize)]
pub(super) struct Last {
    last: Option<usize>,
}

/// Returns all calls, or the last ones up to a number.
pub(super) async fn requests(
    State(control): State<Controlled>,
    Query(Last { last }): Query<Last>,
) -> Json<Vec<SeenCall>> {
    let mut calls = control.account.requests();
    if let Some(last) = last {
        calls.drain(..calls.len().saturating_sub(last));
    }
    Json(calls)
}

pub(super) async fn deliveries(State(control): State<Controlled>) -> Json<Vec<Delivered>> {
    Json(control.account.deliveries())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NightsQuery {
    room_type_id: Option<String>,
    from: Option<Date>,
    to: Option<Date>,
}

pub(super) async fn calendar(State(control): State<Controlled>, Query(query): Query<NightsQuery>) -> Response {
    let from = query.from.unwrap_or_else(|| control.today());
    let to = query.to.unwrap_or_else(|| from.saturating_add(Span::new().days(SHOWN_NIGHTS - 1)));
    if to > from.saturating_add(Span::new().days(MOST_NIGHTS)) {
        return failed(StatusCode::BAD_REQUEST, "that is more nights than there are prices for");
    }
    let properties = control.account.properties();
    let rooms = properties.iter().flat_map(|property| property.room_types.iter().map(move |room| (property, room)));
    let shown: Vec<Value> = rooms
        .filter(|(_, room)| query.room_type_id.as_ref().is_none_or(|id| *id == room.id))
        .map(|(property, room)| {
            json!({ "propertyId": property.id, "property": property.name, "currency": property.currency,
                "roomTypeId": room.id, "roomType": room.name, "units": room.units,
                "nights": control.account.calendar(&room.id, from, to) })
        })
        .collect();
    Json(shown).into_response()
}

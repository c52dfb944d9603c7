//! Switches odd data on and off, or produces it at once.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::super::{Beds24, Odd};

pub(super) async fn show(State(simulator): State<Beds24>) -> Response {
    let said = simulator.odd_said();
    let said = Odd::ALL.map(|kind| (kind, said.get(&kind).copied().unwrap_or_default()));
    Json(json!({ "rate": simulator.odd_rate(), "said": BTreeMap::from(said), "removed": simulator.removed() }))
        .into_response()
}

/// The new rate of odd data, or a kind to produce now.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OddRequest {
    rate: Option<f64>,
    kind: Option<Odd>,
}

pub(super) async fn set(state: State<Beds24>, Json(OddRequest { rate, kind }): Json<OddRequest>) -> Response {
    if rate.is_some_and(|rate| !(0.0..=1.0).contains(&rate)) {
        return super::act::failed(StatusCode::BAD_REQUEST, "a rate is between 0 and 1");
    }
    if let Some(rate) = rate {
        state.set_odd(rate);
    }
    match kind.map(|kind| state.say_odd(kind)) {
        Some(None) => super::act::failed(StatusCode::CONFLICT, "there is no booking that it could be said of"),
        Some(Some(action)) => Json(json!({ "id": action.booking_id, "summary": action.summary })).into_response(),
        None => show(state).await,
    }
}

/// Stops producing odd data.
pub(super) async fn clear(state: State<Beds24>) -> Response {
    state.set_odd(0.0);
    show(state).await
}

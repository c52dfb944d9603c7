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

use super::{Controlled, act, failed};

pub(super) async fn show(State(control): State<Controlled>) -> Response {
    let (account, sent) = (&control.account, control.account.odd_sent());
    let said: BTreeMap<&str, u64> =
        account.odd_kinds().into_iter().map(|kind| (kind, sent.get(kind).copied().unwrap_or_default())).collect();
    Json(json!({ "rate": account.odd_share(), "said": said, "removed": account.removed() })).into_response()
}

/// The new rate of odd data, or a kind to produce now.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OddRequest {
    rate: Option<f64>,
    kind: Option<String>,
}

pub(super) async fn set(state: State<Controlled>, Json(OddRequest { rate, kind }): Json<OddRequest>) -> Response {
    let account = &state.account;
    if rate.is_some_and(|rate| !(0.0..=1.0).contains(&rate)) {
        return failed(StatusCode::BAD_REQUEST, "a rate is between 0 and 1");
    }
    if kind.as_deref().is_some_and(|kind| !account.odd_kinds().contains(&kind)) {
        return failed(StatusCode::BAD_REQUEST, "there is no such kind");
    }
    if let Some(rate) = rate {
        account.set_odd(rate);
    }
    match kind.map(|kind| account.send_odd(&kind)) {
        Some(None) => failed(StatusCode::CONFLICT, "there is no booking that it could be said of"),
        Some(Some(action)) => act::done(&action),
        None => show(state).await,
    }
}

/// Stops producing odd data.
pub(super) async fn clear(state: State<Controlled>) -> Response {
    state.account.set_odd(0.0);
    show(state).await
}

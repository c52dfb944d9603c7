//! Switches faults on and off.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{Controlled, failed};
use crate::{FaultSettings, InjectedFault, Rule};

pub(super) async fn show(State(control): State<Controlled>) -> Response {
    let faults = control.account.faults();
    let all = InjectedFault::ALL.map(|fault| (fault, faults.rules.get(&fault).cloned().unwrap_or_default()));
    Json(json!({ "rules": BTreeMap::from(all), "delayMillis": faults.delay_millis, "holdMillis": faults.hold_millis }))
        .into_response()
}

/// Fault settings to change; missing ones are kept.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FaultsChange {
    #[serde(default)]
    rules: BTreeMap<InjectedFault, Rule>,
    delay_millis: Option<u64>,
    hold_millis: Option<u64>,
}

pub(super) async fn set(state: State<Controlled>, Json(change): Json<FaultsChange>) -> Response {
    if change.rules.values().any(|rule| !(0.0..=1.0).contains(&rule.rate)) {
        return failed(StatusCode::BAD_REQUEST, "a rate is between 0 and 1");
    }
    let mut faults = state.account.faults();
    faults.rules.extend(change.rules);
    faults.delay_millis = change.delay_millis.unwrap_or(faults.delay_millis);
    faults.hold_millis = change.hold_millis.unwrap_or(faults.hold_millis);
    state.account.set_faults(faults);
    show(state).await
}

/// Clears all faults.
pub(super) async fn clear(state: State<Controlled>) -> Response {
    state.account.set_faults(FaultSettings::default());
    show(state).await
}

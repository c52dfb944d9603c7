//! Manual actions of the owner or a guest.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Controlled, failed, notification, yes};
use crate::{Action, NewReservation, WebhookTarget, money};

/// Builds the response of an action.
pub(super) fn done(action: &Action) -> Response {
    Json(json!({ "id": action.reservation_id, "summary": action.summary })).into_response()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct BookRequest {
    room_type_id: String,
    check_in: Date,
    check_out: Date,
    adults: Option<u32>,
    #[serde(default)]
    total_price: Value,
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
    /// True to send a webhook.
    #[serde(default = "yes")]
    notify: bool,
}

pub(super) async fn book(State(control): State<Controlled>, Json(booked): Json<BookRequest>) -> Response {
    let total = if booked.total_price.is_null() { Some(0) } else { money::cents(&booked.total_price) };
    let Some(total_cents) = total else {
        return failed(StatusCode::BAD_REQUEST, "the price must be a number with at most two decimals");
    };
    let new = NewReservation {
        room_type_id: booked.room_type_id,
        check_in: booked.check_in,
        check_out: booked.check_out,
        adults: booked.adults.unwrap_or(1),
        total_cents,
        guest: (booked.first_name, booked.last_name),
    };
    match control.account.book(&new, notification(booked.notify)) {
        Some(id) => (StatusCode::CREATED, Json(json!({ "id": id }))).into_response(),
        None => failed(StatusCode::CONFLICT, "there is no such room, no room left, or no night in between"),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RebookRequest {
    check_in: Date,
    check_out: Date,
    #[serde(default = "yes")]
    notify: bool,
}

pub(super) async fn rebook(
    State(control): State<Controlled>,
    Path(id): Path<String>,
    Json(rebooked): Json<RebookRequest>,
) -> Response {
    let nights = (rebooked.check_in, rebooked.check_out);
    if control.account.rebook(&id, nights, notification(rebooked.notify)) {
        Json(json!({ "id": id })).into_response()
    } else {
        failed(StatusCode::CONFLICT, "it is cancelled, or there is no room left")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelRequest {
    #[serde(default = "yes")]
    notify: bool,
}

pub(super) async fn cancel(
    State(control): State<Controlled>,
    Path(id): Path<String>,
    Json(cancelled): Json<CancelRequest>,
) -> Response {
    if control.account.cancel(&id, notification(cancelled.notify)) {
        Json(json!({ "id": id })).into_response()
    } else {
        failed(StatusCode::CONFLICT, "there is no such booking, or it is cancelled already")
    }
}

/// Nights to close or open by hand, both ends included.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CloseRequest {
    room_type_id: String,
    from: Date,
    to: Date,
    closed: bool,
}

pub(super) async fn close(State(control): State<Controlled>, Json(closed): Json<CloseRequest>) -> Response {
    if control.account.close_by_hand(&closed.room_type_id, (closed.from, closed.to), closed.closed) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        failed(StatusCode::NOT_FOUND, "there is no such room")
    }
}

/// Performs a random action.
pub(super) async fn any(State(control): State<Controlled>, Json(_): Json<Value>) -> Response {
    match control.account.act() {
        Some(action) => done(&action),
        None => failed(StatusCode::CONFLICT, "there was nothing that could happen"),
    }
}

/// Issues credentials for a source.
pub(super) async fn credentials(
    State(control): State<Controlled>,
    Json(_): Json<Value>,
) -> Json<BTreeMap<String, String>> {
    Json(control.account.credentials())
}

/// Where webhooks are to be sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookRequested {
    url: String,
    /// `Name: value`.
    header: Option<String>,
}

impl From<WebhookRequested> for WebhookTarget {
    fn from(requested: WebhookRequested) -> Self {
        let header = requested.header.as_deref().and_then(|header| header.split_once(':'));
        let header = header.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
        Self { url: requested.url, header }
    }
}

pub(super) async fn webhook(State(control): State<Controlled>, Json(requested): Json<WebhookRequested>) -> StatusCode {
    control.account.set_webhook(requested.into());
    StatusCode::NO_CONTENT
}

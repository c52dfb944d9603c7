//! `/` for people, and `/_simulator/…` for tests and that page, alike for all channels. Not part of a channel, and
//! without a token: the simulator is for the local machine only.

mod act;
mod fault;
mod look;
mod odd;

use std::sync::Arc;

use axum::{
    Json, Router,
    http::{StatusCode, header::CONTENT_SECURITY_POLICY},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use jiff::civil::Date;
use serde_json::json;

use crate::{Notification, Simulator, SimulatorClock, chance};

pub(crate) use act::WebhookRequested;

const PAGE: &str = include_str!("../../assets/control.html");
/// The page loads no external resources and connects only to its own server.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The account that is controlled.
#[derive(Clone)]
struct Controlled {
    account: Arc<dyn Simulator>,
    clock: SimulatorClock,
}

impl Controlled {
    fn today(&self) -> Date {
        chance::today((self.clock)())
    }
}

/// The routes of an account. A channel may add its own below `/_simulator/`.
pub(crate) fn router(account: Arc<dyn Simulator>, clock: SimulatorClock) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/_simulator/state", get(look::state))
        .route("/_simulator/properties", get(look::properties))
        .route("/_simulator/reservations", get(look::reservations).post(act::book))
        .route("/_simulator/reservations/{id}", post(act::rebook))
        .route("/_simulator/reservations/{id}/cancel", post(act::cancel))
        .route("/_simulator/calendar", get(look::calendar).post(act::close))
        .route("/_simulator/creates", get(look::creates))
        .route("/_simulator/requests", get(look::requests))
        .route("/_simulator/deliveries", get(look::deliveries))
        .route("/_simulator/faults", get(fault::show).post(fault::set).delete(fault::clear))
        .route("/_simulator/odd", get(odd::show).post(odd::set).delete(odd::clear))
        .route("/_simulator/act", post(act::any))
        .route("/_simulator/credentials", post(act::credentials))
        .route("/_simulator/webhook", post(act::webhook))
        .with_state(Controlled { account, clock })
}

async fn page() -> impl IntoResponse {
    ([(CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE))
}

/// Builds a readable error response.
pub(crate) fn failed(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({ "error": text }))).into_response()
}

/// Reads whether an action sends a webhook.
pub(crate) fn notification(notify: bool) -> Notification {
    if notify { Notification::Webhook } else { Notification::None }
}

/// Actions send webhooks unless told otherwise.
pub(crate) fn yes() -> bool {
    true
}

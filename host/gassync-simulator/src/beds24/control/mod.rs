//! `/` for people, and `/_simulator/…` for tests and that page. Not part of the channel, and without a token: the
//! simulator is for the local machine only.

mod act;
mod fault;
mod look;
mod odd;

use axum::{
    Router,
    http::header::CONTENT_SECURITY_POLICY,
    response::{Html, IntoResponse},
    routing::{get, post},
};

use super::Beds24;

const PAGE: &str = include_str!("../../../assets/beds24.html");
/// The page loads no external resources and connects only to its own server.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) fn router() -> Router<Beds24> {
    Router::new()
        .route("/", get(page))
        .route("/_simulator/state", get(look::state))
        .route("/_simulator/properties", get(look::properties))
        .route("/_simulator/book", get(look::book))
        .route("/_simulator/calendar", get(look::calendar))
        .route("/_simulator/nights", get(look::night_writes).post(act::set_nights))
        .route("/_simulator/messages", get(look::messages))
        .route("/_simulator/creates", get(look::creates))
        .route("/_simulator/requests", get(look::requests))
        .route("/_simulator/deliveries", get(look::deliveries))
        .route("/_simulator/faults", get(fault::show).post(fault::set).delete(fault::clear))
        .route("/_simulator/odd", get(odd::show).post(odd::set).delete(odd::clear))
        .route("/_simulator/act", post(act::any))
        .route("/_simulator/bookings", post(act::make))
        .route("/_simulator/bookings/{id}", post(act::change))
        .route("/_simulator/bookings/{id}/cancel", post(act::cancel))
        .route("/_simulator/bookings/{id}/message", post(act::message))
        .route("/_simulator/invite", post(act::invite))
        .route("/_simulator/webhook", post(act::webhook))
        .route("/_simulator/inventory-webhook", post(act::inventory_webhook))
        .route("/_simulator/end-access-tokens", post(act::end_access_tokens))
}

async fn page() -> impl IntoResponse {
    ([(CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE))
}

//! What the control API of this channel has beyond that of every channel.

mod act;
mod look;

use axum::{
    Router,
    routing::{get, post},
};

use super::Beds24;

pub(super) fn router() -> Router<Beds24> {
    Router::new()
        .route("/_simulator/book", get(look::book))
        .route("/_simulator/nights", get(look::night_writes).post(act::set_nights))
        .route("/_simulator/messages", get(look::messages))
        .route("/_simulator/bookings", post(act::make))
        .route("/_simulator/bookings/{id}", post(act::change))
        .route("/_simulator/bookings/{id}/message", post(act::message))
        .route("/_simulator/invite", post(act::invite))
        .route("/_simulator/inventory-webhook", post(act::inventory_webhook))
        .route("/_simulator/end-access-tokens", post(act::end_access_tokens))
}

//! `/api/reservations`: lists, single ones, and the few ways to write them.

mod cancel;
mod change;
mod create;
mod elements;
mod filter;
mod read;
mod written;

use axum::{Router, routing::get};

use super::Smoobu;

pub(super) fn router() -> Router<Smoobu> {
    Router::new()
        .route("/api/reservations", get(read::list).post(create::create))
        .route("/api/reservations/{id}", get(read::single).put(change::change).delete(cancel::cancel))
        .route("/api/reservations/{id}/price-elements", get(elements::list).post(elements::add))
}

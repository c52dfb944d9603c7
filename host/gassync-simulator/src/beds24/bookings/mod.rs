//! `/bookings`: reads with the channel's peculiarities, and one write that creates, changes and cancels.

mod filter;
mod list;
mod remove;
mod write;

use axum::{Router, routing::get};

use super::Beds24;

pub(super) fn router() -> Router<Beds24> {
    Router::new().route("/bookings", get(list::list).post(write::write).delete(remove::remove))
}

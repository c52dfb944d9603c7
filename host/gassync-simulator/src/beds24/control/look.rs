//! Reads the state of the account.

use axum::{Json, extract::State};

use super::super::{Beds24, BookEntry, GuestMessage, NightWrite};

pub(super) async fn book(State(simulator): State<Beds24>) -> Json<Vec<BookEntry>> {
    Json(simulator.book())
}

pub(super) async fn messages(State(simulator): State<Beds24>) -> Json<Vec<GuestMessage>> {
    Json(simulator.messages())
}

/// Returns the calendar writes by API, in order.
pub(super) async fn night_writes(State(simulator): State<Beds24>) -> Json<Vec<NightWrite>> {
    Json(simulator.night_writes())
}

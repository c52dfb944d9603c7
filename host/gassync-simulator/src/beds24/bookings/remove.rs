//! `DELETE /bookings`: deletes permanently, unlike a cancellation.

use axum::{
    Extension, Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::super::{
    Admitted, Beds24,
    answer::{self, refused},
    query::{BadParameter, QueryParams},
};

pub(super) async fn remove(
    State(simulator): State<Beds24>,
    Extension(call): Extension<Admitted>,
    query: QueryParams,
) -> Result<Response, BadParameter> {
    let ids = query.numbers("id")?;
    if ids.is_empty() {
        return Ok(answer::error(StatusCode::BAD_REQUEST, "Parameter id is required"));
    }
    let bookings = &mut simulator.account().book.bookings;
    let outcomes: Vec<_> = ids
        .iter()
        .map(|id| match bookings.iter().position(|booking| booking.entry.id == *id) {
            Some(place) => {
                if !call.discard_changes {
                    bookings.remove(place);
                }
                json!({ "success": true, "id": id })
            }
            None => refused("delete booking", &[("id", "not found")]),
        })
        .collect();
    Ok(Json(outcomes).into_response())
}

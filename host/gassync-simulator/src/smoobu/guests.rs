//! `GET /api/guests`: one guest per booking.

use axum::{
    Json, Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};

use super::{
    Smoobu, answer,
    booking::SmoobuBooking,
    query::{InvalidParameter, Parameters},
};

pub(super) fn router() -> Router<Smoobu> {
    Router::new().route("/api/guests", get(list)).route("/api/guests/{id}", get(single))
}

fn wire(booking: &SmoobuBooking) -> Option<Value> {
    let address = &booking.address;
    Some(json!({
        "id": booking.guest_id()?,
        "firstName": booking.first_name,
        "lastName": booking.last_name,
        "companyName": "",
        "emails": booking.email.as_slice(),
        "telephoneNumbers": booking.phone.as_slice(),
        "address": {
            "street": address.street,
            "postalCode": address.postal_code,
            "city": address.city,
            "country": address.country,
        },
    }))
}

async fn list(State(simulator): State<Smoobu>, parameters: Parameters) -> Result<Response, InvalidParameter> {
    let (page, size) = parameters.page("pageSize")?;
    let guests: Vec<Value> = simulator.account().book.bookings.iter().filter_map(wire).collect();
    Ok(answer::list("guests", &guests, page, size))
}

async fn single(State(simulator): State<Smoobu>, Path(id): Path<String>) -> Response {
    let account = simulator.account();
    let id: Option<u64> = id.parse().ok();
    let booking = account.book.bookings.iter().find(|booking| id.is_some() && booking.guest_id() == id);
    booking.and_then(wire).map_or_else(answer::not_found, |guest| Json(guest).into_response())
}

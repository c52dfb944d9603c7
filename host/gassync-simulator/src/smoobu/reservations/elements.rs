//! `/api/reservations/{id}/price-elements`.

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::super::{Smoobu, answer, middleware::AdmittedCall, price_element::PriceElement, webhook::BookingEvent};

/// Lists the parts of a price; not found if there are none.
pub(super) async fn list(State(simulator): State<Smoobu>, Path(id): Path<String>) -> Response {
    let account = simulator.account();
    let booking = id.parse().ok().and_then(|id| account.book.get(id));
    booking.filter(|booking| !booking.elements.is_empty()).map_or_else(answer::not_found, |booking| {
        let elements: Value = booking.elements.iter().map(PriceElement::wire).collect();
        Json(json!({ "priceElements": elements })).into_response()
    })
}

/// Adds a part, which does not change the price.
pub(super) async fn add(
    State(simulator): State<Smoobu>,
    Extension(call): Extension<AdmittedCall>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let given: Value = serde_json::from_slice(&body).unwrap_or_default();
    simulator.write(call, |account, settings, now| {
        let book = &mut account.book;
        let Some(booking) = id.parse().ok().and_then(|id| book.get(id)) else {
            return answer::not_found();
        };
        let id = booking.id;
        let currency = book.apartment(booking.apartment).map_or("EUR", |apartment| apartment.currency());
        let Some(element) = PriceElement::read(book.next_element_id(), &given, currency) else {
            return settings.refuse("type and amount are required");
        };
        let wire = element.wire();
        if let Some(booking) = book.get_mut(id) {
            booking.elements.push(element);
            booking.touch(booking.kind.after_change(), now);
        }
        account.notify(settings, id, BookingEvent::Update, now);
        Json(wire).into_response()
    })
}

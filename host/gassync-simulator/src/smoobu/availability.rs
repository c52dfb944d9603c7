//! `POST /booking/checkApartmentAvailability`: what a stay would cost, and where it can be.

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Smoobu, apartment::Apartment, book::Book};
use crate::{chance, money};

/// Path of the check, which is not below `/api`.
pub(super) const PATH: &str = "/booking/checkApartmentAvailability";
/// Code of a stay that is too short; no other is known.
const TOO_SHORT: u32 = 401;

pub(super) fn router() -> Router<Smoobu> {
    Router::new().route(PATH, post(check))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stay {
    arrival_date: Date,
    departure_date: Date,
    apartments: Vec<u64>,
    customer_id: u64,
    guests: Option<u32>,
}

async fn check(State(simulator): State<Smoobu>, body: Bytes) -> Response {
    let settings = &simulator.inner.settings;
    let Ok(stay) = serde_json::from_slice::<Stay>(&body) else { return settings.refuse("The stay cannot be read") };
    if stay.customer_id != settings.user() {
        return settings.refuse("customerId is unknown");
    }
    if stay.departure_date <= stay.arrival_date {
        return settings.refuse("departureDate must be after arrivalDate");
    }
    let account = simulator.account();
    let book = &account.book;
    let free =
        stay.apartments.iter().filter_map(|id| book.apartment(*id)).filter(|apartment| stay.fits(book, apartment));
    let (mut available, mut prices, mut errors) = (Vec::new(), Map::new(), Map::new());
    for apartment in free {
        let id = apartment.id.to_string();
        available.push(apartment.id);
        let least = book.rates.get(apartment.id, stay.arrival_date).min_stay.unwrap_or(1);
        if stay.nights().count() < least as usize {
            // As documented: listed as available and with an error at once.
            let error = json!({ "errorCode": TOO_SHORT, "message": "The duration of the booking is too short.",
                "minimumLengthOfStay": least });
            errors.insert(id, error);
        } else if let Some(cents) = stay.price(book, apartment) {
            prices.insert(id, json!({ "price": money::number(cents), "currency": apartment.currency() }));
        }
    }
    let body: Value = json!({ "availableApartments": available, "prices": prices, "errorMessages": errors });
    Json(body).into_response()
}

impl Stay {
    fn nights(&self) -> impl Iterator<Item = Date> {
        chance::nights(self.arrival_date, self.departure_date)
    }

    fn fits(&self, book: &Book, apartment: &Apartment) -> bool {
        let free = book.is_free(apartment.id, (self.arrival_date, self.departure_date), None);
        free && self.guests.is_none_or(|guests| guests <= apartment.max_occupancy)
    }

    /// Sum of the nights; `None` if one has no price.
    fn price(&self, book: &Book, apartment: &Apartment) -> Option<u64> {
        self.nights().map(|night| book.rates.get(apartment.id, night).price_cents).sum()
    }
}

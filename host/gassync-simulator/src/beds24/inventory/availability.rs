//! Availability per night, and bookings per unit.

use axum::{extract::State, response::Response};
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::{
    super::{
        Beds24, answer,
        property::Beds24RoomType,
        query::{BadParameter, QueryParams},
        state::AccountState,
    },
    Nights, rooms,
};

/// `GET /inventory/rooms/availability`: a boolean per night.
pub(super) async fn availability(
    State(simulator): State<Beds24>,
    query: QueryParams,
) -> Result<Response, BadParameter> {
    let nights = Nights::asked(&query, &simulator)?;
    let account = simulator.account();
    let book = &account.book;
    let open =
        |room: &Beds24RoomType, night| book.available(room, night) > 0 && !book.calendar.is_blackout(room.id, night);
    let found = rooms(&query, &account)?;
    let size = simulator.inner.settings.page_size;
    Ok(answer::list("availability", found, &query, size, |(property, room)| {
        let nights = nights.each().map(|night| (night.to_string(), json!(open(room, night))));
        json!({ "roomId": room.id, "propertyId": property.id, "name": room.name,
            "availability": nights.collect::<Map<_, _>>() })
    }))
}

/// `GET /inventory/rooms/unitBookings`: the number of bookings per unit.
pub(super) async fn unit_bookings(
    State(simulator): State<Beds24>,
    query: QueryParams,
) -> Result<Response, BadParameter> {
    let nights = Nights::asked(&query, &simulator)?;
    let account = simulator.account();
    let found = rooms(&query, &account)?;
    let size = simulator.inner.settings.page_size;
    Ok(answer::list("unitBookings", found, &query, size, |(property, room)| {
        let nights = nights.each().map(|night| (night.to_string(), units(&account.book, room, night)));
        json!({ "roomId": room.id, "propertyId": property.id, "name": room.name, "qty": room.qty,
            "unitBookings": nights.collect::<Map<_, _>>() })
    }))
}

/// Counts bookings per unit. A booking of several rooms is assigned to one unit, its other rooms to none.
fn units(book: &AccountState, room: &Beds24RoomType, night: Date) -> Value {
    let holding: Vec<_> = book.bookings.iter().filter(|b| b.entry.room_id == room.id && b.holds(night)).collect();
    let of = |unit: u32| holding.iter().filter(|b| b.entry.unit_id == unit).count() as u64;
    let assigned: u64 = (1..=room.qty).map(of).sum();
    let all: u64 = holding.iter().map(|b| u64::from(b.entry.room_qty)).sum();
    let mut counts: Map<String, Value> = (1..=room.qty).map(|unit| (unit.to_string(), json!(of(unit)))).collect();
    counts.insert("unassigned".to_owned(), json!(all - assigned));
    Value::Object(counts)
}

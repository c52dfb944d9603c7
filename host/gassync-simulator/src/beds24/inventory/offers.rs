//! `GET /inventory/rooms/offers`: the price of a stay where it is available.

use axum::{extract::State, response::Response};
use jiff::civil::Date;
use serde_json::{Value, json};

use super::{
    super::{
        Beds24, answer, money,
        property::Beds24RoomType,
        query::{BadParameter, QueryParams},
        state::AccountState,
    },
    MOST_NIGHTS, rooms,
};
use crate::chance::nights;

pub(super) async fn offers(State(simulator): State<Beds24>, query: QueryParams) -> Result<Response, BadParameter> {
    let required = |name: &str| BadParameter(format!("Parameter {name} is required"));
    let arrival = query.date("arrival")?.ok_or_else(|| required("arrival"))?;
    let departure = query.date("departure")?.ok_or_else(|| required("departure"))?;
    // The name is plural here, but singular on bookings.
    let adults = query.number("numAdults")?.ok_or_else(|| required("numAdults"))?;
    let children = query.number("numChildren")?.unwrap_or(0);
    let count = nights(arrival, departure).take(MOST_NIGHTS as usize + 1).count();
    if count == 0 || count > MOST_NIGHTS as usize {
        return Err(BadParameter("Parameter departure must be after arrival, and not years after".to_owned()));
    }
    let account = simulator.account();
    let found = rooms(&query, &account)?;
    let size = simulator.inner.settings.page_size;
    Ok(answer::list("offer", found, &query, size, |(property, room)| {
        let fits = adults.saturating_add(children) <= u64::from(room.max_people);
        let offer = if fits { offer(&account.book, room, arrival, departure) } else { None };
        json!({ "roomId": room.id, "propertyId": property.id, "offers": offer.into_iter().collect::<Vec<_>>() })
    }))
}

fn offer(book: &AccountState, room: &Beds24RoomType, arrival: Date, departure: Date) -> Option<Value> {
    let word = |day| book.calendar.get(room.id, day).and_then(|set| set.closing.as_deref()).unwrap_or("none");
    let none_of = |day, words: [&str; 2]| !words.contains(&word(day));
    let stays = nights(arrival, departure).count();
    let first = book.calendar.get(room.id, arrival);
    let shortest = first.and_then(|set| set.min_stay).unwrap_or(1) as usize;
    let longest = first.and_then(|set| set.max_stay).map_or(usize::MAX, |nights| nights as usize);
    let open = nights(arrival, departure).all(|night| word(night) != "blackout")
        && none_of(arrival, ["noCheckIn", "noCheckInOrCheckOut"])
        && none_of(departure, ["noCheckOut", "noCheckInOrCheckOut"])
        && (shortest..=longest).contains(&stays);
    let left = book.free(room.id, (arrival, departure), None);
    if !open || left <= 0 {
        return None;
    }
    let cents: Option<u64> = nights(arrival, departure).map(|night| book.calendar.price1(room.id, night)).sum();
    let price = money::number(cents?);
    Some(json!({ "offerId": 1, "offerName": "Standard rate", "price": price, "unitsAvailable": left }))
}

//! `GET /inventory/rooms/calendar`: ranges of equal nights with inclusive ends, and only the requested values.

use axum::{extract::State, response::Response};
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::{
    super::{
        Beds24, answer, money,
        property::Beds24RoomType,
        query::{BadParameter, QueryParams},
        state::AccountState,
    },
    Nights, rooms,
};

pub(super) async fn read(State(simulator): State<Beds24>, query: QueryParams) -> Result<Response, BadParameter> {
    let nights = Nights::asked(&query, &simulator)?;
    let account = simulator.account();
    let found = rooms(&query, &account)?;
    let size = simulator.inner.settings.page_size;
    Ok(answer::list("calendar", found, &query, size, |(property, room)| {
        json!({ "roomId": room.id, "propertyId": property.id, "name": room.name,
            "calendar": ranges(&account.book, room, nights, &query) })
    }))
}

fn ranges(book: &AccountState, room: &Beds24RoomType, nights: Nights, query: &QueryParams) -> Vec<Value> {
    let mut ranges: Vec<(Date, Date, Map<String, Value>)> = Vec::new();
    for night in nights.each() {
        let keys = keys(book, room, night, query);
        match ranges.last_mut() {
            Some((_, last, same)) if *same == keys => *last = night,
            _ => ranges.push((night, night, keys)),
        }
    }
    let shown = ranges.into_iter().filter(|(_, _, keys)| !keys.is_empty());
    shown
        .map(|(from, to, mut keys)| {
            keys.extend([("from".to_owned(), json!(from.to_string())), ("to".to_owned(), json!(to.to_string()))]);
            Value::Object(keys)
        })
        .collect()
}

/// Returns the values of a night. Unset values have no key.
fn keys(book: &AccountState, room: &Beds24RoomType, night: Date, query: &QueryParams) -> Map<String, Value> {
    let mut keys = Map::new();
    let mut put = |key: &str, value: Value| drop(keys.insert(key.to_owned(), value));
    let set = book.calendar.get(room.id, night).cloned().unwrap_or_default();
    if query.flag("includeNumAvail") {
        put("numAvail", json!(book.available(room, night)));
    }
    if query.flag("includePrices") {
        for (number, cents) in &set.prices {
            put(&format!("price{number}"), money::number(*cents));
        }
        if let (false, true, Some(cents)) =
            (set.prices.contains_key(&1), query.flag("includeLinkedPrices"), book.calendar.price1(room.id, night))
        {
            put("price1", money::number(cents));
        }
    }
    let rules = [
        ("includeMinStay", "minStay", set.min_stay.map(|nights| json!(nights))),
        ("includeMaxStay", "maxStay", set.max_stay.map(|nights| json!(nights))),
        ("includeMultiplier", "multiplier", set.multiplier.map(|factor| json!(factor))),
        ("includeOverride", "override", set.closing.map(|word| json!(word))),
    ];
    for (flag, key, value) in rules {
        if let Some(value) = value.filter(|_| query.flag(flag)) {
            put(key, value);
        }
    }
    if query.flag("includeChannels") && !set.channels.is_empty() {
        let channels = set.channels.into_iter().map(|(name, most)| (name, json!({ "maxBookings": most })));
        put("channels", channels.collect());
    }
    keys
}

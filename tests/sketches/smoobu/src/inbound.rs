//! Decodes Smoobu's webhooks. They are not signed; the route determines how far the host trusts them.

use std::collections::BTreeMap;

use gassync_plugin::{
    CalendarNights, Change, ChangeKind, ChannelError, Decoded, Entity, EntityRef, HttpRequest, Lenient, Nights, Price,
    Route, change, malformed, money, parse_date, read_json, reply,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::booking::{self, Booking};

#[derive(Deserialize)]
struct Message {
    action: String,
    #[serde(default)]
    user: Lenient,
    data: Option<Box<RawValue>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Night {
    price: Lenient,
    min_length_of_stay: Lenient,
    available: Lenient,
}

/// Decodes a webhook. There is no event id; one booking may cause several webhooks, which are ordered by modification
/// time.
pub(crate) fn decode(request: &HttpRequest) -> Result<Decoded, ChannelError> {
    let message: Message = read_json(request.bytes(), "")?;
    let account = message.user.text();
    let data = || message.data.as_deref().ok_or_else(|| malformed("/data", "is missing"));
    let changes = match message.action.as_str() {
        "newReservation" | "updateReservation" | "cancelReservation" => {
            booking::read(data()?, account.as_deref(), "/data")?.into_iter().collect()
        }
        "deleteReservation" => vec![removed(data()?, account)?],
        "updateRates" => rates(data()?, account.as_deref())?,
        // Messages and check-ins change nothing stored here.
        _ => Vec::new(),
    };
    Ok(Decoded { event_id: None, changes, reply: Some(reply(200, "ok")) })
}

/// The removal of a booking: only its id is reliable; a block is recognised by its own fields.
fn removed(data: &RawValue, account: Option<String>) -> Result<Change, ChannelError> {
    let booking: Booking = read_json(data.get(), "/data")?;
    let id = booking.id.text().ok_or_else(|| malformed("/data/id", "is missing"))?;
    let entity = if booking.is_block() { Entity::Block } else { Entity::Reservation };
    let data = ChangeKind::Removed(EntityRef { entity, id });
    Ok(Change { route: Route { property_id: None, account }, ..change(None, data) })
}

fn rates(data: &RawValue, account: Option<&str>) -> Result<Vec<Change>, ChannelError> {
    let apartments: BTreeMap<String, BTreeMap<String, Night>> = read_json(data.get(), "/data")?;
    let mut changes = Vec::with_capacity(apartments.len());
    for (apartment, nights) in apartments {
        let mut rows = Vec::with_capacity(nights.len());
        for (day, night) in nights {
            let date = parse_date(&day);
            let date = date.ok_or_else(|| malformed(format_args!("/data/{apartment}/{day}"), "is not a date"))?;
            let mut row = CalendarNights::new(&apartment, Nights::through(date, date));
            row.property_id = Some(apartment.clone());
            row.available = night.available.as_str().map(|available| available != "0");
            // A missing price is no price, not zero.
            let amount = night.price.amount(format_args!("/data/{apartment}/{day}/price"))?;
            row.prices.extend(amount.map(|amount| Price {
                rate_plan_id: None,
                occupancy: None,
                amount: money(amount, None),
                tax_included: None,
            }));
            row.rules.min_stay_arrival = night.min_length_of_stay.count();
            rows.push(row);
        }
        let route = Route { property_id: Some(apartment), account: account.map(str::to_owned) };
        changes.push(Change { route, ..change(None, ChangeKind::Calendar(rows)) });
    }
    Ok(changes)
}

//! Calendar ranges: both ends inclusive, only the keys that are set.

use gassync_plugin::{
    CalendarNights, Change, ChannelError, Loose, News, Nights, Price, StayRules, change, malformed, money, read_json,
};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Room {
    room_id: Loose,
    property_id: Loose,
    calendar: Vec<Range>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Range {
    from: Loose,
    to: Loose,
    num_avail: Loose,
    price1: Loose,
    min_stay: Loose,
    max_stay: Loose,
    #[serde(rename = "override")]
    closed: Loose,
}

pub(crate) fn read(raw: &RawValue, path: &str) -> Result<Change, ChannelError> {
    let room: Room = read_json(raw.get(), path)?;
    let room_type_id =
        room.room_id.unless_zero().ok_or_else(|| malformed(format_args!("{path}/roomId"), "is missing"))?;
    let property_id = room.property_id.unless_zero();
    let mut rows = Vec::with_capacity(room.calendar.len());
    for (index, range) in room.calendar.iter().enumerate() {
        rows.push(nights(range, &room_type_id, property_id.as_deref(), &format!("{path}/calendar/{index}"))?);
    }
    Ok(change(property_id.as_deref(), News::Calendar(rows)))
}

fn nights(
    range: &Range,
    room_type_id: &str,
    property_id: Option<&str>,
    path: &str,
) -> Result<CalendarNights, ChannelError> {
    let from = range.from.date(format_args!("{path}/from"))?;
    let from = from.ok_or_else(|| malformed(format_args!("{path}/from"), "is missing"))?;
    let to = range.to.date(format_args!("{path}/to"))?.unwrap_or(from);
    let price = range.price1.amount(format_args!("{path}/price1"))?;
    let price = price.map(|amount| Price {
        rate_plan_id: None,
        occupancy: None,
        amount: money(amount, None),
        tax_included: None,
    });
    let closed = range.closed.lower();
    let units = range.num_avail.integer().and_then(|units| i32::try_from(units).ok());
    let closes = |words: &[&str]| (!closed.is_empty()).then(|| words.contains(&closed.as_str()));
    Ok(CalendarNights {
        property_id: property_id.map(str::to_owned),
        available: if closed == "blackout" { Some(false) } else { units.map(|units| units > 0) },
        units_available: units,
        prices: price.into_iter().collect(),
        rules: StayRules {
            min_stay_arrival: range.min_stay.count(),
            max_stay: range.max_stay.count(),
            closed_to_arrival: closes(&["nocheckin", "nocheckinorcheckout"]),
            closed_to_departure: closes(&["nocheckout", "nocheckinorcheckout"]),
            ..StayRules::unknown()
        },
        ..CalendarNights::new(room_type_id, Nights::through(from, to))
    })
}

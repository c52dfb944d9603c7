//! Writable keys of a booking, and their types.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::{
    booking::BookingRecord,
    money,
    plain_keys::{STATUSES, SUMS, TEXTS, WORDS},
    property::Beds24Property,
};

/// Result of writing one key.
pub(super) enum Wrote {
    /// Written.
    Done,
    /// The key is not writable; it is silently ignored.
    Unknown,
    /// The value is invalid.
    Invalid,
}

/// Writes one key of a booking.
pub(super) fn write(booking: &mut BookingRecord, key: &str, value: &Value, houses: &[Beds24Property]) -> Wrote {
    match write_known(booking, key, value, houses) {
        Some(true) => Wrote::Done,
        Some(false) => Wrote::Unknown,
        None => Wrote::Invalid,
    }
}

/// Returns `None` for an invalid value, false for a key that is not writable.
fn write_known(booking: &mut BookingRecord, key: &str, value: &Value, houses: &[Beds24Property]) -> Option<bool> {
    let entry = &mut booking.entry;
    match key {
        "roomId" => {
            let id = whole(value)?;
            let property = houses.iter().find(|p| p.room_types.iter().any(|r| r.id == id))?;
            (entry.room_id, entry.property_id) = (id, property.id);
        }
        "unitId" => {
            let mut rooms = houses.iter().flat_map(|p| &p.room_types);
            let room = rooms.find(|room| room.id == entry.room_id)?;
            entry.unit_id = small(value).filter(|unit| *unit <= room.qty)?;
        }
        "roomQty" => entry.room_qty = small(value).filter(|qty| *qty > 0)?,
        "status" => value.as_str().filter(|word| STATUSES.contains(word))?.clone_into(&mut entry.status),
        "arrival" => entry.arrival = day(value)?,
        "departure" => entry.departure = day(value)?,
        "numAdult" => entry.num_adult = small(value)?,
        "numChild" => entry.num_child = small(value)?,
        "price" => entry.price_cents = money::cents(value)?,
        "firstName" => entry.first_name = text(value)?,
        "lastName" => entry.last_name = text(value)?,
        "reference" => entry.reference = text(value)?,
        "offerId" | "statusCode" => drop(booking.keys.insert(key.to_owned(), json!(small(value)?))),
        "invoiceeId" => {
            let id = if value.is_null() { Value::Null } else { json!(whole(value)?) };
            booking.keys.insert(key.to_owned(), id);
        }
        "country2" => {
            let code = if value.is_null() { Value::Null } else { json!(text(value)?) };
            booking.keys.insert(key.to_owned(), code);
        }
        "allowCancellation" => {
            let kind = value["type"].as_str()?;
            ["propertyDefault", "never", "always", "daysBeforeArrival"].contains(&kind).then_some(())?;
            booking.keys.insert(key.to_owned(), value.clone());
        }
        _ if TEXTS.contains(&key) => drop(booking.keys.insert(key.to_owned(), json!(text(value)?))),
        _ if SUMS.contains(&key) => {
            booking.keys.insert(key.to_owned(), money::number(money::cents(value)?));
        }
        _ => {
            let Some((_, _, words)) = WORDS.iter().find(|(name, _, _)| *name == key) else { return Some(false) };
            let word = value.as_str().filter(|word| words.contains(word))?;
            booking.keys.insert(key.to_owned(), json!(word));
        }
    }
    Some(true)
}

/// Reads a number, or a text that contains one.
pub(super) fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn small(value: &Value) -> Option<u32> {
    u32::try_from(whole(value)?).ok()
}

/// Reads `YYYY-MM-DD` only.
pub(super) fn day(value: &Value) -> Option<Date> {
    value.as_str().filter(|text| text.len() == 10)?.parse().ok()
}

/// Reads a text, or a number as text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

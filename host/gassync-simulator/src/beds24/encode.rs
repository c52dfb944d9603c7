//! A booking as API JSON: every key is present, and absent texts are empty rather than null.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    booking::{BookingRecord, whole_second},
    money, plain_keys,
    state::AccountState,
};

/// Returns every key except those that must be requested.
pub(super) fn booking(booking: &BookingRecord) -> Value {
    let e = &booking.entry;
    let (source_id, source) = booking.source;
    let mut object = json!({
        "id": e.id,
        "masterId": e.master_id,
        "propertyId": e.property_id,
        "roomId": e.room_id,
        "unitId": e.unit_id,
        "roomQty": e.room_qty,
        "status": e.status,
        "arrival": e.arrival.to_string(),
        "departure": e.departure.to_string(),
        "numAdult": e.num_adult,
        "numChild": e.num_child,
        "firstName": e.first_name,
        "lastName": e.last_name,
        "price": money::number(e.price_cents),
        "reference": e.reference,
        "channel": e.channel,
        "apiSourceId": source_id,
        "apiSource": source,
        "apiReference": e.api_reference,
        "bookingTime": booking.booked.to_string(),
        "modifiedTime": e.modified.to_string(),
        "cancelTime": booking.cancelled.map(|at| at.to_string()),
        "stripeToken": null,
        "pcibookingToken": null,
    });
    if let Some(fields) = object.as_object_mut() {
        fields.extend(booking.keys.clone());
    }
    if let Some(odd) = booking.odd {
        odd.distort(booking, &mut object);
    }
    object
}

/// Returns the booking's group. A single booking has either no group or one without a master: the API returns both, so
/// half of the bookings use each form.
pub(super) fn group(booking: &BookingRecord, book: &AccountState) -> Value {
    let id = booking.entry.id;
    let master = booking.entry.master_id.unwrap_or(id);
    let in_group = |b: &&BookingRecord| b.entry.id == master || b.entry.master_id == Some(master);
    let ids: Vec<u64> = book.bookings.iter().filter(in_group).map(|b| b.entry.id).collect();
    match ids.as_slice() {
        [_] if id.is_multiple_of(2) => Value::Null,
        [_] => json!({ "master": null, "ids": ids }),
        _ => json!({ "master": master, "ids": ids }),
    }
}

/// Empties the personal keys of the guest.
pub(super) fn empty_personal(object: &mut Value) {
    for key in plain_keys::PERSONAL {
        object[key] = json!("");
    }
}

/// Removes the personal keys of the guest.
pub(super) fn drop_personal(object: &mut Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|key, _| !plain_keys::PERSONAL.contains(&key.as_str()));
    }
}

/// Returns everything that API V2 contains about a booking now.
pub(super) fn whole(booking: &BookingRecord, book: &AccountState, messages: Vec<Value>, now: Timestamp) -> Value {
    let mut object = self::booking(booking);
    object["bookingGroup"] = group(booking, book);
    json!({
        "timeStamp": whole_second(now).to_string(),
        "booking": object,
        "infoItems": booking.info_items.wire(),
        "invoiceItems": booking.invoice_items.wire(),
        "messages": messages,
        "retries": 0,
    })
}

//! A booking as it stands on the wire: every key, absent texts empty and not null.

use serde_json::{Value, json};

use super::book::{Book, Booking};

/// The whole object, with its group.
pub(super) fn booking(booking: &Booking, book: &Book) -> Value {
    let e = &booking.entry;
    let master = booking.master_id.unwrap_or(e.id);
    let group: Vec<u64> = book
        .bookings
        .iter()
        .filter(|b| b.entry.id == master || b.master_id == Some(master))
        .map(|b| b.entry.id)
        .collect();
    let mut object = json!({
        "id": e.id,
        "masterId": booking.master_id,
        "bookingGroup": { "master": booking.master_id, "ids": group },
        "propertyId": e.property_id,
        "roomId": e.room_id,
        "unitId": 1,
        "roomQty": 1,
        "offerId": 0,
        "status": e.status,
        "subStatus": "none",
        "arrival": e.arrival.to_string(),
        "departure": e.departure.to_string(),
        "numAdult": e.num_adult,
        "numChild": e.num_child,
        "firstName": e.first_name,
        "lastName": e.last_name,
        "email": format!("guest{}@example.org", e.id),
        "phone": "+34600000000",
        "country": booking.country,
        "country2": booking.country.to_uppercase(),
        "statusCode": 0,
        "lang": "en",
        "price": price(e.price_cents),
        "deposit": 0,
        "tax": 0,
        "commission": price(e.price_cents * 15 / 100),
        "referer": booking.api_source.1,
        "refererEditable": "",
        "reference": "",
        "channel": booking.channel,
        "apiSourceId": booking.api_source.0,
        "apiSource": booking.api_source.1,
        "apiReference": booking.api_reference,
        "allowChannelUpdate": "all",
        "allowAutoAction": "enable",
        "allowReview": "default",
        "allowCancellation": { "type": "propertyDefault" },
        "invoiceeId": null,
        "bookingTime": booking.booked.to_string(),
        "modifiedTime": e.modified.to_string(),
        "cancelTime": booking.cancelled.map(|at| at.to_string()),
        "stripeToken": null,
        "pcibookingToken": null,
    });
    const EMPTY: [&str; 28] = [
        "title",
        "mobile",
        "fax",
        "company",
        "address",
        "city",
        "state",
        "postcode",
        "arrivalTime",
        "voucher",
        "comments",
        "notes",
        "message",
        "groupNote",
        "custom1",
        "custom2",
        "custom3",
        "custom4",
        "custom5",
        "custom6",
        "custom7",
        "custom8",
        "custom9",
        "custom10",
        "flagColor",
        "flagText",
        "rateDescription",
        "apiMessage",
    ];
    if let Some(fields) = object.as_object_mut() {
        for key in EMPTY {
            fields.insert(key.to_owned(), Value::from(""));
        }
    }
    object
}

/// Cents as the number the wire has: `450`, `450.5`, `450.25`.
fn price(cents: u64) -> Value {
    let text = format!("{}.{:02}", cents / 100, cents % 100);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    serde_json::from_str(text).unwrap_or(Value::Null)
}

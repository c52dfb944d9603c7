use gassync_domain::{Availability, Property, Reservation};
use serde_json::{Map, json};

use super::*;

fn reservation(json: &Value) -> Lenient<Reservation> {
    read(&json.to_string()).unwrap_or_else(|error| panic!("{json}: {error:?}"))
}

fn paths(mended: &[Mended]) -> Vec<&str> {
    mended.iter().map(|mended| mended.path.as_str()).collect()
}

#[test]
fn equivalent_values_are_coerced_and_others_dropped() {
    let Lenient { record, mended, raw } = reservation(&json!({
        "id": 4711, "status": "confirmed", "roomTypeId": 12, "checkIn": "2027-05-01T14:00:00+02:00",
        "checkOut": "2027-05-04 10:00", "adults": "2", "children": 1.0, "infants": "many", "pets": true,
        "totalPrice": 1714.28571, "commission": "NaN", "payout": "1e30", "guests": -3, "source": null,
        "guest": { "firstName": 7, "email": { "a": 1 }, "lastName": "Lindqvist" }, "notes": ["late"],
        "bookedAt": "yesterday", "paymentCollectedBy": 5, "priceLines": null, "intent": "told",
    }));
    assert_eq!((record.id.as_str(), record.room_type_id.as_deref()), ("4711", Some("12")));
    assert_eq!(record.check_in, Some("2027-05-01".parse().expect("a date")));
    assert_eq!(record.check_out, Some("2027-05-04".parse().expect("a date")));
    assert_eq!((record.adults, record.children, record.infants, record.pets), (Some(2), Some(1), None, Some(1)));
    assert_eq!(record.total_price.map(|price| price.to_string()).as_deref(), Some("1714.2857"));
    assert_eq!((record.commission, record.payout, record.guests, record.booked_at), (None, None, None, None));
    let guest = record.guest.expect("a guest");
    assert_eq!((guest.first_name.as_deref(), guest.email), (Some("7"), None));
    assert_eq!(record.notes.as_deref(), Some("late"));
    for path in ["/id", "/infants", "/totalPrice", "/payout", "/guest/email", "/bookedAt", "/intent"] {
        assert!(paths(&mended).contains(&path), "{path}: {mended:?}");
    }
    let of = |path: &str| mended.iter().find(|note| note.path == path).map(|note| note.problem.as_str());
    assert_eq!(of("/totalPrice"), Some("has more than 4 decimal places; it was rounded half to even"));
    assert_eq!(of("/payout"), Some("is beyond ±100000000000; it was left out"));
    assert!(mended.iter().all(|note| !note.problem.contains("yesterday")), "{mended:?}");
    assert!(raw.contains("1714.28571"), "{raw}");
}

#[test]
fn unstorable_text_is_marked_in_place() {
    let raw = r#"{"id":"r","status":"confirmed","notes":"a\u0000b\ud83d","other":"\udc00","guest":{"name":5}}"#;
    let lenient: Lenient<Reservation> = read(raw).expect("a record");
    assert_eq!(lenient.record.notes.as_deref(), Some("a\0b\0"), "the record's own rules say so");
    assert!(lenient.raw.contains(r"a\ufffdb\ufffd") && lenient.raw.contains(r#""other":"\ufffd""#), "{}", lenient.raw);
    let deep =
        format!(r#"{{"id":"r","status":"confirmed","x":{}1{},"adults":1e999}}"#, "[".repeat(500), "]".repeat(500));
    let lenient: Lenient<Reservation> = read(&deep).expect("a record");
    assert_eq!(paths(&lenient.mended), ["", "/adults"]);
}

#[test]
fn bad_dates_and_statuses_keep_a_record_but_bad_ids_reject_it() {
    let Lenient { record, mended, .. } =
        reservation(&json!({ "id": "r", "checkIn": "soon", "checkOut": 0, "rooms": [null, { "roomTypeId": 5 }] }));
    assert_eq!((record.status.as_str(), record.check_in, record.check_out), ("unknown", None, None));
    assert_eq!(record.rooms.len(), 1);
    assert_eq!(record.rooms[0].room_type_id.as_deref(), Some("5"));
    assert!(paths(&mended).contains(&"/status") && paths(&mended).contains(&"/checkIn"), "{mended:?}");
    for (odd, path) in [
        (json!({ "status": "confirmed" }), ""),
        (json!({ "id": null, "status": "confirmed" }), ""),
        (json!({ "id": {}, "status": "confirmed" }), "/id"),
        (json!([1]), ""),
        (json!("r"), ""),
    ] {
        assert_eq!(read::<Reservation>(&odd.to_string()).expect_err("refused").path, path, "{odd}");
    }
}

#[test]
fn lists_are_coerced_from_other_shapes() {
    let rooms: Map<String, Value> =
        (0..130).map(|n| (n.to_string(), json!({ "roomTypeId": n, "adults": "2", "infants": "no" }))).collect();
    let Lenient { record, mended, .. } =
        reservation(&json!({ "id": "r", "status": "confirmed", "rooms": rooms, "roomTypeIds": "t" }));
    assert_eq!(record.rooms.len(), 130);
    assert_eq!(record.rooms[129].room_type_id.as_deref(), Some("129"));
    assert!(record.rooms.iter().all(|room| room.infants.is_none()));
    assert!(mended.iter().any(|note| note.problem.contains("more than 64 fields")), "{mended:?}");
    let one = reservation(&json!({ "id": "r", "status": "confirmed", "rooms": { "roomTypeId": "t" } })).record;
    assert_eq!(one.rooms[0].room_type_id.as_deref(), Some("t"));
}

#[test]
fn other_record_kinds_are_coerced() {
    let house: Lenient<Property> = read(r#"{"id":5,"latitude":"37.5","longitude":"east"}"#).expect("a house");
    assert_eq!((house.record.name.as_str(), house.record.latitude, house.record.longitude), ("5", Some(37.5), None));
    let nights: Lenient<Availability> =
        read(r#"{"roomTypeId":"t","date":"2027-05-01","available":"yes","unitsAvailable":true,"closedToArrival":0}"#)
            .expect("nights");
    let Availability { available, units_available, closed_to_arrival, .. } = nights.record;
    assert_eq!((available, units_available, closed_to_arrival), (Some(true), Some(1), Some(false)));
    assert!(
        is_request(r#"{"intent":"request","x":"\u0000"}"#) && !is_request(r#"{"intent":"fact"}"#) && !is_request("5")
    );
}

#[test]
fn misplaced_lists_keep_the_record() {
    let odd: Vec<Value> = (0..200).map(|n| json!({ "kind": "fee", "amount": n })).collect();
    let rooms: Vec<Value> = (0..130).map(|n| json!({ "roomTypeId": "t", "checkIn": {}, "checkOut": n })).collect();
    let Lenient { record, .. } = reservation(&json!({
        "id": "r", "status": "confirmed", "guest": odd, "roomTypeIds": odd, "rooms": rooms, "checkIn": "2027-05-01",
        "checkOut": "2027-05-04",
    }));
    assert_eq!((record.rooms.len(), record.check_out.is_some()), (130, true));
}

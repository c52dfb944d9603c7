//! Tests that facts are kept: only a missing identity or missing nights make a record unreadable.

use gassync_domain::{Change, ChangeKind, ChannelError, Entity, Reservation};

use super::{changes, wit};
use crate::CallError;

/// Larger than the number of changes in any test.
const LIMIT: usize = 100;

fn day(year: i16, month: u8, day: u8) -> wit::Date {
    wit::Date { year, month, day }
}

fn nights(start: wit::Date, until: wit::Date) -> wit::Nights {
    wit::Nights { start, until }
}

fn money(amount: &str) -> Option<wit::Money> {
    Some(wit::Money { amount: amount.to_owned(), currency: None })
}

fn reservation(intent: wit::Intent) -> wit::Reservation {
    wit::Reservation {
        id: "R-1".to_owned(),
        ota_reference: None,
        group_id: None,
        property_id: Some("P-1".to_owned()),
        rooms: Vec::new(),
        stay: Some(nights(day(2027, 6, 1), day(2027, 6, 4))),
        status: wit::ReservationStatus::Confirmed,
        source: None,
        guest: None,
        guests: None,
        adults: None,
        children: None,
        infants: None,
        pets: None,
        total: None,
        price_lines: Vec::new(),
        commission: None,
        payout: None,
        payment_collected_by: None,
        booked_at: None,
        modified_at: None,
        revision: None,
        notes: None,
        intent,
        completeness: wit::Completeness::Full,
        acknowledgement_token: None,
        extra: Vec::new(),
        raw: None,
    }
}

/// A reservation with an invalid value in every field that allows one.
fn odd(intent: wit::Intent) -> wit::Reservation {
    let room = wit::RoomStay {
        id: None,
        room_type_id: Some("T-1".to_owned()),
        unit_id: None,
        rate_plan_id: None,
        stay: Some(nights(day(2027, 6, 1), day(2027, 2, 30))),
        guests: None,
        adults: None,
        children: None,
        infants: None,
        total: money("1e99"),
        guest: None,
        extra: Vec::new(),
    };
    let line =
        wit::PriceLine { kind: wit::PriceKind::Stay, name: "Stay".to_owned(), amount: money("a lot").expect("money") };
    wit::Reservation {
        rooms: vec![room],
        total: money("1714.28571"),
        price_lines: vec![line],
        booked_at: Some("yesterday".to_owned()),
        modified_at: Some("2027-01-05T10:00:00Z".to_owned()),
        extra: vec![("colour".to_owned(), "blue".to_owned())],
        raw: Some(r"<booking>\ud83d</booking>".to_owned()),
        ..reservation(intent)
    }
}

fn change(data: wit::ChangeKind) -> wit::Change {
    wit::Change { route: wit::Route { property_id: None, account: None }, data, notes: Vec::new() }
}

fn block(start: wit::Date) -> wit::Block {
    wit::Block {
        id: Some("B-1".to_owned()),
        property_id: None,
        room_type_ids: vec!["T-1".to_owned()],
        unit_id: None,
        units: None,
        stay: nights(start, day(2027, 6, 4)),
        reason: None,
        modified_at: Some("soon".to_owned()),
        revision: None,
        extra: Vec::new(),
        raw: Some("{}".to_owned()),
    }
}

fn paths(change: &Change) -> Vec<&str> {
    change.mended.iter().map(|mended| mended.path.as_str()).collect()
}

fn record(change: &Change) -> &Reservation {
    match &change.data {
        ChangeKind::Reservation(record) => record,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fact_is_kept_whatever_is_odd_in_it() {
    let noted = wit::FieldError { path: "/adults".to_owned(), problem: "is not a whole number".to_owned() };
    let change = wit::Change { notes: vec![noted], ..change(wit::ChangeKind::Reservation(odd(wit::Intent::Fact))) };
    let converted = changes(vec![change], LIMIT).expect("converted");
    let [change] = converted.as_slice() else { panic!("{converted:?}") };
    let mut wanted = [
        "/adults",
        "/raw",
        "/priceLines/0/amount",
        "/rooms/0/checkOut",
        "/rooms/0/totalPrice",
        "/extra/colour",
        "/totalPrice",
        "/bookedAt",
    ];
    let mut found = paths(change);
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    let record = record(change);
    assert_eq!(record.total_price.map(|total| total.to_string()).as_deref(), Some("1714.2857"));
    assert_eq!((record.check_in.is_some(), record.rooms[0].check_in.is_some()), (true, true));
    // A room with an invalid departure gets the reservation's departure.
    assert_eq!(record.rooms[0].check_out, record.check_out);
    assert_eq!((record.rooms[0].total_price, record.booked_at), (None, None));
    assert_eq!((record.price_lines.len(), record.modified_at.is_some()), (0, true));
    assert_eq!(record.extra.get("colour").and_then(|colour| colour.as_str()), Some("blue"));
    assert_eq!(change.raw.as_ref().map(|raw| raw.as_str()), Some(r#""<booking>\\ud83d</booking>""#));
}

#[test]
fn a_request_is_read_as_it_was_meant_or_not_at_all() {
    let told = changes(vec![change(wit::ChangeKind::Reservation(odd(wit::Intent::Request)))], LIMIT);
    assert!(matches!(&told, Err(CallError::Channel(ChannelError::Malformed(why))) if why.starts_with('/')), "{told:?}");
    let fine = changes(vec![change(wit::ChangeKind::Reservation(reservation(wit::Intent::Request)))], LIMIT);
    assert!(fine.is_ok_and(|changes| changes[0].mended.is_empty()));
}

#[test]
fn one_without_nights_stops_no_other() {
    let read = |data: Vec<wit::ChangeKind>| changes(data.into_iter().map(change).collect(), LIMIT).expect("converted");
    let told = wit::Unreadable {
        entity: wit::Entity::Reservation,
        id: Some(" ".to_owned()),
        problem: "/from: is not a date".to_owned(),
        raw: Some("{".to_owned()),
    };
    let converted = read(vec![
        wit::ChangeKind::Block(block(day(2027, 6, 31))),
        wit::ChangeKind::Unreadable(told),
        wit::ChangeKind::Block(block(day(2027, 6, 1))),
    ]);
    let [odd, told, fine] = converted.as_slice() else { panic!("{converted:?}") };
    let ChangeKind::Unreadable(odd) = &odd.data else { panic!("{odd:?}") };
    assert_eq!((odd.entity, odd.id.as_deref(), odd.raw.as_deref()), (Entity::Block, Some("B-1"), Some("{}")));
    assert!(odd.problem.starts_with("stay: "), "{}", odd.problem);
    let ChangeKind::Unreadable(told) = &told.data else { panic!("{told:?}") };
    assert_eq!((told.id.as_deref(), told.raw.as_deref()), (None, Some("{")), "an empty id is none");
    assert!(matches!(&fine.data, ChangeKind::Block(_)));
    assert_eq!(paths(fine), ["/modifiedAt"]);
}

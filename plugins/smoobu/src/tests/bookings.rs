//! Tests of bookings and blocks.

use gassync_plugin::{ChangeKind, Completeness, Entity, EntityRef, GuestDetails, PriceKind, ReservationStatus, money};
use serde_json::Value;

use super::{begin, booking, nights, reported, reservation, webhook};

fn extra(extra: &[(String, String)], name: &str) -> Option<Value> {
    let value = extra.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    value.map(|value| serde_json::from_str(value).expect("JSON"))
}

#[test]
fn the_type_is_the_only_status_and_a_modification_is_a_live_booking() {
    let status = |kind: &str| reservation(&[("type", kind)]).status;
    assert_eq!(status(r#""reservation""#), ReservationStatus::Confirmed);
    assert_eq!(status(r#""modification of booking""#), ReservationStatus::Confirmed);
    assert_eq!(status(r#""cancellation""#), ReservationStatus::Cancelled);
    assert_eq!(status(r#""on request""#), ReservationStatus::Other("on request".to_owned()), "a person decides");
    // A record without a type has that of the webhook's action.
    begin();
    for (action, expected) in [
        ("newReservation", ReservationStatus::Confirmed),
        ("updateReservation", ReservationStatus::Confirmed),
        ("cancelReservation", ReservationStatus::Cancelled),
    ] {
        let changes = webhook(action, &booking(&[("type", "null")])).expect("decoded");
        assert!(matches!(&changes[0].data, ChangeKind::Reservation(booking) if booking.status == expected), "{action}");
    }
    let late = webhook("newReservation", &booking(&[("type", r#""cancellation""#)])).expect("decoded");
    let ChangeKind::Reservation(late) = &late[0].data else { panic!("{late:?}") };
    assert_eq!(late.status, ReservationStatus::Cancelled, "the record counts before the action");
}

#[test]
fn departure_is_the_day_of_check_out() {
    let booking = reservation(&[]);
    assert_eq!(booking.stay, Some(nights("2027-09-05", "2027-09-09")));
    assert_eq!((booking.rooms.len(), booking.rooms[0].room_type_id.as_deref()), (1, Some("7301")));
    assert_eq!((booking.property_id.as_deref(), booking.rooms[0].stay), (Some("7301"), booking.stay));
}

#[test]
fn channels_are_known_by_name_since_their_ids_differ_between_accounts() {
    for (id, name, source) in [
        (63, "Airbnb", "airbnb"),
        (74, "Airbnb", "airbnb"),
        (9, "Booking.com", "booking.com"),
        (940_011, "booking.com", "booking.com"),
        (70, "Homepage", "direct"),
        (940_882, "Direct booking", "direct"),
        (5, "HomeAway", "vrbo"),
        (8, "Feratel", "feratel"),
    ] {
        let booking = reservation(&[("channel", &format!(r#"{{"id":{id},"name":"{name}"}}"#))]);
        assert_eq!(booking.source.as_deref(), Some(source), "{name}");
        assert_eq!(extra(&booking.extra, "channelId"), Some(id.into()), "kept as it is");
    }
    for none in ["null", r#""Airbnb""#, "{}", r#"{"id":70,"name":""}"#] {
        assert_eq!(reservation(&[("channel", none)]).source, None, "{none}");
    }
}

#[test]
fn a_booking_has_a_currency_only_with_its_price_elements() {
    let silent = reservation(&[]);
    assert_eq!(silent.total, Some(money("611.4", None)), "the property's is meant");
    assert_eq!(silent.commission, Some(money("91.71", None)));
    let elements = r#"[{"id":1,"type":"basePrice","name":"Base price","amount":611.4,"currencyCode":"SEK"}]"#;
    let booking = reservation(&[("priceElements", elements)]);
    assert_eq!(booking.total, Some(money("611.4", Some("SEK"))));
    assert_eq!(booking.commission, Some(money("91.71", Some("SEK"))));
    for (price, total) in [("0", Some("0")), ("null", None), (r#""""#, None), ("625.60", Some("625.60"))] {
        let total = total.map(|amount| money(amount, None));
        // Through text, since a parsed number would lose its digits.
        let text = booking_with_price(price);
        begin();
        let changes = webhook("newReservation", &text).expect("decoded");
        assert!(matches!(&changes[0].data, ChangeKind::Reservation(booking) if booking.total == total), "{price}");
    }
}

fn booking_with_price(price: &str) -> String {
    super::BOOKING.replace(r#""price":611.4"#, &format!(r#""price":{price}"#))
}

#[test]
fn a_price_is_taken_apart_once() {
    let elements = r#"[
        {"id":1,"type":"basePrice","name":"Base price","amount":380.5,"currencyCode":"EUR"},
        {"id":2,"type":"cleaningFee","name":"Cleaning fee","amount":25,"currencyCode":"EUR"},
        {"id":3,"type":"tax","name":"City tax","amount":12,"currencyCode":"EUR","priceIncludedInId":null},
        {"id":4,"type":"longStayDiscount","name":"Long stay","amount":40,"currencyCode":"EUR"},
        {"id":5,"type":"paymentCharge","name":"Payment charge","amount":7,"priceIncludedInId":1},
        {"id":6,"type":"commission","name":"Commission","amount":44,"currencyCode":"EUR"},
        {"id":7,"type":"channelCustom","name":"Bed linen","amount":"a lot"}]"#;
    let booking = reservation(&[("priceElements", elements)]);
    let lines: Vec<_> = booking.price_lines.iter().map(|line| (line.kind, line.amount.amount.as_str())).collect();
    let expected = [
        (PriceKind::Stay, "380.5"),
        (PriceKind::Cleaning, "25"),
        (PriceKind::Tax, "12"),
        (PriceKind::Discount, "-40"),
        (PriceKind::Other, "a lot"),
    ];
    assert_eq!(lines, expected, "the host leaves out what is no number");
    assert!(reservation(&[("priceElements", "null")]).price_lines.is_empty());
}

#[test]
fn yes_and_no_are_texts() {
    let booking = reservation(&[("deposit-paid", r#""maybe""#)]);
    assert_eq!(extra(&booking.extra, "pricePaid"), Some(true.into()));
    assert_eq!(extra(&booking.extra, "prepaymentPaid"), Some(false.into()));
    assert_eq!(extra(&booking.extra, "depositPaid"), None);
    assert_eq!(extra(&booking.extra, "checkIn"), Some("16:30".into()), "an expected time and no date");
    let notes = reported(&[("deposit-paid", r#""maybe""#)]).notes;
    assert!(notes.iter().any(|note| note.path == "/data/depositPaid"), "{notes:?}");
}

#[test]
fn the_guests_page_is_kept_nowhere() {
    let change = reported(&[]);
    let ChangeKind::Reservation(booking) = change.data else { panic!("a booking") };
    assert!(!format!("{:?}", booking.extra).contains("guest.example.org"));
}

#[test]
fn guests_are_what_is_said_of_them() {
    let guest = reservation(&[]).guest.expect("a guest");
    assert_eq!((guest.first_name.as_deref(), guest.last_name.as_deref()), (Some("Tuva"), Some("Hedberg")));
    assert_eq!((guest.name, guest.email, guest.id.as_deref()), (None, None, Some("5077")));
    let gone = [("firstname", r#""""#), ("lastname", "null"), ("email", r#""""#), ("guestId", "null")];
    let named = reservation(&gone);
    assert_eq!(named.guest.expect("a guest").name.as_deref(), Some("Tuva Hedberg"), "one text is not split");
    assert_eq!(named.completeness, Completeness::Full);
}

#[test]
fn a_short_record_wipes_nothing_of_the_guest() {
    begin();
    let short = r#"{"id":48105,"type":"reservation","arrival":"2027-09-20","departure":"2027-09-22",
        "apartment":{"id":7302},"channel":{"id":940011,"name":"Booking.com"},"adults":2,"language":"nl"}"#;
    let changes = webhook("newReservation", short).expect("decoded");
    let ChangeKind::Reservation(booking) = &changes[0].data else { panic!("{changes:?}") };
    assert_eq!(booking.completeness, Completeness::Partial);
    let guest = booking.guest.clone().expect("a guest");
    assert_eq!(guest, GuestDetails { language: Some("nl".to_owned()), ..GuestDetails::unknown() });
    assert_eq!((booking.children, booking.total.clone()), (None, None), "unknown is not zero");
}

#[test]
fn times_come_in_two_lengths_and_two_spellings() {
    let booking = reservation(&[]);
    assert_eq!(booking.booked_at.as_deref(), Some("2027-04-11T16:02:00Z"), "without seconds");
    assert_eq!(booking.modified_at.as_deref(), Some("2027-04-12T08:30:45Z"));
    let modified = |members: &[(&str, &str)]| reservation(members).modified_at;
    let other = ("modified-at", r#""2027-04-10 10:11""#);
    assert_eq!(modified(&[("modifiedAt", "null"), other]).as_deref(), Some("2027-04-10T10:11:00Z"));
    assert_eq!(modified(&[other]).as_deref(), Some("2027-04-12T08:30:45Z"), "both at once are no error");
    assert_eq!(
        modified(&[("modifiedAt", r#""2027-05-01T10:00:31+02:00""#)]).as_deref(),
        Some("2027-05-01T10:00:31+02:00")
    );
    assert_eq!(modified(&[("modifiedAt", r#""yesterday""#)]).as_deref(), Some("yesterday"), "the host leaves it out");
}

#[test]
fn nothing_but_a_missing_id_fails_a_booking() {
    let change = reported(&[("arrival", r#""soon""#), ("adults", r#""two""#), ("apartment", "null")]);
    let paths: Vec<&str> = change.notes.iter().map(|note| note.path.as_str()).collect();
    assert_eq!(paths, ["/data/arrival", "/data/adults"]);
    let ChangeKind::Reservation(booking) = change.data else { panic!("it is kept") };
    assert_eq!((booking.stay, booking.rooms.len(), booking.adults), (None, 0, None));
    for none in ["null", r#""""#, "0"] {
        let unreadable = reported(&[("id", none)]).data;
        assert!(matches!(&unreadable, ChangeKind::Unreadable(record) if record.raw.is_some()), "{unreadable:?}");
    }
    let backwards = [("departure", r#""2027-09-01""#), ("type", r#""cancellation""#)];
    assert_eq!(reservation(&backwards).stay, None, "dates of a cancellation decide nothing");
    assert!(reservation(&backwards[..1]).stay.is_some(), "the host judges what is impossible");
}

#[test]
fn empty_texts_say_nothing() {
    let booking = reservation(&[("reference-id", r#""""#), ("phone", r#""""#), ("language", r#""""#)]);
    let guest = booking.guest.expect("a guest");
    assert_eq!((booking.ota_reference, guest.phone, guest.language, booking.notes), (None, None, None, None));
    assert_eq!(reservation(&[]).ota_reference.as_deref(), Some("HMKIVA77"));
}

const BLOCKS: [(&str, &str); 5] = [
    ("is-blocked-booking", "true"),
    ("is-blocked-booking", r#""YES""#),
    ("is-blocked-booking", "1"),
    ("channel", r#"{"id":11,"name":"Blocked channel"}"#),
    ("channel", r#"{"id":940999,"name":"Blocked Channel"}"#),
];

#[test]
fn closed_nights_are_bookings_too_and_are_no_reservations() {
    for sign in BLOCKS {
        let change = reported(&[sign, ("notice", r#""new floor""#)]);
        assert_eq!(change.route.property_id.as_deref(), Some("7301"));
        let ChangeKind::Block(block) = change.data else { panic!("{sign:?}") };
        assert_eq!((block.id.as_deref(), block.reason.as_deref()), (Some("48101"), Some("new floor")));
        assert_eq!((block.property_id.as_deref(), block.room_type_ids), (Some("7301"), vec!["7301".to_owned()]));
        assert_eq!(
            (block.stay, block.modified_at.as_deref()),
            (nights("2027-09-05", "2027-09-09"), Some("2027-04-12T08:30:45Z"))
        );
        let gone = reported(&[sign, ("type", r#""cancellation""#)]).data;
        assert_eq!(gone, ChangeKind::Removed(EntityRef { entity: Entity::Block, id: "48101".to_owned() }));
    }
}

#[test]
fn a_block_needs_nights_and_an_apartment() {
    for missing in [("apartment", "{}"), ("arrival", "null"), ("departure", r#""soon""#)] {
        let unreadable = reported(&[BLOCKS[0], missing]).data;
        let ChangeKind::Unreadable(record) = unreadable else { panic!("{unreadable:?}") };
        assert_eq!(record.id.as_deref(), Some("48101"), "set aside, and not lost: {missing:?}");
    }
}

#[test]
fn blocks_that_close_nights_for_us_are_no_news() {
    begin();
    let ours = booking(&[BLOCKS[0], ("notice", r#""Closed by GasSync""#)]);
    assert!(webhook("newReservation", &ours).expect("decoded").is_empty());
    let guest = booking(&[("notice", r#""Closed by GasSync""#)]);
    assert_eq!(webhook("newReservation", &guest).expect("decoded").len(), 1, "a guest may write what he wants");
}

#[test]
fn bookings_that_we_made_are_known_by_our_reference() {
    let booking = reservation(&[("notice", r#""late\n[GasSync gas-3-17]""#)]);
    assert_eq!(extra(&booking.extra, "reference"), Some("gas-3-17".into()));
    assert_eq!(booking.notes.as_deref(), Some("late"));
    assert_eq!(extra(&reservation(&[("notice", r#""late""#)]).extra, "reference"), None);
}

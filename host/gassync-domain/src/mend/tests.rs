use super::*;
use crate::{
    Block, Calendar, CalendarNight, Property, Reservation, Status,
    validate::{MAX_ID_CHARS, MAX_PRICE_LINES},
};

fn read(json: &str) -> Reservation {
    let mut reservation: Reservation = serde_json::from_str(json).expect("a reservation");
    reservation.normalise();
    reservation
}

fn paths(mending: &MendResult) -> Vec<&str> {
    mending.mended.iter().map(|mended| mended.path.as_str()).collect()
}

#[test]
fn strictness_names_the_field_and_the_limit() {
    let reservation =
        read(r#"{"id":"","status":"confirmed","checkIn":"2027-05-03","checkOut":"2027-05-03","currency":"euro"}"#);
    let paths: Vec<String> = reservation.validate().into_iter().map(|e| e.path).collect();
    assert_eq!(paths, ["/id", "/currency", "/checkOut", "/roomTypeId"]);
}

#[test]
fn facts_are_mended_and_requests_refused() {
    let long = "é".repeat(300);
    let json = serde_json::json!({
        "id": "r", "status": " confirmed ", "roomTypeId": long, "checkIn": "2027-05-03", "checkOut": "2029-10-19",
        "currency": "eur", "notes": "a\u{0}b", "adults": 5_000, "bookedAt": "0001-01-01T00:00:00Z",
        "guest": { "email": format!("{}@example.org", "x".repeat(260)), "country": "pt" },
        "extra": { "a": "x\u{0}" },
        "priceLines": (0..101).map(|_| serde_json::json!({ "kind": "fee", "name": "", "amount": 1 })).collect::<Vec<_>>(),
    });
    let mut reservation = read(&json.to_string());
    let asked = reservation.clone();
    let mending = reservation.mend();
    assert_eq!(mending.refused, []);
    assert_eq!(
        paths(&mending),
        [
            "/notes",
            "/currency",
            "/adults",
            "/priceLines",
            "/extra",
            "/rooms/0/roomTypeId",
            "/rooms/0/adults",
            "/guest/email",
            "/guest/country",
            "/bookedAt"
        ]
    );
    assert_eq!(mending.mended[7].problem, "has 272 characters; the limit is 255; it was cut");
    assert_eq!((&reservation.status, reservation.currency.as_deref()), (&Status::Confirmed, Some("EUR")));
    assert_eq!((reservation.notes.as_deref(), reservation.adults), (Some("a\u{fffd}b"), None));
    assert_eq!(reservation.extra.get("a"), Some(&"x\u{fffd}".into()));
    assert_eq!(reservation.price_lines.len(), MAX_PRICE_LINES);
    let room = reservation.rooms[0].room_type_id.as_deref().expect("a room type");
    assert!(room.chars().count() == MAX_ID_CHARS && room.starts_with("éé"), "{room}");
    assert_eq!(reservation.room_type_id.as_deref(), Some(room));
    assert_eq!(reservation.validate(), [], "what was mended passes");
    assert_eq!(reservation.clone().mend(), MendResult::default());
    let refused: Vec<String> = asked.validate().into_iter().map(|error| error.path).collect();
    assert_eq!(refused.len(), mending.mended.len() - 1, "a country may be asked for in small letters: {refused:?}");
}

#[test]
fn long_ids_remain_distinct() {
    let cut = |last: &str| {
        let mut id = format!("{}{last}", "a".repeat(300));
        Table::default().id("/id", &mut id);
        id
    };
    assert_ne!(cut("1"), cut("2"));
    assert_eq!(cut("1").len(), MAX_ID_CHARS);
}

#[test]
fn implausible_dates_are_dropped_except_stay_dates() {
    let mut odd = read(
        r#"{"id":"r","status":"confirmed","checkIn":"2027-05-03","checkOut":"2027-05-05",
            "rooms":[{"roomTypeId":"t","checkIn":"0001-01-01"},{"roomTypeId":"t"}]}"#,
    );
    assert_eq!(paths(&odd.mend()), ["/rooms/0/checkIn"]);
    assert_eq!(odd.rooms[0].check_in, odd.check_in);
    let mut none =
        read(r#"{"id":"r","status":"confirmed","roomTypeId":"t","checkIn":"0001-01-01","checkOut":"0001-01-02"}"#);
    assert_eq!(paths(&none.mend()), ["/checkIn", "/checkOut"]);
    assert_eq!((none.check_in, none.rooms[0].check_out), (None, None));
    let mut no_nights =
        read(r#"{"id":"r","status":"confirmed","roomTypeId":"t","checkIn":"2027-05-03","checkOut":"2027-05-03"}"#);
    assert_eq!(no_nights.mend(), MendResult::default(), "a person decides");
    assert_eq!(no_nights.validate()[0].path, "/checkOut");
}

#[test]
fn groups_and_long_stays_fit() {
    let rooms: Vec<_> = (0..130).map(|_| serde_json::json!({ "roomTypeId": "t" })).collect();
    let json = serde_json::json!({
        "id": "r", "status": "confirmed", "checkIn": "2027-01-01", "checkOut": "2029-06-19", "rooms": rooms,
    });
    assert_eq!(read(&json.to_string()).validate(), []);
}

#[test]
fn only_identity_and_nights_refuse() {
    let refused = |json: &str| -> Vec<String> { read(json).mend().refused.into_iter().map(|e| e.path).collect() };
    assert_eq!(refused(r#"{"id":" ","status":"cancelled"}"#), ["/id"]);
    assert!(refused(r#"{"id":"r","status":""}"#).is_empty());
    let block = |json: &str| serde_json::from_str::<Block>(json).expect("a block");
    let mut for_ever = block(r#"{"roomTypeId":"t","checkIn":"2027-01-01","checkOut":"9999-12-31"}"#);
    let mending = for_ever.mend();
    assert_eq!((paths(&mending), mending.refused.len()), (vec!["/checkOut"], 0));
    assert_eq!(for_ever.check_out.to_string(), "2037-01-08");
    let nothing = block(r#"{"checkIn":"2027-01-01","checkOut":"2027-01-01"}"#).mend().refused;
    assert_eq!(nothing.iter().map(|e| e.path.as_str()).collect::<Vec<_>>(), ["/checkOut", "/roomTypeId"]);
}

#[test]
fn properties_and_calendars_are_mended() {
    let mut house: Property = serde_json::from_str(
        r#"{"id":"h","name":" ","latitude":91,"longitude":-200.5,"currency":"€","timeZone":"Mars/Olympus"}"#,
    )
    .expect("a property");
    assert_eq!(paths(&house.mend()), ["/name", "/currency", "/timeZone", "/latitude", "/longitude"]);
    assert_eq!((house.name.as_str(), house.latitude, house.time_zone), ("h", None, None));
    let mut calendar: Calendar = serde_json::from_str(
        r#"{"roomTypeId":"t","nights":[{"date":"0001-01-01"},{"date":"2027-01-01","price":-1,"minStay":10000},
            {"date":"2027-01-02","price":-1}]}"#,
    )
    .expect("a calendar");
    assert_eq!(paths(&calendar.mend()), ["/date", "/price", "/minStay"]);
    assert_eq!(calendar.nights.len(), 2);
    assert_eq!(calendar.nights[0], CalendarNight::new(jiff::civil::date(2027, 1, 1)));
}

#[test]
fn notes_are_bounded() {
    let rooms: Vec<_> = (0..150).map(|_| serde_json::json!({ "roomTypeId": "t", "adults": 2_000 })).collect();
    let json = serde_json::json!({ "id": "r", "status": "cancelled", "rooms": rooms });
    assert_eq!(read(&json.to_string()).mend().mended.len(), MAX_FINDINGS + 1);
}

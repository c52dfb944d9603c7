//! Tests of fetches: requests and decoded responses.

use gassync_plugin::{
    ChangeKind, ChannelError, Entity, Nights, Pull, Query, ResumePoint, Selection, testing::FakeHost, to_date_text,
};

use super::{BOOKING, asked, day, fetch, page};
use crate::Beds24;

#[test]
fn cancelled_bookings_are_asked_for_one_status_at_a_time() {
    FakeHost::reset();
    FakeHost::set_settings(r#"{"baseUrl":"https://beds.example/api/v2/"}"#);
    FakeHost::answer(200, &page(BOOKING, true));
    let since = Selection::ChangedSince("2027-01-01T00:00:00Z".to_owned());
    let first = fetch(Entity::Reservation, since, None).expect("a page");
    assert_eq!(first.resume, None, "what follows may fail");
    let request = FakeHost::take_requests().remove(0);
    assert!(
        request.url.starts_with("https://beds.example/api/v2/bookings?status=new&status=confirmed&"),
        "{}",
        request.url
    );
    assert!(request.url.contains("status=cancelled") && request.url.contains("modifiedFrom=2027-01-01T00%3A00%3A00Z"));
    assert!(request.url.contains("departureFrom=2000-01-01"), "no window hides past stays");
    assert_eq!(request.headers[0].value, "{{beds24.token}}");
    FakeHost::answer(200, &page("", false));
    let since = Selection::ChangedSince("2027-01-01T00:00:00Z".to_owned());
    let last = fetch(Entity::Reservation, since, first.next.as_deref()).expect("a page");
    assert!(FakeHost::take_requests()[0].url.ends_with("&page=2"));
    assert_eq!(last.resume, Some(ResumePoint::Instant("2027-01-03T11:12:13Z".to_owned())), "the channel's clock");
}

#[test]
fn odd_cursors_and_empty_lists() {
    FakeHost::reset();
    let ids = |ids: &[&str]| Selection::Some(ids.iter().map(|id| (*id).to_owned()).collect());
    assert!(fetch(Entity::Reservation, ids(&[]), None).expect("a page").changes.is_empty());
    assert!(FakeHost::take_requests().is_empty(), "asked without an id, the channel would give everything");
    assert!(matches!(fetch(Entity::Reservation, ids(&["1"]), Some("0")), Err(ChannelError::Malformed(_))));
    FakeHost::answer(200, &page("", true));
    assert!(
        fetch(Entity::Reservation, Selection::Everything, None).expect("a page").next.is_none(),
        "no endless pages"
    );
}

#[test]
fn properties_bring_their_room_types() {
    FakeHost::reset();
    let property = r#"{"id":4100,"name":"Huis aan Zee","currency":"EUR","address":"","city":"Zandvoort","country":"nl",
        "latitude":52.37,"longitude":"4.53","roomTypes":[{"id":5200,"propertyId":4100,"name":"Duin","qty":2,
        "maxPeople":4,"units":[{"id":1,"name":"a"}]}]}"#;
    FakeHost::answer(200, &page(property, false));
    let page_ = fetch(Entity::Property, Selection::Everything, None).expect("a page");
    let ChangeKind::Property(house) = &page_.changes[0].data else { panic!("a property") };
    assert_eq!((house.room_types.as_slice(), house.longitude), (&["5200".to_owned()][..], Some(4.53)));
    let ChangeKind::RoomType(room) = &page_.changes[1].data else { panic!("a room type") };
    assert_eq!((room.quantity, room.max_occupancy, room.property_id.as_str()), (Some(2), Some(4), "4100"));
    assert!(page_.next.is_none());
}

#[test]
fn calendar_ranges_include_their_last_day() {
    FakeHost::reset();
    let room = r#"{"roomId":5200,"propertyId":4100,"calendar":[
        {"from":"2027-02-27","to":"2027-02-28","numAvail":-1,"price1":99.50,"minStay":2},
        {"from":"2027-03-01","to":"2027-03-01","override":"blackout","numAvail":1},
        {"from":"2027-03-02","to":"2027-03-02","override":"noCheckIn"}]}"#;
    FakeHost::answer(200, &page(room, false));
    let day = |text| gassync_plugin::parse_date(text).expect("a date");
    let nights = gassync_plugin::Nights { start: day("2027-02-27"), until: day("2027-03-03") };
    let page_ = fetch(Entity::Calendar, Selection::Within(nights), None).expect("a page");
    let ChangeKind::Calendar(rows) = &page_.changes[0].data else { panic!("a calendar") };
    assert_eq!(to_date_text(rows[0].stay.until), "2027-03-01");
    // The unit count does not tell if a person has closed the night.
    assert_eq!((rows[0].units_available, rows[0].available), (Some(-1), Some(true)));
    assert_eq!(rows[0].prices[0].amount.amount, "99.50");
    assert_eq!(rows[1].available, Some(false), "a blackout closes what has units");
    assert_eq!((rows[2].available, rows[2].rules.closed_to_arrival), (None, Some(true)));
    assert!(FakeHost::take_requests()[0].url.contains("endDate=2027-03-02"));
}

fn asked_of(entity: Entity, selection: Selection) -> String {
    FakeHost::reset();
    FakeHost::answer(200, &page("", false));
    fetch(entity, selection, None).expect("a page");
    asked().remove(0).1
}

#[test]
fn a_booking_says_the_same_however_it_is_asked_for() {
    let ids: Vec<String> = (1..=60).map(|id| id.to_string()).collect();
    let nights = Nights { start: day("2027-03-01"), until: day("2027-03-31") };
    for selection in [
        Selection::Everything,
        Selection::Within(nights),
        Selection::Some(ids.clone()),
        Selection::ChangedSince("2027-01-01T00:00:00Z".to_owned()),
    ] {
        let path = asked_of(Entity::Reservation, selection);
        assert!(path.contains("includeBookingGroup=true") && !path.contains("includeInvoiceItems"), "{path}");
    }
    let within = asked_of(Entity::Reservation, Selection::Within(nights));
    assert!(within.contains("departureFrom=2027-03-01&arrivalTo=2027-03-31"), "{within}");
    FakeHost::reset();
    FakeHost::set_settings(r#"{"invoiceLines":true}"#);
    FakeHost::answer(200, &page("", false));
    fetch(Entity::Reservation, Selection::Everything, None).expect("a page");
    assert!(asked()[0].1.contains("includeInvoiceItems=true"));
}

#[test]
fn ids_are_asked_for_in_parts_and_in_any_status() {
    FakeHost::reset();
    let ids: Vec<String> = (1..=60).map(|id| id.to_string()).collect();
    FakeHost::answer(200, &page(BOOKING, true));
    FakeHost::answer(200, &page(BOOKING, false));
    let first = fetch(Entity::Reservation, Selection::Some(ids.clone()), None).expect("a page");
    assert_eq!((first.changes.len(), first.next.as_deref()), (2, Some("2/2027-01-03T11:12:13Z")));
    let paths: Vec<String> = asked().into_iter().map(|(_, path, _)| path).collect();
    assert!(paths[0].contains("id=1&") && paths[0].ends_with("&id=50") && !paths[0].contains("status="), "{paths:?}");
    assert!(paths[1].ends_with("&id=50&page=2"), "{paths:?}");
    FakeHost::answer(200, &page("", false));
    let last = fetch(Entity::Reservation, Selection::Some(ids), first.next.as_deref()).expect("a page");
    assert_eq!((last.next, last.resume), (None, None), "what is asked for by id does not go on");
    assert!(asked()[0].1.contains("id=51&"), "the rest of them");
}

#[test]
fn blocks_are_not_asked_for_by_themselves() {
    FakeHost::reset();
    let nights = Nights { start: day("2027-03-01"), until: day("2027-03-31") };
    for selection in [Selection::Everything, Selection::Within(nights), Selection::Some(vec!["1".to_owned()])] {
        assert!(matches!(fetch(Entity::Block, selection, None), Err(ChannelError::Unsupported)));
    }
    for (entity, selection) in [
        (Entity::Reservation, Selection::Queue("new".to_owned())),
        (Entity::Reservation, Selection::After("x".to_owned())),
        (Entity::Property, Selection::Within(nights)),
        (Entity::Calendar, Selection::Everything),
        (Entity::RatePlan, Selection::Everything),
    ] {
        assert!(matches!(fetch(entity, selection, None), Err(ChannelError::Unsupported)));
    }
    assert!(asked().is_empty());
}

#[test]
fn houses_come_with_rooms_units_and_texts() {
    FakeHost::reset();
    FakeHost::set_settings(r#"{"timeZone":"Europe/Amsterdam"}"#);
    FakeHost::answer(200, include_str!("../../samples/answers/properties/house.json"));
    let page = fetch(Entity::Property, Selection::Everything, None).expect("a page");
    let path = asked().remove(0).1;
    assert_eq!(path, "/properties?includeAllRooms=true&includeUnitDetails=true&includeTexts=all&page=1");
    let ChangeKind::Property(house) = &page.changes[0].data else { panic!("a property") };
    assert_eq!(house.description.as_deref(), Some("A house behind the dunes"));
    assert_eq!(house.time_zone.as_deref(), Some("Europe/Amsterdam"), "which Beds24 does not tell");
    assert!(house.extra.contains(&("checkInStart".to_owned(), r#""15:00""#.to_owned())));
    let ChangeKind::RoomType(room) = &page.changes[1].data else { panic!("a room type") };
    assert_eq!(room.description.as_deref(), Some("With a view of the dunes"));
    let units = (r#"units"#.to_owned(), r#"[{"id":"1","name":"a"},{"id":"2","name":"b"}]"#.to_owned());
    assert!(room.extra.contains(&units), "{:?}", room.extra);
    let ChangeKind::Property(nameless) = &page.changes[3].data else { panic!("a property") };
    assert_eq!((nameless.name.as_str(), &nameless.address, &nameless.description), ("4101", &None, &None));
    FakeHost::answer(200, include_str!("../../samples/answers/properties/house.json"));
    let rooms = fetch(Entity::RoomType, Selection::Some(vec!["5200".to_owned()]), None).expect("a page");
    assert!(
        rooms.changes.iter().all(|change| matches!(change.data, ChangeKind::RoomType(_))) && rooms.changes.len() == 2
    );
    assert!(asked()[0].1.contains("roomId=5200"));
}

#[test]
fn a_room_type_may_come_without_its_house() {
    FakeHost::reset();
    FakeHost::answer(200, &page(r#"{"id":5200,"propertyId":4100,"name":"Duin","qty":2}"#, false));
    let page_ = fetch(Entity::RoomType, Selection::Everything, None).expect("a page");
    let ChangeKind::RoomType(room) = &page_.changes[0].data else { panic!("a room type") };
    assert_eq!((room.id.as_str(), room.property_id.as_str()), ("5200", "4100"));
}

fn calendar(settings: &str, ranges: &str) -> Result<Vec<gassync_plugin::CalendarNights>, ChannelError> {
    FakeHost::reset();
    FakeHost::set_settings(settings);
    FakeHost::answer(200, &page(&format!(r#"{{"roomId":5200,"propertyId":4100,"calendar":[{ranges}]}}"#), false));
    let nights = Nights { start: day("2027-02-27"), until: day("2027-03-12") };
    let query =
        Query { room_type_id: Some("5200".to_owned()), ..Query::new(Entity::Calendar, Selection::Within(nights)) };
    match Beds24::fetch(query)?.changes.remove(0).data {
        ChangeKind::Calendar(rows) => Ok(rows),
        ChangeKind::Unreadable(record) => Err(ChannelError::Malformed(record.problem)),
        other => panic!("a calendar: {other:?}"),
    }
}

#[test]
fn every_part_of_a_calendar_is_asked_for() {
    calendar("{}", "").expect("an empty calendar");
    let path = asked().remove(0).1;
    for part in ["NumAvail", "Prices", "LinkedPrices", "MinStay", "MaxStay", "Multiplier", "Override", "Channels"] {
        assert!(path.contains(&format!("include{part}=true")), "{path}");
    }
    assert!(path.contains("startDate=2027-02-27&endDate=2027-03-11") && path.ends_with("&roomId=5200"), "{path}");
}

#[test]
fn words_close_a_night_or_the_ways_to_it() {
    let reported = |word: &str| {
        let range = format!(r#"{{"from":"2027-03-01","to":"2027-03-01","numAvail":1{word}}}"#);
        let row = calendar("{}", &range).expect("a calendar").remove(0);
        (row.available, row.rules.closed_to_arrival, row.rules.closed_to_departure, row.extra.len())
    };
    let word = |word: &str| reported(&format!(r#","override":"{word}""#));
    assert_eq!(reported(""), (Some(true), None, None, 0), "what is not said is unknown");
    assert_eq!(word("none"), (Some(true), Some(false), Some(false), 0));
    assert_eq!(word("blackout"), (Some(false), None, None, 0));
    assert_eq!(word("noCheckIn"), (Some(true), Some(true), Some(false), 0));
    assert_eq!(word("NoCheckOut"), (Some(true), Some(false), Some(true), 0));
    assert_eq!(word("noCheckInOrCheckOut"), (Some(true), Some(true), Some(true), 0));
    assert_eq!(word("exception"), (Some(true), None, None, 1), "a word without a meaning is kept beside");
}

#[test]
fn only_prices_of_which_somebody_knows_the_meaning_are_read() {
    let range = r#"{"from":"2027-03-01","price1":120.50,"price2":"99","price10":140,"price16":150,"maxStay":"14"}"#;
    let reported = |settings: &str| {
        let row = calendar(settings, range).expect("a calendar").remove(0);
        assert_eq!((row.rules.max_stay, row.units_available, row.available), (Some(14), None, None));
        row.prices.into_iter().map(|price| (price.occupancy, price.amount.amount)).collect::<Vec<_>>()
    };
    let price = |guests, amount: &str| (guests, amount.to_owned());
    assert_eq!(reported("{}"), [price(None, "120.50")]);
    let known = r#"{"guestsOfPrices":{"price1":2,"price2":1,"price10":2,"price16":4}}"#;
    assert_eq!(reported(known), [price(Some(2), "120.50"), price(Some(1), "99"), price(Some(4), "150")]);
}

#[test]
fn ranges_that_cannot_be_are_malformed_and_long_ones_come_in_parts() {
    let long = calendar("{}", r#"{"from":"2027-01-01","to":"2029-12-31","minStay":2,"multiplier":1.5}"#).expect("rows");
    let ends: Vec<_> = long.iter().map(|row| (to_date_text(row.stay.start), to_date_text(row.stay.until))).collect();
    assert_eq!(ends.first().map(|(start, _)| start.as_str()), Some("2027-01-01"));
    assert_eq!(ends.last().map(|(_, until)| until.as_str()), Some("2030-01-01"), "the last day is part of it");
    assert!(ends.windows(2).all(|pair| pair[0].1 == pair[1].0) && ends.len() == 2, "{ends:?}");
    assert!(long.iter().all(|row| row.extra == [("multiplier".to_owned(), r#""1.5""#.to_owned())]));
    for wrong in [r#"{"from":"2027-03-02","to":"2027-03-01"}"#, r#"{"from":"2027-03-02","to":"9999-12-31"}"#] {
        let reported = calendar("{}", wrong);
        assert!(matches!(&reported, Err(ChannelError::Malformed(why)) if why.starts_with("/data/0/calendar/0/to: ")));
    }
    assert!(matches!(calendar("{}", r#"{"to":"2027-03-02"}"#), Err(ChannelError::Malformed(_))));
    let odd = calendar("{}", r#"{"from":"2027-03-02","price1":"a lot"}"#).expect("a calendar").remove(0);
    assert_eq!(odd.prices[0].amount.amount, "a lot", "the host leaves it out");
}

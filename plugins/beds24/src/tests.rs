use gassync_plugin::{
    ChannelError, Completeness, Entity, HttpRequest, Inbound, News, Page, Pull, Query, Reservation, ReservationStatus,
    ResumePoint, Selection,
    testing::{FakeHost, get, post},
    to_date_text,
};

use crate::Beds24;

const BOOKING: &str = r#"{"id":71000001,"masterId":null,"propertyId":4100,"roomId":5200,"unitId":0,"roomQty":1,
    "status":"new","subStatus":"none","arrival":"2027-03-05","departure":"2027-03-08","numAdult":2,"numChild":1,
    "firstName":"Ilse","lastName":"Vandermolen","email":"","phone":"","mobile":"+3100000001","country":"nl",
    "country2":"NL","comments":"Late arrival","notes":"","lang":"nl","price":450.00,"commission":"67.50",
    "channel":"booking","apiSourceId":19,"apiSource":"Booking.com","apiReference":"990011",
    "bookingTime":"2027-01-02T10:00:00Z","modifiedTime":"2027-01-03T11:12:13Z","cancelTime":null,
    "stripeToken":null,"bookingGroup":{"master":null,"ids":[71000001]}}"#;

fn decode(call: HttpRequest) -> Result<Vec<News>, ChannelError> {
    Beds24::decode(call).map(|decoded| decoded.changes.into_iter().map(|change| change.news).collect())
}

fn webhook(booking: &str) -> Reservation {
    let body = format!(r#"{{"timeStamp":"2027-01-03T11:12:20Z","booking":{booking},"messages":[],"retries":0}}"#);
    match decode(post("/", body)).expect("decoded").remove(0) {
        News::Reservation(reservation) => reservation,
        other => panic!("not a reservation: {other:?}"),
    }
}

fn fetch(entity: Entity, selection: Selection, cursor: Option<&str>) -> Result<Page, ChannelError> {
    let cursor = cursor.map(str::to_owned);
    Beds24::fetch(Query { entity, selection, property_id: None, room_type_id: None, cursor })
}

fn page(records: &str, another: bool) -> String {
    format!(r#"{{"success":true,"type":"x","count":1,"pages":{{"nextPageExists":{another}}},"data":[{records}]}}"#)
}

#[test]
fn a_booking_says_what_it_says_and_nothing_else() {
    let reservation = webhook(BOOKING);
    assert_eq!(reservation.id, "71000001");
    assert!(matches!(reservation.status, ReservationStatus::Confirmed), "a selling site's booking arrives as new");
    assert_eq!(reservation.source.as_deref(), Some("booking.com"));
    let total = reservation.total.expect("a total");
    assert_eq!((total.amount.as_str(), total.currency), ("450.00", None), "digits stay, no currency is guessed");
    assert_eq!(reservation.commission.expect("a commission").amount, "67.50");
    let guest = reservation.guest.expect("a guest");
    assert_eq!((guest.email, guest.phone.as_deref()), (None, Some("+3100000001")), "the mobile stands in");
    assert_eq!(guest.country.as_deref(), Some("NL"));
    assert_eq!(reservation.group_id, None, "a group of itself is none");
    assert_eq!(reservation.rooms[0].unit_id, None, "unit 0 is not assigned");
    assert_eq!(to_date_text(reservation.stay.expect("a stay").until), "2027-03-08");
}

#[test]
fn wrapped_in_a_list_or_without_personal_data() {
    let wrapped = format!(r#"[{{"booking":{BOOKING},"retries":"3"}}]"#);
    assert_eq!(decode(post("/", wrapped)).expect("decoded").len(), 1);
    let bare =
        webhook(r#"{"id":"1","status":"Confirmed","arrival":"2027-03-05","departure":"2027-03-06","roomId":"7"}"#);
    assert!(matches!(bare.status, ReservationStatus::Confirmed), "in any case");
    assert!(bare.guest.is_none() && bare.adults.is_none() && bare.total.is_none() && bare.source.is_none());
    assert_eq!(bare.rooms[0].room_type_id.as_deref(), Some("7"));
    assert_eq!(bare.completeness, Completeness::Partial, "what it leaves out is not gone");
    assert_eq!(webhook(BOOKING).completeness, Completeness::Full);
    assert_eq!(webhook(BOOKING).guest.expect("a guest").address, None, "a country alone is no address");
    let lives =
        BOOKING.replace(r#""country":"nl""#, r#""address":"","city":"Haarlem","postcode":"2011","country":"nl""#);
    let address = webhook(&lives).guest.expect("a guest").address.expect("an address");
    assert_eq!(
        (address.street, address.city.as_deref(), address.country.as_deref()),
        (None, Some("Haarlem"), Some("NL"))
    );
}

#[test]
fn statuses() {
    let status = |status: &str, sub: &str| {
        let text = format!(r#"{{"id":1,"status":"{status}","subStatus":"{sub}","roomId":2}}"#);
        format!("{:?}", webhook(&text).status)
    };
    assert_eq!(status("request", ""), "ReservationStatus::Pending(None)");
    assert_eq!(status("inquiry", ""), "ReservationStatus::Inquiry");
    assert_eq!(status("cancelled", "noShow"), "ReservationStatus::Cancelled");
    assert_eq!(status("confirmed", "noShow"), "ReservationStatus::NoShow");
    assert_eq!(status("waitlisted", ""), r#"ReservationStatus::Other("waitlisted")"#);
}

#[test]
fn times_are_read_in_every_form_that_is_about() {
    for time in ["2027-01-09", "2027-01-09 08:02:30", "2027-01-09T08:02Z", "2027-01-09T08:02:30.25+07:00"] {
        let booking = webhook(&format!(r#"{{"id":1,"status":"new","modifiedTime":"{time}"}}"#));
        assert_eq!(booking.modified_at.as_deref(), Some(time));
    }
}

#[test]
fn several_rooms_groups_and_free_prices() {
    let text = r#"{"id":9,"masterId":8,"roomId":2,"roomQty":3,"unitId":1,"status":"confirmed","price":0,"numAdult":6,
        "arrival":"2027-03-05","departure":"2027-03-06"}"#;
    let several = webhook(text);
    assert_eq!(several.rooms.len(), 3);
    assert!(several.rooms.iter().all(|room| room.total.is_none() && room.unit_id.is_none()));
    assert_eq!(several.total.expect("zero is a price").amount, "0");
    assert_eq!(several.group_id.as_deref(), Some("8"));
    let master = webhook(r#"{"id":8,"masterId":null,"status":"new","bookingGroup":{"master":null,"ids":[8,9]}}"#);
    assert_eq!(master.group_id.as_deref(), Some("8"));
}

#[test]
fn airbnbs_second_country_is_a_language() {
    let text = r#"{"id":1,"status":"new","channel":"airbnb","country":"Thailand","country2":"EN"}"#;
    assert_eq!(webhook(text).guest.expect("a guest").country.as_deref(), Some("Thailand"));
}

#[test]
fn a_block_is_not_a_reservation() {
    let black = r#"{"booking":{"id":5,"propertyId":4,"roomId":2,"unitId":1,"status":"black","arrival":"2027-03-05",
        "departure":"2027-03-06","notes":"painters"}}"#;
    let News::Block(block) = decode(post("/", black)).expect("decoded").remove(0) else { panic!("a block") };
    assert_eq!((block.id.as_deref(), block.reason.as_deref()), (Some("5"), Some("painters")));
    assert_eq!((block.room_type_ids.as_slice(), block.unit_id.as_deref()), (&["2".to_owned()][..], Some("1")));
}

#[test]
fn hints_ask_for_a_look() {
    let v1 = decode(get("/v1?propid=4100&bookid=71000001&status=modify")).expect("decoded");
    assert!(
        matches!(&v1[0], News::LookAgain(hint) if hint.id.as_deref() == Some("71000001") && hint.entity == Entity::Reservation)
    );
    let room = r#"{"roomId":"5200","propId":"4100","ownerId":"77","action":"SYNC_ROOM"}"#;
    let inventory = decode(post("/", room)).expect("decoded");
    assert!(
        matches!(&inventory[0], News::LookAgain(hint) if hint.id.as_deref() == Some("5200") && hint.entity == Entity::Calendar)
    );
}

#[test]
fn what_is_not_understood_says_where() {
    for (body, place) in [
        (r#"{"booking":{"status":"new"}}"#, "/booking/id"),
        (r#"{"booking":{"id":1,"status":"new","arrival":"05.03.2027"}}"#, "/booking/arrival"),
        (r#"{"booking":{"id":1,"status":"new","modifiedTime":"2027-02-30T10:00:00Z"}}"#, "/booking/modifiedTime"),
        (r#"{"booking":{"id":1,"status":"new","bookingTime":99}}"#, "/booking/bookingTime"),
        (r#"{"booking":{"id":1,"status":"new","price":"a lot"}}"#, "/booking/price"),
        (r#"[{"booking":{"id":1}}]"#, "/0/booking/status"),
        (r#"{"hello":1}"#, "/booking"),
        ("{", ""),
    ] {
        let Err(ChannelError::Malformed(text)) = decode(post("/", body)) else { panic!("{body}") };
        assert!(text.starts_with(place), "{text}");
    }
}

#[test]
fn rows_of_the_older_interface() {
    FakeHost::reset();
    FakeHost::answer(
        200,
        r#"[{"bookId":"61000001","propId":"4100","roomId":"5200","unitId":"2","roomQty":"1","status":"0",
            "firstNight":"2027-02-27","lastNight":"2027-02-28","guestFirstName":"Somchai","guestName":"Wattana",
            "guestCountry":"th","price":"3500.00","currency":"THB","apiSource":"19","masterId":"",
            "modified":"2027-01-09 08:02:30"}]"#,
    );
    let page = fetch(Entity::Reservation, Selection::Everything, None).expect("a page");
    let News::Reservation(reservation) = &page.changes[0].news else { panic!("a reservation") };
    assert!(matches!(reservation.status, ReservationStatus::Cancelled));
    assert_eq!(to_date_text(reservation.stay.expect("a stay").until), "2027-03-01", "the last night is slept");
    let total = reservation.total.as_ref().expect("a total");
    assert_eq!((total.amount.as_str(), total.currency.as_deref()), ("3500.00", Some("THB")));
    assert_eq!(reservation.guest.as_ref().and_then(|g| g.last_name.as_deref()), Some("Wattana"));
}

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
    let News::Property(house) = &page_.changes[0].news else { panic!("a property") };
    assert_eq!((house.room_types.as_slice(), house.longitude), (&["5200".to_owned()][..], Some(4.53)));
    let News::RoomType(room) = &page_.changes[1].news else { panic!("a room type") };
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
    let News::Calendar(rows) = &page_.changes[0].news else { panic!("a calendar") };
    assert_eq!(to_date_text(rows[0].stay.until), "2027-03-01");
    assert_eq!((rows[0].units_available, rows[0].available), (Some(-1), Some(false)));
    assert_eq!(rows[0].prices[0].amount.amount, "99.50");
    assert_eq!(rows[1].available, Some(false), "a blackout closes what has units");
    assert_eq!((rows[2].available, rows[2].rules.closed_to_arrival), (None, Some(true)));
    assert!(FakeHost::take_requests()[0].url.contains("endDate=2027-03-02"));
}

#[test]
fn refusals_have_names() {
    let refused = |status: u16, body: &str| {
        FakeHost::reset();
        FakeHost::answer(status, body);
        fetch(Entity::Reservation, Selection::Everything, None).expect_err("refused")
    };
    let error = |code: u16| format!(r#"{{"success":false,"type":"error","code":{code},"error":"so it is"}}"#);
    assert!(matches!(refused(401, &error(401)), ChannelError::Unauthorized(text) if text == "so it is"));
    assert!(matches!(refused(429, &error(429)), ChannelError::RateLimited(None)));
    assert!(matches!(refused(400, &error(400)), ChannelError::Rejected(_)));
    assert!(matches!(refused(200, &error(401)), ChannelError::Unauthorized(_)), "an error inside a success");
    assert!(matches!(refused(502, "<html>"), ChannelError::Unavailable(_)));
    assert!(matches!(refused(200, r#"{"success":true}"#), ChannelError::Malformed(_)));
}

//! Tests of bookings in both API versions.

use gassync_plugin::{
    ChangeKind, Completeness, Entity, ReservationStatus, Selection,
    testing::{FakeHost, post},
    to_date_text,
};

use super::{BOOKING, decode, fetch, page, webhook};

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
    let ChangeKind::Block(block) = decode(post("/", black)).expect("decoded").remove(0) else { panic!("a block") };
    assert_eq!((block.id.as_deref(), block.reason.as_deref()), (Some("5"), Some("painters")));
    assert_eq!((block.room_type_ids.as_slice(), block.unit_id.as_deref()), (&["2".to_owned()][..], Some("1")));
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
    let ChangeKind::Reservation(reservation) = &page.changes[0].data else { panic!("a reservation") };
    assert!(matches!(reservation.status, ReservationStatus::Cancelled));
    assert_eq!(to_date_text(reservation.stay.expect("a stay").until), "2027-03-01", "the last night is slept");
    let total = reservation.total.as_ref().expect("a total");
    assert_eq!((total.amount.as_str(), total.currency.as_deref()), ("3500.00", Some("THB")));
    assert_eq!(reservation.guest.as_ref().and_then(|g| g.last_name.as_deref()), Some("Wattana"));
}

#[test]
fn whoever_may_not_see_guests_does_not_forget_them() {
    let empty = BOOKING.replace("Ilse", "").replace("Vandermolen", "").replace("+3100000001", "");
    let reported = webhook(&empty);
    assert_eq!(reported.completeness, Completeness::Partial, "a token without the scope finds the fields empty");
    assert_eq!(reported.guest.expect("a guest").country.as_deref(), Some("NL"), "what is told all the same counts");
    let mail = webhook(&empty.replace(r#""email":"""#, r#""email":"ilse@example.org""#));
    assert_eq!(mail.completeness, Completeness::Full);
}

#[test]
fn what_has_no_field_of_its_own_stands_beside() {
    assert!(webhook(BOOKING).extra.is_empty(), "none is no word, and an empty text says nothing");
    let reported =
        BOOKING.replace(r#""subStatus":"none""#, r#""subStatus":"cancelledByGuest","offerId":2,"reference":"GAS-7""#);
    let extra = webhook(&reported.replace(r#""lang":"nl""#, r#""lang":"nl","arrivalTime":"18:00""#)).extra;
    let expected =
        [("reference", "GAS-7"), ("subStatus", "cancelledByGuest"), ("arrivalTime", "18:00"), ("offerId", "2")];
    assert_eq!(extra, expected.map(|(name, text)| (name.to_owned(), format!("{text:?}"))));
}

#[test]
fn a_number_is_no_country_and_no_site() {
    let reported = |fields: &str| webhook(&format!(r#"{{"id":1,"status":"new",{fields}}}"#));
    assert!(reported(r#""country":"19","country2":null"#).guest.is_none());
    assert_eq!(reported(r#""country":"es""#).guest.expect("a guest").country.as_deref(), Some("ES"));
    for (fields, source) in [
        (r#""channel":"","apiSourceId":46,"apiSource":"Airbnb""#, Some("airbnb")),
        (r#""channel":"","apiSourceId":24,"apiSource":"Hostelworld""#, Some("hostelworld")),
        (r#""channel":"","apiSourceId":4711,"apiSource":"Somebody New""#, Some("somebody new")),
        (r#""channel":"","apiSourceId":4711,"apiSource":"4711""#, None),
        (r#""channel":"Booking.com""#, Some("booking.com")),
        (r#""channel":"hometogo","apiSourceId":1"#, Some("hometogo")),
        (r#""channel":"direct""#, Some("direct")),
    ] {
        assert_eq!(reported(fields).source.as_deref(), source, "{fields}");
    }
}

#[test]
fn cancellations_are_recognised_by_status() {
    for word in ["cancelled", "Cancelled", "CANCELED"] {
        let text = format!(r#"{{"id":1,"status":"{word}","cancelTime":null,"lastName":"Hale"}}"#);
        assert!(matches!(webhook(&text).status, ReservationStatus::Cancelled), "{word}");
    }
    assert!(matches!(webhook(r#"{"id":1,"status":"NEW","subStatus":"NoShow"}"#).status, ReservationStatus::NoShow));
}

#[test]
fn blocks_come_among_the_bookings_with_their_units() {
    FakeHost::reset();
    FakeHost::answer(200, include_str!("../../samples/answers/reservations/blocks-and-groups.json"));
    let page = fetch(Entity::Reservation, Selection::Everything, None).expect("a page");
    let ChangeKind::Block(block) = &page.changes[0].data else { panic!("a block") };
    assert_eq!((block.units, block.unit_id.as_deref()), (Some(2), None));
    assert_eq!(block.modified_at.as_deref(), Some("2027-01-07T10:00:00Z"));
    assert_eq!(to_date_text(block.stay.until), "2027-02-04");
    let groups = page.changes[1..].iter().map(|change| match &change.data {
        ChangeKind::Reservation(reservation) => (reservation.group_id.as_deref(), reservation.extra.len()),
        other => panic!("{other:?}"),
    });
    let master = Some("71000008");
    assert_eq!(groups.collect::<Vec<_>>(), [(master, 2), (master, 1), (None, 1)]);
}

#[test]
fn invoices_are_read_where_somebody_wants_them() {
    let call = || post("/", include_str!("../../samples/calls/no-show-with-info.json"));
    let lines = |settings: &str| {
        FakeHost::reset();
        FakeHost::set_settings(settings);
        let ChangeKind::Reservation(reported) = decode(call()).expect("decoded").remove(0) else {
            panic!("a reservation")
        };
        reported.price_lines.iter().map(|line| line.amount.amount.clone()).collect::<Vec<_>>()
    };
    assert_eq!(lines(r#"{"invoiceLines":true}"#), ["180.50", "30"]);
    assert!(lines("{}").is_empty());
}

#[test]
fn rows_of_the_older_interface_leave_out_what_newer_ones_do() {
    let row = |fields: &str| {
        FakeHost::reset();
        FakeHost::answer(200, &format!(r#"[{{"bookId":"61000002","status":"2","roomId":"5200",{fields}}}]"#));
        let page = fetch(Entity::Reservation, Selection::Everything, None).expect("a page");
        page.changes.into_iter().next().expect("a change").data
    };
    let ChangeKind::Reservation(reported) = row(r#""guestName":"","apiSource":"4711","reference":"GAS-7""#) else {
        panic!()
    };
    assert_eq!((reported.completeness, reported.source), (Completeness::Partial, None));
    assert_eq!(reported.extra, [("reference".to_owned(), r#""GAS-7""#.to_owned())]);
    let black =
        r#""status":"4","firstNight":"2027-02-27","lastNight":"2027-02-28","roomQty":"2","guestComments":"roof""#;
    FakeHost::reset();
    FakeHost::answer(200, &format!(r#"[{{"bookId":"61000003","roomId":"5200",{black}}}]"#));
    let page = fetch(Entity::Reservation, Selection::Everything, None).expect("a page");
    let ChangeKind::Block(block) = &page.changes[0].data else { panic!("a block") };
    assert_eq!((to_date_text(block.stay.until).as_str(), block.units), ("2027-03-01", Some(2)));
    assert_eq!(block.reason.as_deref(), Some("roof"));
}

#[test]
fn the_seller_is_kept_where_only_a_side_field_names_it() {
    let reported = |fields: &str| {
        let booking = webhook(&format!(r#"{{"id":1,"status":"new",{fields}}}"#));
        (booking.source, booking.extra.into_iter().find(|(name, _)| name == "referer").map(|(_, text)| text))
    };
    let direct = r#""channel":"direct","apiSourceId":0,"apiSource":"Direct""#;
    for (beside, source, referer) in [
        (r#""refererEditable":"楽天トラベル","referer":"front-desk""#, "楽天トラベル", None),
        (r#""refererEditable":"Booking.com","referer":"front-desk""#, "booking.com", None),
        (r#""referer":"Jalan""#, "jalan", None),
        (r#""refererEditable":"","referer":"API""#, "direct", None),
        (r#""refererEditable":"https://house.example/rooms","referer":"4711""#, "direct", None),
        (r#""refererEditable":"Front Desk","referer":"walkin""#, "direct", None),
    ] {
        let referer: Option<&str> = referer;
        let expected = (Some(source.to_owned()), referer.map(str::to_owned));
        assert_eq!(reported(&format!("{direct},{beside}")), expected, "{beside}");
    }
    let known = r#""channel":"","apiSourceId":70,"apiSource":"Rezintel","refererEditable":"RezIntel-MyStay""#;
    assert_eq!(
        reported(known),
        (Some("rezintel".to_owned()), Some(r#""RezIntel-MyStay""#.to_owned())),
        "neither is lost"
    );
    let site = r#""channel":"booking","apiSourceId":19,"apiSource":"Booking.com","referer":"Booking.com""#;
    assert_eq!(reported(site), (Some("booking.com".to_owned()), None), "nothing is said twice");
}

#[test]
fn nothing_but_a_missing_id_fails_a_booking() {
    let odd = BOOKING
        .replace(r#""price":450.00"#, r#""price":"a lot""#)
        .replace(r#""2027-01-03T11:12:13Z""#, r#""some day""#)
        .replace(r#""bookingGroup":{"master":null,"ids":[71000001]}"#, r#""bookingGroup":[],"invoiceItems":7"#)
        .replace(r#""numAdult":2,"numChild":1"#, r#""numAdult":"2","numChild":false"#)
        .replace(r#""arrival":"2027-03-05""#, r#""arrival":"soon""#);
    let reported = webhook(&odd);
    assert_eq!((reported.id.as_str(), reported.stay), ("71000001", None));
    assert_eq!((reported.adults, reported.children), (Some(2), Some(0)));
    assert_eq!(
        reported.total.expect("what was said").amount,
        "a lot",
        "the host judges it, and notes what it leaves out"
    );
    let fine = webhook(&BOOKING.replace("450.00", "1714.28571"));
    assert_eq!(fine.total.expect("a total").amount, "1714.28571");
    for without in [r#""status":"new","#, r#""arrival":"2027-03-05","#] {
        webhook(&BOOKING.replace(without, ""));
    }
}

#[test]
fn a_cancellation_with_odd_dates_still_cancels() {
    let cancelled = BOOKING.replace(r#""status":"new""#, r#""status":"cancelled""#);
    for departure in ["2027-03-05", "2027-03-01", "never"] {
        let reported = webhook(&cancelled.replace("2027-03-08", departure));
        assert!(matches!(reported.status, ReservationStatus::Cancelled));
        assert_eq!((reported.stay, reported.rooms[0].stay), (None, None), "{departure}");
    }
    // The host decides about an active booking without nights.
    let none = webhook(&BOOKING.replace("2027-03-08", "2027-03-05")).stay.expect("what was said");
    assert_eq!(none.start, none.until);
}

#[test]
fn totals_add_up_where_invoices_are_read() {
    let charge = |id: u32, total: &str| {
        format!(
            r#"{{"type":"charge","description":"x","bookingId":{id},"qty":1,"amount":{total},"lineTotal":{total}}}"#
        )
    };
    let booking = |id: u32, master: &str, price: &str, items: &[String]| {
        format!(
            r#"{{"id":{id},"masterId":{master},"roomId":5200,"status":"new","price":{price},"invoiceItems":[{}],
                "bookingGroup":{{"master":71,"ids":[71,72,73]}}}}"#,
            items.join(",")
        )
    };
    let group = [
        booking(71, "null", "192", &[charge(0, "60"), charge(71, "12"), charge(72, "60")]),
        booking(72, "71", "60", &[charge(0, "60")]),
        booking(73, "71", "60", &[]),
    ];
    FakeHost::reset();
    FakeHost::set_settings(r#"{"invoiceLines":true}"#);
    FakeHost::answer(200, &page(&group.join(","), false));
    let read = fetch(Entity::Reservation, Selection::Everything, None).expect("a page");
    let reported: Vec<_> = read
        .changes
        .iter()
        .map(|change| match &change.data {
            ChangeKind::Reservation(reported) => (
                reported.total.clone().expect("a total").amount,
                reported.rooms[0].total.clone().expect("a room's total").amount,
                reported.price_lines.len(),
            ),
            other => panic!("{other:?}"),
        })
        .collect();
    let of = |total: &str, lines: usize| (total.to_owned(), total.to_owned(), lines);
    assert_eq!(reported, [of("72", 2), of("60", 1), of("60", 0)], "192 in all");
    FakeHost::reset();
    FakeHost::answer(200, &page(&group[0].replace("invoiceItems", "nothing"), false));
    let read = fetch(Entity::Reservation, Selection::Everything, None).expect("a page");
    let ChangeKind::Reservation(reported) = &read.changes[0].data else { panic!("a reservation") };
    assert_eq!(reported.total.as_ref().expect("the price").amount, "192", "nothing is guessed");
    assert_eq!(reported.extra, [("priceIsOfGroup".to_owned(), r#""unknown""#.to_owned())]);
}

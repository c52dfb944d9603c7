use gassync_plugin::{
    Acknowledgement, AcknowledgementKind, AcknowledgementOutcome, Acknowledgements, Attempt, CalendarNights,
    CalendarPart, ChangeKind, ChannelError, Entity, Header, HttpResponse, Nights, Outcome, Price, PriceKind, Pull,
    PushCalendar, Query, Selection, money, parse_date, testing::FakeHost, xml::Element,
};

use crate::BookingCom;

const TAKEN: &str = include_str!("../../../fixtures/booking-com/availability-taken.xml");
const WARNED: &str = include_str!("../../../fixtures/booking-com/availability-warned.xml");

fn ready() {
    FakeHost::reset();
    FakeHost::set_settings(r#"{"target":"Test"}"#);
}

fn fetch(answer: &str) -> Result<gassync_plugin::Page, ChannelError> {
    ready();
    FakeHost::answer(200, answer);
    BookingCom::fetch(Query::new(Entity::Reservation, Selection::Queue("new".to_owned())))
}

fn queue(entries: &str) -> String {
    format!("<OTA_HotelResNotifRQ><HotelReservations>{entries}</HotelReservations></OTA_HotelResNotifRQ>")
}

#[test]
fn rooms_have_numbers_of_their_own_and_the_booker_an_address() {
    let page = fetch(include_str!("../samples/answers/reservations/new.xml")).expect("a page");
    let ChangeKind::Reservation(booking) = &page.changes[0].data else { panic!("{:?}", page.changes[0]) };
    let lines: Vec<_> = booking.rooms.iter().filter_map(|room| room.id.as_deref()).collect();
    assert_eq!(lines, ["12", "40"]);
    let booker = booking.guest.as_ref().expect("a booker");
    let address = booker.address.as_ref().expect("an address");
    assert_eq!((address.street.as_deref(), address.city.as_deref()), (None, Some("Aveiro")));
    assert_eq!((booker.country.as_deref(), address.country.as_deref()), (Some("PT"), Some("PT")));
    let ChangeKind::Reservation(taxed) = &page.changes[1].data else { panic!("{:?}", page.changes[1]) };
    let said: Vec<_> = taxed.price_lines.iter().map(|line| (line.kind, line.amount.amount.as_str())).collect();
    assert_eq!(said, [(PriceKind::Stay, "21000"), (PriceKind::Tax, "2100")]);
    assert_eq!(taxed.total, Some(money("23100", Some("JPY"))));
    assert_eq!(taxed.rooms[0].total, taxed.total, "of the one room there is");
}

#[test]
fn an_empty_queue_is_no_error_and_a_stranger_is_none() {
    assert!(fetch(&queue("")).expect("a page").changes.is_empty());
    assert!(matches!(fetch("<reservations/>"), Err(ChannelError::Malformed(_))));
    assert!(matches!(fetch(&queue("<HotelReservation/>")), Err(ChannelError::Malformed(_))));
}

#[test]
fn missing_permissions_are_reported_and_web_pages_accept_nothing() {
    ready();
    FakeHost::answer(403, "no");
    let query = Query::new(Entity::Reservation, Selection::Queue("new".to_owned()));
    assert!(matches!(BookingCom::fetch(query), Err(ChannelError::Unauthorized(_))));
    FakeHost::answer(200, "<html><body>Back soon.</body></html>");
    let said = BookingCom::acknowledge(vec![acknowledgement("new/71", AcknowledgementKind::Applied)]);
    assert_eq!(said, Ok(vec![AcknowledgementOutcome::Retry(None)]));
    assert!(FakeHost::take_log().iter().any(|line| line.contains("html: is none of the answers")));
}

fn acknowledgement(token: &str, kind: AcknowledgementKind) -> Acknowledgement {
    let external_id = token.rsplit('/').next().unwrap_or_default().to_owned();
    Acknowledgement {
        token: token.to_owned(),
        external_id,
        our_reference: None,
        kind,
        at: "2027-01-11T07:00:12Z".to_owned(),
    }
}

#[test]
fn one_that_is_out_of_date_does_not_hold_up_the_others() {
    ready();
    // Both together, then each separately; then the other queue.
    for (status, body) in [(400, "wrong type"), (200, ""), (400, "wrong type"), (200, "")] {
        FakeHost::answer(status, body);
    }
    let acknowledgements = vec![
        acknowledgement("new/71", AcknowledgementKind::Applied),
        acknowledgement("modified/72", AcknowledgementKind::Applied),
        acknowledgement("new/73", AcknowledgementKind::Applied),
        acknowledgement("new/74", AcknowledgementKind::Refused("nobody knows the property".to_owned())),
        acknowledgement("75", AcknowledgementKind::Applied),
    ];
    let said = BookingCom::acknowledge(acknowledgements).expect("said");
    assert_eq!((&said[0], &said[1]), (&AcknowledgementOutcome::Accepted, &AcknowledgementOutcome::Accepted));
    assert!(matches!(&said[2], AcknowledgementOutcome::Outdated(why) if why.contains("newer message")));
    assert!(matches!(&said[3], AcknowledgementOutcome::Refused(why) if why.contains("not acknowledged")));
    assert!(matches!(&said[4], AcknowledgementOutcome::Refused(why) if why.contains("no queue")));
    let sent = FakeHost::take_requests();
    let queues: Vec<&str> = sent.iter().filter_map(|request| request.url.rsplit('/').next()).collect();
    assert_eq!(queues, ["OTA_HotelResNotif", "OTA_HotelResNotif", "OTA_HotelResNotif", "OTA_HotelResModifyNotif"]);
    assert_eq!(sent[0].headers.iter().filter(|h| h.value == "Bearer {{booking.token}}").count(), 1);
}

#[test]
fn a_queue_that_is_closed_for_now_does_not_undo_the_other() {
    let both = || {
        vec![
            acknowledgement("new/71", AcknowledgementKind::Applied),
            acknowledgement("modified/72", AcknowledgementKind::Applied),
        ]
    };
    for (status, outcome) in [
        (503, AcknowledgementOutcome::Retry(None)),
        (403, AcknowledgementOutcome::Refused("the property is not ours ()".to_owned())),
        (404, AcknowledgementOutcome::Refused("Booking.com knows no such reservation ()".to_owned())),
    ] {
        ready();
        FakeHost::answer(200, "");
        FakeHost::answer(status, "");
        assert_eq!(BookingCom::acknowledge(both()), Ok(vec![AcknowledgementOutcome::Accepted, outcome]), "{status}");
    }
    ready();
    let wait = Header { name: "Retry-After".to_owned(), value: "60".to_owned() };
    FakeHost::answer_with(Ok(HttpResponse { status: 429, headers: vec![wait], body: Vec::new() }));
    FakeHost::answer(401, "");
    assert!(matches!(BookingCom::acknowledge(both()), Err(ChannelError::Unauthorized(_))));
    let two = vec![
        acknowledgement("new/71", AcknowledgementKind::Applied),
        acknowledgement("new/73", AcknowledgementKind::Applied),
    ];
    FakeHost::answer(503, "");
    assert_eq!(BookingCom::acknowledge(two), Ok(vec![AcknowledgementOutcome::Retry(None); 2]));
    assert_eq!(FakeHost::take_requests().len(), 3, "nobody is at fault, so nobody is asked alone");
}

fn row(start: &str, until: &str, changed: CalendarPart) -> CalendarNights {
    let day = |text| parse_date(text).expect("a date");
    let stay = Nights { start: day(start), until: day(until) };
    let price =
        Price { rate_plan_id: None, occupancy: Some(2), amount: money("95.50", Some("EUR")), tax_included: Some(true) };
    CalendarNights {
        property_id: Some("55501".to_owned()),
        rate_plan_id: Some("31001".to_owned()),
        available: Some(true),
        units_available: Some(2),
        prices: vec![price],
        changed,
        ..CalendarNights::new("770001", stay)
    }
}

#[test]
fn a_batch_that_is_half_taken_is_halved() {
    ready();
    // Four rows, the third faulty: sends all, the first two, the last two, the third, the fourth.
    for answer in [WARNED, TAKEN, WARNED, WARNED, TAKEN] {
        FakeHost::answer(200, answer);
    }
    let rows = ["2027-02-01", "2027-02-02", "2027-02-03", "2027-02-04"].map(|start| {
        let until = parse_date(start).expect("a date").next_day();
        let mut row = row(start, start, CalendarPart::AVAILABILITY);
        row.stay.until = until;
        row
    });
    let outcomes = BookingCom::push_calendar(rows.to_vec(), Attempt::First).expect("outcomes");
    let taken: Vec<bool> = outcomes.iter().map(|outcome| matches!(outcome, Outcome::Accepted(_))).collect();
    assert_eq!(taken, [true, true, false, true]);
    let Outcome::Refused(problems) = &outcomes[2] else { panic!("{:?}", outcomes[2]) };
    assert!(problems[0].problem.contains("NOT_A_VALID_DATE"), "{}", problems[0].problem);
    assert_eq!(FakeHost::take_requests().len(), 5);
}

#[test]
fn ambiguous_calls_are_left_to_a_refetch() {
    ready();
    (0..20).for_each(|_| FakeHost::answer(200, WARNED));
    let rows = vec![row("2027-02-01", "2027-02-02", CalendarPart::AVAILABILITY); 40];
    let outcomes = BookingCom::push_calendar(rows, Attempt::AfterUnknown).expect("outcomes");
    assert!(FakeHost::take_requests().len() <= 20);
    let sure = |outcome: &&Outcome| matches!(outcome, Outcome::Accepted(accepted) if accepted.confirmed);
    assert_eq!((outcomes.len(), outcomes.iter().filter(sure).count()), (40, 0), "nothing was wholly taken");
}

#[test]
fn both_ends_are_meant_and_money_is_whole() {
    ready();
    FakeHost::answer(200, TAKEN);
    FakeHost::answer(200, "<OTA_HotelRateAmountNotifRS><Success/></OTA_HotelRateAmountNotifRS>");
    let mut rules = row("2027-02-26", "2027-03-02", CalendarPart::RULES | CalendarPart::PRICE);
    rules.rules.min_stay_arrival = Some(3);
    rules.rules.closed_to_departure = Some(true);
    BookingCom::push_calendar(vec![rules], Attempt::First).expect("outcomes");
    let sent = FakeHost::take_requests();
    let parse = |index: usize| Element::parse(sent[index].body.as_deref().expect("a body")).expect("XML");
    let (availability, rates) = (parse(0), parse(1));
    let messages = availability.all("AvailStatusMessages/AvailStatusMessage");
    assert_eq!(messages.len(), 2, "no rooms to sell: that is no news");
    let control = messages[0].find("StatusApplicationControl").expect("a control");
    assert_eq!((control.attribute("Start"), control.attribute("End")), (Some("2027-02-26"), Some("2027-03-01")));
    let amount = rates
        .find("RateAmountMessages/RateAmountMessage/Rates/Rate/BaseByGuestAmts/BaseByGuestAmt")
        .expect("an amount");
    assert_eq!((amount.attribute("AmountAfterTax"), amount.attribute("DecimalPlaces")), (Some("9550"), Some("2")));
    assert_eq!(availability.attribute("Target"), Some("Test"));
}

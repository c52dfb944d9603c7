use gassync_plugin::{
    Acknowledgement, AcknowledgementKind, AcknowledgementOutcome, Acknowledgements, AppliedChange, ChangeKind,
    ChangeResult, ChannelError, Entity, Inbound, PaymentCollectedBy, PriceKind, Pull, Query, Refusal, RefusalReason,
    Reply, Reservation, ReservationStatus, Selection, Verdict, money,
    testing::{FakeHost, post},
    xml::Element,
};

use crate::Expedia;

const NEW: &str = include_str!("../../../fixtures/expedia/notification-new.xml");
const CANCELLED: &str = include_str!("../../../fixtures/expedia/notification-cancelled.xml");

fn reported(body: &str) -> Reservation {
    match Expedia::decode(post("/notifications", body)).expect("decoded").changes.remove(0).data {
        ChangeKind::Reservation(reservation) => reservation,
        other => panic!("{other:?}"),
    }
}

fn answer(body: &str, result: Option<ChangeResult>) -> Result<Element, ChannelError> {
    let reply = Expedia::respond(post("/notifications", body), Vec::new(), result.into_iter().collect())?;
    let envelope = Element::parse(&reply.body)?;
    Ok(envelope.find("Body").and_then(|body| body.children().first()).cloned().expect("a body"))
}

#[test]
fn a_cancellation_carries_ids_and_changes_nothing_else() {
    let cancelled = reported(CANCELLED);
    assert_eq!((cancelled.id.as_str(), cancelled.property_id.as_deref()), ("9020000451", Some("4400")));
    assert!(cancelled.rooms.is_empty() && cancelled.total.is_none() && cancelled.guest.is_none());
    assert!(cancelled.stay.is_none() && cancelled.adults.is_none());
}

#[test]
fn what_cannot_be_read_is_refused_at_once_and_what_is_none_is_malformed() {
    let call = post("/notifications", NEW.replace("Start=\"2027-05-30\"", "Start=\"soon\""));
    let Err(why) = Expedia::decode(call.clone()) else { panic!("nights that are none") };
    let reply = Expedia::on_error(call, why).expect("a reply");
    let text = String::from_utf8(reply.body).expect("text");
    assert!(reply.status == 200 && text.contains(r#"ShortText="2002""#) && text.contains("Ignored"), "{text}");
    // Invalid optional fields go to the host unchanged.
    for (right, odd) in [("2027-04-02T03:00:05-07:00", "2027-04-31T03:00:05-07:00"), ("263.80", "1e999")] {
        let call = post("/notifications", NEW.replace(right, odd));
        assert!(Expedia::decode(call).is_ok(), "{odd}");
    }
    let none = post("/notifications", "<Envelope/>");
    assert!(matches!(Expedia::decode(none.clone()), Err(ChannelError::Malformed(_))));
    assert!(Expedia::on_error(none, ChannelError::Malformed("no booking".to_owned())).is_err());
    let now = ChannelError::Unavailable("being mended".to_owned());
    assert_eq!(Expedia::on_error(post("/notifications", NEW), now.clone()), Err(now), "Expedia tells it again");
}

#[test]
fn reasons_have_numbers_and_price_is_none_of_them() {
    let refused = |why, path: &str| {
        Some(ChangeResult::Refused(vec![Refusal {
            reason: why,
            path: Some(path.to_owned()),
            text: "because".to_owned(),
        }]))
    };
    for (why, path, code) in [
        (RefusalReason::UnknownProperty, "/propertyId", "3202"),
        (RefusalReason::UnknownRoomType, "/rooms/0/roomTypeId", "3203"),
        (RefusalReason::UnknownRatePlan, "/rooms/0/ratePlanId", "3204"),
        (RefusalReason::Invalid, "/checkOut", "3207"),
    ] {
        let body = answer(NEW, refused(why, path)).expect("an answer");
        let error = body.find("Errors/Error").expect("an error");
        assert_eq!(error.attribute("ShortText"), Some(code));
        assert_eq!(body.attribute("ResResponseType"), Some("Ignored"));
    }
    for result in [refused(RefusalReason::SoldOut, "/checkIn"), refused(RefusalReason::NoRate, ""), None] {
        assert!(answer(NEW, result).is_err(), "Expedia tells it again");
    }
}

#[test]
fn a_cancellation_is_answered_with_our_number() {
    let at = "2027-04-04T10:00:06Z".to_owned();
    let applied = AppliedChange { verdict: Verdict::Updated, our_reference: "GAS-300".to_owned(), at };
    let body = answer(CANCELLED, Some(ChangeResult::Applied(applied))).expect("an answer");
    assert_eq!(body.name(), "OTA_CancelRS");
    assert_eq!(body.attribute("Status"), Some("Cancelled"));
    let ours = body.find("CancelInfoRS/UniqueID").expect("a number");
    assert_eq!((ours.attribute("Type"), ours.attribute("ID")), (Some("10"), Some("GAS-300")));
}

fn fetch(query: &Query, answer: &str) -> Result<gassync_plugin::Page, ChannelError> {
    FakeHost::reset();
    FakeHost::answer(200, answer);
    Expedia::fetch(query.clone())
}

#[test]
fn errors_behind_a_success_status_are_distinguished() {
    let query = Query::new(Entity::Reservation, Selection::Queue("bookings".to_owned()));
    let error = |code: &str| {
        let body = format!(r#"<BookingRetrievalRS><Error code="{code}">x</Error></BookingRetrievalRS>"#);
        fetch(&query, &body).expect_err("an error")
    };
    assert!(matches!(error("1001"), ChannelError::Unauthorized(_)));
    assert!(matches!(error("4002"), ChannelError::Unavailable(_)));
    assert!(matches!(error("3010"), ChannelError::Rejected(_)));
    let property =
        Query { property_id: Some("4400".to_owned()), ..Query::new(Entity::Reservation, Selection::Everything) };
    let refused = fetch(&property, include_str!("../../../fixtures/expedia/graphql-refused.json"));
    assert!(matches!(refused, Err(ChannelError::Rejected(errors)) if errors[0].path == "/property"));
}

#[test]
fn a_web_page_is_no_empty_queue_and_confirms_nothing() {
    let page = "<html><body>Back soon.</body></html>";
    let query = Query::new(Entity::Reservation, Selection::Queue("bookings".to_owned()));
    assert!(matches!(fetch(&query, page), Err(ChannelError::Malformed(why)) if why.starts_with("html: ")));
    FakeHost::answer(200, page);
    let at = "2027-04-02T10:20:00Z".to_owned();
    let acknowledgement = Acknowledgement {
        token: "4400/Book".to_owned(),
        external_id: "1".to_owned(),
        our_reference: Some("GAS-1".to_owned()),
        kind: AcknowledgementKind::Applied,
        at,
    };
    assert_eq!(Expedia::acknowledge(vec![acknowledgement]), Ok(vec![AcknowledgementOutcome::Retry(None)]));
}

#[test]
fn one_booking_a_request() {
    let ids = vec!["1".to_owned(), "2".to_owned()];
    let mut query = Query::new(Entity::Reservation, Selection::Some(ids));
    let empty = "<BookingRetrievalRS><Bookings/></BookingRetrievalRS>";
    let first = fetch(&query, empty).expect("a page");
    assert_eq!((first.next.as_deref(), &first.resume), (Some("2"), &None));
    query.cursor = first.next;
    assert_eq!(fetch(&query, empty).expect("a page").next, None);
    let sent = FakeHost::take_requests();
    let body = String::from_utf8(sent[0].body.clone().unwrap_or_default()).expect("text");
    assert!(body.contains(r#"<Booking id="2"/>"#), "{body}");
    assert!(body.contains(r#"username="{{expedia.username|xml}}""#), "{body}");
}

#[test]
fn what_a_channel_wrote_names_no_secret() {
    let braces = "a{{expedia.password}}";
    let mut query = Query::new(Entity::Reservation, Selection::Everything);
    query.property_id = Some("4400".to_owned());
    query.cursor = Some(braces.to_owned());
    fetch(&query, include_str!("../../../fixtures/expedia/graphql-page.json")).expect("a page");
    let sent = FakeHost::take_requests().remove(0).body.unwrap_or_default();
    // The token belongs in the header only: double braces in the body come from the channel.
    assert_eq!(FakeHost::secrets_meant(), ["graphql.token"]);
    let read: serde_json::Value = serde_json::from_slice(&sent).expect("JSON");
    assert_eq!(read["variables"]["cursor"], braces);
}

#[test]
fn a_word_nobody_knows_is_passed_on() {
    let booking = r#"<BookingRetrievalRS><Bookings><Booking id="1" type="Hold"><Hotel id="4400"/></Booking></Bookings>
        </BookingRetrievalRS>"#;
    let query = Query::new(Entity::Reservation, Selection::Everything);
    let page = fetch(&query, booking).expect("a page");
    assert!(matches!(&page.changes[0].data, ChangeKind::Reservation(r)
        if matches!(&r.status, ReservationStatus::Other(word) if word == "Hold")));
}

#[test]
fn without_a_number_of_ours_nothing_is_confirmed() {
    FakeHost::reset();
    let acknowledgement = Acknowledgement {
        token: "4400/Book".to_owned(),
        external_id: "1".to_owned(),
        our_reference: None,
        kind: AcknowledgementKind::Applied,
        at: "2027-04-02T10:20:00Z".to_owned(),
    };
    let said = Expedia::acknowledge(vec![acknowledgement]).expect("said");
    assert!(matches!(said[0], AcknowledgementOutcome::Refused(_)) && FakeHost::take_requests().is_empty());
}

fn booking(source: &str, inside: &str) -> Reservation {
    let stay = format!(
        r#"<StayDate arrival="2027-08-01" departure="2027-08-03"/>
        <PerDayRates currency="EUR">
            <PerDayRate stayDate="2027-08-01" baseRate="155.00" hotelServiceFees="10.00"/>
            <PerDayRate stayDate="2027-08-02" baseRate="155.00" hotelServiceFees="10.00"/>
        </PerDayRates>
        <Total amountAfterTaxes="363.00" amountOfTaxes="33.00" currency="EUR"/>{inside}"#
    );
    let answer = format!(
        r#"<BookingRetrievalRS><Bookings><Booking id="1" type="Book" source="{source}"><Hotel id="4400"/>
        <RoomStay>{stay}</RoomStay></Booking></Bookings></BookingRetrievalRS>"#
    );
    let query = Query::new(Entity::Reservation, Selection::Queue("bookings".to_owned()));
    match fetch(&query, &answer).expect("a page").changes.remove(0).data {
        ChangeKind::Reservation(reservation) => reservation,
        other => panic!("{other:?}"),
    }
}

#[test]
fn who_collects_decides_whose_price_it_is() {
    let sum = Some(money("363.00", Some("EUR")));
    let at_the_house = booking("A-Expedia", "");
    assert_eq!(at_the_house.payment_collected_by, Some(PaymentCollectedBy::Property));
    assert_eq!((&at_the_house.total, &at_the_house.payout, &at_the_house.rooms[0].total), (&sum, &None, &sum));
    let lines: Vec<_> = at_the_house.price_lines.iter().map(|line| (line.kind, line.amount.amount.as_str())).collect();
    assert_eq!(lines, [(PriceKind::Stay, "310.00"), (PriceKind::Fee, "20.00"), (PriceKind::Tax, "33.00")]);
    let net = booking("Expedia", "<BaseRateType>Net</BaseRateType>");
    assert_eq!(net.payment_collected_by, Some(PaymentCollectedBy::Channel));
    assert_eq!(
        (&net.total, &net.payout, net.price_lines.len()),
        (&sum, &sum, 0),
        "of what the guest pays nothing more is told"
    );
    let sold = booking("Expedia", "<BaseRateType>Sell</BaseRateType>");
    assert_eq!((&sold.total, &sold.payout, sold.price_lines.len()), (&sum, &None, 3));
}

#[test]
fn a_notification_takes_its_taxes_out_of_the_total() {
    let lines: Vec<_> = reported(NEW).price_lines.into_iter().map(|line| (line.kind, line.amount.amount)).collect();
    assert_eq!(lines, [(PriceKind::Stay, "248.00".to_owned()), (PriceKind::Tax, "15.80".to_owned())]);
}

#[test]
fn one_hotel_that_is_not_confirmed_does_not_undo_another() {
    let acknowledgement = |hotel: &str, id: &str| Acknowledgement {
        token: format!("{hotel}/Book"),
        external_id: id.to_owned(),
        our_reference: Some("GAS-1".to_owned()),
        kind: AcknowledgementKind::Applied,
        at: "2027-04-02T10:20:00Z".to_owned(),
    };
    let error = |code: &str| format!(r#"<BookingConfirmRS><Error code="{code}">because</Error></BookingConfirmRS>"#);
    for (answer, outcome) in [
        (error("4001"), AcknowledgementOutcome::Retry(None)),
        (error("3301"), AcknowledgementOutcome::Refused("3301 because".to_owned())),
    ] {
        FakeHost::reset();
        FakeHost::answer(200, "<BookingConfirmRS><Success/></BookingConfirmRS>");
        FakeHost::answer(200, &answer);
        let said = Expedia::acknowledge(vec![acknowledgement("4400", "1"), acknowledgement("5500", "2")]);
        assert_eq!(said, Ok(vec![AcknowledgementOutcome::Accepted, outcome]));
    }
    FakeHost::reset();
    FakeHost::answer(200, &error("1001"));
    assert!(matches!(Expedia::acknowledge(vec![acknowledgement("4400", "1")]), Err(ChannelError::Unauthorized(_))));
}

#[test]
fn another_house_of_theirs_has_another_number_for_it() {
    let node = r#"{"id":"7400000009","status":"BOOKED","petCount":1,"merchantOfRecord":"EXPEDIA_GROUP",
        "reservationIds":[{"id":"7400000009","idSource":"EXPEDIA"},{"id":"HA-0000X1","idSource":"VRBO"},
        {"id":"GAS-300","idSource":"SUPPLIER"}]}"#;
    let answer = format!(
        r#"{{"data":{{"property":{{"reservations":{{"pageInfo":{{"hasNextPage":false}},"edges":[{{"node":{node}}}]}}}}}}}}"#
    );
    let query =
        Query { property_id: Some("4400".to_owned()), ..Query::new(Entity::Reservation, Selection::Everything) };
    let page = fetch(&query, &answer).expect("a page");
    let ChangeKind::Reservation(reservation) = &page.changes[0].data else { panic!("{page:?}") };
    assert_eq!(reservation.ota_reference.as_deref(), Some("HA-0000X1"), "ours is none of theirs");
    assert_eq!(
        (reservation.pets, reservation.payment_collected_by.clone()),
        (Some(1), Some(PaymentCollectedBy::Channel))
    );
}

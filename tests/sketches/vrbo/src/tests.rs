use gassync_plugin::{
    AppliedChange, CalendarNights, Change, ChangeKind, ChangeResult, ChannelError, Chunk, CoreBooking, Date, Feeds,
    Inbound, Nights, PaymentCollectedBy, Price, PriceKind, PriceLine, Question, Refusal, RefusalReason, Reply,
    Reservation, RoomType, Verdict, money,
    testing::{CoreData, FakeHost, get, post},
    xml::Element,
};

use crate::Vrbo;

const BOOKING: &[u8] = include_bytes!("../../../fixtures/vrbo/booking-request.xml");
const SETTINGS: &str = r#"{"advertiserId":"ADV-9","publicUrl":"https://gas.example.org/webhooks/k/","language":"en",
    "horizonDays":30,"longestStay":28}"#;
const TODAY: Date = Date { year: 2027, month: 2, day: 20 };

fn decode(body: &str) -> Result<Vec<Change>, ChannelError> {
    Vrbo::decode(post("/bookings", body)).map(|decoded| decoded.changes)
}

fn answer(body: &[u8], results: Vec<ChangeResult>) -> Element {
    FakeHost::reset();
    FakeHost::set_settings(SETTINGS);
    let reply = Vrbo::respond(post("/bookings", body), Vec::new(), results).expect("a reply");
    assert_eq!(reply.status, 200);
    Element::parse(&reply.body).expect("XML")
}

fn applied(verdict: Verdict) -> Vec<ChangeResult> {
    let at = "2027-03-01T09:00:00Z".to_owned();
    vec![ChangeResult::Applied(AppliedChange { verdict, our_reference: "GAS-71".to_owned(), at })]
}

#[test]
fn a_deposit_and_a_cancelled_item_are_no_revenue() {
    let text = std::str::from_utf8(BOOKING).expect("text");
    let total = |text: &str| match &decode(text).expect("decoded")[0].data {
        ChangeKind::Reservation(reservation) => reservation.total.clone().map(|total| total.amount),
        other => panic!("{other:?}"),
    };
    assert_eq!(total(text).as_deref(), Some("1034.50"));
    let cancelled = text.replace("<productId>CLEANING", "<status>CANCELLED</status><productId>CLEANING");
    assert_eq!(total(&cancelled).as_deref(), Some("944.50"));
    let mixed = text.replacen("\"GBP\"", "\"EUR\"", 2);
    assert!(matches!(decode(&mixed), Err(ChannelError::Malformed(_))), "no sum of two currencies");
}

fn reported(text: &str) -> Reservation {
    match decode(text).expect("decoded").remove(0).data {
        ChangeKind::Reservation(reservation) => reservation,
        other => panic!("{other:?}"),
    }
}

fn said(lines: &[PriceLine]) -> Vec<(PriceKind, &str, &str)> {
    lines.iter().map(|line| (line.kind, line.name.as_str(), line.amount.amount.as_str())).collect()
}

#[test]
fn items_are_lines_and_their_tax_is_one_of_its_own() {
    let text = std::str::from_utf8(BOOKING).expect("text");
    let booking = reported(text);
    assert_eq!(
        (booking.pets, booking.extra.len(), booking.payment_collected_by),
        (Some(1), 0, Some(PaymentCollectedBy::Property))
    );
    assert_eq!(
        said(&booking.price_lines),
        [
            (PriceKind::Stay, "Rent", "900.00"),
            (PriceKind::Cleaning, "Final cleaning", "90.00"),
            (PriceKind::Deposit, "Breakages", "250.00"),
            (PriceKind::Tax, "Taxes", "44.50"),
        ]
    );
    let address = booking.guest.expect("a guest").address.expect("an address");
    assert_eq!((address.city.as_deref(), address.state.as_deref()), (Some("Lewes"), Some("East Sussex")));
    let collected = text.replace("paymentCard>", "paymentChannelMoR>");
    assert_eq!(reported(&collected).payment_collected_by, Some(PaymentCollectedBy::Channel));
    let wrong = text.replace("<preTaxAmount currency=\"GBP\">90.00", "<preTaxAmount currency=\"GBP\">some");
    let place = "/bookingRequest/bookingRequestDetails/orderItemList/orderItem[2]/preTaxAmount: ";
    assert!(matches!(decode(&wrong), Err(ChannelError::Malformed(why)) if why.starts_with(place)));
}

#[test]
fn bookings_are_decoded_as_sent() {
    FakeHost::reset();
    FakeHost::set_settings(SETTINGS);
    let reservation = reported(std::str::from_utf8(BOOKING).expect("text"));
    let at = "2027-03-01T09:00:00Z".to_owned();
    let booked = CoreBooking { our_reference: "GAS-71".to_owned(), changed_at: at, reservation };
    FakeHost::set_core_data(CoreData { reservations: vec![booked], ..CoreData::default() });
    let chunk = Vrbo::render(get("/bookings/GAS-71"), None).expect("a chunk");
    let root = Element::parse(&chunk.body).expect("XML");
    let said = |path: &str| root.text_at(&format!("bookingUpdateDetails/{path}"));
    assert_eq!(said("reservation/numberOfPets"), Some("1"));
    assert_eq!(said("inquirer/address/addressLine3"), Some("Lewes"));
    let items = root.all("bookingUpdateDetails/orderList/order/orderItemList/orderItem");
    let sums: Vec<_> =
        items.iter().filter_map(|item| Some((item.text_at("feeType")?, item.text_at("totalAmount")?))).collect();
    assert_eq!(sums, [("RENTAL", "900.00"), ("MISC", "90.00"), ("DEPOSIT", "250.00"), ("TAX", "44.50")]);
    assert!(items.iter().all(|item| item.text_at("status") == Some("ACCEPTED")));
}

#[test]
fn what_cannot_be_read_has_an_answer_of_its_own() {
    let on_error = |path: &str, body: &str| {
        let call = post(path, body);
        let why = Vrbo::decode(call.clone()).expect_err("an error");
        Vrbo::on_error(call, why).map(|reply| Element::parse(&reply.body).expect("XML"))
    };
    for (path, body, name) in [
        ("/bookings", "<bookingRequest><bookingRequestDetails/></bookingRequest>", "bookingResponse"),
        ("/bookings", "no XML at all", "bookingResponse"),
        ("/quotes", "<quoteRequest", "quoteResponse"),
        ("/agreed/otherwise", "<quoteRequest><quoteRequestDetails/></quoteRequest>", "quoteResponse"),
    ] {
        let root = on_error(path, body).expect("an answer");
        assert_eq!((root.name(), root.text_at("errorList/error/errorType")), (name, Some("OTHER")), "{body}");
        let text = root.text_at("errorList/error/message").expect("a message");
        assert!(text.starts_with("The request cannot be read: "), "{text}");
    }
    assert!(on_error("/availability", "{").is_err(), "then the manifest answers");
    let now = ChannelError::Unavailable("being mended".to_owned());
    assert_eq!(Vrbo::on_error(post("/bookings", BOOKING), now.clone()), Err(now));
}

#[test]
fn who_comes_is_known_and_pets_are_counted() {
    let body = r#"{"listingExternalId":"L-5","dateRange":{"arrivalDate":"2027-06-04","departureDate":"2027-06-09"},
        "adults":2,"pets":1,"units":[{"unitExternalId":"U-5"}]}"#;
    let ChangeKind::Ask(Question::Available(query)) = decode(body).expect("decoded").remove(0).data else {
        panic!("a question")
    };
    let occupancy = query.occupancy.expect("an occupancy");
    assert_eq!((occupancy.adults, occupancy.children, occupancy.pets), (2, 0, 1));
    assert_eq!((query.property_id.as_deref(), query.room_type_id.as_deref()), (Some("L-5"), Some("U-5")));
}

#[test]
fn only_what_is_booked_is_confirmed() {
    for verdict in [Verdict::Created, Verdict::Duplicate, Verdict::Unchanged] {
        let root = answer(BOOKING, applied(verdict));
        assert_eq!(root.text_at("bookingResponseDetails/externalId"), Some("GAS-71"));
        assert_eq!(root.text_at("bookingResponseDetails/reservationStatus"), Some("CONFIRMED"));
    }
    let parked = answer(BOOKING, applied(Verdict::Parked));
    assert_eq!(parked.text_at("errorList/error/errorType"), Some("OTHER"));
    let refused = |why| Refusal { reason: why, path: None, text: "a <reason> & {{vrbo.password}}".to_owned() };
    let reasons = [
        RefusalReason::MinStay,
        RefusalReason::Pets,
        RefusalReason::UnknownRatePlan,
        RefusalReason::UnknownReservation,
    ]
    .map(refused);
    let root = answer(BOOKING, vec![ChangeResult::Refused(reasons.to_vec())]);
    let words: Vec<_> = root.all("errorList/error").iter().filter_map(|error| error.text_at("errorType")).collect();
    assert_eq!(words, ["MIN_STAY_NOT_MET", "PETS_NOT_ALLOWED", "OTHER", "OTHER"]);
    assert_eq!(root.text_at("errorList/error/message"), Some("a <reason> & {{vrbo.password}}"), "it reads as written");
    assert!(!String::from_utf8(root.document()).expect("text").contains("{{"), "and is no placeholder");
}

#[test]
fn what_is_no_request_is_malformed() {
    for body in ["", "<bookingRequest>", "<bookingRequest/>", "<other/>", "{}", "<a>&own;</a>"] {
        assert!(matches!(decode(body), Err(ChannelError::Malformed(_))), "{body}");
    }
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    assert!(matches!(decode(&deep), Err(ChannelError::Malformed(why)) if why.contains("deep")));
}

#[test]
fn instants_and_sums_that_are_none_are_malformed() {
    let text = std::str::from_utf8(BOOKING).expect("text");
    for (right, wrong) in [
        ("2027-02-20T18:03:11Z", "2027-02-30T18:03:11Z"),
        ("<totalAmount currency=\"GBP\">944.50", "<totalAmount currency=\"GBP\">100000000000"),
        ("<totalAmount currency=\"GBP\">944.50", "<totalAmount currency=\"GBP\">a lot"),
    ] {
        assert!(matches!(decode(&text.replace(right, wrong)), Err(ChannelError::Malformed(_))), "{wrong}");
    }
    let index = "<bookingContentIndexRequest><startDate>soon</startDate></bookingContentIndexRequest>";
    assert!(
        matches!(decode(index), Err(ChannelError::Malformed(why)) if why.starts_with("/bookingContentIndexRequest/startDate: "))
    );
}

fn night(from: Date, nights: i64, price: &str) -> CalendarNights {
    let stay = Nights { start: from, until: from.add_days(nights) };
    let amount = money(price, Some("EUR"));
    CalendarNights {
        available: Some(true),
        prices: vec![Price { rate_plan_id: None, occupancy: None, amount, tax_included: None }],
        ..CalendarNights::new("U-5", stay)
    }
}

fn chunk(path: &str, calendar: Vec<CalendarNights>) -> Result<Chunk, ChannelError> {
    FakeHost::reset();
    FakeHost::set_settings(SETTINGS);
    FakeHost::set_now("2027-02-20T23:59:59Z");
    let room_types = vec![RoomType::new("U-5", "L-5", "Loft")];
    FakeHost::set_core_data(CoreData { room_types, calendar, ..CoreData::default() });
    Vrbo::render(get(path), None)
}

fn rendered(path: &str, calendar: Vec<CalendarNights>) -> Result<Element, ChannelError> {
    let chunk = chunk(path, calendar)?;
    assert_eq!(chunk.status, 200);
    Element::parse(&chunk.body)
}

#[test]
fn every_list_has_an_entry_for_every_day_and_both_ends() {
    let mut closed = night(TODAY.add_days(2), 1, "100.00");
    closed.rules.closed_to_arrival = Some(true);
    closed.rules.min_stay_arrival = Some(3);
    let root = rendered("/availability/L-5/U-5", vec![night(TODAY, 2, "90.00"), closed]).expect("a feed");
    let said = |path: &str| root.text_at(&format!("unitAvailability/{path}")).expect(path).to_owned();
    let ends = (said("dateRange/beginDate"), said("dateRange/endDate"));
    assert_eq!(ends, ("2027-02-19".to_owned(), "2027-03-21".to_owned()), "31 days, both ends in it");
    for list in ["availability", "changeOver", "stayIncrement"] {
        assert_eq!(said(&format!("unitAvailabilityConfiguration/{list}")).len(), 31, "{list}");
    }
    for list in ["availableUnitCount", "maxStay", "minPriorNotify", "minStay"] {
        assert_eq!(said(&format!("unitAvailabilityConfiguration/{list}")).split(',').count(), 31, "{list}");
    }
    assert!(said("unitAvailabilityConfiguration/availability").starts_with("NYYYN"));
    assert!(said("unitAvailabilityConfiguration/changeOver").starts_with("CCCOC"));
    assert!(said("unitAvailabilityConfiguration/minStay").starts_with("1,1,1,3,1"));
    assert_eq!(said("availabilityDefault"), "N");
}

#[test]
fn an_amount_has_one_override_with_all_its_ranges() {
    let rows = vec![
        night(TODAY, 4, "90.00"),
        night(TODAY.add_days(4), 1, "140.00"),
        night(TODAY.add_days(5), 9, "90.00"),
        night(TODAY.add_days(14), 2, "140.00"),
    ];
    let root = rendered("/rates/L-5/U-5", rows.clone()).expect("a feed");
    assert_eq!(root.text_at("lodgingRate/nightlyRates/wed"), Some("90.00"));
    let overrides = root.all("lodgingRate/nightlyRates/nightlyOverrides/override");
    assert_eq!((overrides.len(), overrides[0].all("nights/range").len()), (1, 2));
    let names: Vec<_> = overrides[0].all("nights/range")[0].children().iter().map(|day| day.name()).collect();
    assert_eq!(names, ["max", "min"]);
    let mut taxed = rows;
    taxed[0].prices[0].tax_included = Some(true);
    assert!(matches!(rendered("/rates/L-5/U-5", taxed), Err(ChannelError::Conflict(_))));
}

#[test]
fn a_unit_without_prices_has_no_rates() {
    let mut unpriced = night(TODAY, 4, "90.00");
    unpriced.prices.clear();
    let status = |nights: Vec<CalendarNights>| chunk("/rates/L-5/U-5", nights).expect("a feed").status;
    assert_eq!((status(Vec::new()), status(vec![unpriced])), (404, 404), "nobody can mend that by another currency");
}

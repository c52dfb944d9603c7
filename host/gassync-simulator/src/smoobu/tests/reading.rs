use super::*;

#[tokio::test]
async fn lists_come_in_pages() {
    let running = Running::start(SmoobuSettings { bookings: 30, ..calm() }).await;
    let all = running.simulator.reservations();
    let first = running.get("/api/reservations").await;
    let figures =
        |answer: &Answer| ["page_count", "page_size", "total_items", "page"].map(|key| answer.body[key].clone());
    assert_eq!(figures(&first), [json!(2), json!(25), json!(all.len()), json!(1)]);
    let second = running.get("/api/reservations?page=2").await;
    assert_eq!(figures(&second), [json!(2), json!(25), json!(all.len()), json!(2)]);
    let ids: Vec<String> = first.ids().iter().chain(&second.ids()).map(u64::to_string).collect();
    assert_eq!(ids, all.iter().map(|reservation| reservation.id.clone()).collect::<Vec<_>>());
    assert!(running.get("/api/reservations?page=3").await.ids().is_empty());
    let most = running.get("/api/reservations?pageSize=1000").await;
    assert_eq!((most.body["page_size"].as_u64(), most.ids().len()), (Some(100), all.len()));
    let misspelt = running.get("/api/reservations?page_size=3&apartment_id=1&show_cancellation=1").await;
    assert_eq!(figures(&misspelt), figures(&first), "misspelt parameters are ignored");
    let none = Running::start(empty()).await;
    assert_eq!(figures(&none.get("/api/reservations").await), [json!(0), json!(25), json!(0), json!(1)]);
}

#[tokio::test]
async fn cancelled_ones_are_hidden_unless_asked_for() {
    let running = Running::start(empty()).await;
    let (kept, gone) = (
        running.book(0, ("2026-09-01", "2026-09-04"), Notification::None),
        running.book(0, ("2026-09-04", "2026-09-06"), Notification::None),
    );
    assert!(running.simulator.cancel(&gone.to_string(), Notification::None));
    assert!(!running.simulator.cancel(&gone.to_string(), Notification::None));
    assert_eq!(running.get("/api/reservations").await.ids(), [kept]);
    let both = running.get("/api/reservations?showCancellation=true").await;
    assert_eq!(both.ids(), [kept, gone]);
    assert_eq!(both.body["bookings"][1]["type"], json!("cancellation"));
    let single = running.get(&format!("/api/reservations/{gone}")).await;
    assert_eq!(single.body["type"], json!("cancellation"), "alone it is shown");
}

#[tokio::test]
async fn every_documented_parameter_filters() {
    let running = Running::start(empty()).await;
    let early = running.book(0, ("2026-09-01", "2026-09-04"), Notification::None);
    running.pass(86_400);
    let late = running.book(1, ("2026-09-10", "2026-09-12"), Notification::None);
    let block = running.create(("2026-09-20", "2026-09-22"), json!({ "channelId": 11 })).await.body["id"].as_u64();
    let block = block.expect("an id");
    running.pass(3_600);
    assert!(running.simulator.rebook(&early.to_string(), (day("2026-09-02"), day("2026-09-05")), Notification::None));
    let of_late = format!("apartmentId={}", running.apartment(1));
    let cases: Vec<(&str, Vec<u64>)> = vec![
        ("", vec![early, late, block]),
        ("excludeBlocked=true", vec![early, late]),
        (&of_late, vec![late]),
        ("arrivalFrom=2026-09-02&arrivalTo=2026-09-10", vec![early, late]),
        ("arrivalFrom=2026-09-03", vec![late, block]),
        ("departureFrom=2026-09-06&departureTo=2026-09-12", vec![late]),
        ("from=2026-09-03&to=2026-09-11", vec![early, late]),
        ("created_from=2026-08-02", vec![late, block]),
        ("created_to=2026-08-01", vec![early]),
        ("modifiedFrom=2026-08-02 13:00:00", vec![early]),
        ("modifiedFrom=2026-08-02 13:00:01", vec![]),
        ("modifiedFrom=2026-08-02&modifiedTo=2026-08-02 12:30", vec![late, block]),
        ("modifiedTo=2026-08-02", vec![early, late, block]),
    ];
    for (query, expected) in cases {
        let path = format!("/api/reservations?{query}").replace(' ', "%20");
        assert_eq!(running.get(&path).await.ids(), expected, "{query}");
    }
    assert_eq!(running.get("/api/reservations?arrivalFrom=tomorrow").await.status, 400);
}

#[tokio::test]
async fn a_booking_has_all_its_keys_and_words() {
    let running = Running::start(empty()).await;
    let id = running.book(0, ("2026-09-01", "2026-09-04"), Notification::None);
    let booking = running.get(&format!("/api/reservations/{id}")).await.body;
    let expected = json!({
        "id": id, "reference-id": null, "type": "reservation", "arrival": "2026-09-01", "departure": "2026-09-04",
        "created-at": "2026-08-01 12:00", "modifiedAt": "2026-08-01 12:00:00",
        "apartment": { "id": running.apartment(0), "name": running.simulator.properties()[0].name },
        "channel": { "id": 942_281, "name": "Direct booking" },
        "guest-name": "Zoë Lindqvist", "firstname": "Zoë", "lastname": "Lindqvist",
        "email": format!("guest{id}@example.org"), "phone": null, "adults": 2, "children": 0,
        "check-in": null, "check-out": null, "notice": "", "assistant-notice": "", "price": 371.25,
        "price-details": "", "city-tax": null, "price-paid": "No", "commission-included": null,
        "prepayment": null, "prepayment-paid": "No", "deposit": null, "deposit-paid": "No", "language": "",
        "guest-app-url": format!("https://guest.smoobu.com/?t=invented{id}"), "is-blocked-booking": false,
        "guestId": id - 30_000_000, "related": [],
    });
    assert_eq!(booking, expected);
    running.pass(90);
    assert!(running.simulator.rebook(&id.to_string(), (day("2026-09-02"), day("2026-09-05")), Notification::None));
    let booking = running.get(&format!("/api/reservations/{id}")).await.body;
    assert_eq!(booking["type"], json!("modification of booking"));
    assert_eq!((&booking["arrival"], &booking["modifiedAt"]), (&json!("2026-09-02"), &json!("2026-08-01 12:01:30")));
    let abroad = Running::start(SmoobuSettings { time_zone: "Europe/Berlin".to_owned(), ..empty() }).await;
    let id = abroad.book(0, ("2026-09-01", "2026-09-04"), Notification::None);
    let booking = abroad.get(&format!("/api/reservations/{id}")).await.body;
    assert_eq!(booking["created-at"], json!("2026-08-01 14:00"), "local time");
    let since = abroad.get("/api/reservations?modifiedFrom=2026-08-01%2014:00:00").await;
    assert_eq!(since.ids(), [id], "and so are the parameters");
}

#[tokio::test]
async fn the_house_and_its_floor_close_one_another() {
    let running = Running::start(empty()).await;
    let [other, house, floor] = [3, 4, 5].map(|place| running.apartment(place));
    let id = running.book(5, ("2026-09-01", "2026-09-03"), Notification::None);
    let related = running.get(&format!("/api/reservations/{id}?includeRelated=true")).await.body["related"].clone();
    assert_eq!(related, json!([{ "id": house, "name": "Haus am Deich" }]));
    let path = "/api/rates?start_date=2026-09-01&end_date=2026-09-01".to_owned();
    let path = [house, floor, other].iter().fold(path, |path, id| format!("{path}&apartments[]={id}"));
    let rates = running.get(&path).await.body;
    let available = [house, floor, other].map(|id| rates["data"][id.to_string()]["2026-09-01"]["available"].clone());
    assert_eq!(available, [json!(0), json!(0), json!(1)]);
    let taken = json!({ "apartmentId": house });
    assert_eq!(running.create(("2026-09-02", "2026-09-04"), taken.clone()).await.status, 400);
    assert_eq!(running.create(("2026-09-03", "2026-09-04"), taken).await.status, 200);
}

#[tokio::test]
async fn prices_are_in_parts_if_asked_for() {
    let running = Running::start(SmoobuSettings { bookings: 20, ..calm() }).await;
    let list = running.get("/api/reservations?includePriceElements=true").await.body;
    assert!(running.get("/api/reservations").await.body["bookings"][0].get("priceElements").is_none());
    let bookings = list["bookings"].as_array().expect("a list");
    let parts = |booking: &Value| booking["priceElements"].as_array().expect("a list").clone();
    let whole = bookings.iter().find(|booking| parts(booking).is_empty()).expect("one in one piece");
    let itemised = bookings.iter().filter(|booking| !parts(booking).is_empty());
    let mut with_commission = 0;
    for booking in itemised {
        let added = parts(booking).into_iter().filter(|part| part["priceIncludedInId"].is_null());
        let sum: f64 = added.map(|part| part["amount"].as_f64().expect("an amount")).sum();
        assert!((sum - booking["price"].as_f64().expect("a price")).abs() < 0.001, "{booking}");
        with_commission += parts(booking).iter().filter(|part| part["type"] == "commission").count();
        let alone = running.get(&format!("/api/reservations/{}/price-elements", booking["id"])).await;
        assert_eq!(alone.body["priceElements"], booking["priceElements"]);
    }
    assert!(with_commission > 0);
    let none = running.get(&format!("/api/reservations/{}/price-elements", whole["id"])).await;
    assert!(none.status == 404 && none.is_html());
}

use super::*;

#[tokio::test]
async fn a_booking_is_created_and_read_under_other_names() {
    let running = Running::start(empty()).await;
    let keys = json!({ "arrivalTime": "16:00", "departureTime": "10:00", "firstName": "Ama", "lastName": "Ziegler",
        "email": "ama@example.org", "phone": "+49 170 1111111", "notice": "GS-17\nlate arrival", "adults": 2,
        "children": 1, "price": 300.5, "priceStatus": 1, "prepayment": 30, "prepaymentStatus": 1, "deposit": 50,
        "depositStatus": 0, "language": "de",
        "priceElements": [{ "type": "basePrice", "name": "Base price", "amount": 300.5, "currencyCode": "EUR",
            "quantity": null, "tax": null, "sortOrder": 1 }] });
    let created = running.create(("2026-10-01", "2026-10-04"), keys).await;
    assert_eq!((created.status, created.body.as_object().expect("an object").len()), (200, 1));
    let id = created.body["id"].as_u64().expect("an id");
    let booking = running.get(&format!("/api/reservations/{id}?includePriceElements=1")).await.body;
    let expected = json!({ "arrival": "2026-10-01", "departure": "2026-10-04", "check-in": "16:00",
        "check-out": "10:00", "guest-name": "Ama Ziegler", "email": "ama@example.org", "phone": "+49 170 1111111",
        "notice": "GS-17\nlate arrival", "adults": 2, "children": 1, "price": 300.5, "price-paid": "Yes",
        "prepayment": 30, "prepayment-paid": "Yes", "deposit": 50, "deposit-paid": "No", "language": "de",
        "reference-id": null, "type": "reservation", "is-blocked-booking": false });
    for (key, value) in expected.as_object().expect("an object") {
        assert_eq!(&booking[key], value, "{key}");
    }
    assert_eq!(booking["channel"]["name"], json!("Homepage"));
    assert_ne!(booking["channel"]["id"], json!(70), "read with the account's own id");
    assert_eq!(booking["priceElements"][0]["amount"], json!(300.5));
    assert_eq!(running.simulator.created_by_reference(), [("GS-17".to_owned(), 1)].into());
    assert_eq!(running.reservation(id).expect("it").reference, "GS-17");
    let noted = json!({ "notice": "Late arrival [shop-3-18]." });
    assert_eq!(running.create(("2026-12-01", "2026-12-04"), noted).await.status, 200);
    assert!(running.simulator.created_by_reference().contains_key("shop-3-18"), "wherever it stands");
    let by_own_id = json!({ "channelId": booking["channel"]["id"] });
    assert_eq!(running.create(("2026-11-01", "2026-11-04"), by_own_id).await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_created_says_why() {
    let settings = SmoobuSettings { required_fields: vec!["email".to_owned()], refused_status: 422, ..empty() };
    let running = Running::start(settings).await;
    let mail = json!({ "email": "a@example.org" });
    assert_eq!(running.create(("2026-10-01", "2026-10-04"), mail.clone()).await.status, 200);
    let taken = running.create(("2026-10-03", "2026-10-06"), mail.clone()).await;
    assert_eq!(taken.status, 422);
    assert!(taken.body["validation_messages"]["error"].as_str().is_some_and(|text| text.contains("not available")));
    assert_eq!(taken.body["title"], json!("Error occurred"));
    let with = |key: &str, value: Value| {
        let mut keys = mail.clone();
        keys[key] = value;
        keys
    };
    let wrong = [
        ("email", json!({})),
        ("email", with("email", json!(""))),
        ("channelId", with("channelId", json!(63))),
        ("apartmentId", with("apartmentId", json!(1))),
        ("departureDate", with("departureDate", json!("2026-11-01"))),
        ("arrivalDate", with("arrivalDate", json!("01.11.2026"))),
        ("adults", with("adults", json!("two"))),
        ("arrivalTime", with("arrivalTime", json!("4 pm"))),
        ("price", with("price", json!(-1))),
    ];
    for (field, keys) in wrong {
        let answer = running.create(("2026-11-01", "2026-11-04"), keys).await;
        assert_eq!(answer.status, 422, "{field}");
        assert!(answer.body["validation_messages"].get(field).is_some(), "{field}: {}", answer.text);
    }
    assert_eq!(running.simulator.reservations().len(), 1);
}

#[tokio::test]
async fn a_change_moves_nothing() {
    let running = Running::start(empty()).await;
    let id = running.create(("2026-10-01", "2026-10-04"), json!({ "price": 300 })).await.body["id"].as_u64();
    let path = format!("/api/reservations/{}", id.expect("an id"));
    let change = json!({ "arrivalDate": "2026-12-01", "departureDate": "2026-12-04", "apartmentId": 1, "price": 310,
        "priceStatus": 1, "notice": "by train", "assistantNotice": "cot", "guestName": "Ama Maria Ziegler",
        "guestEmail": "ama@example.org", "guestPhone": "1", "adults": 3, "children": 0, "language": "pt" });
    running.pass(5);
    assert_eq!(running.signed(Method::PUT, &path, Some(&change)).await.body, json!({ "success": true }));
    let booking = running.get(&path).await.body;
    let expected = json!({ "arrival": "2026-10-01", "departure": "2026-10-04", "price": 310, "price-paid": "Yes",
        "notice": "by train", "assistant-notice": "cot", "firstname": "Ama", "lastname": "Maria Ziegler",
        "email": "ama@example.org", "phone": "1", "adults": 3, "children": 0, "language": "pt",
        "type": "modification of booking", "modifiedAt": "2026-08-01 12:00:05" });
    for (key, value) in expected.as_object().expect("an object") {
        assert_eq!(&booking[key], value, "{key}");
    }
    assert_eq!(booking["apartment"]["id"], json!(running.apartment(0)));
    let wrong = json!({ "adults": -1, "price": 1 });
    assert_eq!(running.signed(Method::PUT, &path, Some(&wrong)).await.status, 400);
    assert_eq!(running.get(&path).await.body, booking, "nothing of it");
}

#[tokio::test]
async fn delete_cancels_and_frees_the_nights() {
    let running = Running::start(empty()).await;
    let id = running.create(("2026-10-01", "2026-10-04"), json!({})).await.body["id"].clone();
    let path = format!("/api/reservations/{id}");
    for _ in 0..2 {
        assert_eq!(running.signed(Method::DELETE, &path, None).await.body, json!({ "success": true }));
    }
    assert_eq!(running.get(&path).await.body["type"], json!("cancellation"));
    assert_eq!(running.signed(Method::PUT, &path, Some(&json!({ "adults": 1 }))).await.status, 400);
    assert_eq!(running.create(("2026-10-01", "2026-10-04"), json!({})).await.status, 200, "free again");
    assert_eq!(running.signed(Method::DELETE, "/api/reservations/1", None).await.status, 404);
}

#[tokio::test]
async fn a_block_closes_nights_and_may_vanish() {
    for vanishes in [false, true] {
        let running = Running::start(SmoobuSettings { deleted_blocks_vanish: vanishes, ..empty() }).await;
        let block = json!({ "channelId": 11 });
        let id = running.create(("2026-10-01", "2026-10-03"), block).await.body["id"].as_u64().expect("an id");
        let path = format!("/api/reservations/{id}");
        let shown = running.get(&path).await.body;
        assert_eq!(
            (&shown["is-blocked-booking"], &shown["channel"]["name"], &shown["guestId"]),
            (&json!(true), &json!("Blocked channel"), &Value::Null)
        );
        let apartment = running.apartment(0).to_string();
        let closed = || {
            let nights = running.simulator.calendar(&apartment, day("2026-09-30"), day("2026-10-03"));
            nights.iter().map(|night| (night.available, night.is_closed)).collect::<Vec<_>>()
        };
        assert_eq!(closed(), [(1, false), (0, true), (0, true), (1, false)]);
        assert_eq!(running.signed(Method::DELETE, &path, None).await.status, 200);
        assert_eq!(closed(), [(1, false); 4]);
        assert_eq!(running.get(&path).await.status, if vanishes { 404 } else { 200 });
        assert_eq!(running.simulator.removed().len(), usize::from(vanishes));
    }
}

#[tokio::test]
async fn parts_of_a_price_are_added() {
    let running = Running::start(empty()).await;
    let id = running.create(("2026-10-01", "2026-10-04"), json!({ "price": 90 })).await.body["id"].clone();
    let path = format!("/api/reservations/{id}/price-elements");
    let part = json!({ "type": "longStayDiscount", "name": "Discount", "amount": -10, "currencyCode": "EUR" });
    let added = running.post(&path, part).await;
    assert_eq!((added.status, &added.body["amount"]), (200, &json!(-10)));
    assert_eq!(running.get(&path).await.body["priceElements"], json!([added.body]));
    assert_eq!(running.post(&path, json!({ "name": "no type" })).await.status, 400);
}

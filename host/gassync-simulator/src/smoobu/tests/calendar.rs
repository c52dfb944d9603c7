use super::*;

#[tokio::test]
async fn rates_are_written_and_read() {
    let running = Running::start(empty()).await;
    let (first, second) = (running.apartment(0), running.apartment(1));
    let written = json!({ "apartments": [first, second], "operations": [
        { "dates": ["2026-09-01", "2026-09-03:2026-09-05"], "daily_price": 120.5, "min_length_of_stay": 3 },
        { "dates": ["2026-09-05"], "daily_price": 99, "available": 0 },
    ] });
    let before = running.simulator.calendar(&first.to_string(), day("2026-09-02"), day("2026-09-02"));
    assert_eq!(running.post("/api/rates", written).await.status, 200);
    running.book(0, ("2026-09-03", "2026-09-05"), Notification::None);
    let path = format!("/api/rates?apartments[]={first}&apartments[]=1&start_date=2026-09-01&end_date=2026-09-05");
    let read = running.get(&path).await.body;
    assert_eq!(read["data"].as_object().expect("an object").len(), 1, "only ours");
    let nights = &read["data"][first.to_string()];
    let night = |price: Value, least: u32, available: u32| json!({ "price": price, "min_length_of_stay": least, "available": available });
    assert_eq!(nights["2026-09-01"], night(json!(120.5), 3, 1));
    assert_eq!(nights["2026-09-03"], night(json!(120.5), 3, 0));
    assert_eq!(nights["2026-09-05"], night(json!(99), 3, 1), "available is ignored, the departure is free");
    assert_eq!(nights.as_object().expect("an object").len(), 5);
    assert_eq!(running.simulator.calendar(&first.to_string(), day("2026-09-02"), day("2026-09-02")), before);
    let shown = running.simulator.calendar(&second.to_string(), day("2026-09-04"), day("2026-09-04"));
    assert_eq!((shown[0].price_ten_thousandths, shown[0].min_stay), (Some(1_205_000), Some(3)));
    let far = format!("/api/rates?apartments%5B%5D={first}&start_date=2029-01-01&end_date=2029-01-01");
    let unpriced = running.get(&far).await.body["data"][first.to_string()]["2029-01-01"].clone();
    assert_eq!(unpriced, json!({ "price": null, "min_length_of_stay": null, "available": 1 }));
}

#[tokio::test]
async fn what_the_documentation_leaves_open_is_a_setting() {
    let settings = SmoobuSettings { operations_close: true, last_day_included: false, ..empty() };
    let running = Running::start(settings).await;
    let id = running.apartment(0);
    let written = json!({ "apartments": [id], "operations": [
        { "dates": ["2026-09-01:2026-09-03"], "daily_price": 50, "available": 0 }] });
    assert_eq!(running.post("/api/rates", written).await.status, 200);
    let path = format!("/api/rates?apartments[]={id}&start_date=2026-09-01&end_date=2026-09-04");
    let nights = running.get(&path).await.body["data"][id.to_string()].clone();
    let nights: Vec<Option<u64>> =
        nights.as_object().expect("nights").values().map(|night| night["available"].as_u64()).collect();
    assert_eq!(nights, [Some(0), Some(0), Some(1)]);
}

#[tokio::test]
async fn a_wrong_write_changes_nothing() {
    let running = Running::start(empty()).await;
    let id = running.apartment(0);
    let calendar = || running.simulator.calendar(&id.to_string(), day("2026-09-01"), day("2026-09-05"));
    let before = calendar();
    let good = json!({ "dates": ["2026-09-01"], "daily_price": 1 });
    let wrong = [
        json!({ "apartments": [id] }),
        json!({ "apartments": [id, 1], "operations": [good] }),
        json!({ "apartments": [id], "operations": [good, { "dates": ["1 September"], "daily_price": 1 }] }),
        json!({ "apartments": [id], "operations": [good, { "dates": ["2026-09-02"], "daily_price": -1 }] }),
    ];
    for body in wrong {
        let answer = running.post("/api/rates", body.clone()).await;
        assert_eq!((answer.status, &answer.body["title"]), (400, &json!("Error occurred")), "{body}");
    }
    assert_eq!(calendar(), before);
    assert_eq!(running.get("/api/rates?start_date=2026-09-01").await.status, 400);
}

#[tokio::test]
async fn nights_are_closed_and_opened_by_hand() {
    let running = Running::start(empty()).await;
    let id = running.apartment(0).to_string();
    let booked = running.book(0, ("2026-09-03", "2026-09-05"), Notification::None);
    let shown = || -> String {
        let nights = running.simulator.calendar(&id, day("2026-09-01"), day("2026-09-08"));
        let word = |night: &crate::SimulatedNight| match (night.is_closed, night.available) {
            (true, 0) => 'x',
            (false, 0) => 'b',
            _ => '.',
        };
        nights.iter().map(word).collect()
    };
    assert!(running.simulator.close_by_hand(&id, (day("2026-09-02"), day("2026-09-07")), true));
    assert_eq!(shown(), ".xbbxxx.");
    assert!(running.simulator.close_by_hand(&id, (day("2026-09-06"), day("2026-09-06")), false));
    assert_eq!(shown(), ".xbbx.x.");
    assert!(running.simulator.close_by_hand(&id, (day("2026-09-01"), day("2026-09-08")), false));
    assert_eq!(shown(), "..bb....");
    assert!(running.reservation(booked).is_some_and(|kept| kept.status == crate::SimulatedStatus::Confirmed));
    assert!(!running.simulator.close_by_hand("1", (day("2026-09-01"), day("2026-09-08")), true));
}

#[tokio::test]
async fn a_stay_is_checked() {
    let running = Running::start(empty()).await;
    let [long, free, taken] = [0, 1, 2].map(|place| running.apartment(place));
    let priced = json!({ "apartments": [long, free, taken], "operations": [
        { "dates": ["2026-09-01:2026-09-04"], "daily_price": 110.25, "min_length_of_stay": 1 }] });
    running.post("/api/rates", priced).await;
    let least = json!({ "apartments": [long], "operations": [{ "dates": ["2026-09-01"], "min_length_of_stay": 5 }] });
    running.post("/api/rates", least).await;
    running.book(2, ("2026-09-02", "2026-09-03"), Notification::None);
    let user = running.get("/api/me").await.body["id"].clone();
    let mut stay = json!({ "arrivalDate": "2026-09-01", "departureDate": "2026-09-03", "customerId": user,
        "apartments": [long, free, taken], "guests": 2 });
    let path = "/booking/checkApartmentAvailability";
    let answer = running.post(path, stay.clone()).await.body;
    assert_eq!(answer["availableApartments"], json!([long, free]));
    assert_eq!(answer["prices"], json!({ free.to_string(): { "price": 220.5, "currency": "GBP" } }));
    let errors = &answer["errorMessages"];
    let error = &errors[long.to_string()];
    assert_eq!((&error["errorCode"], &error["minimumLengthOfStay"]), (&json!(401), &json!(5)), "listed and refused");
    assert_eq!(errors.as_object().expect("an object").len(), 1);
    stay["guests"] = json!(20);
    assert_eq!(running.post(path, stay.clone()).await.body["availableApartments"], json!([]));
    stay["customerId"] = json!(1);
    assert_eq!(running.post(path, stay).await.status, 400);
}
